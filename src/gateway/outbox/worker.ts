import type { Alert } from '../../dm2/packages.ts';
import type { SessionContext } from '../../interworking/context.ts';
import { type Delivery, type DeliveryOutcome, deliverAlert } from '../../interworking/delivery.ts';
import type { BackendEvent, BackendRequest, EffectOf, ResultOf } from '../../interworking/script.ts';
import type { OutboxRow } from '../../store/schema.ts';
import {
  type Clock,
  describeDuration,
  hours,
  minutes,
  seconds,
  systemClock,
} from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { PerformedFor } from '../sessions/performers.ts';
import type { SessionLog } from '../sessions/ports.ts';
import { backOff, WorkLoop } from '../workLoop.ts';
import type { DeliveryQueue } from './deliveryQueue.ts';
import { readPayload } from './payload.ts';

export interface WorkerOptions {
  readonly queue: DeliveryQueue;
  /** Has reports that never came told as missing. */
  readonly giveUpReports: () => Promise<unknown>;
  /** What a delivery needs to know; `undefined` when there is no such backend any more. */
  readonly context: (deviceId: string, backend: string, at: number) => Promise<SessionContext | undefined>;
  readonly exchange: (send: BackendRequest, whose: PerformedFor) => Promise<BackendEvent>;
  readonly save: (
    effect: EffectOf<'registry.save'>,
    whose: PerformedFor,
  ) => Promise<ResultOf<'registry.save'>>;
  /** Told of reports that went to a ServerURI, in DM 2.0 terms. */
  readonly reported?: (deviceId: string, alerts: readonly Alert[]) => Promise<void>;
  readonly limits: { readonly alertHours: number; readonly backendSeconds: number };
  readonly log: SessionLog;
  /** Name of this node in the store. */
  readonly node: string;
  readonly now?: Clock;
  /** Between 0 and 1: spreads retries. */
  readonly random?: () => number;
}

const WAITS = { first: seconds(2), longest: minutes(10) };
/** Deliveries under way at a time. */
const FLIGHTS = 8;
/** Beyond the longest answer of a backend, for what this node does itself. */
const LEASE_SLACK = seconds(30);

/** Another node has taken the delivery over. */
class LeaseLost extends Error {}

/**
 * Delivers what no session delivers (IW-ALERT-6): takes what is due, the first of each lane, opens a
 * backend session for it and tries again with exponential back-off. Several nodes share the work.
 */
export class OutboxWorker {
  readonly #o: WorkerOptions;
  readonly #now: Clock;
  readonly #leaseMs: number;
  readonly #loop: WorkLoop<OutboxRow>;

  constructor(options: WorkerOptions) {
    this.#o = options;
    this.#now = options.now ?? systemClock;
    this.#leaseMs = seconds(options.limits.backendSeconds) + LEASE_SLACK;
    this.#loop = new WorkLoop({
      flights: FLIGHTS,
      claim: async (free) => {
        await options.giveUpReports();
        return options.queue.claim(options.node, this.#leaseMs, free);
      },
      work: (row) => this.deliver(row),
      failed: (error, row) => {
        if (error instanceof LeaseLost) return;
        options.log.error({ alert: row?.id, device: row?.device_id, error }, 'Alerts could not be settled.');
      },
    });
  }

  /** Looks for work now, whenever it is woken and every `everyMs` milliseconds, until `stop`. */
  start(everyMs = 1000): void {
    this.#loop.start(everyMs);
  }

  /** There may be something to do. */
  wake(): void {
    this.#loop.wake();
  }

  /** Begins nothing more and waits for what is under way, `ms` milliseconds at most. */
  stop(ms: number): Promise<void> {
    return this.#loop.stop(ms);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** One attempt at a claimed alert, and what it means for the next one. */
  async deliver(row: OutboxRow): Promise<void> {
    const { queue, log, limits } = this.#o;
    const outcome = await this.#attempt(row);
    const line = {
      alert: row.id,
      device: row.device_id,
      backend: row.backend,
      attempts: Number(row.attempts),
    };
    switch (outcome.kind) {
      case 'delivered':
        log.info(line, 'alert delivered');
        return queue.done(row);
      case 'refused':
        log.warn({ ...line, reason: outcome.detail }, 'alert refused');
        return queue.fail(row, outcome.detail);
      case 'failed': {
        const now = this.#now();
        if (now - Number(row.created_at ?? now) >= hours(limits.alertHours)) {
          const tried = describeDuration(hours(limits.alertHours));
          log.warn({ ...line, reason: outcome.detail }, 'alert given up');
          return queue.fail(row, `Given up after ${tried}: ${outcome.detail}`);
        }
        log.info({ ...line, reason: outcome.detail }, 'alert not delivered yet');
        return queue.retry(
          row,
          now + backOff(Number(row.attempts), WAITS, (this.#o.random ?? Math.random)()),
          outcome.detail,
        );
      }
    }
  }

  async #attempt(row: OutboxRow): Promise<DeliveryOutcome> {
    try {
      const context = await this.#o.context(row.device_id, row.backend, this.#now());
      if (!context) return { kind: 'failed', detail: `There is no backend "${row.backend}".` };
      const delivery: Delivery = { ...readPayload(row.payload), ...(row.url !== null && { url: row.url }) };
      return await this.#run(row, context, delivery);
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      if (error instanceof DragomanError) return { kind: 'failed', detail: error.detail };
      this.#o.log.error({ alert: row.id, device: row.device_id, error }, 'A delivery failed unexpectedly.');
      return { kind: 'failed', detail: 'An error of the gateway; see its log.' };
    }
  }

  async #run(row: OutboxRow, context: SessionContext, delivery: Delivery): Promise<DeliveryOutcome> {
    const whose: PerformedFor = { sessionId: row.id, context };
    const script = deliverAlert(context, delivery);
    let step = script.next();
    while (!step.done) {
      const effect = step.value;
      switch (effect.kind) {
        case 'note':
          this.#o.log.info({ alert: row.id, device: row.device_id, rule: effect.rule }, effect.text);
          step = script.next(undefined);
          break;
        case 'backend.exchange': {
          if (!(await this.#o.queue.renew(row, this.#o.node, this.#leaseMs))) throw new LeaseLost();
          const event = await this.#o.exchange(effect.send, whose);
          if (event.kind !== 'failed') await this.#reported(row, effect.send);
          step = script.next(event);
          break;
        }
        case 'registry.save':
          step = script.next(await this.#o.save(effect, whose));
          break;
        default:
          throw new DragomanError('internal', `A delivery asked for ${effect.kind}.`);
      }
    }
    return step.value;
  }

  async #reported(row: OutboxRow, send: BackendRequest): Promise<void> {
    if (row.url === null || send.protocol !== 'dm2' || !('package1' in send)) return;
    await this.#o.reported?.(row.device_id, send.package1.Alert ?? []);
  }
}
