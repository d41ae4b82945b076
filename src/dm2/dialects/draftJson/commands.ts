import { jsonCommands } from '../json/packages.ts';
import { CAPABILITIES } from './capabilities.ts';

export const commands = jsonCommands(CAPABILITIES);
