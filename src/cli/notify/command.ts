import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { addAsk } from './ask.ts';
import { addBuild } from './build.ts';
import { addParse } from './parse.ts';
import { addSend } from './send.ts';

/** `dragoman notify build|parse|send|ask`: Package#0 by hand, or through a gateway that runs. */
export function addNotify(program: Command, io: Io): void {
  const notify = program.command('notify').description('wake devices up: build, read and send notifications');
  addBuild(notify, io);
  addParse(notify, io);
  addSend(notify, io);
  addAsk(notify, io);
}
