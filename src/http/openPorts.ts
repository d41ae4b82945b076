import type { Config } from '../gateway/config/config.ts';
import { type Listening, listen } from './listen.ts';

type Handler = Parameters<typeof listen>[0];

/** What answers at each port; a port without its handler asks to come back. */
export interface Handlers {
  devices?: Handler;
  admin?: Handler;
}

export interface OpenPorts {
  readonly devices: Listening;
  readonly admin: Listening;
  /** Root under which devices are told to come back. */
  readonly publicUrl: string;
}

/**
 * Opens both ports before anything can answer at them, as the public URL may depend on the port that was
 * free. `opened` is told of each, also when a later one fails.
 */
export async function openPorts(
  { listen: addresses, limits, publicUrl }: Config,
  handlers: Handlers,
  opened: (port: Listening) => void,
): Promise<OpenPorts> {
  const { requestSeconds } = limits;
  const via =
    (name: keyof Handlers): Handler =>
    (request, response) => {
      const handler = handlers[name];
      if (handler) handler(request, response);
      else response.writeHead(503, { 'Retry-After': '2', Connection: 'close' }).end();
    };
  const devices = await listen(via('devices'), {
    address: addresses.devices,
    key: 'listen.devices',
    requestSeconds,
    handlerContinues: true,
    ...(addresses.tls === undefined ? {} : { tls: addresses.tls }),
  });
  opened(devices);
  const admin = await listen(via('admin'), { address: addresses.admin, key: 'listen.admin', requestSeconds });
  opened(admin);
  return { devices, admin, publicUrl: publicOrigin(publicUrl, devices) };
}

/** The configured URL, with the port that was bound where it was left to chance. */
function publicOrigin(configured: string, { port }: Listening): string {
  const url = new URL(configured);
  if (url.port !== '0') return configured;
  url.port = String(port);
  return url.href.replace(/\/+$/, '');
}
