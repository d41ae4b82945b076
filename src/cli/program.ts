import { Command, CommanderError } from 'commander';
import { ConfigError } from '../gateway/config/problems.ts';
import { VERSION } from '../http/version.ts';
import { DragomanError } from '../support/errors.ts';
import { EXIT, Exit, type Io } from './io.ts';

/** A command is loaded when it is called, and all of them where help has to list them. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command, io: Io) => void>>> = {
  serve: async () => (await import('./serve.ts')).addServe,
  demo: async () => (await import('./demo/command.ts')).addDemo,
  translate: async () => (await import('./translate.ts')).addTranslate,
  simulate: async () => (await import('./simulate.ts')).addSimulate,
  conformance: async () => (await import('./conformance.ts')).addConformance,
  notify: async () => (await import('./notify/command.ts')).addNotify,
  bootstrap: async () => (await import('./bootstrap.ts')).addBootstrap,
  mappings: async () => (await import('./mappings.ts')).addMappings,
  devices: async () => (await import('./devices.ts')).addDevices,
  config: async () => (await import('./config.ts')).addConfig,
};

/** Runs one command line, without the names of interpreter and script; resolves to the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  try {
    const program = await createProgram(args, io);
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return exitCode(error, io);
  }
}

async function createProgram([name = '']: readonly string[], io: Io): Promise<Command> {
  const program = new Command('dragoman')
    .description('Interworking gateway between OMA DM 1.x (SyncML) and 2.0 (JSON)')
    .version(VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, getOutHelpWidth: () => Math.min(io.columns, 110) })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)');
  const wanted = Object.hasOwn(COMMANDS, name) ? [name] : Object.keys(COMMANDS);
  for (const each of wanted) (await COMMANDS[each]!())(program, io);
  return program;
}

function exitCode(error: unknown, io: Io): number {
  if (error instanceof Exit) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    const lines = error.problems.map(
      ({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}\n`,
    );
    io.err(`dragoman: the configuration is wrong\n${lines.join('')}`);
    return EXIT.usage;
  }
  if (error instanceof DragomanError) {
    const lines = error.detail.split('\n');
    io.err(
      `dragoman: ${lines.length > 1 ? `${error.row.summary}\n  ${lines.join('\n  ')}` : error.detail}\n`,
    );
    return error.code === 'configuration' || error.code === 'mapping' ? EXIT.usage : EXIT.failed;
  }
  io.err(`dragoman: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed;
}
