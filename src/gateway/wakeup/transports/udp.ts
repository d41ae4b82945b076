import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { DragomanError } from '../../../support/errors.ts';
import type { UdpConfig } from '../../config/config.ts';
import { isPublicAddress } from '../../outbound/addresses.ts';
import type { Transport } from './transport.ts';
import { wapPush } from './wapPush.ts';

/** What IP carries without fragments everywhere; a longer push belongs on another transport. */
const LONGEST_DATAGRAM = 1200;

/** Datagrams to the device's own address; only its session says whether one arrived. */
export function udp(config: UdpConfig): Transport {
  const networks = config.networks.map(readNetwork);
  return {
    type: 'udp',
    async send(push) {
      const { host, port } = readAddress(push.address, config.port);
      const payload = config.framing === 'wsp' ? wapPush(push) : push.body;
      if (payload.length > LONGEST_DATAGRAM) {
        throw new DragomanError(
          'too-large',
          `The push has ${payload.length} bytes; a datagram carries ${LONGEST_DATAGRAM}.`,
        );
      }
      const address = await resolve(host, networks);
      await datagram(payload, address, port);
    },
  };
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`. */
function readAddress(address: string, standard: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?$/.exec(address.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? standard : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new DragomanError(
      'bad-address',
      'The notifyAddress of the device is no host or host:port; write IPv6 addresses in brackets.',
    );
  }
  return { host, port };
}

/** An address that is public or in one of the configured networks: devices never choose where we send. */
async function resolve(host: string, networks: readonly Network[]): Promise<string> {
  const found = isIP(host) ? [host] : await addressesOf(host);
  const allowed = found.find((address) => isPublicAddress(address) || isIn(address, networks));
  if (allowed !== undefined) return allowed;
  throw new DragomanError(
    'outbound-refused',
    `${host} leads to a private or reserved address outside the networks of the transport.`,
  );
}

function readNetwork(text: string): Network {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  throw new DragomanError('configuration', `notifications.transports: ${text} is no network.`);
}

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

function isIn(address: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base as never, bits));
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new DragomanError('backend-failed', `The host name ${host} cannot be resolved.`, { cause: error });
  }
}

function datagram(payload: Uint8Array, address: string, port: number): Promise<void> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  return new Promise<void>((done, refuse) => {
    const fail = (error: Error) =>
      refuse(
        new DragomanError('backend-failed', `A datagram to ${address} could not be sent.`, { cause: error }),
      );
    socket.once('error', fail);
    socket.send(payload, port, address, (error) => (error ? fail(error) : done()));
  }).finally(() => socket.close());
}
