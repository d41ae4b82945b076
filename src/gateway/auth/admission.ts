import { type Clock, describeDuration, type Milliseconds, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { RequestRate } from './requestRate.ts';

/**
 * Holds devices to `limits.requestsPerDevice`, and strangers too. What proved to come from a device counts
 * as that device's own; what merely claims its name counts for the name and the network that it came
 * from, so nobody can spend a device's allowance for it. Each throws `too-many`.
 */
export class Admission {
  readonly #own: RequestRate;
  readonly #claimed: RequestRate;

  constructor(perMinute: number, now: Clock = systemClock) {
    this.#own = new RequestRate(perMinute, now);
    this.#claimed = new RequestRate(perMinute, now);
  }

  /** Before a message is handled: whether its device has anything left. */
  check(deviceId: string): void {
    refuse(this.#own.wait(deviceId));
  }

  /** After it was handled: it was the device's own. */
  count(deviceId: string): void {
    this.#own.take(deviceId);
  }

  /** After it was refused: anybody can have sent it. */
  countClaimed(deviceId: string, peer = ''): void {
    refuse(this.#claimed.take(`${peer} ${deviceId}`));
  }
}

function refuse(wait: Milliseconds): void {
  if (wait === 0) return;
  throw new DragomanError('too-many', `Too many requests of this device; wait ${describeDuration(wait)}.`);
}
