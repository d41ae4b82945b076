import { LRUCache } from 'lru-cache';
import { type Clock, type Milliseconds, minutes, systemClock } from '../../support/durations.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Limits how many requests of one device are taken in a minute (`limits.requestsPerDevice`): a device
 * may spend them in one burst and then gets them back evenly.
 */
export class RequestRate {
  readonly #perMinute: number;
  readonly #now: Clock;
  readonly #buckets = new LRUCache<string, Bucket>({ max: 50_000 });

  constructor(perMinute: number, now: Clock = systemClock) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Takes one request; 0 when it is allowed, else how long the device has to wait (429, Retry-After). */
  take(deviceId: string): Milliseconds {
    const at = this.#now();
    const each = minutes(1) / this.#perMinute;
    const bucket = this.#buckets.get(deviceId);
    if (!bucket) {
      this.#buckets.set(deviceId, { tokens: this.#perMinute - 1, at });
      return 0;
    }
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + Math.max(0, at - bucket.at) / each);
    bucket.at = at;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * each);
    bucket.tokens -= 1;
    return 0;
  }
}
