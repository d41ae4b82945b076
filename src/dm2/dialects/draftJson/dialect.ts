import type { Dialect } from '../dialect.ts';
import { JSON_TYPES } from '../json/packages.ts';
import { CAPABILITIES } from './capabilities.ts';
import { commands } from './commands.ts';
import { opening } from './opening.ts';
import { status } from './status.ts';

/** The JSON packages before their approval: ten commands (20§1.1). */
export const draftJson: Dialect = Object.freeze({
  name: 'draft-json',
  capabilities: CAPABILITIES,
  mediaTypes: JSON_TYPES,
  ...opening,
  ...commands,
  ...status,
});
