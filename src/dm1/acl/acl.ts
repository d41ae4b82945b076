import { DragomanError } from '../../support/errors.ts';

/** Commands that an ACL can name (1x§7.6), in the order in which they are written. */
export const ACL_COMMANDS = ['Add', 'Delete', 'Exec', 'Get', 'Replace'] as const;

export type AclCommand = (typeof ACL_COMMANDS)[number];

/** Server identifiers by command; `*` stands for every server. A command without entry is granted to none. */
export type Acl = ReadonlyMap<AclCommand, readonly string[]>;

/** Characters of the longest ACL that is read. */
export const MAX_ACL = 16_384;

const known: ReadonlySet<string> = new Set(ACL_COMMANDS);
const SERVER_ID = /^[^\s=&*+\p{C}]+$/u;

/**
 * Reads an ACL; blanks around separators are tolerated. The empty text is `undefined`: the node has no ACL
 * of its own and inherits.
 *
 * @throws DragomanError `malformed` that says which entry is wrong, `too-large`
 */
export function parseAcl(text: string): Acl | undefined {
  if (text.length > MAX_ACL) {
    throw new DragomanError('too-large', `The ACL has ${text.length} characters; the limit is ${MAX_ACL}.`);
  }
  if (text.trim() === '') return undefined;
  const acl = new Map<AclCommand, readonly string[]>();
  for (const entry of text.split('&')) {
    const equals = entry.indexOf('=');
    if (equals < 0) throw malformed(entry, 'has no "="');
    const command = entry.slice(0, equals).trim();
    if (!isCommand(command)) throw malformed(entry, `begins with none of ${ACL_COMMANDS.join(', ')}`);
    if (acl.has(command)) throw malformed(entry, `names ${command} a second time`);
    const ids = new Set<string>();
    for (const part of entry.slice(equals + 1).split('+')) {
      const id = part.trim();
      if (id !== '*' && !SERVER_ID.test(id)) throw malformed(entry, 'has a server identifier that is none');
      ids.add(id);
    }
    acl.set(command, [...ids]);
  }
  return acl;
}

/** Whether this can stand in an ACL as the identifier of a server. */
export function isServerId(text: string): boolean {
  return SERVER_ID.test(text);
}

/** The text of an ACL, commands in alphabetical order; empty where the node has none. */
export function formatAcl(acl: Acl | undefined): string {
  if (acl === undefined) return '';
  return ACL_COMMANDS.flatMap((command) => {
    const ids = acl.get(command);
    return ids === undefined || ids.length === 0 ? [] : [`${command}=${ids.join('+')}`];
  }).join('&');
}

function isCommand(text: string): text is AclCommand {
  return known.has(text);
}

function malformed(entry: string, reason: string): DragomanError {
  return new DragomanError(
    'malformed',
    `ACL entry "${entry.trim().slice(0, 60)}" ${reason}; write Add=serverA+serverB&Get=*.`,
  );
}
