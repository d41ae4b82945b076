import { LRUCache } from 'lru-cache';
import type { SessionRow } from '../../store/schema.ts';
import type { LiveSession } from './liveSession.ts';

/** How much later than the true deadline the stored one is, as a part of the whole; spares a write per message. */
const DEADLINE_SLACK = 0.25;

export interface NodeSessionsOptions {
  /** Sessions kept in memory between two messages. */
  readonly most: number;
  /** How long a device may be silent, milliseconds. */
  readonly sessionMs: number;
  /** Name of this node in the store. */
  readonly node: string;
}

/**
 * Live sessions that this node was the last to serve: until when each may be silent, and of those that
 * were used last all that a next message needs.
 */
export class NodeSessions {
  readonly #options: NodeSessionsOptions;
  /** Sessions in memory by key. */
  readonly #held: LRUCache<string, LiveSession>;
  /** Longest silent first. */
  readonly #deadlines = new Map<string, { readonly deviceId: string; readonly deadline: number }>();

  constructor(options: NodeSessionsOptions) {
    this.#options = options;
    this.#held = new LRUCache({ max: options.most });
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** The session in memory that messages with this key go to. */
  byKey(key: string): LiveSession | undefined {
    return this.#held.get(key);
  }

  /** The session of a row, where it is in memory. */
  ofRow({ id, key }: Pick<SessionRow, 'id' | 'key'>): LiveSession | undefined {
    const held = key === null ? undefined : this.#held.get(key);
    return held?.id === id ? held : undefined;
  }

  keep(session: LiveSession): void {
    if (!session.ended && session.key !== null) this.#held.set(session.key, session);
  }

  /** What is in memory under this key is worth nothing; the journal has it right. */
  distrust(key: string): void {
    this.#held.delete(key);
  }

  /** Gives up a session whose key goes to another one; returns it where it was in memory. */
  release(row: Pick<SessionRow, 'id' | 'key'>): LiveSession | undefined {
    const held = this.ofRow(row);
    this.#deadlines.delete(row.id);
    if (row.key !== null) this.#held.delete(row.key);
    return held;
  }

  /** This node serves it no longer. */
  forget({ id, key }: { readonly id: string; readonly key: string | null }): void {
    this.#deadlines.delete(id);
    if (key !== null && this.#held.peek(key)?.id === id) this.#held.delete(key);
  }

  /** Leaves all that is in memory to the journal. */
  clear(): void {
    this.#held.clear();
  }

  /** The client goes on at another URL of ours, where its next messages look for it (IW-SES-3). */
  rename(session: LiveSession, key: string): void {
    if (session.key === null || session.key === key) return;
    this.#held.delete(session.key);
    session.key = key;
    session.change({ key });
  }

  /** Notes that the session has life in it until a deadline from `at` on. */
  touch(session: LiveSession, at: number): void {
    this.#await(session.id, session.deviceId, at);
    if (at + this.#options.sessionMs <= session.storedDeadline) return;
    session.storedDeadline = this.storedDeadline(at);
    session.change({ deadline: session.storedDeadline, updated_at: at, node: this.#options.node });
  }

  /** As {@link touch}, for a session whose device waits for us; returns the deadline to be stored. */
  extend(id: string, deviceId: string, at: number): number {
    this.#await(id, deviceId, at);
    return this.storedDeadline(at);
  }

  /** Until when other nodes leave a session alone whose device was last heard of at `at`. */
  storedDeadline(at: number): number {
    return Math.round(at + this.#options.sessionMs * (1 + DEADLINE_SLACK));
  }

  /** Sessions whose device has been silent for too long. */
  *silent(now: number): Generator<{ readonly id: string; readonly deviceId: string }> {
    for (const [id, { deviceId, deadline }] of this.#deadlines) {
      if (deadline > now) return;
      yield { id, deviceId };
    }
  }

  #await(id: string, deviceId: string, at: number): void {
    this.#deadlines.delete(id);
    this.#deadlines.set(id, { deviceId, deadline: at + this.#options.sessionMs });
  }
}
