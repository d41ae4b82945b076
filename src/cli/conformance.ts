import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { NotificationCredential } from '../dm2/notification/index.ts';
import {
  asJson,
  asJunit,
  asMarkdown,
  asText,
  type ConformanceReport,
  clientConformance,
  DragomanOperator,
  type Role,
  serverConformance,
} from '../qa/conformance/index.ts';
import { DragomanError } from '../support/errors.ts';
import { EXIT, Exit, type Io } from './io.ts';

interface Flags {
  readonly role: Role;
  readonly against?: string;
  readonly listen: string;
  readonly device: string;
  readonly username?: string;
  readonly password?: string;
  readonly admin?: string;
  readonly token?: string;
  readonly notifications?: string;
  readonly scratch?: string;
  readonly exec?: string;
  readonly serverId: string;
  readonly secret?: string;
  readonly authData?: string;
  readonly wait: string;
  readonly quiet: string;
  readonly json?: string;
  readonly junit?: string;
  readonly markdown?: string;
  readonly exchange?: boolean;
}

const ABOUT = `
--role says what the peer under test is; the command plays the other one.

server  The command is a client with the identity --device. It posts Package#1 to --against, does what it is
        told and goes on until END, session after session. The server has to be made to send the commands that
        the command prints first; with --admin and --token a Dragoman is asked for them. Package#0 is awaited
        at --notifications.
client  The command is a server at http://LISTEN/dm20, where the client has to open its sessions. It writes and
        deletes the leaf --scratch and executes the node --exec. Where the client takes Package#0, --against
        says so: udp://HOST:PORT, or a URL to POST it to (with --token as bearer). Without it the client has to
        come by itself, twice at least.

NODE_EXTRA_CA_CERTS=FILE names authorities of peers with TLS. Exit code 0: every mandatory item passed.`;

/** `dragoman conformance`: the static conformance requirements of DM 2.0 against a live peer. */
export function addConformance(program: Command, io: Io): void {
  program
    .command('conformance')
    .description('try the 26 conformance items of a DM 2.0 client or server on a live one')
    .addOption(
      new Option('--role <role>', 'role of the peer under test')
        .choices(['client', 'server'])
        .makeOptionMandatory(),
    )
    .option('--against <url>', 'server: where Package#1 is posted; client: where it takes Package#0')
    .option('--listen <host:port>', 'where the peer can reach this command', '127.0.0.1:0')
    .option('--device <id>', 'server: the identity to take', 'IMEI:493005100592801')
    .option('--username <name>', 'server: account of that device (HTTP Basic)')
    .option('--password <text>', 'server: its password')
    .option('--admin <url>', 'server: admin port of a Dragoman under test')
    .option('--token <text>', 'server: its bearer token (or DRAGOMAN_ADMIN_TOKEN); client: that of --against')
    .option('--notifications <url>', 'server: await Package#0 at udp://HOST:PORT or http://HOST:PORT')
    .option('--scratch <ClientURI>', 'client: a leaf that may be written and deleted')
    .option('--exec <ClientURI>', 'client: a node that may be executed')
    .option('--server-id <id>', 'client: SERVER-ID of its account for this command', 'dms')
    .option('--secret <text>', 'secret of notifications, for their digest')
    .option('--auth-data <text>', 'its auth data')
    .option('--wait <seconds>', 'longest wait for the peer', '30')
    .option('--quiet <seconds>', 'client: silence that means that nothing more comes', '2')
    .option('--json <file>', 'write the report there, with all messages')
    .option('--junit <file>', 'write it there for a build server')
    .option('--markdown <file>', 'write it there as a table')
    .option('--exchange', 'print the messages of each item too')
    .addHelpText('after', ABOUT)
    .action(async (flags: Flags) => {
      const report = flags.role === 'server' ? await tryServer(flags, io) : await tryClient(flags, io);
      if (flags.json !== undefined) writeFileSync(flags.json, asJson(report));
      if (flags.junit !== undefined) writeFileSync(flags.junit, asJunit(report));
      if (flags.markdown !== undefined) writeFileSync(flags.markdown, asMarkdown(report));
      io.out(asText(report, { exchange: flags.exchange === true }));
      if (!report.conforms) throw new Exit(EXIT.failed);
    });
}

function tryServer(flags: Flags, io: Io): Promise<ConformanceReport> {
  const { against, device, username, password, admin, notifications } = flags;
  const token = flags.token ?? io.env['DRAGOMAN_ADMIN_TOKEN'];
  if (against === undefined || !URL.canParse(against))
    throw needed('--against URL, where Package#1 is posted');
  if (admin !== undefined && token === undefined) throw needed('--token, for --admin');
  return serverConformance({
    against,
    deviceId: device,
    ...(username !== undefined && { account: { username, password: password ?? '' } }),
    ...common(flags, io),
    ...(notifications !== undefined && { notifications }),
    ...(admin !== undefined && { operator: new DragomanOperator(admin, token ?? '', device) }),
  });
}

function tryClient(flags: Flags, io: Io): Promise<ConformanceReport> {
  const { against, token, scratch, exec, serverId, quiet } = flags;
  if (scratch === undefined || exec === undefined) throw needed('--scratch and --exec, which may be touched');
  return clientConformance({
    ...(against !== undefined && { against }),
    ...(token !== undefined && { token }),
    scratch,
    exec,
    serverId,
    ...common(flags, io),
    quietMs: seconds('--quiet', quiet),
  });
}

function common({ listen, wait, secret, authData }: Flags, io: Io) {
  const credential: NotificationCredential | undefined =
    secret === undefined
      ? undefined
      : { secret: Buffer.from(secret), ...(authData !== undefined && { authData: Buffer.from(authData) }) };
  return {
    listen: address(listen),
    waitMs: seconds('--wait', wait),
    tell: (line: string) => io.err(`${line}\n`),
    ...(credential && { credential }),
  };
}

function address(text: string): { host: string; port: number } {
  const match = /^([^:[\]]+):(\d{1,5})$/.exec(text);
  if (!match) throw needed(`--listen HOST:PORT; "${text}" is none`);
  return { host: match[1] ?? '', port: Number(match[2]) };
}

function seconds(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw needed(`${flag} in seconds; "${text}" is no time`);
  return value * 1000;
}

function needed(what: string): DragomanError {
  return new DragomanError('configuration', `conformance needs ${what}.`);
}
