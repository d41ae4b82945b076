import type { Dialect } from '../dialect.ts';
import { TEXT_TYPES } from '../text/message.ts';
import { CAPABILITIES } from './capabilities.ts';
import { commands } from './commands.ts';
import { opening } from './opening.ts';
import { status } from './status.ts';

/** The draft of the protocol chapter: INCLUDE brings data as parts of the status report, CONT moves the session. */
export const draftText2: Dialect = Object.freeze({
  name: 'draft-text-2',
  capabilities: CAPABILITIES,
  mediaTypes: TEXT_TYPES,
  ...opening,
  ...commands,
  ...status,
});
