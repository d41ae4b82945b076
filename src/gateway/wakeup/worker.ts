import {
  type Clock,
  describeDuration,
  hours,
  minutes,
  seconds,
  systemClock,
} from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { BackendNonces } from '../auth/backendNonces.ts';
import type { JobQueue } from '../jobs/jobs.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionLog } from '../sessions/ports.ts';
import { backOff, WorkLoop } from '../workLoop.ts';
import { compose, type OwnPlace } from './compose.ts';
import type { Transport } from './transports/transport.ts';
import type { Wakeup } from './wakeup.ts';
import type { Wakeups } from './wakeups.ts';

export interface WakeupWorkerOptions {
  readonly wakeups: Wakeups;
  readonly registry: Registry;
  /** What devices gave for the gateway's credentials. */
  readonly nonces: Pick<BackendNonces, 'get'>;
  readonly jobs: Pick<JobQueue, 'get'>;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly own: OwnPlace;
  readonly repeats: number;
  readonly repeatSeconds: number;
  readonly limits: { readonly backendSeconds: number; readonly notificationHours: number };
  readonly log: SessionLog;
  /** Name of this node in the store. */
  readonly node: string;
  /** Told what became of each try: `sent`, `failed` or `refused`. */
  readonly tried?: (via: string, result: string) => void;
  readonly now?: Clock;
  /** Between 0 and 1: spreads retries. */
  readonly random?: () => number;
}

const WAITS = { first: seconds(2), longest: minutes(10) };
/** Notifications handed over at a time. */
const FLIGHTS = 16;
const LEASE_SLACK = seconds(30);

/**
 * Hands due notifications to their transports: again with back-off while a transport does not take one, and
 * again now and then while no session answers it. Several nodes share the work.
 */
export class WakeupWorker {
  readonly #o: WakeupWorkerOptions;
  readonly #now: Clock;
  readonly #leaseMs: number;
  readonly #loop: WorkLoop<Wakeup>;

  constructor(options: WakeupWorkerOptions) {
    this.#o = options;
    this.#now = options.now ?? systemClock;
    this.#leaseMs = seconds(options.limits.backendSeconds) * 2 + LEASE_SLACK;
    this.#loop = new WorkLoop({
      flights: FLIGHTS,
      claim: (free) => options.wakeups.claim(options.node, this.#leaseMs, free),
      work: (wakeup) => this.#send(wakeup),
      failed: (error, wakeup) =>
        options.log.error({ notification: wakeup?.id, error }, 'Notifications could not be handled.'),
    });
  }

  /** Looks for work now, whenever it is woken and every `everyMs` milliseconds, until `stop`. */
  start(everyMs = 1000): void {
    this.#loop.start(everyMs);
  }

  /** There may be something to send. */
  wake(): void {
    this.#loop.wake();
  }

  /** Begins nothing more and waits for what is under way, `ms` milliseconds at most. */
  stop(ms: number): Promise<void> {
    return this.#loop.stop(ms);
  }

  /** Sends what is due now; resolves when that is done. */
  async round(): Promise<void> {
    await this.begin();
    await this.#loop.idle();
  }

  /** Begins to send what is due now. */
  begin(): Promise<void> {
    return this.#loop.round();
  }

  async #send(wakeup: Wakeup): Promise<void> {
    const { wakeups, log, node } = this.#o;
    const { id, via } = wakeup;
    const line = { notification: id, device: wakeup.deviceId, via, attempts: wakeup.attempts };
    try {
      const done = await this.#pointless(wakeup);
      if (done) {
        log.info({ ...line, reason: done }, 'notification ended');
        return;
      }
      const notes = await this.#attempt(wakeup);
      this.#o.tried?.(via, 'sent');
      log.info({ ...line, copy: wakeup.sent + 1 }, 'notification sent');
      await wakeups.sent(id, node, this.#nextCopy(wakeup), notes);
    } catch (error) {
      if (!(error instanceof DragomanError)) {
        log.error({ ...line, error }, 'A notification could not be handled.');
        await wakeups.retry(id, node, this.#nextTry(wakeup), 'An error of the gateway; see its log.');
      } else if (error.row.retry) {
        this.#o.tried?.(via, 'failed');
        log.info({ ...line, reason: error.detail }, 'notification not sent yet');
        await wakeups.retry(id, node, this.#nextTry(wakeup), error.detail);
      } else {
        this.#o.tried?.(via, 'refused');
        log.warn({ ...line, reason: error.detail }, 'notification refused');
        await wakeups.fail(id, error.detail);
      }
    }
  }

  /** Ends a notification that nobody needs any more, and says why. */
  async #pointless({ id, jobId, expiresAt, sent, detail }: Wakeup): Promise<string | undefined> {
    const { wakeups, limits } = this.#o;
    if (expiresAt <= this.#now()) {
      const waited = describeDuration(hours(limits.notificationHours));
      const why =
        sent > 0 ? 'no session answered it' : `it could not be sent: ${detail ?? 'no try was made'}`;
      await wakeups.expire(id, `After ${waited}, ${why}`);
      return why;
    }
    if (jobId === undefined || (await this.#o.jobs.get(jobId))?.state === 'queued') return undefined;
    await wakeups.withdraw(id);
    return 'its job waits no longer';
  }

  async #attempt(wakeup: Wakeup): Promise<Wakeup['notes']> {
    const { registry, nonces, transports, own } = this.#o;
    const transport = transports.get(wakeup.via);
    if (!transport) {
      throw new DragomanError(
        'configuration',
        `The configuration has no transport "${wakeup.via}" any more.`,
      );
    }
    const device = await registry.get(wakeup.deviceId);
    if (!device) throw new DragomanError('not-found', 'The device was forgotten.');
    const nonce = wakeup.form === 'trigger' ? await nonces.get(device.id) : undefined;
    const given = nonce === undefined ? undefined : Buffer.from(nonce, 'base64');
    const { bytes, contentType, notes } = compose(wakeup, device, own, this.#now(), given);
    await transport.send({
      id: wakeup.id,
      deviceId: device.id,
      address: wakeup.address ?? '',
      contentType,
      body: bytes,
      expiresAt: wakeup.expiresAt,
      copy: wakeup.sent + 1,
    });
    return notes;
  }

  /** When the next copy is due; after the last one the answer is awaited to the end. */
  #nextCopy({ sent, expiresAt }: Wakeup): number {
    if (sent >= this.#o.repeats) return expiresAt;
    return Math.min(expiresAt, this.#now() + seconds(this.#o.repeatSeconds) * 2 ** sent);
  }

  #nextTry({ attempts, sent, expiresAt }: Wakeup): number {
    const wait = backOff(attempts - sent, WAITS, (this.#o.random ?? Math.random)());
    return Math.min(expiresAt, this.#now() + wait);
  }
}
