import { type Command, InvalidArgumentError, Option } from 'commander';
import { userHash } from '../dm1/auth/digests.ts';
import { DM_APPLICATION_ID, decodePush, encodePush } from '../dm1/notification/push.ts';
import type { TransportConfig } from '../gateway/config/config.ts';
import { OutboundClient } from '../gateway/outbound/client.ts';
import { OutboundGuard } from '../gateway/outbound/guard.ts';
import { makeTransports } from '../gateway/wakeup/transports/transports.ts';
import { readNotification } from '../interworking/notification/read.ts';
import {
  CONNECTIONS,
  type Connection,
  NOTIFICATION_FORMS,
  type NotificationForm,
  UI_MODES,
  type UiMode,
} from '../interworking/notification/wakeRequest.ts';
import { NOTIFICATION_TYPES, writeNotification } from '../interworking/notification/write.ts';
import { hours } from '../support/durations.ts';
import { DragomanError } from '../support/errors.ts';
import { newId } from '../support/ids.ts';
import { type BytesForm, base64Flag, bytesForm, giveBytes, readBytes } from './bytes.ts';
import { EXIT, Exit, type Io } from './io.ts';

/** `dragoman notify build|parse|send|ask`: Package#0 by hand, or through a gateway that runs. */
export function addNotify(program: Command, io: Io): void {
  const notify = program.command('notify').description('wake devices up: build, read and send notifications');
  addBuild(notify, io);
  addParse(notify, io);
  addSend(notify, io);
  addAsk(notify, io);
}

interface BuildFlags {
  readonly form: NotificationForm;
  readonly serverId: string;
  readonly id: number;
  readonly uiMode?: UiMode;
  readonly initiator?: 'user' | 'server';
  readonly connection?: Connection;
  readonly password?: string;
  readonly nonce?: string;
  readonly secret?: string;
  readonly data?: string;
  readonly url?: string;
  readonly wsp?: boolean;
  readonly output?: string;
  readonly as: BytesForm;
}

function addBuild(notify: Command, io: Io): void {
  notify
    .command('build')
    .description('build a notification')
    .addOption(
      new Option('--form <form>', 'form of Package#0').choices(NOTIFICATION_FORMS).default('trigger'),
    )
    .requiredOption('--server-id <id>', 'server identifier of the account')
    .requiredOption(
      '--id <number>',
      'session id or NOTIFICATION-ID, 16 bits (0x… is hexadecimal)',
      sixteenBits,
    )
    .addOption(new Option('--ui-mode <mode>', 'how much the user shall notice').choices(UI_MODES))
    .addOption(new Option('--initiator <who>', 'who wants the session').choices(['user', 'server']))
    .addOption(new Option('--connection <type>', 'what the device shall connect by').choices(CONNECTIONS))
    .option('--password <text>', "trigger: the server's password at the device")
    .option('--nonce <base64>', 'trigger: nonce that the device gave; that of resynchronisation when absent')
    .option('--secret <base64>', 'options: Auth/Noti/Secret')
    .option('--data <base64>', 'options: Auth/Noti/Data')
    .option('--url <url>', 'bits: where the session is to be opened')
    .option('--wsp', 'as a WAP push PDU')
    .option('-o, --output <file>', 'write the bytes there')
    .addOption(bytesForm())
    .action((flags: BuildFlags) => {
      const { bytes, notes } = build(flags);
      for (const { rule, text } of notes) io.err(`[${rule}] ${text}\n`);
      giveBytes(io, flags.wsp ? asPush(bytes, flags.form) : bytes, flags);
    });
}

function build(flags: BuildFlags) {
  const { form, serverId, id, uiMode, initiator, connection, password, nonce, secret, data, url } = flags;
  if (form === 'bits' && url === undefined) {
    throw new DragomanError('configuration', '--url is required for --form bits.');
  }
  return writeNotification({
    form,
    request: {
      serverId,
      id,
      ...(uiMode && { uiMode }),
      ...(initiator && { initiator }),
      ...(connection && { connection }),
    },
    keys: {
      ...(password !== undefined && { userHash: userHash(serverId, password) }),
      ...(nonce !== undefined && { nonce: base64Flag('--nonce', nonce) }),
      ...(secret !== undefined && {
        credential: {
          secret: base64Flag('--secret', secret),
          ...(data !== undefined && { authData: base64Flag('--data', data) }),
        },
      }),
    },
    url: url ?? '',
    timestamp: Math.floor(Date.now() / 1000),
  });
}

function asPush(body: Uint8Array, form: NotificationForm): Uint8Array {
  const type = NOTIFICATION_TYPES[form];
  return encodePush({ transactionId: 1, type, applicationId: DM_APPLICATION_ID, body });
}

function addParse(notify: Command, io: Io): void {
  notify
    .command('parse')
    .description('show what a notification says, in any form, also out of a WAP push PDU')
    .argument('<file>', 'its bytes, or their hex digits or base64; - reads standard input')
    .action((file: string) => {
      const given = readBytes(file);
      const pushed = given[1] === 0x06 ? readPush(given) : undefined;
      const { form, request, timestamp, hasDigest } = readNotification(pushed ?? given);
      const { original: _bytes, vendorSpecific, unknownOptions, ...rest } = request;
      const shown = {
        form,
        ...rest,
        ...(rest.id !== undefined && form === 'trigger' && { sessionId: rest.id.toString(16).toUpperCase() }),
        ...(vendorSpecific && { vendorSpecific: Buffer.from(vendorSpecific).toString('hex') }),
        ...(unknownOptions && { unknownOptions: unknownOptions.map(({ number }) => number) }),
        ...(timestamp !== undefined && { timestamp: new Date(timestamp * 1000).toISOString() }),
        digest: hasDigest,
      };
      io.out(`${JSON.stringify(shown, null, 2)}\n`);
    });
}

/** The content of a WAP push; `undefined` when the bytes are none after all. */
function readPush(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return decodePush(bytes).body;
  } catch {
    return undefined;
  }
}

interface SendFlags {
  readonly udp?: string;
  readonly pap?: string;
  readonly webhook?: string;
  readonly address?: string;
  readonly device: string;
  readonly wsp?: boolean;
}

function addSend(notify: Command, io: Io): void {
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

interface AskFlags {
  readonly admin: string;
  readonly token?: string;
  readonly form?: NotificationForm;
  readonly uiMode?: UiMode;
  readonly connection?: Connection;
  readonly via?: string;
  readonly address?: string;
  readonly wait?: number;
}

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly detail?: string;
  readonly session?: string;
}

function addAsk(notify: Command, io: Io): void {
  notify
    .command('ask')
    .description('have a gateway that runs wake a device up')
    .argument('<device>', 'identifier of the device')
    .option('--admin <url>', 'its admin port', 'http://127.0.0.1:8081')
    .option('--token <token>', 'admin token; DRAGOMAN_ADMIN_TOKEN when absent')
    .addOption(
      new Option('--form <form>', "form of Package#0 instead of the device's own").choices(
        NOTIFICATION_FORMS,
      ),
    )
    .addOption(new Option('--ui-mode <mode>', 'how much the user shall notice').choices(UI_MODES))
    .addOption(new Option('--connection <type>', 'what the device shall connect by').choices(CONNECTIONS))
    .option('--via <name>', 'transport')
    .option('--address <address>', 'of the device there')
    .option('--wait <seconds>', 'wait so long for the session that answers', positive)
    .action(async (device: string, { admin, token, wait, ...body }: AskFlags) => {
      const call = apiOf(admin, token ?? io.env['DRAGOMAN_ADMIN_TOKEN']);
      let shown = await call(`/api/devices/${encodeURIComponent(device)}/notify`, body);
      const until = Date.now() + (wait ?? 0) * 1000;
      while (Date.now() < until && (shown.state === 'waiting' || shown.state === 'sent')) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        shown = await call(`/api/notifications/${shown.id}`);
      }
      const more = shown.session ?? shown.detail;
      io.out(`${shown.id} ${shown.state}${more === undefined ? '' : ` ${more}`}\n`);
      if (wait !== undefined && shown.state !== 'answered') throw new Exit(EXIT.failed);
    });
}

function apiOf(admin: string, token: string | undefined) {
  if (token === undefined) {
    throw new DragomanError('configuration', 'Give --token, or set DRAGOMAN_ADMIN_TOKEN.');
  }
  return async (path: string, body?: object): Promise<Shown> => {
    const response = await fetch(new URL(path, admin), {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    }).catch((error: unknown) => {
      throw new DragomanError('backend-failed', `No gateway answers at ${admin}.`, { cause: error });
    });
    const answer = (await response.json().catch(() => ({}))) as Shown;
    if (response.ok) return answer;
    throw new DragomanError('bad-command', answer.detail ?? `The gateway answers HTTP ${response.status}.`);
  };
}

function sixteenBits(text: string): number {
  const number = /^(0x[0-9a-f]{1,4}|\d{1,5})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 0xffff)) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return number;
}

function positive(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number of seconds.');
  return Number(text);
}
