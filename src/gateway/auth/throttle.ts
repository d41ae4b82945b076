import { LRUCache } from 'lru-cache';
import { type Clock, hours, type Milliseconds, seconds, systemClock } from '../../support/durations.ts';

/** Failures in a row that cost nothing: a stale nonce, a mistyped password. */
const FREE_FAILURES = 5;
const FIRST_WAIT = seconds(1);
/** Small enough that a stranger who fails in a device's name cannot keep the device out for long. */
const LONGEST_WAIT = seconds(60);
const FORGOTTEN_AFTER = hours(1);
const REMEMBERED = 50_000;

interface Failures {
  readonly count: number;
  readonly at: number;
}

/** Slows down whoever keeps failing in the name of one device (IW-AUTH-5): waits double up to a minute. */
export class Throttle {
  readonly #now: Clock;
  readonly #failures = new LRUCache<string, Failures>({ max: REMEMBERED });

  constructor(now: Clock = systemClock) {
    this.#now = now;
  }

  /** How long this device must not try again; 0 when it may. */
  wait(deviceId: string): Milliseconds {
    const failures = this.#current(deviceId);
    if (!failures || failures.count < FREE_FAILURES) return 0;
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(failures.count - FREE_FAILURES, 10), LONGEST_WAIT);
    return Math.max(0, failures.at + wait - this.#now());
  }

  /** Counts a failure; resolves to how many there are in a row. */
  failed(deviceId: string): number {
    const count = (this.#current(deviceId)?.count ?? 0) + 1;
    this.#failures.set(deviceId, { count, at: this.#now() });
    return count;
  }

  succeeded(deviceId: string): void {
    this.#failures.delete(deviceId);
  }

  /** Takes over what the registry remembers of a device after a restart. */
  recall(deviceId: string, count: number, at: number | undefined): void {
    if (count === 0 || at === undefined || this.#failures.has(deviceId)) return;
    this.#failures.set(deviceId, { count, at });
  }

  #current(deviceId: string): Failures | undefined {
    const failures = this.#failures.get(deviceId);
    return failures && this.#now() - failures.at < FORGOTTEN_AFTER ? failures : undefined;
  }
}
