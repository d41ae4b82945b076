import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as SecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsFiles } from '../gateway/config/config.ts';
import { seconds } from '../support/durations.ts';
import { DragomanError } from '../support/errors.ts';
import { ServerTls } from './serverTls.ts';

/** A port that is open; `origin` names it with the port that was really bound. */
export interface Listening {
  readonly server: Server;
  readonly origin: string;
  readonly port: number;
  /** Certificates of a port with TLS; connections that are open keep what they agreed on. */
  readonly tls?: {
    /** Whether the files changed since they were last read. */
    changed(): boolean;
    /** Reads the files again. Throws `configuration`, and keeps what it had, when they cannot be used. */
    reload(): void;
    /** When the certificate in use ends, milliseconds since 1970. */
    expires(): number;
  };
  /** Takes no new connection, lets answers under way go out, cuts what is left after a second. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** `host:port`, `[v6]:port`; port 0 takes any free one. */
  readonly address: string;
  /** Key of the configuration that named the address, for the error message. */
  readonly key: string;
  readonly tls?: TlsFiles;
  /** Longest time that one request may take to arrive, in seconds. */
  readonly requestSeconds: number;
  /** The handler itself sends `100 Continue`, once it knows that the size of the body is acceptable. */
  readonly handlerContinues?: true;
}

const HEADERS_SECONDS = 10;
const KEEP_ALIVE_SECONDS = 65;
const LAST_WORDS = seconds(1);
const MOST_HEADER_BYTES = 16 * 1024;

/** Opens a port. Throws `configuration` when the address or the TLS files cannot be used. */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listening> {
  const { host, port } = parseAddress(options.address, options.key);
  const bounds: ServerOptions = {
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: seconds(Math.min(HEADERS_SECONDS, options.requestSeconds)),
    requestTimeout: seconds(options.requestSeconds),
    keepAliveTimeout: seconds(KEEP_ALIVE_SECONDS),
    connectionsCheckingInterval: seconds(Math.min(2, options.requestSeconds)),
    noDelay: true,
  };
  const tls = options.tls && new ServerTls(options.tls);
  const secure = tls && secureServer(tls, bounds, options.tls?.clientCa !== undefined, handler);
  const server: Server = secure?.server ?? createServer(bounds, handler);
  if (options.handlerContinues) server.on('checkContinue', secure?.handler ?? handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, options)));
    server.listen({ host, port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    server,
    origin: `${options.tls ? 'https' : 'http'}://${name}:${bound.port}`,
    port: bound.port,
    ...(tls &&
      secure && { tls: { changed: () => tls.changed(), reload: secure.reload, expires: () => tls.expires } }),
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), LAST_WORDS);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function parseAddress(address: string, key: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) {
    throw new DragomanError('configuration', `${key}: "${address}" is no host:port.`);
  }
  return { host, port };
}

function secureServer(
  tls: ServerTls,
  bounds: ServerOptions,
  requestCert: boolean,
  handler: RequestListener,
): { readonly server: SecureServer; readonly handler: RequestListener; reload(): void } {
  let current = 0;
  const agreed = new WeakMap<object, number>();
  // A connection from before a reload is answered once more, then its peer has to prove itself anew.
  const aware: RequestListener = (request, response) => {
    if (agreed.get(request.socket) !== current) response.shouldKeepAlive = false;
    handler(request, response);
  };
  // Whether a device must show a certificate is decided per device, after the handshake.
  const server = createTlsServer({ ...bounds, ...tls.read(), requestCert, rejectUnauthorized: false }, aware);
  server.on('secureConnection', (socket) => agreed.set(socket, current));
  return {
    server,
    handler: aware,
    reload: () => {
      server.setSecureContext(tls.read());
      current += 1;
    },
  };
}

function cannotListen(error: NodeJS.ErrnoException, { address, key }: ListenOptions): DragomanError {
  const reason =
    error.code === 'EADDRINUSE'
      ? 'the port is taken; name another one or stop the program that holds it'
      : error.code === 'EACCES'
        ? 'that port needs more rights; use one above 1023'
        : `the address cannot be bound (${error.code})`;
  return new DragomanError('configuration', `${key}: ${address}: ${reason}.`, { cause: error });
}
