import type { Dm2Command, RawCommand } from './packages.ts';

export type Dm2Verb = Dm2Command['verb'];

export interface CommandError {
  readonly error: 'bad-command' | 'not-implemented';
  readonly detail: string;
}

interface Form {
  /** Parameters in order, for messages. */
  readonly form: string;
  readonly least: number;
  readonly most: number;
}

/** Parameters by verb (20§3). */
const FORMS: Readonly<Record<Dm2Verb, Form>> = Object.freeze({
  HGET: { form: 'ServerURI [ClientURI]', least: 1, most: 2 },
  HPUT: { form: 'ServerURI ClientURI...', least: 2, most: Number.POSITIVE_INFINITY },
  HPOST: { form: 'ServerURI ClientURI...', least: 2, most: Number.POSITIVE_INFINITY },
  GET: { form: 'ClientURI...', least: 1, most: Number.POSITIVE_INFINITY },
  DELETE: { form: 'ClientURI', least: 1, most: 1 },
  EXEC: { form: 'ClientURI [ServerURI]', least: 1, most: 2 },
  SHOW: { form: 'ServerURI', least: 1, most: 1 },
  CONT: { form: 'ServerURI', least: 1, most: 1 },
  END: { form: 'no parameter', least: 0, most: 0 },
  DEFAULT: { form: 'MOID ServerURI', least: 2, most: 2 },
  SUB: { form: 'ServerURI ClientURI', least: 2, most: 2 },
  UNSUB: { form: 'ClientURI', least: 1, most: 1 },
});

export interface CommandOptions {
  /** HPUT, HPOST and GET without ClientURI mean every readable object (early dialects, 20§1.2 C9). */
  readonly everything?: boolean;
}

/**
 * Reads one entry of `CMD`. Verbs are upper case, other cases are tolerated. An empty last parameter
 * counts as absent. Unknown verbs: `not-implemented` (501); parameters missing or left over:
 * `bad-command` (400).
 */
export function parseCommand(raw: RawCommand, options: CommandOptions = {}): Dm2Command | CommandError {
  const verb = verbOf(raw[0] ?? '');
  if (verb === undefined) {
    return { error: 'not-implemented', detail: `The command ${quote(raw[0] ?? '')} is none of DM 2.0.` };
  }
  const parameters = raw.slice(1).map((parameter) => parameter.trim());
  while (parameters.at(-1) === '') parameters.pop();
  const { form, least, most } = FORMS[verb];
  const required = options.everything && most > 2 ? least - 1 : least;
  if (parameters.length < required || parameters.length > most || parameters.includes('')) {
    return {
      error: 'bad-command',
      detail: `${verb} takes ${form}; ${parameters.length} given${parameters.includes('') ? ', one of them empty' : ''}.`,
    };
  }
  return named(verb, parameters);
}

function verbOf(text: string): Dm2Verb | undefined {
  if (Object.hasOwn(FORMS, text)) return text as Dm2Verb;
  const upper = text.trim().toUpperCase();
  return Object.hasOwn(FORMS, upper) ? (upper as Dm2Verb) : undefined;
}

/** The number of parameters has been checked. */
function named(verb: Dm2Verb, parameters: readonly string[]): Dm2Command {
  const [first = '', second] = parameters;
  switch (verb) {
    case 'HGET':
      return { verb, serverUri: first, ...(second === undefined ? {} : { clientUri: second }) };
    case 'HPUT':
    case 'HPOST':
      return { verb, serverUri: first, clientUris: parameters.slice(1) };
    case 'GET':
      return { verb, clientUris: parameters };
    case 'DELETE':
    case 'UNSUB':
      return { verb, clientUri: first };
    case 'EXEC':
      return { verb, clientUri: first, ...(second === undefined ? {} : { serverUri: second }) };
    case 'SHOW':
    case 'CONT':
      return { verb, serverUri: first };
    case 'END':
      return { verb };
    case 'DEFAULT': {
      const swapped = isServerUri(first) && !isServerUri(second);
      return swapped
        ? { verb, moid: second ?? '', serverUri: first }
        : { verb, moid: first, serverUri: second ?? '' };
    }
    case 'SUB': {
      const swapped = !isServerUri(first) && isServerUri(second);
      return swapped
        ? { verb, serverUri: second ?? '', clientUri: first }
        : { verb, serverUri: first, clientUri: second ?? '' };
    }
  }
}

/** The sources leave the order of these parameters open; the scheme tells which is which (20§15 Q8). */
function isServerUri(text: string | undefined): boolean {
  return text !== undefined && /^https?:/i.test(text);
}

/** The entry of `CMD` for a command. */
export function formatCommand(command: Dm2Command): string[] {
  switch (command.verb) {
    case 'HGET':
      return [
        command.verb,
        command.serverUri,
        ...(command.clientUri === undefined ? [] : [command.clientUri]),
      ];
    case 'HPUT':
    case 'HPOST':
      return [command.verb, command.serverUri, ...command.clientUris];
    case 'GET':
      return [command.verb, ...command.clientUris];
    case 'DELETE':
    case 'UNSUB':
      return [command.verb, command.clientUri];
    case 'EXEC':
      return [
        command.verb,
        command.clientUri,
        ...(command.serverUri === undefined ? [] : [command.serverUri]),
      ];
    case 'SHOW':
    case 'CONT':
      return [command.verb, command.serverUri];
    case 'END':
      return [command.verb];
    case 'DEFAULT':
      return [command.verb, command.moid, command.serverUri];
    case 'SUB':
      return [command.verb, command.serverUri, command.clientUri];
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
