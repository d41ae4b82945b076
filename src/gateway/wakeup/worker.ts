import {
  type Clock,
  describeDuration,
  hours,
  minutes,
  seconds,
  systemClock,
} from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { JobQueue } from '../jobs/jobs.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionLog } from '../sessions/ports.ts';
import { compose, type OwnPlace } from './compose.ts';
import type { Transport } from './transports/transport.ts';
import type { Wakeup } from './wakeup.ts';
import type { Wakeups } from './wakeups.ts';

export interface WakeupWorkerOptions {
  readonly wakeups: Wakeups;
  readonly registry: Registry;
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

const FIRST_WAIT = seconds(2);
const LONGEST_WAIT = minutes(10);
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
  readonly #flying = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #everyMs = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  constructor(options: WakeupWorkerOptions) {
    this.#o = options;
    this.#now = options.now ?? systemClock;
    this.#leaseMs = seconds(options.limits.backendSeconds) * 2 + LEASE_SLACK;
  }

  /** Looks for work now, whenever it is woken and every `everyMs` milliseconds, until `stop`. */
  start(everyMs = 1000): void {
    this.#stopped = false;
    this.#everyMs = everyMs;
    this.wake();
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        setImmediate(() => this.wake());
        return;
      }
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.wake(), this.#everyMs).unref();
    });
  }

  /** Begins nothing more and waits for what is under way, `ms` milliseconds at most. */
  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.idle(), late]);
    clearTimeout(timer);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#looking || this.#flying.size > 0) {
      await this.#looking;
      await Promise.all(this.#flying);
    }
  }

  async #look(): Promise<void> {
    this.#again = false;
    try {
      await this.round();
    } catch (error) {
      this.#o.log.error({ error }, 'Notifications could not be looked through.');
    }
  }

  /** Takes what is due and begins to send it; one that hangs holds up none of the others. */
  async round(): Promise<void> {
    const free = FLIGHTS - this.#flying.size;
    if (free <= 0) return;
    for (const wakeup of await this.#o.wakeups.claim(this.#o.node, this.#leaseMs, free)) {
      const flight = this.#send(wakeup)
        .catch((error: unknown) =>
          this.#o.log.error({ notification: wakeup.id, error }, 'A notification could not be settled.'),
        )
        .finally(() => {
          this.#flying.delete(flight);
          this.wake();
        });
      this.#flying.add(flight);
    }
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
    const { registry, transports, own } = this.#o;
    const transport = transports.get(wakeup.via);
    if (!transport) {
      throw new DragomanError(
        'configuration',
        `The configuration has no transport "${wakeup.via}" any more.`,
      );
    }
    const device = await registry.get(wakeup.deviceId);
    if (!device) throw new DragomanError('not-found', 'The device was forgotten.');
    const { bytes, contentType, notes } = compose(wakeup, device, own, this.#now());
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

  /** Doubles with every attempt, within bounds, and is spread so that a service that returns is not rushed. */
  #nextTry({ attempts, sent, expiresAt }: Wakeup): number {
    const doubled = Math.min(FIRST_WAIT * 2 ** Math.min(attempts - sent - 1, 20), LONGEST_WAIT);
    const wait = Math.round(doubled * (0.75 + 0.5 * (this.#o.random ?? Math.random)()));
    return Math.min(expiresAt, this.#now() + wait);
  }
}
