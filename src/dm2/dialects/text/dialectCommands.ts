import { DragomanError } from '../../../support/errors.ts';
import type { Dm2Command } from '../../packages.ts';
import type { CommandDocument, Dialect, WrittenMessage } from '../dialect.ts';
import { READ_LIMITS } from '../limits.ts';
import { asCommands, asPackage2 } from '../package2.ts';
import { readCommandLines, writeCommandLine, writeCommandLines } from './commands.ts';
import { TEXT_TYPES } from './message.ts';
import type { TextGrammar } from './verbs.ts';

export type CommandHalf = Pick<
  Dialect,
  'commandOptions' | 'readCommands' | 'readPackage2' | 'writeCommands' | 'writePackage2' | 'refuses'
>;

/** The command half of a text dialect. */
export function textCommands(grammar: TextGrammar): CommandHalf {
  const write = (document: CommandDocument): WrittenMessage => {
    const { body, lost } = writeCommandLines(document, grammar, READ_LIMITS);
    return { headers: { 'content-type': TEXT_TYPES.commands }, body, lost };
  };
  return {
    commandOptions: { everything: grammar.everything !== 'none' },
    readCommands: ({ body }, limits = READ_LIMITS) => readCommandLines(body, grammar, limits),
    readPackage2: ({ body }, limits = READ_LIMITS) => {
      const { commands, msgId, tolerated } = readCommandLines(body, grammar, limits);
      const wrong = commands.flatMap((command, i) =>
        'error' in command ? [`Command ${i + 1} is refused: ${command.detail}`] : [],
      );
      return {
        package2: asPackage2(commands),
        ...(msgId === undefined ? {} : { msgId }),
        tolerated: [...tolerated, ...wrong],
      };
    },
    writeCommands: write,
    writePackage2: (package2, msgId) => {
      const commands = asCommands(package2).map((command): Dm2Command => {
        if ('error' in command) throw new DragomanError(command.error, command.detail);
        return command;
      });
      return write({ commands, ...(msgId === undefined ? {} : { msgId }) });
    },
    refuses: (command) => {
      const written = writeCommandLine(command, grammar, READ_LIMITS);
      return 'error' in written ? written : undefined;
    },
  };
}
