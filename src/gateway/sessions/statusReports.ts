import { type DialectName, placeOfStatus, type SessionFault } from '../../dm2/dialects/index.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Answer, Incoming } from './incoming.ts';
import type { LiveSession } from './liveSession.ts';
import type { Wire } from './ports.ts';

/** Why a 2.0 client's message does not belong into its session at all; `undefined` when it does, and for DM 1.x. */
export function otherDialect(session: LiveSession, message: Incoming): Answer | undefined {
  if (message.event?.kind !== 'package3') return undefined;
  const { deviceId } = session;
  const place = placeOfStatus(
    { dialect: session.dialect as DialectName, deviceId },
    { dialect: message.dialect as DialectName, deviceId: message.deviceId },
  );
  return refused(place);
}

/**
 * A client's status report as the event of its session: it has to bear the number of the commands that
 * wait for it, where they are numbered, and data in it is given to the commands that asked for it.
 */
export function reportFor(
  session: LiveSession,
  message: Incoming,
  wire: Wire,
): { readonly event: NonNullable<Incoming['event']> } | { readonly refused: Answer } {
  const { event } = message;
  if (event?.kind !== 'package3') return { event: event! };
  const { deviceId, msgId } = session;
  const dialect = wire.dm2[session.dialect as DialectName];
  const place = placeOfStatus(
    { dialect: dialect.name, deviceId, ...(msgId !== undefined && { msgId }) },
    {
      dialect: message.dialect as DialectName,
      deviceId: message.deviceId,
      ...(event.msgId !== undefined && { msgId: event.msgId }),
    },
  );
  const fault = refused(place);
  if (fault) return { refused: fault };
  if (dialect.capabilities.dataInStatus !== 'multipart') return { event };
  try {
    const { package3 } = dialect.readStatus(
      { headers: message.request.headers, body: message.request.body },
      { limits: wire.dm2Limits, commands: session.asked },
    );
    return { event: { ...event, package3 } };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    return { refused: { kind: 'refused', code: error.code, detail: error.detail } };
  }
}

function refused(place: 'next' | 'repeated' | SessionFault): Answer | undefined {
  return typeof place === 'string' ? undefined : { kind: 'refused', code: place.code, detail: place.detail };
}
