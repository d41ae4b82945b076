/**
 * ClientURI (20§4): `moid/instance/path?fields`. Everything here is decoded; `format` escapes again.
 */
export type Segment =
  | { readonly kind: 'named'; readonly name: string }
  /** `*`: every node of that level. */
  | { readonly kind: 'any' }
  /** `(x)`: the one node for which the `nv` fields of that letter hold. */
  | { readonly kind: 'variable'; readonly variable: string };

export type Instance = Segment | { readonly kind: 'empty' };

/** `nv=(x)/path:value`: the leaf at `path` below the node that `(x)` stands for has that value. */
export interface NameValue {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: string;
}

export interface ClientUri {
  /** With `urn:`. */
  readonly moid: string;
  readonly instance: Instance;
  /** Below the MO root; empty: the root itself. */
  readonly path: readonly Segment[];
  readonly nv: readonly NameValue[];
  /** Cache validator that the server knows. */
  readonly cv?: string;
  /** Levels to read below the node. */
  readonly levels?: number;
  /** Fields that the scheme does not name. */
  readonly other: readonly { readonly name: string; readonly value: string }[];
}

export interface ClientUriError {
  readonly error: 'bad-address';
  /** Index of the character at fault. */
  readonly at: number;
  readonly detail: string;
}

export interface ClientUriOptions {
  /** Takes `moid/instance` without the slash behind it for the instance (first draft, 20§4.3). */
  readonly bareInstance?: boolean;
}

/** Bounds that no honest address meets. */
const LONGEST_URI = 8192;
const MOST_SEGMENTS = 64;
const MOST_FIELDS = 64;

class Fault extends Error {
  readonly at: number;

  constructor(at: number, detail: string) {
    super(detail);
    this.at = at;
  }
}

/**
 * Reads a ClientURI by the grammar of 20§4.1 (IW-ADDR-1). Tolerated beyond it: a bare `oma:mo:`, a
 * blank as empty MIID, a raw `:`, `&` or `=` in names, and letters outside ASCII.
 */
export function parseClientUri(text: string, options: ClientUriOptions = {}): ClientUri | ClientUriError {
  try {
    return parse(text, options);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return {
      error: 'bad-address',
      at: error.at,
      detail: `The ClientURI is malformed at character ${error.at}: ${error.message}.`,
    };
  }
}

function parse(text: string, options: ClientUriOptions): ClientUri {
  if (text.length > LONGEST_URI) throw new Fault(LONGEST_URI, `it is longer than ${LONGEST_URI} characters`);
  const question = text.indexOf('?');
  const end = question < 0 ? text.length : question;
  const pieces = text.slice(0, end).split('/');
  const [moidText = '', instanceText, ...rest] = pieces;
  const moid = decodeName(moidText, 0);
  if (moid === '') throw new Fault(0, 'the MOID is missing');
  if (instanceText === undefined) throw new Fault(end, 'a slash must follow the MOID');
  const instanceAt = moidText.length + 1;
  if (rest.length === 0 && !options.bareInstance) {
    throw new Fault(end, 'a slash must follow the instance');
  }
  if (rest.length > MOST_SEGMENTS) throw new Fault(end, `it has more than ${MOST_SEGMENTS} segments`);

  const variables = new Set<string>();
  const instance: Instance = isBlank(instanceText)
    ? { kind: 'empty' }
    : parseSegment(instanceText, instanceAt, variables);
  const path: Segment[] = [];
  if (rest.length > 1 || (rest.length === 1 && rest[0] !== '')) {
    let at = instanceAt + instanceText.length + 1;
    for (const raw of rest) {
      path.push(parseSegment(raw, at, variables));
      at += raw.length + 1;
    }
  }
  const fields = question < 0 ? NO_FIELDS : parseQuery(text, question + 1, variables);
  for (const segment of path) {
    if (segment.kind === 'variable' && !fields.nv.some((nv) => nv.variable === segment.variable)) {
      throw new Fault(text.indexOf(`(${segment.variable})`), `no nv says what (${segment.variable}) is`);
    }
  }
  return { moid: withUrn(moid), instance, path, ...fields };
}

type Fields = Pick<ClientUri, 'nv' | 'cv' | 'levels' | 'other'>;
const NO_FIELDS: Fields = Object.freeze({ nv: Object.freeze([]), other: Object.freeze([]) });

/** Early documents write `oma:mo:` without `urn:` (20§1.2 C11). */
export function withUrn(moid: string): string {
  if (/^urn:/i.test(moid)) return moid.startsWith('urn:') ? moid : `urn:${moid.slice(4)}`;
  return /^oma:mo:/i.test(moid) ? `urn:${moid}` : moid;
}

function isBlank(raw: string): boolean {
  return raw.replaceAll('%20', ' ').trim() === '';
}

function parseSegment(raw: string, at: number, variables: Set<string>): Segment {
  if (raw === '*') return { kind: 'any' };
  const variable = /^\(([A-Za-z])\)$/.exec(raw)?.[1];
  if (variable !== undefined) {
    if (variables.has(variable)) throw new Fault(at, `(${variable}) stands for two nodes`);
    variables.add(variable);
    return { kind: 'variable', variable };
  }
  return { kind: 'named', name: parseName(raw, at) };
}

function parseName(raw: string, at: number): string {
  if (raw === '') throw new Fault(at, 'a name is empty');
  const name = decodeName(raw, at);
  if (name === '.' || name === '..') throw new Fault(at, `"${name}" names no node`);
  return name;
}

/** What no part may hold unescaped: blanks, controls, delimiters of RFC 3986 and, in names, our own. */
const NOT_IN_NAME = /[\s"#%()*/<>?[\\\]^`{|}\p{Cc}\p{Cs}]/u;
const NOT_IN_VALUE = /[\s"#%<>[\\\]^`{|}\p{Cc}\p{Cs}]/u;

function decodeName(raw: string, at: number): string {
  return decode(raw, at, NOT_IN_NAME);
}

function decode(raw: string, at: number, forbidden: RegExp): string {
  const wrong = forbidden.exec(raw);
  if (wrong === null) return raw;
  // Only where a percent sign comes first may the rest still be right.
  if (wrong[0] !== '%') throw new Fault(at + wrong.index, `${JSON.stringify(wrong[0])} must be escaped`);
  const bare = raw.replace(/%[0-9A-Fa-f]{2}/g, '___');
  const still = forbidden.exec(bare);
  if (still !== null) {
    const what =
      still[0] === '%' ? 'a percent escape is broken' : `${JSON.stringify(still[0])} must be escaped`;
    throw new Fault(at + still.index, what);
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    throw new Fault(at + wrong.index, 'the percent escapes are not UTF-8');
  }
  if (decoded.includes('\0')) throw new Fault(at + wrong.index, 'it holds U+0000');
  return decoded;
}

function parseQuery(text: string, start: number, variables: ReadonlySet<string>): Fields {
  const nv: NameValue[] = [];
  const other: { name: string; value: string }[] = [];
  let cv: string | undefined;
  let levels: number | undefined;
  let at = start;
  const fields = text.slice(start).split('&');
  if (fields.length > MOST_FIELDS) throw new Fault(start, `it has more than ${MOST_FIELDS} fields`);
  for (const field of fields) {
    const equals = field.indexOf('=');
    if (equals < 1) throw new Fault(at, 'a field is name=value');
    const name = field.slice(0, equals);
    const raw = field.slice(equals + 1);
    const valueAt = at + equals + 1;
    switch (name.toLowerCase()) {
      case 'nv':
        nv.push(parseNameValue(raw, valueAt, variables));
        break;
      case 'cv':
        if (cv !== undefined) throw new Fault(at, 'cv stands twice');
        if (raw === '') throw new Fault(valueAt, 'cv has no value');
        cv = decode(raw, valueAt, NOT_IN_VALUE);
        break;
      case 'lv':
      case 'levels':
        if (levels !== undefined) throw new Fault(at, 'the levels stand twice');
        if (!/^\d{1,9}$/.test(raw)) throw new Fault(valueAt, 'the levels are a decimal number');
        levels = Number(raw);
        break;
      default:
        other.push({ name: decodeName(name, at), value: decode(raw, valueAt, NOT_IN_VALUE) });
    }
    at += field.length + 1;
  }
  return {
    nv,
    ...(cv === undefined ? {} : { cv }),
    ...(levels === undefined ? {} : { levels }),
    other,
  };
}

function parseNameValue(raw: string, at: number, variables: ReadonlySet<string>): NameValue {
  const variable = /^\(([A-Za-z])\)\//.exec(raw)?.[1];
  if (variable === undefined) throw new Fault(at, 'nv is (x)/name:value');
  if (!variables.has(variable)) throw new Fault(at, `(${variable}) does not stand in the address`);
  const colon = raw.indexOf(':');
  if (colon < 0) throw new Fault(at + raw.length, 'nv needs a colon and the value');
  const path: string[] = [];
  let nameAt = at + 4;
  for (const name of raw.slice(4, colon).split('/')) {
    path.push(parseName(name, nameAt));
    nameAt += name.length + 1;
  }
  return { variable, path, value: decode(raw.slice(colon + 1), at + colon + 1, NOT_IN_VALUE) };
}

/** The ClientURI as text; names hold no raw `( ) * :`, so that reading it again gives the same. */
export function formatClientUri(uri: ClientUri): string {
  const place = [
    escapeAll(uri.moid, UNSAFE_IN_MOID),
    uri.instance.kind === 'empty' ? '' : formatSegment(uri.instance),
    uri.path.map(formatSegment).join('/'),
  ].join('/');
  const fields = [
    ...uri.nv.map(formatNameValue),
    ...(uri.cv === undefined ? [] : [`cv=${escapeAll(uri.cv, UNSAFE_IN_VALUE)}`]),
    ...(uri.levels === undefined ? [] : [`lv=${uri.levels}`]),
    ...uri.other.map(
      ({ name, value }) => `${escapeAll(name, UNSAFE_IN_NAME)}=${escapeAll(value, UNSAFE_IN_VALUE)}`,
    ),
  ];
  return fields.length === 0 ? place : `${place}?${fields.join('&')}`;
}

function formatNameValue({ variable, path, value }: NameValue): string {
  const names = path.map((name) => escapeAll(name, UNSAFE_IN_NAME)).join('/');
  return `nv=(${variable})/${names}:${escapeAll(value, UNSAFE_IN_VALUE)}`;
}

function formatSegment(segment: Segment): string {
  switch (segment.kind) {
    case 'any':
      return '*';
    case 'variable':
      return `(${segment.variable})`;
    case 'named':
      return escapeAll(segment.name, UNSAFE_IN_NAME);
  }
}

const UNSAFE_IN_MOID = /[^A-Za-z0-9\-._~:@!$'+,;=]/gu;
const UNSAFE_IN_NAME = /[^A-Za-z0-9\-._~@!$'+,;]/gu;
const UNSAFE_IN_VALUE = /[^A-Za-z0-9\-._~@!$'+,;:/?=()*]/gu;
const utf8 = new TextEncoder();

function escapeAll(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (c) =>
    Array.from(utf8.encode(c), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** The address of one node by names alone, as written to peers and put into `URI` of a Status item. */
export function clientUriOf(moid: string, miid: string | undefined, path: readonly string[] = []): string {
  return formatClientUri({
    moid,
    instance: miid === undefined ? { kind: 'empty' } : { kind: 'named', name: miid },
    path: path.map((name) => ({ kind: 'named', name })),
    nv: [],
    other: [],
  });
}

/** The path as names, or `undefined` when a wildcard or a variable stands in it. */
export function namedPath(uri: ClientUri): readonly string[] | undefined {
  const names: string[] = [];
  for (const segment of uri.path) {
    if (segment.kind !== 'named') return undefined;
    names.push(segment.name);
  }
  return names;
}
