import type { SessionRow } from '../../store/schema.ts';
import type { SessionStore } from '../../store/sessions.ts';
import type { DeviceOrder } from './deviceOrder.ts';
import { type Driver, JournalRefused, MOST_RELOADS } from './drive.ts';
import { type Gone, sayGoodbye } from './goodbye.ts';
import type { LiveSession } from './liveSession.ts';
import type { NodeSessions } from './nodeSessions.ts';

export interface DepartureParts {
  readonly store: SessionStore;
  readonly sessions: NodeSessions;
  readonly order: DeviceOrder;
  readonly driver: Driver;
  /** Brings a session back from its journal, or ends it when that cannot be done. */
  readonly load: (row: SessionRow) => Promise<LiveSession | undefined>;
  /** How long a device may be silent, milliseconds. */
  readonly sessionMs: number;
  /** Name of this node in the store. */
  readonly node: string;
}

/** Ends the sessions whose devices have left: fallen silent, or begun another one. */
export class Departures {
  readonly #parts: DepartureParts;
  /** Sessions without a device that are being brought to their end. */
  readonly #closing = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(parts: DepartureParts) {
    this.#parts = parts;
  }

  /** Ends sessions whose device has been silent for too long, this node's and abandoned ones (IW-SES-11). */
  async sweep(limit: number): Promise<void> {
    const { store, sessions, order, driver, node, sessionMs } = this.#parts;
    const now = driver.now();
    const due: Promise<unknown>[] = [];
    for (const { id, deviceId } of sessions.silent(now)) {
      if (due.length >= limit) break;
      if (order.isBusy(deviceId)) this.#extend(id, deviceId, now);
      else due.push(order.inOrder(deviceId, () => this.#timeOut(id)) ?? Promise.resolve());
    }
    await Promise.all(due);
    for (const row of await store.overdue(now, limit)) {
      if (this.#stopped) return;
      if (this.#closing.has(row.id) || order.isBusy(row.device_id)) continue;
      if (!(await store.claim(row, node, now + sessionMs))) continue;
      await order.inOrder(row.device_id, () => this.#timeOut(row.id));
    }
  }

  /** Ends a session in the background whose device has begun another one. */
  replace(row: SessionRow, held: LiveSession | undefined): void {
    if (held) held.key = null;
    const closing = this.#sayGoodbye({ ...row, key: null }, held, 'replaced').finally(() =>
      this.#closing.delete(row.id),
    );
    this.#closing.set(row.id, closing);
  }

  /** Resolves when those that were being ended have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#closing.values());
  }

  /** Takes no more sessions of other nodes over. */
  stop(): void {
    this.#stopped = true;
  }

  /** A message that takes long, a user who ponders: no other node may take the session for abandoned. */
  #extend(id: string, deviceId: string, now: number): void {
    const { sessions, driver } = this.#parts;
    const deadline = sessions.extend(id, deviceId, now);
    driver.journal.write({ id, patch: { deadline }, entries: [] }).catch((error) => {
      driver.log.warn({ session: id, error }, 'The deadline of a session could not be moved.');
    });
  }

  async #timeOut(id: string): Promise<void> {
    const { store, sessions } = this.#parts;
    const row = await store.byId(id);
    if (row?.state !== 'live') sessions.forget({ id, key: null });
    else await this.#sayGoodbye(row, sessions.ofRow(row), row.key === null ? 'replaced' : 'timeout');
  }

  /** Tells a script that its device is gone, so that it ends its backend leg tidily. Never rejects. */
  async #sayGoodbye(row: SessionRow, held: LiveSession | undefined, reason: Gone): Promise<void> {
    const { sessions, driver, load, sessionMs } = this.#parts;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const session = (attempt === 0 && held) || (await load(row));
        if (!session) return;
        if (reason === 'timeout' && session.lastAt + sessionMs > driver.now()) return;
        return await sayGoodbye(session, reason, driver);
      } catch (error) {
        sessions.forget(row);
        if (!(error instanceof JournalRefused)) {
          driver.log.error({ session: row.id, error }, 'A session could not be ended.');
          return;
        }
        // Another node wrote to it meanwhile; if it ended there, that is all.
        if (attempt >= MOST_RELOADS || (await this.#isOver(row.id))) return;
      }
    }
  }

  async #isOver(id: string): Promise<boolean> {
    try {
      return (await this.#parts.store.byId(id))?.state !== 'live';
    } catch {
      // The store is out of reach; the sweep tries again.
      return true;
    }
  }
}
