import { LRUCache } from 'lru-cache';
import { type Clock, type Milliseconds, minutes, systemClock } from '../../support/durations.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * How many requests of one source are taken in a minute: it may spend them in one burst and then gets
 * them back evenly.
 */
export class RequestRate {
  readonly #perMinute: number;
  readonly #each: Milliseconds;
  readonly #now: Clock;
  readonly #buckets = new LRUCache<string, Bucket>({ max: 50_000 });

  constructor(perMinute: number, now: Clock = systemClock) {
    this.#perMinute = perMinute;
    this.#each = minutes(1) / perMinute;
    this.#now = now;
  }

  /** Takes one request; 0 when it is allowed, else how long the source has to wait (429, Retry-After). */
  take(source: string): Milliseconds {
    const bucket = this.#current(source);
    if (!bucket) {
      this.#buckets.set(source, { tokens: this.#perMinute - 1, at: this.#now() });
      return 0;
    }
    if (bucket.tokens < 1) return this.#until(bucket);
    bucket.tokens -= 1;
    return 0;
  }

  /** What `take` would say, taking nothing. */
  wait(source: string): Milliseconds {
    const bucket = this.#current(source);
    return bucket && bucket.tokens < 1 ? this.#until(bucket) : 0;
  }

  #until({ tokens }: Bucket): Milliseconds {
    return Math.ceil((1 - tokens) * this.#each);
  }

  #current(source: string): Bucket | undefined {
    const bucket = this.#buckets.get(source);
    if (!bucket) return undefined;
    const at = this.#now();
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + Math.max(0, at - bucket.at) / this.#each);
    bucket.at = at;
    return bucket;
  }
}
