import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import type {
  NotificationForm,
  NotificationNote,
  WakeRequest,
} from '../../interworking/notification/wakeRequest.ts';
import type { EffectOf, ResultOf } from '../../interworking/script.ts';
import type { NewNotification, NotificationRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, hours, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newId } from '../../support/ids.ts';
import { answerWakeup } from './answering.ts';
import { toWakeup, type Wakeup, writeRequest } from './wakeup.ts';

export interface WakeupsOptions {
  readonly notificationHours: number;
  readonly now?: Clock;
  /** Told when there is something to send. */
  readonly wake?: () => void;
}

/** What is to be kept of a request, complete. */
export interface NewWakeup {
  readonly deviceId: string;
  readonly request: WakeRequest;
  readonly form: NotificationForm;
  readonly via: string;
  readonly address?: string;
  readonly askedBy: string;
  /** Names the Package#0 that asks: one that comes again is the same request (IW-NOT-2). */
  readonly source?: string;
  readonly jobId?: string;
  readonly notes?: readonly NotificationNote[];
}

/** Written out, not bound, so that the partial indexes serve. */
const OPEN = sql<boolean>`state in ('waiting', 'sent')`;
const MOST_OPEN = 100;
const TRIES = 5;

/** Notifications of all devices, in the store: they outlive restarts, and nodes share them. */
export class Wakeups {
  readonly #store: Store;
  readonly #options: WakeupsOptions;
  readonly #now: Clock;

  constructor(store: Store, options: WakeupsOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? systemClock;
  }

  /**
   * Keeps a request and has it sent; the same Package#0 again resolves to what it began. Throws `overload`
   * when too many of the device are open.
   */
  async request(what: NewWakeup): Promise<Wakeup> {
    for (let attempt = 1; ; attempt += 1) {
      const known = await this.#bySource(what);
      if (known) return toWakeup(known);
      try {
        const row = await this.#insert(what);
        this.#options.wake?.();
        return toWakeup(row);
      } catch (error) {
        // Another request took the number or is the same Package#0: look again.
        if (error instanceof DragomanError || attempt === TRIES) throw error;
      }
    }
  }

  async #bySource({ deviceId, source }: NewWakeup): Promise<NotificationRow | undefined> {
    if (source === undefined) return undefined;
    const row = await this.#store.db
      .selectFrom('notifications')
      .selectAll()
      .where('device_id', '=', deviceId)
      .where('source', '=', source)
      .executeTakeFirst();
    if (!row || Number(row.expires_at) > this.#now()) return row;
    // Numbers of 16 bits come round: one from long ago is another notification.
    await this.#store.db
      .updateTable('notifications')
      .set({ source: null })
      .where('id', '=', row.id)
      .execute();
    return undefined;
  }

  async #insert(what: NewWakeup): Promise<NotificationRow> {
    const open = await this.#store.db
      .selectFrom('notifications')
      .select('number')
      .where('device_id', '=', what.deviceId)
      .where(OPEN)
      .execute();
    if (open.length >= MOST_OPEN) {
      throw new DragomanError('overload', `${MOST_OPEN} notifications of this device are under way already.`);
    }
    const at = this.#now();
    const row: NewNotification = {
      id: newId('ntf'),
      device_id: what.deviceId,
      number: freeNumber(what.request.id, new Set(open.map(({ number }) => Number(number)))),
      asked_number: what.request.id ?? null,
      asked_by: what.askedBy,
      source: what.source ?? null,
      form: what.form,
      request: writeRequest(what.request),
      via: what.via,
      address: what.address ?? null,
      state: 'waiting',
      next_at: at,
      expires_at: at + hours(this.#options.notificationHours),
      created_at: at,
      updated_at: at,
      session_id: null,
      job_id: what.jobId ?? null,
      detail: null,
      notes: JSON.stringify(what.notes ?? []),
      claimed_by: null,
    };
    return this.#store.db.insertInto('notifications').values(row).returningAll().executeTakeFirstOrThrow();
  }

  async get(id: string): Promise<Wakeup | undefined> {
    const row = await this.#store.db
      .selectFrom('notifications')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row && toWakeup(row);
  }

  /** Newest first. */
  async list(deviceId: string, limit = 100): Promise<readonly Wakeup[]> {
    const rows = await this.#store.db
      .selectFrom('notifications')
      .selectAll()
      .where('device_id', '=', deviceId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(Math.min(Math.max(limit, 1), 1000))
      .execute();
    return rows.map(toWakeup);
  }

  /** Sends no further copy; resolves to whether one was still to come. */
  async withdraw(id: string): Promise<boolean> {
    return this.#end(id, 'withdrawn', undefined);
  }

  /**
   * Takes what is due, of devices without a live session: a new one would end it (IW-SES-3). Claimed for
   * `leaseMs` milliseconds, after which another node may take it.
   */
  async claim(node: string, leaseMs: number, limit: number): Promise<readonly Wakeup[]> {
    const now = this.#now();
    const due = await this.#store.db
      .selectFrom('notifications as n')
      .selectAll('n')
      .where(sql<boolean>`n.state in ('waiting', 'sent')`)
      .where('n.next_at', '<=', now)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('sessions as s')
              .select(sql<number>`1`.as('one'))
              .whereRef('s.device_id', '=', 'n.device_id')
              .where('s.state', '=', 'live'),
          ),
        ),
      )
      .orderBy('n.next_at')
      .limit(limit)
      .execute();
    const claimed: Wakeup[] = [];
    for (const row of due) {
      const taken = await this.#store.db
        .updateTable('notifications')
        .set({
          next_at: now + leaseMs,
          claimed_by: node,
          attempts: Number(row.attempts) + 1,
          updated_at: now,
        })
        .where('id', '=', row.id)
        .where(OPEN)
        .where('next_at', '=', row.next_at)
        .where('attempts', '=', row.attempts)
        .returningAll()
        .executeTakeFirst();
      if (taken) claimed.push(toWakeup(taken));
    }
    return claimed;
  }

  /** The transport took a copy; the next one is due at `nextAt` unless a session answers before. */
  async sent(id: string, node: string, nextAt: number, notes: readonly NotificationNote[]): Promise<void> {
    await this.#store.db
      .updateTable('notifications')
      .set((eb) => ({
        state: 'sent' as const,
        sent: eb('sent', '+', 1),
        next_at: nextAt,
        detail: null,
        claimed_by: null,
        notes: JSON.stringify(notes),
        updated_at: this.#now(),
      }))
      .where('id', '=', id)
      .where('claimed_by', '=', node)
      .where(OPEN)
      .execute();
  }

  /** The transport did not take it this time. */
  async retry(id: string, node: string, nextAt: number, detail: string): Promise<void> {
    await this.#store.db
      .updateTable('notifications')
      .set({ next_at: nextAt, detail, claimed_by: null, updated_at: this.#now() })
      .where('id', '=', id)
      .where('claimed_by', '=', node)
      .where(OPEN)
      .execute();
  }

  async fail(id: string, detail: string): Promise<void> {
    await this.#end(id, 'failed', detail);
  }

  async expire(id: string, detail: string): Promise<void> {
    await this.#end(id, 'expired', detail);
  }

  async #end(
    id: string,
    state: 'failed' | 'expired' | 'withdrawn',
    detail: string | undefined,
  ): Promise<boolean> {
    const result = await this.#store.db
      .updateTable('notifications')
      .set({ state, claimed_by: null, updated_at: this.#now(), ...(detail !== undefined && { detail }) })
      .where('id', '=', id)
      .where(OPEN)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Performs `wakeup.answer`. */
  answer(
    whose: { readonly deviceId: string; readonly sessionId: string },
    effect: EffectOf<'wakeup.answer'>,
  ): Promise<ResultOf<'wakeup.answer'>> {
    return answerWakeup(this.#store, whose, effect, this.#now());
  }

  /** Forgets those that ended before `before`; resolves to how many. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('notifications')
      .where('state', 'not in', ['waiting', 'sent'])
      .where('updated_at', '<', before)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }
}

/** The wanted number where it is free; a trigger cannot carry 0 (1x§10.1). */
function freeNumber(wanted: number | undefined, taken: ReadonlySet<number>): number {
  if (wanted !== undefined && wanted > 0 && !taken.has(wanted)) return wanted;
  for (;;) {
    const number = randomInt(1, 0x1_0000);
    if (!taken.has(number)) return number;
  }
}
