import type { Command } from 'commander';
import type { TransportConfig } from '../../gateway/config/config.ts';
import { OutboundClient } from '../../gateway/outbound/client.ts';
import { OutboundGuard } from '../../gateway/outbound/guard.ts';
import { makeTransports } from '../../gateway/wakeup/transports/transports.ts';
import { readNotification } from '../../interworking/notification/read.ts';
import { NOTIFICATION_TYPES } from '../../interworking/notification/write.ts';
import { hours } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newId } from '../../support/ids.ts';
import { readBytes } from '../bytes.ts';
import type { Io } from '../io.ts';

interface SendFlags {
  readonly udp?: string;
  readonly pap?: string;
  readonly webhook?: string;
  readonly address?: string;
  readonly device: string;
  readonly wsp?: boolean;
}

/** `dragoman notify send FILE`: once, without a gateway. */
export function addSend(notify: Command, io: Io): void {
  notify
    .command('send')
    .description('send a notification, once')
    .argument('<file>', 'its bytes, or their hex digits or base64; - reads standard input')
    .option('--udp <host:port>', 'as a datagram to the device')
    .option('--pap <url>', 'through a push proxy gateway')
    .option('--webhook <url>', 'to an HTTP service')
    .option('--address <address>', 'of the device, for --pap and --webhook')
    .option('--device <id>', 'identifier of the device, for --webhook', '')
    .option('--wsp', '--udp: as a WAP push')
    .action(async (file: string, flags: SendFlags) => {
      const body = readBytes(file);
      const { form } = readNotification(body);
      const { config, address } = transportOf(flags);
      const url = config.type === 'udp' ? [] : [config.url];
      const client = new OutboundClient();
      const limits = { messageBytes: 65_536, backendSeconds: 30 };
      // What stands on the command line is the operator's own choice of place.
      const tools = { guard: new OutboundGuard({ allow: [], trusted: url }), client, limits };
      try {
        await makeTransports({ it: config }, tools)
          .get('it')!
          .send({
            id: newId('ntf'),
            deviceId: flags.device,
            address,
            contentType: NOTIFICATION_TYPES[form],
            body,
            expiresAt: Date.now() + hours(24),
            copy: 1,
          });
      } finally {
        await client.close();
      }
      io.out('sent\n');
    });
}

const NO_AUTH = { type: 'none' } as const;

function transportOf({ udp, pap, webhook, address = '', wsp }: SendFlags): {
  config: TransportConfig;
  address: string;
} {
  if ([udp, pap, webhook].filter((way) => way !== undefined).length !== 1) {
    throw new DragomanError('configuration', 'Give one of --udp, --pap and --webhook.');
  }
  if (udp !== undefined) {
    const networks = ['0.0.0.0/0', '::/0'];
    return {
      address: udp,
      config: { type: 'udp', port: 2948, framing: wsp ? 'wsp' : 'raw', networks },
    };
  }
  const url = pap ?? webhook ?? '';
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new DragomanError('configuration', `${url} is no http or https URL.`);
  }
  if (pap === undefined) return { address, config: { type: 'webhook', url, body: 'json', auth: NO_AUTH } };
  const template = 'WAPPUSH={address}/TYPE=PLMN@{host}';
  if (address === '') throw new DragomanError('configuration', '--pap needs --address.');
  return { address, config: { type: 'pap', url, address: template, auth: NO_AUTH } };
}
