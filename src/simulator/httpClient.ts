import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { DragomanError } from '../support/errors.ts';
import type { EventLog } from './eventLog.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpClientOptions {
  /** Pause before each request, milliseconds: the device's own slowness. */
  readonly latencyMs?: number;
  /** How often one request is sent at most when the network fails; the bytes stay the same. */
  readonly attempts?: number;
  /** Pause between attempts, milliseconds. */
  readonly retryDelayMs?: number;
  /** HTTP statuses that are retried like a network failure. */
  readonly resendStatuses?: readonly number[];
  /** No answer within this time counts as a network failure, milliseconds. */
  readonly timeoutMs?: number;
  /** Connections per origin. */
  readonly connections?: number;
}

/** The HTTP side of a simulated client: one pool per origin, resend of the same bytes on failure. */
export class HttpClient {
  readonly #pools = new Map<string, Pool>();
  readonly #options: HttpClientOptions;
  readonly #log: EventLog;

  constructor(options: HttpClientOptions, log: EventLog) {
    this.#options = options;
    this.#log = log;
  }

  async send(
    method: 'GET' | 'PUT' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<HttpAnswer> {
    const { latencyMs = 0, attempts = 1, retryDelayMs = 50, resendStatuses = [] } = this.#options;
    if (latencyMs > 0) await delay(latencyMs);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#once(method, url, headers, body);
        if (attempt < attempts && resendStatuses.includes(answer.status)) {
          await delay(retryDelayMs);
          continue;
        }
        return answer;
      } catch (cause) {
        if (cause instanceof DragomanError || attempt >= attempts) throw cause;
        await delay(retryDelayMs);
      }
    }
  }

  async #once(
    method: 'GET' | 'PUT' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<HttpAnswer> {
    const target = parseUrl(url);
    if (body) this.#log.add('sent', body, headers['content-type'] ?? '', url, { method, headers });
    const timeout = this.#options.timeoutMs ?? 30_000;
    const response = await this.#pool(target.origin).request({
      method,
      path: target.pathname + target.search,
      headers: { ...headers },
      body: body ?? null,
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
    const bytes = new Uint8Array(await response.body.arrayBuffer());
    const answered: Record<string, string> = {};
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) answered[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    this.#log.add('received', bytes, answered['content-type'] ?? '', url, {
      status: response.statusCode,
      headers: answered,
    });
    return { status: response.statusCode, headers: answered, body: bytes };
  }

  #pool(origin: string): Pool {
    let pool = this.#pools.get(origin);
    if (!pool) {
      pool = new Pool(origin, { connections: this.#options.connections ?? 1, pipelining: 1 });
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

function parseUrl(url: string): URL {
  if (!URL.canParse(url)) throw new DragomanError('bad-address', `${url} is no absolute URL.`);
  return new URL(url);
}
