import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { type Dispatcher, Pool } from 'undici';
import { type Milliseconds, seconds } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { decodeContent } from './content.ts';
import { Exchange, type OutboundBounds, type OutboundResponse, TookTooLong } from './exchange.ts';
import type { CheckedUrl } from './guard.ts';
import { streamed } from './streamed.ts';
import type { OutboundTls } from './tls.ts';

export type { OutboundBounds, OutboundResponse } from './exchange.ts';

export interface OutboundRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** A stream has to come with its Content-Length. */
  readonly body?: Uint8Array | string | Readable;
}

const KEPT_ORIGINS = 256;
const CONNECTIONS = 256;

/** HTTP to checked addresses: one keep-alive pool for each origin, set of addresses and certificate. */
export class OutboundClient {
  readonly #tls: OutboundTls | undefined;
  readonly #pools = new LRUCache<string, Pool>({
    max: KEPT_ORIGINS,
    dispose: (pool) => void pool.close().catch(() => undefined),
  });

  /** Without `tls` it trusts the public authorities and shows no certificate. */
  constructor(tls?: OutboundTls) {
    this.#tls = tls;
  }

  /**
   * Does one request; never follows a redirect. Throws `backend-failed` or `too-large` with a clear detail.
   * `backend` names the one whose certificate is shown.
   */
  async request(
    target: CheckedUrl,
    request: OutboundRequest,
    bounds: OutboundBounds,
    backend?: string,
  ): Promise<OutboundResponse> {
    try {
      const pool = this.#pool(target, backend);
      const outgoing = {
        path: `${target.url.pathname}${target.url.search}`,
        method: request.method,
        headers: { 'accept-encoding': 'identity', ...request.headers },
        body: request.body ?? null,
      };
      const { receiver } = bounds;
      const response = receiver
        ? await streamed(pool, outgoing, { ...bounds, receiver })
        : await exchanged(pool, outgoing, bounds);
      if (response.stored) return response;
      const body = await decodeContent(response.body, response.headers['content-encoding'], bounds.bytes);
      return { ...response, body };
    } catch (error) {
      throw describe(error, target.url, bounds.timeout);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    await Promise.all(pools.map((pool) => pool.destroy().catch(() => undefined)));
    this.#pools.clear();
  }

  #pool({ url, addresses }: CheckedUrl, backend: string | undefined): Pool {
    const tls = url.protocol === 'https:' ? this.#tls?.for(backend) : undefined;
    const key = `${url.origin} ${addresses.map((a) => a.address).join(' ')} ${tls?.id ?? ''}`;
    const existing = this.#pools.get(key);
    if (existing) return existing;
    const pool = new Pool(url.origin, {
      connections: CONNECTIONS,
      keepAliveTimeout: seconds(5),
      connect: {
        lookup: pinned(addresses),
        timeout: seconds(10),
        ...(tls?.context && { secureContext: tls.context }),
      },
    });
    this.#pools.set(key, pool);
    return pool;
  }
}

function exchanged(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  bounds: OutboundBounds,
): Promise<OutboundResponse> {
  const exchange = new Exchange(bounds);
  pool.dispatch(request, exchange);
  return exchange.response;
}

/** Answers every lookup with the addresses that the guard checked. */
function pinned(addresses: CheckedUrl['addresses']): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else if (first) callback(null, first.address, first.family);
    else callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
  };
}

/** What failed, towards whom; the path is left out, it may hold a token. */
function describe(error: unknown, url: URL, timeout: Milliseconds): DragomanError {
  if (error instanceof DragomanError) return error;
  const name = error instanceof Error ? error.name : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const origin = url.origin;
  if (error instanceof TookTooLong) return failed(`${origin} did not answer within ${timeout} ms`, error);
  if (name === 'AbortError') return failed(`The request to ${origin} was given up`, error);
  if (/CERT|SSL|TLS|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return failed(`TLS with ${origin} failed (${code})`, error);
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return failed(`${origin} cannot be reached (timeout)`, error);
  if (code === 'ECONNREFUSED') return failed(`${origin} refuses connections`, error);
  return failed(`The exchange with ${origin} failed (${code || name || 'unknown error'})`, error);
}

function failed(detail: string, cause: unknown): DragomanError {
  return new DragomanError('backend-failed', `${detail}.`, { cause });
}
