import { Readable } from 'node:stream';
import { contentBytes } from '../../interworking/content.ts';
import type { TransferEvent, TransferRequest } from '../../interworking/script.ts';
import type { Clock } from '../../support/durations.ts';
import { seconds, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { ObjectStore } from '../objects/objects.ts';
import { Receiver } from '../objects/receiver.ts';
import type { OutboundBounds, OutboundClient, OutboundRequest, OutboundResponse } from './client.ts';
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
  /** Without it all bodies are in memory. */
  readonly #objects: ObjectStore | undefined;
  readonly #limits: TransferLimits;
  readonly #now: Clock;

  constructor(
    guard: OutboundGuard,
    client: OutboundClient,
    limits: TransferLimits,
    now: Clock = systemClock,
    objects?: ObjectStore,
  ) {
    this.#guard = guard;
    this.#client = client;
    this.#objects = objects;
    this.#limits = limits;
    this.#now = now;
  }

  /** Performs `transfer`; failures come back as an event, never as an exception. */
  async transfer(request: TransferRequest, sessionId = ''): Promise<TransferEvent> {
    try {
      const { status, headers, body, stored } = await this.#follow(request, sessionId);
      return { kind: 'response', at: this.#now(), status, headers, body, ...(stored && { stored }) };
    } catch (error) {
      const known =
        error instanceof DragomanError
          ? error
          : new DragomanError('internal', 'The transfer failed for a reason of our own.', { cause: error });
      return { kind: 'failed', at: this.#now(), code: known.code, detail: known.detail };
    }
  }

  async #follow(request: TransferRequest, sessionId: string): Promise<OutboundResponse> {
    const timeout = seconds(this.#limits.transferSeconds);
    const bounds: OutboundBounds = {
      bytes: this.#limits.transferBytes,
      timeout,
      began: performance.now(),
      ...(request.store && this.#objects && { receiver: receiverFor(this.#objects, sessionId) }),
    };
    let outgoing: Outgoing = request;
    let target = await this.#guard.check(request.url);
    for (let hops = 0; ; hops += 1) {
      const response = await this.#client.request(target, this.#open(outgoing), bounds);
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

  /** A body in pieces is read anew for every hop. */
  #open({ method, headers, body }: Outgoing): OutboundRequest {
    if (body === undefined) return { method, headers };
    if (body instanceof Uint8Array) return { method, headers, body };
    if (!this.#objects) throw new TypeError('A body in pieces needs an object store.');
    const length = String(contentBytes(body));
    const stream = Readable.from(this.#objects.stream(body), { objectMode: false });
    return { method, headers: { ...headers, 'content-length': length }, body: stream };
  }
}

type Outgoing = Pick<TransferRequest, 'method' | 'headers' | 'body'>;

/** Who takes the body of a success; one that has to be decoded first is kept in memory. */
function receiverFor(objects: ObjectStore, sessionId: string): NonNullable<OutboundBounds['receiver']> {
  return (status, headers) => {
    const coding = headers['content-encoding'] ?? 'identity';
    const store = status >= 200 && status <= 299 && coding === 'identity';
    return new Receiver(objects, sessionId, headers['content-type'], store);
  };
}

function resolve(location: string, from: CheckedUrl): string {
  if (!URL.canParse(location, from.url.href)) {
    throw new DragomanError('backend-failed', `${from.url.origin} redirects to what is no URL.`);
  }
  return new URL(location, from.url.href).href;
}

function redirected(request: Outgoing, status: number, otherOrigin: boolean): Outgoing {
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
