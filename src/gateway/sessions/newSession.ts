import { randomUUID } from 'node:crypto';
import type { SessionContext } from '../../interworking/context.ts';
import type { SessionRow } from '../../store/schema.ts';
import type { MessageMeta } from './entries.ts';
import type { Incoming } from './incoming.ts';
import { LiveSession } from './liveSession.ts';
import type { SessionStarter } from './ports.ts';
import type { StoredContext } from './replay.ts';

/** A session that begins with `message`; the store learns of it with its first write. */
export function newSession(
  message: Incoming,
  context: SessionContext,
  earlier: readonly SessionRow[],
  place: { readonly starter: SessionStarter; readonly node: string; readonly deadline: number },
): LiveSession {
  const { at, deviceId, protocol, mark, encoding, dialect, stripped, tolerated } = message;
  const { mappings: _shared, opening: _journaled, ...stored } = context;
  const row: SessionRow = {
    id: `${at.toString(36).padStart(9, '0')}-${randomUUID().slice(0, 18)}`,
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
    context: JSON.stringify(stored satisfies StoredContext),
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
  const meta: MessageMeta = {
    h: mark.hash,
    ...(mark.msgId !== undefined && { m: mark.msgId }),
    ...(encoding && { enc: encoding }),
    dialect,
    ...(stripped && { stripped }),
    ...(tolerated && { tolerated }),
  };
  session.recordMessage('open', at, meta, message.stored);
  return session;
}
