import type { Dialect } from '../dialect.ts';
import { JSON_TYPES } from '../json/packages.ts';
import { CAPABILITIES } from './capabilities.ts';
import { commands } from './commands.ts';
import { opening } from './opening.ts';
import { status } from './status.ts';

/** The approved protocol (20§2). */
export const approved: Dialect = Object.freeze({
  name: 'approved',
  capabilities: CAPABILITIES,
  mediaTypes: JSON_TYPES,
  ...opening,
  ...commands,
  ...status,
});
