import { type Command, InvalidArgumentError, Option } from 'commander';
import { userHash } from '../../dm1/auth/digests.ts';
import { DM_APPLICATION_ID, encodePush } from '../../dm1/notification/push.ts';
import {
  CONNECTIONS,
  type Connection,
  NOTIFICATION_FORMS,
  type NotificationForm,
  UI_MODES,
  type UiMode,
} from '../../interworking/notification/wakeRequest.ts';
import { NOTIFICATION_TYPES, writeNotification } from '../../interworking/notification/write.ts';
import { DragomanError } from '../../support/errors.ts';
import { type BytesForm, base64Flag, bytesForm, giveBytes } from '../bytes.ts';
import type { Io } from '../io.ts';

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

/** `dragoman notify build`: a Package#0 from what stands on the command line. */
export function addBuild(notify: Command, io: Io): void {
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

function sixteenBits(text: string): number {
  const number = /^(0x[0-9a-f]{1,4}|\d{1,5})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 0xffff)) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return number;
}
