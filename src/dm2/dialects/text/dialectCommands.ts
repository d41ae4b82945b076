import type { Dialect } from '../dialect.ts';
import { READ_LIMITS } from '../limits.ts';
import { readCommandLines, writeCommandLine, writeCommandLines } from './commands.ts';
import { TEXT_TYPES } from './message.ts';
import type { TextGrammar } from './verbs.ts';

/** The command half of a text dialect. */
export function textCommands(
  grammar: TextGrammar,
): Pick<Dialect, 'commandOptions' | 'readCommands' | 'writeCommands' | 'refuses'> {
  return {
    commandOptions: { everything: grammar.everything !== 'none' },
    readCommands: ({ body }, limits = READ_LIMITS) => readCommandLines(body, grammar, limits),
    writeCommands: (document) => {
      const { body, lost } = writeCommandLines(document, grammar, READ_LIMITS);
      return { headers: { 'content-type': TEXT_TYPES.commands }, body, lost };
    },
    refuses: (command) => {
      const written = writeCommandLine(command, grammar, READ_LIMITS);
      return 'error' in written ? written : undefined;
    },
  };
}
