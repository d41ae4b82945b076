import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { DIALECT_NAMES, type DialectName } from '../dm2/dialects/index.ts';
import { DragomanError } from '../support/errors.ts';
import type { CredScheme } from './credentials.ts';
import { type BackendScript, Dm2Backend, type RepositoryDocument } from './dm2Backend/backend.ts';
import { Dm2Client } from './dm2Client/client.ts';
import type { Dm2Capability } from './dm2Client/options.ts';
import type { LoggedMessage } from './eventLog.ts';
import { LegacyDevice } from './legacyDevice/device.ts';
import type { LegacyAuth, LegacyCapability } from './legacyDevice/options.ts';
import type { ServerScript } from './legacyServer/options.ts';
import { LegacyServer } from './legacyServer/server.ts';
import { summaryLine } from './summary.ts';
import type { DmVersion } from './syncml.ts';
import { readFileNotation } from './treeFile.ts';

export const SIMULATED = ['device', 'client', 'server', 'backend'] as const;
/** `device`: DM 1.x client; `client`: DM 2.0 client; `server`: DM 1.x server; `backend`: DM 2.0 server. */
export type Simulated = (typeof SIMULATED)[number];

/** Values as the command line gives them. */
export type SimulateFlags = Readonly<Partial<Record<SimulateFlag, string>>>;

export interface SimulateRow {
  readonly flag: string;
  /** Placeholder of the value. */
  readonly value: string;
  readonly kinds: readonly Simulated[];
  readonly text: string;
  readonly choices?: readonly string[];
}

const CLIENTS = ['device', 'client'] as const;
const SERVERS = ['server', 'backend'] as const;
const LEGACY = ['device', 'server'] as const;

/** Flags of `dragoman simulate KIND`; every value is text. */
export const SIMULATE_FLAGS = [
  { flag: 'url', value: 'URL', kinds: CLIENTS, text: 'where to open sessions' },
  { flag: 'id', value: 'ID', kinds: CLIENTS, text: 'device identity (default IMEI:493005100592800)' },
  { flag: 'tree', value: 'FILE', kinds: CLIENTS, text: 'tree or objects, JSON or YAML (default: a phone)' },
  {
    flag: 'preset',
    value: 'NAME',
    kinds: ['device'],
    text: 'plain, koneki-like, libdmclient-like, hs20-like, sequence-stopper or windows-like',
  },
  { flag: 'missing', value: 'LIST', kinds: CLIENTS, text: 'capabilities that it lacks, separated by commas' },
  { flag: 'sessions', value: 'N', kinds: CLIENTS, text: 'sessions to run (default 1)' },
  { flag: 'interval', value: 'SECONDS', kinds: CLIENTS, text: 'pause between sessions (default 0)' },
  { flag: 'attempts', value: 'N', kinds: CLIENTS, text: 'times that a message is sent at most (default 1)' },
  {
    flag: 'latency',
    value: 'MS',
    kinds: [...CLIENTS, ...SERVERS],
    text: 'pause before each message or answer',
  },
  { flag: 'dm-version', value: 'V', kinds: LEGACY, text: 'DM version', choices: ['1.1', '1.2', '1.3'] },
  {
    flag: 'dialect',
    value: 'NAME',
    kinds: ['client', 'backend'],
    text: 'dialect of DM 2.0 (default: approved)',
    choices: DIALECT_NAMES,
  },
  { flag: 'encoding', value: 'FORM', kinds: LEGACY, text: 'message encoding', choices: ['xml', 'wbxml'] },
  { flag: 'max-msg-size', value: 'BYTES', kinds: LEGACY, text: 'largest message that it takes' },
  { flag: 'port', value: 'PORT', kinds: SERVERS, text: 'port to listen on (default: any free one)' },
  { flag: 'script', value: 'FILE', kinds: SERVERS, text: 'packages to send: a list of lists of commands' },
  {
    flag: 'documents',
    value: 'FILE',
    kinds: ['backend'],
    text: 'repository documents by name: {body, contentType}',
  },
  {
    flag: 'auth',
    value: 'TYPE',
    kinds: [...CLIENTS, ...SERVERS],
    text: 'credentials shown or demanded',
    choices: ['none', 'basic', 'md5', 'hmac', 'bearer'],
  },
  { flag: 'user', value: 'NAME', kinds: [...CLIENTS, ...SERVERS], text: 'user of the credentials' },
  { flag: 'password', value: 'TEXT', kinds: [...CLIENTS, ...SERVERS], text: 'password, or token for bearer' },
] as const satisfies readonly SimulateRow[];

export type SimulateFlag = (typeof SIMULATE_FLAGS)[number]['flag'];

export interface SimulateIo {
  readonly print: (line: string) => void;
  /** Ends servers, and clients after the running session. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one simulated peer and prints a line per message. Clients run their sessions and resolve to 0 when
 * all completed without violation, else 1; servers run until the signal and resolve to 0.
 * Throws DragomanError `configuration` for a flag that does not fit.
 */
export async function runSimulate(kind: Simulated, flags: SimulateFlags, io: SimulateIo): Promise<number> {
  checkFlags(kind, flags);
  const onMessage = (message: LoggedMessage) => io.print(summaryLine(message));
  switch (kind) {
    case 'device':
      return runClient(legacyDevice(flags, onMessage), flags, io);
    case 'client':
      return runClient(dm2Client(flags, onMessage), flags, io);
    case 'server':
      return runServer(legacyServer(flags, onMessage), io);
    case 'backend':
      return runServer(dm2Backend(flags, onMessage), io);
  }
}

function checkFlags(kind: Simulated, flags: SimulateFlags): void {
  for (const [flag, value] of Object.entries(flags)) {
    const row: SimulateRow | undefined = SIMULATE_FLAGS.find((known) => known.flag === flag);
    if (!row?.kinds.includes(kind)) {
      throw new DragomanError('configuration', `simulate ${kind} has no flag --${flag}.`);
    }
    if (row.choices && value !== undefined && !row.choices.includes(value)) {
      throw new DragomanError(
        'configuration',
        `--${flag} must be one of ${row.choices.join(', ')}, not ${value}.`,
      );
    }
  }
  const scheme = flags.auth ?? 'none';
  const possible =
    kind === 'backend'
      ? ['none', 'basic', 'bearer']
      : kind === 'client'
        ? ['none', 'basic']
        : ['none', 'basic', 'md5', 'hmac'];
  if (!possible.includes(scheme)) {
    throw new DragomanError(
      'configuration',
      `simulate ${kind} takes --auth ${possible.join(', ')}, not ${scheme}.`,
    );
  }
}

function number(flags: SimulateFlags, flag: SimulateFlag): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new DragomanError('configuration', `--${flag} must be a number of 0 or more, not ${text}.`);
  }
  return value;
}

/** The member, left out where its flag is. */
function given<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]: V });
}

function clientOptions(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void) {
  if (flags.url === undefined)
    throw new DragomanError('configuration', 'Say where to open sessions: --url URL.');
  return {
    url: flags.url,
    deviceId: flags.id ?? 'IMEI:493005100592800',
    onMessage,
    keepMessages: false,
    ...given('latencyMs', number(flags, 'latency')),
    ...given('attempts', number(flags, 'attempts')),
  };
}

function list<T extends string>(text: string | undefined): readonly T[] | undefined {
  return text?.split(',').map((name) => name.trim() as T);
}

function account(flags: SimulateFlags) {
  return { username: flags.user ?? '', password: flags.password ?? '' };
}

function legacyDevice(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void): LegacyDevice {
  return new LegacyDevice({
    ...clientOptions(flags, onMessage),
    ...given('version', flags['dm-version'] as DmVersion | undefined),
    ...given('encoding', flags.encoding as 'xml' | 'wbxml' | undefined),
    ...given('maxMsgSize', number(flags, 'max-msg-size')),
    ...given('tree', flags.tree),
    ...given('preset', flags.preset),
    ...given('missing', list<LegacyCapability>(flags.missing)),
    auth: { type: (flags.auth ?? 'none') as LegacyAuth['type'], ...account(flags) },
  });
}

function dm2Client(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void): Dm2Client {
  return new Dm2Client({
    ...clientOptions(flags, onMessage),
    ...given('dialect', flags.dialect as DialectName | undefined),
    ...given('objects', flags.tree),
    ...given('missing', list<Dm2Capability>(flags.missing)),
    auth: { type: flags.auth === 'basic' ? 'basic' : 'none', ...account(flags) },
  });
}

function serverOptions(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void) {
  return {
    onMessage,
    keepMessages: false,
    ...given('port', number(flags, 'port')),
    ...given('latencyMs', number(flags, 'latency')),
  };
}

function script<T>(flags: SimulateFlags): T | undefined {
  if (flags.script === undefined) return undefined;
  const read = readFileNotation(flags.script);
  if (!Array.isArray(read) || !read.every(Array.isArray)) {
    throw new DragomanError(
      'configuration',
      `${flags.script} must be a list of packages, each a list of commands.`,
    );
  }
  return read as T;
}

function legacyServer(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void): LegacyServer {
  return new LegacyServer({
    ...serverOptions(flags, onMessage),
    ...given('version', flags['dm-version'] as DmVersion | undefined),
    ...given('encoding', flags.encoding as 'xml' | 'wbxml' | undefined),
    ...given('maxMsgSize', number(flags, 'max-msg-size')),
    ...given('script', script<ServerScript>(flags)),
    auth: { type: (flags.auth ?? 'none') as 'none' | CredScheme, ...account(flags) },
  });
}

function dm2Backend(flags: SimulateFlags, onMessage: (message: LoggedMessage) => void): Dm2Backend {
  const documents =
    flags.documents === undefined
      ? undefined
      : (readFileNotation(flags.documents) as Record<string, RepositoryDocument>);
  return new Dm2Backend({
    ...serverOptions(flags, onMessage),
    ...given('dialect', flags.dialect as DialectName | undefined),
    ...given('script', script<BackendScript>(flags)),
    ...given('documents', documents),
    auth:
      flags.auth === 'bearer'
        ? { type: 'bearer', token: flags.password ?? '' }
        : flags.auth === 'basic'
          ? { type: 'basic', ...account(flags) }
          : { type: 'none' },
  });
}

async function runClient(
  peer: LegacyDevice | Dm2Client,
  flags: SimulateFlags,
  io: SimulateIo,
): Promise<number> {
  const sessions = number(flags, 'sessions') ?? 1;
  const pause = (number(flags, 'interval') ?? 0) * 1000;
  let clean = true;
  try {
    for (let count = 1; count <= sessions && !io.signal?.aborted; count += 1) {
      const { outcome, detail, messages, violations, durationMs } = await peer.session();
      clean &&= outcome === 'completed' && violations.length === 0;
      const why = detail === undefined ? '' : ` (${detail})`;
      io.print(`session ${count} ${outcome}${why}: ${messages} messages, ${Math.round(durationMs)} ms`);
      for (const violation of violations) io.print(`  violation: ${violation}`);
      if (count < sessions && pause > 0)
        await delay(pause, undefined, given('signal', io.signal)).catch(() => undefined);
    }
  } finally {
    await peer.close();
  }
  return clean ? 0 : 1;
}

async function runServer(peer: LegacyServer | Dm2Backend, io: SimulateIo): Promise<number> {
  io.print(`listening on ${await peer.start()}`);
  if (!io.signal?.aborted) await (io.signal ? once(io.signal, 'abort') : new Promise<never>(() => undefined));
  await peer.close();
  return 0;
}
