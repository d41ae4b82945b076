import type { Alert } from '../../dm2/packages.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { newId } from '../../support/ids.ts';
import { DEFAULT_BACKEND } from '../routing/route.ts';

/** An alert that a device sent to the built-in backend. */
export interface ReceivedAlert {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly alert: Alert;
}

/** Tells these rows of the outbox, which nobody delivers, from alerts that wait for a backend. */
const KIND = 'received';

/** The alerts of devices that the built-in backend took, kept for the operator to read. */
export class ReceivedAlerts {
  readonly #store: Store;
  readonly #now: Clock;

  constructor(store: Store, now: Clock = systemClock) {
    this.#store = store;
    this.#now = now;
  }

  async add(deviceId: string, alerts: readonly Alert[]): Promise<void> {
    if (alerts.length === 0) return;
    const at = this.#now();
    await this.#store.db
      .insertInto('outbox')
      .values(
        alerts.map((alert) => ({
          id: newId('alert'),
          device_id: deviceId,
          backend: DEFAULT_BACKEND,
          kind: KIND,
          payload: JSON.stringify(alert),
          next_at: at,
          state: 'done' as const,
        })),
      )
      .execute();
  }

  /** Newest first. */
  async list(deviceId: string, limit = 100): Promise<readonly ReceivedAlert[]> {
    const rows = await this.#store.db
      .selectFrom('outbox')
      .select(['id', 'payload', 'next_at'])
      .where('device_id', '=', deviceId)
      .where('kind', '=', KIND)
      .orderBy('seq', 'desc')
      .limit(Math.min(Math.max(limit, 1), 1000))
      .execute();
    return rows.map((row) => ({ id: row.id, at: Number(row.next_at), alert: JSON.parse(row.payload) }));
  }

  /** Forgets alerts from before `before`; resolves to how many. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('outbox')
      .where('kind', '=', KIND)
      .where('state', '=', 'done')
      .where('next_at', '<', before)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }
}
