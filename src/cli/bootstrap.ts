import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AuthEntry, type DmAccount, repoint, withoutSecrets } from '../dm1/bootstrap/account.ts';
import {
  type BootstrapKey,
  bootstrapKey,
  contentType,
  type Protection,
  protectionOf,
  SECS,
  verifyProtection,
} from '../dm1/bootstrap/security.ts';
import { wapPush } from '../gateway/wakeup/transports/wapPush.ts';
import {
  BOOTSTRAP_FORMS,
  type BootstrapContent,
  type BootstrapForm,
  readBootstrap,
  writeBootstrap,
} from '../interworking/bootstrap/document.ts';
import { type BytesForm, bytesForm, giveBytes, readBytes } from './bytes.ts';
import { EXIT, Exit, type Io } from './io.ts';

/** `dragoman bootstrap build|convert|parse`: documents that give a device its account (IW-BOOT-1). */
export function addBootstrap(program: Command, io: Io): void {
  const bootstrap = program
    .command('bootstrap')
    .description('build, convert and read bootstrap documents of both generations');
  addBuild(bootstrap, io);
  addConvert(bootstrap, io);
  addParse(bootstrap, io);
}

interface KeyFlags {
  readonly sec?: BootstrapKey['sec'];
  readonly pin?: string;
  readonly imsi?: string;
  readonly networkId?: string;
}

interface OutFlags extends KeyFlags {
  readonly to: BootstrapForm;
  readonly device?: string;
  readonly push?: boolean;
  readonly output?: string;
  readonly as: BytesForm;
}

interface BuildFlags extends OutFlags {
  readonly serverId: string;
  readonly url: string;
  readonly name?: string;
  readonly port?: number;
  readonly clientName?: string;
  readonly clientSecret?: string;
  readonly clientType?: string;
  readonly serverSecret?: string;
  readonly serverType?: string;
  readonly init?: boolean;
}

const AUTH_TYPES = ['BASIC', 'DIGEST', 'HMAC', 'HTTP-BASIC', 'HTTP-DIGEST'];

function withKey(command: Command): Command {
  return command
    .addOption(new Option('--sec <method>', 'method of SEC and MAC').choices(SECS))
    .option(
      '--pin <pin>',
      'PIN that the user types; with USERPINMAC digits, to which build adds those of the MAC',
    )
    .option('--imsi <digits>', 'IMSI, for the CP profile')
    .option('--network-id <secret>', 'secret shared with the network, for the DM profile');
}

function withOutput(command: Command): Command {
  return withKey(command)
    .addOption(
      new Option('--to <form>', 'CP profile (WBXML or text), DM profile, or account of DM 2.0')
        .choices(BOOTSTRAP_FORMS)
        .default('cp'),
    )
    .option('--device <id>', 'DM profile: identifier of the device')
    .option('--push', 'as a WAP push PDU')
    .option('-o, --output <file>', 'write the bytes there')
    .addOption(bytesForm());
}

function addBuild(bootstrap: Command, io: Io): void {
  withOutput(bootstrap.command('build').description('build a document for one account'))
    .requiredOption('--server-id <id>', 'server identifier of the account')
    .requiredOption('--url <url>', 'address of the server')
    .option('--port <number>', 'its port, where the address has none', port)
    .option('--name <text>', 'what the user sees')
    .option('--client-name <name>', 'account that the device presents')
    .option('--client-secret <text>', 'its password')
    .addOption(
      new Option('--client-type <type>', 'how it is presented').choices(AUTH_TYPES).default('DIGEST'),
    )
    .option('--server-secret <text>', 'password that the server presents')
    .addOption(
      new Option('--server-type <type>', 'how it is presented')
        .choices(AUTH_TYPES.slice(0, 3))
        .default('DIGEST'),
    )
    .option('--init', 'CP profile: the device opens a session at once')
    .action((flags: BuildFlags) => give(io, { accounts: [accountOf(flags)] }, flags));
}

function accountOf(flags: BuildFlags): DmAccount {
  const {
    serverId,
    url,
    name,
    port: number,
    clientName,
    clientSecret,
    clientType,
    serverSecret,
    serverType,
  } = flags;
  const client: AuthEntry[] =
    clientName === undefined && clientSecret === undefined
      ? []
      : [
          {
            level: clientType?.startsWith('HTTP-') ? 'HTTP' : 'CLCRED',
            ...(clientType && { type: clientType }),
            ...(clientName !== undefined && { name: clientName }),
            ...(clientSecret !== undefined && { secret: clientSecret }),
          },
        ];
  const server: AuthEntry[] =
    serverSecret === undefined
      ? []
      : [{ level: 'SRVCRED', ...(serverType && { type: serverType }), name: serverId, secret: serverSecret }];
  return {
    serverId,
    ...(name !== undefined && { name }),
    addresses: [{ addr: url, ...(number !== undefined && { ports: [number] }) }],
    auth: [...client, ...server],
    ...(flags.init && { init: true }),
  };
}

interface ConvertFlags extends OutFlags {
  readonly repoint?: string;
  readonly port?: number;
  readonly serverId?: string;
}

function addConvert(bootstrap: Command, io: Io): void {
  withOutput(bootstrap.command('convert').description('turn a document into one of another form'))
    .argument(
      '<file>',
      'its bytes, or their hex digits or base64, also a WAP push PDU; - reads standard input',
    )
    .option('--repoint <url>', 'point every account at that address, as a gateway')
    .option('--port <number>', 'with --repoint: the port, where the address has none', port)
    .option('--server-id <id>', 'with --repoint: another server identifier')
    .action((file: string, flags: ConvertFlags) => {
      const { content, notes } = readBootstrap(readBytes(file));
      say(io, notes);
      give(io, flags.repoint === undefined ? content : repointed(content, flags.repoint, flags), flags);
    });
}

function repointed(
  content: BootstrapContent,
  addr: string,
  { port: number, serverId }: ConvertFlags,
): BootstrapContent {
  const to = {
    addr,
    ...(number !== undefined && { port: number }),
    ...(serverId !== undefined && { serverId }),
  };
  return { ...content, accounts: content.accounts.map((account) => repoint(account, to)) };
}

function give(io: Io, content: BootstrapContent, flags: OutFlags): void {
  const key = keyOf(flags);
  const written = writeBootstrap(flags.to, content, {
    ...(key && { key }),
    ...(flags.device !== undefined && { target: flags.device }),
  });
  const { bytes, protection, notes } = written;
  say(io, notes);
  io.err(`Content-Type: ${typeOf(written.contentType, protection)}\n`);
  if (protection?.userTypes !== undefined) io.err(`The user types: ${protection.userTypes}\n`);
  giveBytes(io, flags.push ? pushOf(written) : bytes, flags);
}

function typeOf(type: string, protection: Protection | undefined): string {
  return protection === undefined ? type : contentType(type, protection);
}

function pushOf({ bytes, contentType: type, protection }: ReturnType<typeof writeBootstrap>): Uint8Array {
  return wapPush({ copy: 1, contentType: type, body: bytes, ...(protection && { protection }) });
}

interface ParseFlags extends KeyFlags {
  readonly contentType?: string;
  readonly secrets?: boolean;
}

function addParse(bootstrap: Command, io: Io): void {
  withKey(bootstrap.command('parse').description('show the accounts of a document, and check its MAC'))
    .argument(
      '<file>',
      'its bytes, or their hex digits or base64, also a WAP push PDU; - reads standard input',
    )
    .option('--content-type <text>', 'Content-Type that it came with, for SEC and MAC')
    .option('--secrets', 'show secrets and nonces as well')
    .action((file: string, flags: ParseFlags) => {
      const { form, bytes, content, protection: pushed, notes } = readBootstrap(readBytes(file));
      const given = flags.contentType === undefined ? undefined : protectionOf(flags.contentType);
      const protection = given ?? pushed;
      const key = keyOf(flags);
      const valid =
        key && protection && verifyProtection(form === 'cp' ? 'cp' : 'dm', bytes, key, protection);
      const shown = {
        form,
        accounts: content.accounts.map((account) =>
          readable(flags.secrets ? account : withoutSecrets(account)),
        ),
        ...(content.characteristics?.length && { others: content.characteristics.map(({ type }) => type) }),
        ...(content.objects?.length && { others: content.objects.map(({ name, type }) => type ?? name) }),
        ...(protection && { protection }),
        ...(key && { mac: protection === undefined ? 'missing' : valid ? 'right' : 'wrong' }),
      };
      say(io, notes);
      io.out(`${JSON.stringify(shown, null, 2)}\n`);
      if (key && valid !== true) throw new Exit(EXIT.failed);
    });
}

/** Nonces as base64. */
function readable(account: DmAccount): object {
  const auth = account.auth.map(({ data, ...entry }) => ({
    ...entry,
    ...(data !== undefined && { data: Buffer.from(data).toString('base64') }),
  }));
  return { ...account, auth };
}

function say(io: Io, notes: readonly string[]): void {
  for (const note of notes) io.err(`[IW-BOOT-1] ${note}\n`);
}

function keyOf({ sec, pin, imsi, networkId }: KeyFlags): BootstrapKey | undefined {
  return (
    sec &&
    bootstrapKey({
      sec,
      ...(pin !== undefined && { pin }),
      ...(imsi !== undefined && { imsi }),
      ...(networkId !== undefined && { secret: networkId }),
    })
  );
}

function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65_535) throw new InvalidArgumentError('It is a number from 1 to 65535.');
  return number;
}
