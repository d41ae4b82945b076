import type { TransferEvent, TransferRequest } from '../../interworking/script.ts';
import type { Clock } from '../../support/durations.ts';
import { seconds, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { OutboundClient, OutboundRequest, OutboundResponse } from './client.ts';
import type { CheckedUrl, OutboundGuard } from './guard.ts';

export interface TransferLimits {
  readonly transferBytes: number;
  readonly transferSeconds: number;
}

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Never carried to another origin. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization', 'x-syncml-hmac'];

/** Fetches and uploads at URLs that peers named, every hop through the guard. */
export class Transfers {
  readonly #guard: OutboundGuard;
  readonly #client: OutboundClient;
  readonly #limits: TransferLimits;
  readonly #now: Clock;

  constructor(
    guard: OutboundGuard,
    client: OutboundClient,
    limits: TransferLimits,
    now: Clock = systemClock,
  ) {
    this.#guard = guard;
    this.#client = client;
    this.#limits = limits;
    this.#now = now;
  }

  /** Performs `transfer`; failures come back as an event, never as an exception. */
  async transfer(request: TransferRequest): Promise<TransferEvent> {
    try {
      const { status, headers, body } = await this.#follow(request);
      return { kind: 'response', at: this.#now(), status, headers, body };
    } catch (error) {
      const known =
        error instanceof DragomanError
          ? error
          : new DragomanError('internal', 'The transfer failed for a reason of our own.', { cause: error });
      return { kind: 'failed', at: this.#now(), code: known.code, detail: known.detail };
    }
  }

  async #follow(request: TransferRequest): Promise<OutboundResponse> {
    const timeout = seconds(this.#limits.transferSeconds);
    const bounds = { bytes: this.#limits.transferBytes, timeout, began: performance.now() };
    let outgoing: OutboundRequest = request;
    let target = await this.#guard.check(request.url);
    for (let hops = 0; ; hops += 1) {
      const response = await this.#client.request(target, outgoing, bounds);
      const location = response.headers['location'];
      if (request.follow === false || !REDIRECTS.has(response.status) || location === undefined)
        return response;
      if (hops === MOST_REDIRECTS) {
        throw new DragomanError(
          'backend-failed',
          `${target.url.origin} redirects more than ${MOST_REDIRECTS} times.`,
        );
      }
      const next = await this.#guard.check(resolve(location, target));
      if (target.url.protocol === 'https:' && next.url.protocol === 'http:') {
        throw new DragomanError('outbound-refused', `${target.url.origin} redirects from https to http.`);
      }
      outgoing = redirected(outgoing, response.status, target.url.origin !== next.url.origin);
      target = next;
    }
  }
}

function resolve(location: string, from: CheckedUrl): string {
  if (!URL.canParse(location, from.url.href)) {
    throw new DragomanError('backend-failed', `${from.url.origin} redirects to what is no URL.`);
  }
  return new URL(location, from.url.href).href;
}

function redirected(request: OutboundRequest, status: number, otherOrigin: boolean): OutboundRequest {
  const becomesGet = status === 303 || (request.method === 'POST' && (status === 301 || status === 302));
  const drop = [
    ...(otherOrigin ? CREDENTIALS : []),
    ...(becomesGet ? ['content-type', 'content-length'] : []),
  ];
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !drop.includes(name)),
  );
  if (becomesGet) return { method: 'GET', headers };
  return { ...request, headers };
}
