import { LRUCache } from 'lru-cache';
import { minutes } from '../../support/durations.ts';

/** Counts refused messages of each session: the first is answered with a challenge, the second ends it (IW-AUTH-1). */
export class SessionTries {
  readonly #counts = new LRUCache<string, number>({ max: 50_000, ttl: minutes(30) });

  /** Counts one more; 1 for the first. */
  count(sessionId: string): number {
    const count = (this.#counts.get(sessionId) ?? 0) + 1;
    this.#counts.set(sessionId, count);
    return count;
  }

  forget(sessionId: string): void {
    this.#counts.delete(sessionId);
  }
}
