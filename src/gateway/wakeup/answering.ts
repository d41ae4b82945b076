import type { EffectOf, ResultOf } from '../../interworking/script.ts';
import type { NotificationRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';

/** Of one device: as many as can be under way, and some that ended. */
const MOST_LOOKED_AT = 200;

/**
 * Performs `wakeup.answer`: finds the notification that a session answers and notes the session in it. Performed
 * again for the same session it finds the same one; a second session that brings a number back is told of it and
 * changes nothing (IW-NOT-2).
 */
export async function answerWakeup(
  store: Store,
  { deviceId, sessionId }: { readonly deviceId: string; readonly sessionId: string },
  { number }: EffectOf<'wakeup.answer'>,
  at: number,
): Promise<ResultOf<'wakeup.answer'>> {
  const newestFirst = await store.db
    .selectFrom('notifications')
    .selectAll()
    .where('device_id', '=', deviceId)
    .where('state', '<>', 'withdrawn')
    .orderBy('created_at', 'desc')
    .limit(MOST_LOOKED_AT)
    .execute();
  const found = answeredBy(newestFirst, sessionId, number);
  if (!found) return { at };
  const first = found.session_id === sessionId || (await noteSession(store, found.id, sessionId, at));
  // A server gets back what it gave; who asked here was told our number.
  const { asked_number: asked, asked_by: askedBy } = found;
  const given = asked ?? (askedBy.startsWith('server:') ? undefined : found.number);
  return {
    at,
    answers: {
      id: found.id,
      askedBy,
      ...(given === undefined ? {} : { number: Number(given) }),
      ...(first ? {} : { again: true as const }),
    },
  };
}

function answeredBy(
  newestFirst: readonly NotificationRow[],
  sessionId: string,
  number: number | undefined,
): NotificationRow | undefined {
  const sameNumber = newestFirst.filter((row) => Number(row.number) === number);
  return (
    newestFirst.find((row) => row.session_id === sessionId) ??
    sameNumber.find(({ state }) => state !== 'answered') ??
    sameNumber[0] ??
    // Clients exist that bring no number back, or always the same one (1x§16.2): the oldest on its way.
    newestFirst.findLast(({ state }) => state === 'sent')
  );
}

/** Whether no other session was noted before. */
async function noteSession(store: Store, id: string, sessionId: string, at: number): Promise<boolean> {
  const result = await store.db
    .updateTable('notifications')
    .set({ state: 'answered', session_id: sessionId, detail: null, claimed_by: null, updated_at: at })
    .where('id', '=', id)
    .where('session_id', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
