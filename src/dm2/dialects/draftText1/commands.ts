import { type CommandHalf, textCommands } from '../text/dialectCommands.ts';
import type { TextGrammar } from '../text/verbs.ts';
import { CAPABILITIES } from './capabilities.ts';

export const GRAMMAR: TextGrammar = Object.freeze({
  verbs: Object.freeze({
    GET: 'HGET',
    PUT: 'HPUT',
    POST: 'HPOST',
    DELETE: 'DELETE',
    EXEC: 'EXEC',
    SHOW: 'SHOW',
    DEFAULT: 'DEFAULT',
    END: 'END',
  }),
  fields: Object.freeze({ levels: 'Levels' }),
  everything: CAPABILITIES.everything,
  starListsInstances: false,
  numbered: CAPABILITIES.commandsCarryMsgId,
  showNeedsReturnUrl: CAPABILITIES.showNeedsReturnUrl,
  endsByEmptyDocument: CAPABILITIES.endsByEmptyDocument,
});

export const commands: CommandHalf = textCommands(GRAMMAR);
