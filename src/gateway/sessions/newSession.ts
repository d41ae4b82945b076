import type { SessionContext } from '../../interworking/context.ts';
import type { SessionRow } from '../../store/schema.ts';
import { newSessionId } from '../../store/sessions.ts';
import type { OpenMeta } from './entries.ts';
import type { Incoming } from './incoming.ts';
import { LiveSession } from './liveSession.ts';
import type { SessionStarter } from './ports.ts';

/** A session that begins with `message`; the store learns of it with its first write. */
export function newSession(
  message: Incoming,
  context: SessionContext,
  earlier: readonly SessionRow[],
  place: { readonly starter: SessionStarter; readonly node: string; readonly deadline: number },
): LiveSession {
  const { at, deviceId, protocol, mark, encoding, dialect, stripped, tolerated } = message;
  const { mappings: _shared, opening: _beside, ...stored } = context;
  const row: SessionRow = {
    id: newSessionId(at),
    key: message.key,
    device_id: deviceId,
    protocol,
    backend: context.backend.name,
    state: 'live',
    opened_at: at,
    updated_at: at,
    deadline: place.deadline,
    ending: null,
    detail: null,
    node: place.node,
  };
  const session = new LiveSession({
    row,
    context,
    script: place.starter.script(context),
    encoding,
    dialect,
    last: mark,
    entries: 0,
    replaces: earlier.map((e) => e.id),
  });
  const meta: OpenMeta = {
    h: mark.hash,
    ...(mark.msgId !== undefined && { m: mark.msgId }),
    ...(encoding && { enc: encoding }),
    dialect,
    ...(stripped && { stripped }),
    ...(tolerated && { tolerated }),
    context: stored,
  };
  session.recordMessage('open', at, meta, message.stored);
  return session;
}
