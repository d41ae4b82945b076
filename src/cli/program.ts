import { Command, CommanderError } from 'commander';
import { ConfigError } from '../gateway/config/problems.ts';
import { VERSION } from '../http/version.ts';
import { DragomanError } from '../support/errors.ts';
import { addBootstrap } from './bootstrap.ts';
import { addConfig } from './config.ts';
import { addConformance } from './conformance.ts';
import { addDemo } from './demo/command.ts';
import { addDevices } from './devices.ts';
import { EXIT, Exit, type Io } from './io.ts';
import { addMappings } from './mappings.ts';
import { addNotify } from './notify/command.ts';
import { addServe } from './serve.ts';
import { addSimulate } from './simulate.ts';
import { addTranslate } from './translate.ts';

/** Runs one command line, without the names of interpreter and script; resolves to the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  const program = createProgram(io);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return exitCode(error, io);
  }
}

function createProgram(io: Io): Command {
  const program = new Command('dragoman')
    .description('Interworking gateway between OMA DM 1.x (SyncML) and 2.0 (JSON)')
    .version(VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, getOutHelpWidth: () => Math.min(io.columns, 110) })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)');
  addServe(program, io);
  addDemo(program, io);
  addTranslate(program, io);
  addSimulate(program, io);
  addConformance(program, io);
  addNotify(program, io);
  addBootstrap(program, io);
  addMappings(program, io);
  addDevices(program, io);
  addConfig(program, io);
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
