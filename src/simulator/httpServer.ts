import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from './eventLog.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpReply {
  /** Called when the answer could not be delivered. */
  readonly onLost?: () => void;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/**
 * What a fault does to one request: a reply of its own; `drop` breaks the connection before the request
 * is handled, `lose` after it, so that only the answer is gone.
 */
export type Fault = HttpReply | 'drop' | 'lose' | undefined;

export interface HttpServerOptions {
  /** 0 takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Pause before each answer, milliseconds. */
  readonly latencyMs?: number;
  /** Called with every request and its number from 1; what it returns goes out instead of the answer. */
  readonly fault?: (request: HttpRequest, count: number) => Fault | Promise<Fault>;
}

/** The HTTP side of a simulated server; requests are handled one after another as they come. */
export class HttpServer {
  readonly #server: Server;
  readonly #options: HttpServerOptions;
  readonly #log: EventLog;
  readonly #handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>;
  #count = 0;
  #origin = '';

  constructor(
    options: HttpServerOptions,
    log: EventLog,
    handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>,
  ) {
    this.#options = options;
    this.#log = log;
    this.#handle = handle;
    this.#server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** `http://host:port` after `start`. */
  get origin(): string {
    return this.#origin;
  }

  async start(): Promise<string> {
    const { port = 0, host = '127.0.0.1' } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    this.#origin = `http://${host}:${(this.#server.address() as AddressInfo).port}`;
    return this.#origin;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    const request: HttpRequest = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers,
      body: new Uint8Array(Buffer.concat(chunks)),
    };
    const url = this.#origin + request.path;
    this.#count += 1;
    this.#log.add('received', request.body, headers['content-type'] ?? '', url, {
      method: request.method,
      headers,
    });
    const { latencyMs = 0, fault } = this.#options;
    if (latencyMs > 0) await delay(latencyMs);
    const broken = await fault?.(request, this.#count);
    if (broken === 'drop') {
      incoming.socket.destroy();
      return;
    }
    const reply = broken && broken !== 'lose' ? broken : await this.#handle(request);
    if (broken === 'lose') {
      reply.onLost?.();
      incoming.socket.destroy();
      return;
    }
    const body = reply.body ?? new Uint8Array();
    this.#log.add('sent', body, reply.headers?.['content-type'] ?? '', url, {
      status: reply.status,
      headers: reply.headers ?? {},
    });
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) reply.onLost?.();
    });
    outgoing.writeHead(reply.status, { ...reply.headers, 'content-length': String(body.length) });
    outgoing.end(body);
  }
}
