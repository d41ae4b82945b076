import type { Dialect } from '../dialect.ts';
import { TEXT_TYPES } from '../text/message.ts';
import { CAPABILITIES } from './capabilities.ts';
import { commands } from './commands.ts';
import { opening } from './opening.ts';
import { status } from './status.ts';

/** The first draft (20§1.3): numbered text commands, downloads and uploads only, DevInfo in the first message. */
export const draftText1: Dialect = Object.freeze({
  name: 'draft-text-1',
  capabilities: CAPABILITIES,
  mediaTypes: TEXT_TYPES,
  ...opening,
  ...commands,
  ...status,
});
