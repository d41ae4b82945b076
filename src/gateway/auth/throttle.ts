import { LRUCache } from 'lru-cache';
import { type Clock, hours, type Milliseconds, seconds, systemClock } from '../../support/durations.ts';

/** Failures in a row that cost nothing: a stale nonce, a mistyped password. */
const FREE_FAILURES = 5;
const FIRST_WAIT = seconds(1);
/** Small enough that a stranger who fails in a device's name, from its address, cannot keep it out for long. */
const LONGEST_WAIT = seconds(60);
const FORGOTTEN_AFTER = hours(1);
const REMEMBERED = 50_000;

interface Failures {
  readonly count: number;
  readonly at: number;
}

/**
 * Slows down whoever keeps failing in the name of one device from one place (IW-AUTH-5): waits double up
 * to a minute. A source is any text that names both.
 */
export class Throttle {
  readonly #now: Clock;
  readonly #since: Milliseconds;
  readonly #failures = new LRUCache<string, Failures>({ max: REMEMBERED });

  constructor(now: Clock = systemClock) {
    this.#now = now;
    this.#since = now();
  }

  /** How long this source must not try again; 0 when it may. */
  wait(source: string): Milliseconds {
    const failures = this.#current(source);
    if (!failures || failures.count < FREE_FAILURES) return 0;
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(failures.count - FREE_FAILURES, 10), LONGEST_WAIT);
    return Math.max(0, failures.at + wait - this.#now());
  }

  /** Counts a failure; resolves to how many there are in a row. */
  failed(source: string): number {
    const count = (this.#current(source)?.count ?? 0) + 1;
    this.#failures.set(source, { count, at: this.#now() });
    return count;
  }

  succeeded(source: string): void {
    this.#failures.delete(source);
  }

  /** Takes over what the registry remembers of a device from before a restart, wherever that came from. */
  recall(source: string, count: number, at: number | undefined): void {
    if (count === 0 || at === undefined || at > this.#since || this.#failures.has(source)) return;
    this.#failures.set(source, { count, at });
  }

  #current(source: string): Failures | undefined {
    const failures = this.#failures.get(source);
    return failures && this.#now() - failures.at < FORGOTTEN_AFTER ? failures : undefined;
  }
}
