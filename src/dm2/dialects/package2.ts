import { type CommandError, formatCommand, parseCommand } from '../command.ts';
import type { Dm2Command, Package2, RawCommand } from '../packages.ts';

/**
 * Read commands as the raw Package#2 of the approved dialect. A command that was wrong becomes one that
 * `parseCommand` refuses with the same error, so that each still gets its own status; a list of every
 * object keeps its empty address list and needs the option `everything` there.
 */
export function asPackage2(commands: readonly (Dm2Command | CommandError)[]): Package2 {
  return { CMD: commands.map((command) => ('verb' in command ? formatCommand(command) : refused(command))) };
}

/** No verb is empty; DELETE needs an address in every dialect. */
function refused({ error }: CommandError): RawCommand {
  return error === 'not-implemented' ? [''] : ['DELETE'];
}

/** The commands of a Package#2 of ours, to be written in any dialect. Wrong ones stay errors. */
export function asCommands({ CMD }: Package2): (Dm2Command | CommandError)[] {
  return CMD.map((raw) => parseCommand(raw, { everything: true }));
}
