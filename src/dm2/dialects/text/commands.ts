import { DragomanError } from '../../../support/errors.ts';
import { type CommandError, formatCommand, parseCommand } from '../../command.ts';
import type { Dm2Command } from '../../packages.ts';
import type { CommandDocument, ReadCommands, ReadLimits, Tolerated } from '../dialect.ts';
import { SUPPORTED_OBJECTS } from '../everything.ts';
import { showReturn } from '../showUri.ts';
import { toApproved, toDraft } from './address.ts';
import { isWritable, msgIdOf, nextLine, openText, skipLengthLine, writeLines } from './lines.ts';
import { type TextGrammar, wireVerb } from './verbs.ts';

/** Reads a command document (20§1.3). Throws `malformed` and `too-large`; a wrong command fails alone. */
export function readCommandLines(
  body: Uint8Array,
  grammar: TextGrammar,
  limits: ReadLimits,
): ReadCommands & Tolerated {
  const cursor = openText(body, limits);
  skipLengthLine(cursor);
  const commands: (Dm2Command | CommandError)[] = [];
  let msgId: number | undefined;
  for (let first = true; ; first = false) {
    const line = nextLine(cursor);
    if (line === undefined) break;
    const number = msgIdOf(line);
    if (number === undefined) {
      commands.push(readCommandLine(line, grammar, limits));
    } else if (first) {
      msgId = number;
    } else {
      throw new DragomanError('malformed', 'MsgID stands twice, or not in the first line.');
    }
  }
  if (grammar.numbered && msgId === undefined && commands.length > 0) {
    // Command files that a share serves bear none.
    cursor.tolerated.add('The commands bear no MsgID.');
  }
  if (commands.length === 0 && !grammar.endsByEmptyDocument) {
    cursor.tolerated.add('The document holds no command; it counts as END.');
  }
  return {
    commands,
    ...(msgId === undefined ? {} : { msgId }),
    ends: commands.length === 0 || commands.some((command) => 'verb' in command && command.verb === 'END'),
    tolerated: [...cursor.tolerated],
  };
}

function readCommandLine(line: string, grammar: TextGrammar, limits: ReadLimits): Dm2Command | CommandError {
  const [name = '', ...parameters] = line.split(/[ \t]+/);
  const verb = grammar.verbs[own(grammar, name)];
  if (verb === undefined) {
    return {
      error: 'not-implemented',
      detail: `The command ${JSON.stringify(name.slice(0, 40))} is none of this dialect; it has ${Object.keys(grammar.verbs).join(', ')}.`,
    };
  }
  if (parameters.length > limits.parameters) {
    return bad(`${name} has ${parameters.length} parameters; the limit is ${limits.parameters}.`);
  }
  const long = parameters.findIndex((parameter) => parameter.length > limits.parameterLength);
  if (long >= 0) {
    return bad(`Parameter ${long + 1} of ${name} is longer than ${limits.parameterLength} characters.`);
  }
  const command = parseCommand([verb, ...parameters], { everything: grammar.everything === 'no-uri' });
  if ('error' in command) {
    // The peer knows the verb by its own name.
    return { ...command, detail: `${name.toUpperCase()}${command.detail.slice(verb.length)}` };
  }
  return approved(command, grammar);
}

function own(grammar: TextGrammar, name: string): string {
  const upper = name.toUpperCase();
  return Object.hasOwn(grammar.verbs, upper) ? upper : '';
}

function bad(detail: string): CommandError {
  return { error: 'bad-command', detail };
}

/** Addresses as the approved dialect writes them. */
function approved(command: Dm2Command, grammar: TextGrammar): Dm2Command | CommandError {
  if ('clientUris' in command) {
    const everything = readEverything(command.clientUris, grammar);
    if (everything === 'mixed') return bad('"*" stands for everything and is the only ClientURI then.');
    return { ...command, clientUris: everything ?? command.clientUris.map(toApproved) };
  }
  if ('clientUri' in command && command.clientUri !== undefined) {
    return { ...command, clientUri: toApproved(command.clientUri) };
  }
  return command;
}

/** `*` lists the objects, with Levels also their instances (20§1.1); the second draft lists both by it. */
function readEverything(uris: readonly string[], grammar: TextGrammar): string[] | 'mixed' | undefined {
  const star = uris.find((uri) => /^\*(?:\?|$)/.test(uri));
  if (star === undefined || grammar.everything !== 'star') return undefined;
  if (uris.length > 1) return 'mixed';
  const levels = /[?&]levels=(\d+)/i.exec(star)?.[1];
  const instances = levels === undefined ? grammar.starListsInstances : Number(levels) > 0;
  return instances ? [] : [SUPPORTED_OBJECTS];
}

/** The line of a command and what it could not say; an error where the dialect has no such command. */
export function writeCommandLine(
  command: Dm2Command,
  grammar: TextGrammar,
  limits: Pick<ReadLimits, 'parameters' | 'parameterLength'>,
): { readonly line: string; readonly lost: readonly string[] } | CommandError {
  const name = wireVerb(grammar, command.verb);
  if (name === undefined) {
    return { error: 'not-implemented', detail: `${command.verb} is none of this dialect's commands.` };
  }
  if (command.verb === 'SHOW' && grammar.showNeedsReturnUrl && showReturn(command.serverUri) === undefined) {
    return bad('SHOW needs Close= or Continue= in the query of its ServerURI.');
  }
  const lost: string[] = [];
  const draft = (uri: string): string => {
    const written = toDraft(uri, grammar.fields);
    lost.push(...written.lost);
    return written.address;
  };
  let said: Dm2Command = command;
  if ('clientUris' in command) {
    const uris = writeEverything(command.clientUris, grammar) ?? command.clientUris.map(draft);
    if (uris === 'none') return bad(`${name} cannot ask for the list of objects in this dialect.`);
    said = { ...command, clientUris: uris };
  } else if ('clientUri' in command && command.clientUri !== undefined) {
    said = { ...command, clientUri: draft(command.clientUri) };
  }
  const parameters = formatCommand(said).slice(1);
  if (parameters.length > limits.parameters) return bad(`${name} has too many parameters.`);
  const wrong = parameters.findIndex(
    (parameter) => !isWritable(parameter) || parameter.length > limits.parameterLength,
  );
  if (wrong >= 0) {
    return bad(
      `Parameter ${wrong + 1} of ${name} is empty, too long, or holds a blank or control character.`,
    );
  }
  return { line: [name, ...parameters].join(' '), lost };
}

function writeEverything(
  uris: readonly string[],
  grammar: TextGrammar,
): readonly string[] | 'none' | undefined {
  const objects = uris.length === 1 && uris[0] === SUPPORTED_OBJECTS;
  if (uris.length > 0 && !objects) return undefined;
  switch (grammar.everything) {
    case 'no-uri':
      return [];
    case 'star':
      return [objects || grammar.starListsInstances ? '*' : '*?Levels=1'];
    case 'none':
      return 'none';
  }
}

/** Writes a command document. Throws `bad-command` or `not-implemented` for what it cannot say. */
export function writeCommandLines(
  document: CommandDocument,
  grammar: TextGrammar,
  limits: ReadLimits,
): { readonly body: Uint8Array; readonly lost: readonly string[] } {
  const { msgId, commands } = document;
  if (grammar.numbered && msgId === undefined) {
    throw new DragomanError('internal', 'Commands of this dialect are numbered; a MsgID is missing.');
  }
  const lines = msgId === undefined ? [] : [`MsgID ${msgId}`];
  const lost: string[] = [];
  for (const command of commands) {
    const written = writeCommandLine(command, grammar, limits);
    if ('error' in written) throw new DragomanError(written.error, written.detail);
    lines.push(written.line);
    lost.push(...written.lost);
  }
  if (commands.length === 0 && !grammar.endsByEmptyDocument) lines.push('END');
  return { body: writeLines(lines), lost };
}
