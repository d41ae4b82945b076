import { sql } from 'kysely';
import type { Also } from '../../store/engine.ts';
import type { OutboxRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { KIND } from './payload.ts';

export interface DeliveryQueueOptions {
  readonly now?: Clock;
  /** Told when there is something to deliver that no session delivers. */
  readonly wake?: () => void;
}

/** Written out, not bound, so that the partial indexes serve. */
export const WAITING = sql.lit('waiting' as const);

/** No column to an index of times, so that a lane is found as such among thousands that wait for theirs. */
const NEXT_AT = sql<number>`next_at + 0`;

/**
 * Alerts on their way (IW-ALERT-6), each in the lane of its device and of where it goes: who may deliver
 * which next, what came of it, and the dead letters.
 */
export class DeliveryQueue {
  readonly #store: Store;
  readonly #options: DeliveryQueueOptions;
  readonly #now: Clock;
  readonly #changes: Changes;

  constructor(store: Store, options: DeliveryQueueOptions = {}) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? systemClock;
    this.#changes = changes(store);
  }

  /** There is something to deliver that no session delivers. */
  wake(): void {
    this.#options.wake?.();
  }

  /**
   * Takes up to `limit` alerts that are due for `leaseMs`; no other node gets them meanwhile. Only the
   * first of a lane is ever due, and what a device's live session could still deliver, or would be
   * disturbed by at its backend, is not.
   */
  async claim(node: string, leaseMs: number, limit: number): Promise<readonly OutboxRow[]> {
    const now = this.#now();
    const heads = await this.#store.db
      .selectFrom('outbox as o')
      .selectAll('o')
      .where('o.state', '=', WAITING)
      .where('o.next_at', '<=', now)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('outbox as e')
              .select(sql<number>`1`.as('one'))
              .whereRef('e.device_id', '=', 'o.device_id')
              .whereRef('e.lane', '=', 'o.lane')
              .where('e.state', '=', WAITING)
              .whereRef('e.seq', '<', 'o.seq'),
          ),
        ),
      )
      .where((eb) =>
        eb.or([
          eb('o.url', 'is not', null),
          eb.not(
            eb.exists(
              eb
                .selectFrom('sessions as s')
                .select(sql<number>`1`.as('one'))
                .whereRef('s.device_id', '=', 'o.device_id')
                .where('s.state', '=', 'live'),
            ),
          ),
        ]),
      )
      .orderBy('o.next_at')
      .orderBy('o.seq')
      .limit(limit)
      .execute();
    const claimed: OutboxRow[] = [];
    for (const row of heads) {
      const taken = await this.#store.db
        .updateTable('outbox')
        .set({ next_at: now + leaseMs, claimed_by: node, attempts: Number(row.attempts) + 1 })
        .where('id', '=', row.id)
        .where('state', '=', WAITING)
        .where('next_at', '=', row.next_at)
        .where('attempts', '=', row.attempts)
        .returningAll()
        .executeTakeFirst();
      if (taken) claimed.push(taken);
    }
    return claimed;
  }

  /** Goes on holding it; false when another node has it by now. */
  async renew({ id }: Pick<OutboxRow, 'id'>, node: string, leaseMs: number): Promise<boolean> {
    const result = await this.#store.db
      .updateTable('outbox')
      .set({ next_at: this.#now() + leaseMs })
      .where('id', '=', id)
      .where('state', '=', WAITING)
      .where('claimed_by', '=', node)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** The backend has it. */
  async done({ id }: Pick<OutboxRow, 'id'>): Promise<void> {
    await this.settle(id, { state: 'done', detail: null });
  }

  /** Nobody will ever take it: a dead letter, with the reason. */
  async fail({ id }: Pick<OutboxRow, 'id'>, detail: string): Promise<void> {
    await this.settle(id, { state: 'failed', detail });
  }

  /** Not yet; those behind it wait as well. */
  async retry(row: OutboxRow, at: number, detail: string): Promise<void> {
    await this.#store.db
      .updateTable('outbox')
      .set({ next_at: at, detail, claimed_by: null })
      .where('id', '=', row.id)
      .where('state', '=', WAITING)
      .execute();
    await this.#store.db
      .updateTable('outbox')
      .set({ next_at: at })
      .where('device_id', '=', row.device_id)
      .where('lane', '=', row.lane)
      .where('state', '=', WAITING)
      .where(NEXT_AT, '<', at)
      .execute();
  }

  /** What became of it for good; with `also` it becomes durable with what a session writes next. */
  async settle(
    id: string,
    { state, detail }: Pick<OutboxRow, 'state' | 'detail'>,
    also?: Also,
  ): Promise<void> {
    const at = this.#now();
    await this.#changes.end(also, id, state, detail, at);
    // Those behind it waited for it only.
    await this.#changes.moveUp(also, id, at);
  }

  /** What waits or was given up, and what was delivered lately; newest first. */
  async list(filter: {
    readonly deviceId?: string;
    readonly state?: OutboxRow['state'];
    readonly before?: number;
    readonly limit?: number;
  }): Promise<readonly OutboxRow[]> {
    let query = this.#store.db.selectFrom('outbox').selectAll().where('kind', '=', KIND);
    if (filter.deviceId !== undefined) query = query.where('device_id', '=', filter.deviceId);
    if (filter.state !== undefined) query = query.where('state', '=', filter.state);
    if (filter.before !== undefined) query = query.where('seq', '<', filter.before);
    return query
      .orderBy('seq', 'desc')
      .limit(Math.min(Math.max(filter.limit ?? 100, 1), 1000))
      .execute();
  }

  async get(id: string): Promise<OutboxRow | undefined> {
    return this.#store.db
      .selectFrom('outbox')
      .selectAll()
      .where('id', '=', id)
      .where('kind', '=', KIND)
      .executeTakeFirst();
  }

  /**
   * Tries a dead letter again, as if it had just come: in its old place, before what came later and still
   * waits. Resolves to whether it was one.
   */
  async revive(id: string): Promise<boolean> {
    const at = this.#now();
    const result = await this.#store.db
      .updateTable('outbox')
      .set({ state: 'waiting', next_at: at, created_at: at, attempts: 0, detail: null, session_id: null })
      .where('id', '=', id)
      .where('kind', '=', KIND)
      .where('state', '=', 'failed')
      .executeTakeFirst();
    const done = result.numUpdatedRows > 0n;
    if (done) this.wake();
    return done;
  }

  /** Throws a dead letter away; resolves to whether it was one. */
  async discard(id: string): Promise<boolean> {
    const result = await this.#store.db
      .deleteFrom('outbox')
      .where('id', '=', id)
      .where('kind', '=', KIND)
      .where('state', '=', 'failed')
      .executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  /** Forgets what was settled before `before`; resolves to how many. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('outbox')
      .where('kind', '=', KIND)
      .where('state', 'in', ['done', 'failed'])
      .where('next_at', '<', before)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }
}

type Changes = ReturnType<typeof changes>;

/** What runs for every alert, compiled once. */
function changes(store: Store) {
  const { db } = store;
  return {
    end: store.prepareAlso<[id: string, state: OutboxRow['state'], detail: string | null, at: number]>(
      (slot) =>
        db
          .updateTable('outbox')
          .set({
            state: slot<OutboxRow['state']>(1),
            detail: slot<string>(2),
            next_at: slot<number>(3),
            claimed_by: null,
          })
          .where('id', '=', slot<string>(0))
          .where('state', '=', 'waiting')
          .compile(),
    ),
    moveUp: store.prepareAlso<[id: string, at: number]>((slot) =>
      db
        .updateTable('outbox')
        .set({ next_at: slot<number>(1) })
        .where('state', '=', WAITING)
        .where(NEXT_AT, '>', slot<number>(1))
        .where((eb) => {
          const of = (column: 'device_id' | 'lane') =>
            eb.selectFrom('outbox').select(column).where('id', '=', slot<string>(0));
          return eb.and([eb('device_id', '=', of('device_id')), eb('lane', '=', of('lane'))]);
        })
        .compile(),
    ),
  };
}
