import { createSocket } from 'node:dgram';
import { type Notification, parseNotification } from '../../dm2/notification/index.ts';
import { EventLog, type LoggedMessage } from '../../simulator/eventLog.ts';
import { HttpServer } from '../../simulator/httpServer.ts';
import { DragomanError } from '../../support/errors.ts';

/** A Package#0 that came, and what it says or why it says nothing. */
export interface SeenNotification {
  readonly message: LoggedMessage;
  readonly read: Notification | { readonly problem: string };
}

/** A place where Package#0 arrives: a UDP port, or a webhook that it is POSTed to. */
export interface NotificationPlace {
  /** `udp://host:port` or `http://host:port/`, with the port that was bound. */
  readonly url: string;
  readonly seen: readonly SeenNotification[];
  close(): Promise<void>;
}

function seenNotification(message: LoggedMessage): SeenNotification {
  try {
    return { message, read: parseNotification(message.bytes) };
  } catch (error) {
    return { message, read: { problem: error instanceof DragomanError ? error.detail : String(error) } };
  }
}

/** Listens at `udp://host:port` or `http://host:port`; port 0 takes any free one. */
export async function listenForNotifications(address: string): Promise<NotificationPlace> {
  const { protocol, hostname, port } = new URL(address);
  const at = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  switch (protocol) {
    case 'udp:':
      return listenUdp(at);
    case 'http:':
      return listenHttp(at);
    default:
      throw new DragomanError('bad-value', `${address}: notifications arrive at a udp: or http: address.`);
  }
}

async function listenUdp({ host, port }: { host: string; port: number }): Promise<NotificationPlace> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const seen: SeenNotification[] = [];
  const log = new EventLog((message) => {
    seen.push(seenNotification(message));
  }, false);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, resolve);
  });
  const url = `udp://${host}:${socket.address().port}`;
  socket.on('message', (bytes) => log.add('received', bytes, 'application/octet-stream', url, {}));
  return { url, seen, close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

async function listenHttp({ host, port }: { host: string; port: number }): Promise<NotificationPlace> {
  const seen: SeenNotification[] = [];
  const log = new EventLog((message) => {
    if (message.direction === 'received') seen.push(seenNotification(message));
  }, false);
  const server = new HttpServer({ host, port }, log, () => ({ status: 204 }));
  const origin = await server.start();
  return { url: `${origin}/`, seen, close: () => server.close() };
}

/**
 * Sends a Package#0 to a `udp:` or `http:` address; resolves to the message as it left. `token` goes with a
 * POST as bearer; the answer to that may well be a refusal.
 */
export async function sendNotification(
  address: string,
  bytes: Uint8Array,
  token?: string,
): Promise<LoggedMessage> {
  const log = new EventLog();
  const type = 'application/octet-stream';
  const url = new URL(address);
  if (url.protocol === 'udp:') {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.send(bytes, Number(url.port), host, (error) => (error ? reject(error) : resolve()));
    }).finally(() => socket.close());
    log.add('sent', bytes, type, address, {});
  } else {
    const headers = {
      'content-type': type,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    log.add('sent', bytes, type, address, { method: 'POST', headers });
    const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(bytes) });
    await answer.arrayBuffer();
  }
  return log.messages[0]!;
}
