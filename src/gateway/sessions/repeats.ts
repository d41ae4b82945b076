import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { knownDelivery } from './deliveryLog.ts';
import type { Incoming } from './incoming.ts';
import type { LiveSession } from './liveSession.ts';
import { findExchange, isSame, type StoredExchange } from './storedAnswers.ts';

/** The session that a message without a key of its own in the store goes to (IW-SES-3). */
export function belongsTo(rows: readonly SessionRow[], message: Incoming): SessionRow | undefined {
  const exact = rows.find((row) => row.key === message.key);
  if (exact || message.protocol === 'dm1' || message.opens === 'always') return exact;
  // CONT may have moved the client to another URL of ours; it has one session at most.
  return rows.find((row) => row.protocol === 'dm2');
}

/** Whether a message is the last one again: its answer was lost, or it bears a MsgID that was had (IW-SES-4). */
export async function isRepeat(session: LiveSession, message: Incoming): Promise<boolean> {
  const { hash, msgId } = session.last;
  if (hash !== message.mark.hash || msgId !== message.mark.msgId) return false;
  // A numbered message is told by its number; an equal one without may be the next.
  return msgId !== undefined || !(await knownDelivery(session));
}

/** The exchange of a journal that `message` repeats, if it does (IW-SES-4). */
export function repeatedExchange(
  row: SessionRow,
  entries: readonly JournalEntry[],
  message: Incoming,
  sessionMs: number,
): StoredExchange | undefined {
  const last = findExchange(entries);
  if (!last || !isSame(last.meta, message)) return undefined;
  const live = row.state === 'live';
  // In a live 2.0 session two packages in a row may be equal, but nothing has come of an opening yet; a
  // client that uses one SessionID for ever opens its next session with the very same bytes.
  const numbered = message.mark.msgId !== undefined;
  const ambiguous = live ? !numbered && !last.opening : last.opening;
  const arrived = live ? last.confirmed : last.delivered;
  if (ambiguous && arrived) return undefined;
  if (!live && last.opening && message.at > last.at + sessionMs) return undefined;
  return last;
}

/**
 * Whether the device has used an address of the Data Repository that the answer to `exchange` gave it. A
 * node that died may have had no time to note that the answer arrived; this says so just as well.
 */
export async function hasUsed(store: Store, { id }: SessionRow, exchange: StoredExchange): Promise<boolean> {
  const used = await store.db
    .selectFrom('repository')
    .select('token_hash')
    .where('session_id', '=', id)
    .where('created_at', '>=', exchange.at)
    .where('state', '=', 'taken')
    .limit(1)
    .executeTakeFirst();
  return used !== undefined;
}

const DECIMAL = /^\d{1,15}$/;

/** A MsgID at or below the last one; ids that are no numbers have no order. */
export function isOutOfOrder(session: LiveSession, message: Incoming): boolean {
  const last = session.last.msgId;
  const { msgId } = message.mark;
  if (last === undefined || msgId === undefined) return false;
  if (!DECIMAL.test(last) || !DECIMAL.test(msgId)) return last === msgId;
  return Number(msgId) <= Number(last);
}
