import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsFiles } from '../gateway/config/config.ts';
import { seconds } from '../support/durations.ts';
import { DragomanError } from '../support/errors.ts';

/** A port that is open; `origin` names it with the port that was really bound. */
export interface Listening {
  readonly server: Server;
  readonly origin: string;
  readonly port: number;
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
  const server = options.tls
    ? createTlsServer({ ...bounds, ...readTls(options.tls) }, handler)
    : createServer(bounds, handler);
  if (options.handlerContinues) server.on('checkContinue', handler);
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

function readTls({ cert, key, clientCa }: TlsFiles): ServerOptions {
  const read = (name: string, file: string) => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new DragomanError('configuration', `listen.tls.${name}: ${file} cannot be read.`, {
        cause: error,
      });
    }
  };
  return {
    cert: read('cert', cert),
    key: read('key', key),
    minVersion: 'TLSv1.2',
    // Whether a device must show a certificate is decided per device, after the handshake.
    ...(clientCa === undefined
      ? {}
      : { ca: read('clientCa', clientCa), requestCert: true, rejectUnauthorized: false }),
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
