import type { JournalEntry, SessionRow } from '../../store/schema.ts';
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

/** How often a message that should be a repeat is answered again although its answers arrive. */
const MOST_REPEATS = 3;

/** Whether a message is the last one again: its answer was lost, or it bears a number that was had (IW-SES-4). */
export async function isRepeat(session: LiveSession, message: Incoming): Promise<boolean> {
  if (session.declined) return false;
  const { hash, msgId } = session.last;
  if (hash !== message.mark.hash || msgId !== message.mark.msgId) return false;
  if (msgId !== undefined) return true;
  // An opening may begin anew with the same bytes; and a client that neither counts its commands right nor
  // goes where CONT takes it would be given the same package for ever.
  const unsure = session.lookalike || message.opens === 'always' || session.repeats >= MOST_REPEATS;
  return !unsure || !(await knownDelivery(session));
}

/** The exchange of a journal that `message` repeats, if it does (IW-SES-4). */
export function repeatedExchange(
  row: SessionRow,
  entries: readonly JournalEntry[],
  message: Incoming,
  sessionMs: number,
): StoredExchange | undefined {
  const last = findExchange(entries);
  if (!last || last.declined || !isSame(last.meta, message)) return undefined;
  const live = row.state === 'live';
  // A client that uses one SessionID for ever opens its next session with the very same bytes.
  const ambiguous = live ? last.lookalike : last.opening;
  const arrived = live ? last.confirmed : last.delivered;
  if (ambiguous && arrived) return undefined;
  if (!live && last.opening && message.at > last.at + sessionMs) return undefined;
  return last;
}

const DECIMAL = /^\d{1,15}$/;

/** A MsgID at or below the last one that was taken; ids that are no numbers have no order. */
export function isOutOfOrder(session: LiveSession, message: Incoming): boolean {
  const last = session.last.msgId;
  const { msgId } = message.mark;
  if (last === undefined || msgId === undefined || (session.declined && msgId === last)) return false;
  if (!DECIMAL.test(last) || !DECIMAL.test(msgId)) return last === msgId;
  return Number(msgId) <= Number(last);
}
