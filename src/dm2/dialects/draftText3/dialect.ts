import type { Dialect } from '../dialect.ts';
import { TEXT_TYPES } from '../text/message.ts';
import { CAPABILITIES } from './capabilities.ts';
import { commands } from './commands.ts';
import { opening } from './opening.ts';
import { status } from './status.ts';

/** The draft of the overview chapter: the H-verbs, GET with data in the status line, an empty document as end. */
export const draftText3: Dialect = Object.freeze({
  name: 'draft-text-3',
  capabilities: CAPABILITIES,
  mediaTypes: TEXT_TYPES,
  ...opening,
  ...commands,
  ...status,
});
