import { type Command, Option } from 'commander';
import { userHash } from '../../dm1/auth/digests.ts';
import { decodePackage0, verifyPackage0 } from '../../dm1/notification/package0.ts';
import { decodePush } from '../../dm1/notification/push.ts';
import { verifyNotification } from '../../dm2/notification/index.ts';
import { type ReadNotification, readNotification } from '../../interworking/notification/read.ts';
import { NOTIFICATION_FORMS, type NotificationForm } from '../../interworking/notification/wakeRequest.ts';
import { base64Flag, readBytes } from '../bytes.ts';
import { EXIT, Exit, type Io } from '../io.ts';

interface ParseFlags {
  readonly form?: NotificationForm;
  readonly password?: string;
  readonly nonce?: string;
  readonly secret?: string;
  readonly data?: string;
}

/** `dragoman notify parse FILE`; exits with 1 for a digest that is not right. */
export function addParse(notify: Command, io: Io): void {
  notify
    .command('parse')
    .description(
      'show what a notification says, in any form, also out of a WAP push PDU, and check its digest',
    )
    .argument('<file>', 'its bytes, or their hex digits or base64; - reads standard input')
    .addOption(
      new Option('--form <form>', 'take it for this form, whatever it looks like').choices(
        NOTIFICATION_FORMS,
      ),
    )
    .option('--password <text>', "trigger: the server's password at the device, to check the digest")
    .option(
      '--nonce <base64>',
      'trigger: nonce that the device gave; those of resynchronisation are tried too',
    )
    .option('--secret <base64>', 'options: Auth/Noti/Secret, to check the digest')
    .option('--data <base64>', 'options: Auth/Noti/Data')
    .action((file: string, flags: ParseFlags) => {
      const given = readBytes(file);
      const bytes = (given[1] === 0x06 ? readPush(given) : undefined) ?? given;
      const read = readNotification(bytes, flags.form);
      const { form, request, timestamp, hasDigest } = read;
      const { original: _bytes, vendorSpecific, unknownOptions, ...rest } = request;
      const proof = proofOf(bytes, read, flags);
      const shown = {
        form,
        ...rest,
        ...(rest.id !== undefined && form === 'trigger' && { sessionId: rest.id.toString(16).toUpperCase() }),
        ...(vendorSpecific && { vendorSpecific: Buffer.from(vendorSpecific).toString('hex') }),
        ...(unknownOptions && { unknownOptions: unknownOptions.map(({ number }) => number) }),
        ...(timestamp !== undefined && { timestamp: new Date(timestamp * 1000).toISOString() }),
        digest: proof ?? hasDigest,
      };
      io.out(`${JSON.stringify(shown, null, 2)}\n`);
      if (proof === 'wrong' || proof === 'missing') throw new Exit(EXIT.failed);
    });
}

type Proof = 'right' | 'right, by a nonce of resynchronisation' | 'wrong' | 'missing';

/** What the keys on the command line say of the digest; `undefined` where there is none for this form. */
function proofOf(
  bytes: Uint8Array,
  { form, request }: ReadNotification,
  flags: ParseFlags,
): Proof | undefined {
  const { password, nonce, secret, data } = flags;
  switch (form) {
    case 'trigger': {
      if (password === undefined) return undefined;
      const hash = userHash(request.serverId ?? '', password);
      const used = verifyPackage0(
        decodePackage0(bytes),
        hash,
        nonce === undefined ? undefined : base64Flag('--nonce', nonce),
      );
      if (used === undefined) return 'wrong';
      return used === 'stored' ? 'right' : 'right, by a nonce of resynchronisation';
    }
    case 'options': {
      if (secret === undefined) return undefined;
      const credential = {
        secret: base64Flag('--secret', secret),
        ...(data !== undefined && { authData: base64Flag('--data', data) }),
      };
      const verdict = verifyNotification(bytes, credential, { required: true });
      if (verdict.ok) return 'right';
      return verdict.reason === 'no-digest' ? 'missing' : 'wrong';
    }
    case 'bits':
      return undefined;
  }
}

/** The content of a WAP push; `undefined` when the bytes are none after all. */
function readPush(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return decodePush(bytes).body;
  } catch {
    return undefined;
  }
}
