import { DragomanError } from '../support/errors.ts';

/**
 * A JSON number whose text a double does not give back (`1.50`, `1e400`, twenty digits). A device's
 * value must not change on its way, so the text is what counts (IW-VAL-2).
 */
export class LexicalNumber {
  readonly lexical: string;

  constructor(lexical: string) {
    this.lexical = lexical;
  }
}

/**
 * What becomes of a number that a double cannot repeat letter by letter: `lexical` keeps every one as a
 * {@link LexicalNumber}; `exact` gives the double where it has the same value and the text where not.
 */
export type NumberReading = 'exact' | 'lexical';

/** Bounds that are held while a document is read. `members` counts object members and array elements together. */
export interface ReadingLimits {
  readonly depth: number;
  readonly members: number;
}

/** What becomes of the parts of a document that can be kept in several ways. */
export interface JsonParts {
  /** `refuse` says that the member that begins at a place is wrong. */
  object(members: readonly Member[], refuse: (at: number, what: string) => never): unknown;
  number(lexical: string, value: number): unknown;
}

export interface Member {
  readonly name: string;
  readonly value: unknown;
  /** Where its name begins. */
  readonly at: number;
}

/**
 * The strict reader that decides what is JSON here: RFC 8259, duplicate members refused (20§15 Q29),
 * every error with its place. `JSON.parse` is the fast way to the same result; see `json.ts`.
 * The caller has checked the depth of `text`.
 */
export function parseStrictly(text: string, numbers: NumberReading): unknown {
  const { value, end } = parseParts(text, {
    object: uniqueMembers,
    number: (lexical, value) => {
      if (String(value) === lexical) return value;
      if (numbers === 'lexical') return new LexicalNumber(lexical);
      return isExact(lexical, value) ? value : lexical;
    },
  });
  const last = afterBlanks(text, end);
  if (last < text.length) fail(last, 'something follows the end of the document');
  return value;
}

function uniqueMembers(
  members: readonly Member[],
  refuse: (at: number, what: string) => never,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { name, value, at } of members) {
    if (Object.hasOwn(object, name)) refuse(at, `the member ${JSON.stringify(name)} stands twice`);
    setMember(object, name, value);
  }
  return object;
}

/** Sets a member whatever its name: a plain assignment to `__proto__` would be lost. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/**
 * Reads the JSON value that begins at `at` (blanks before it are skipped); `end` is the index behind it.
 * Throws `malformed` or, past the limits where there are any, `too-large`.
 */
export function parseParts(
  text: string,
  parts: JsonParts,
  { limits, at = 0 }: { readonly limits?: ReadingLimits; readonly at?: number } = {},
): { readonly value: unknown; readonly end: number } {
  const parser = { text, parts, limits, at, depth: 0, members: 0 };
  blanks(parser);
  const value = readValue(parser);
  return { value, end: parser.at };
}

interface Parser {
  readonly text: string;
  readonly parts: JsonParts;
  readonly limits: ReadingLimits | undefined;
  at: number;
  depth: number;
  members: number;
}

function fail(at: number, what: string): never {
  throw new DragomanError('malformed', `The JSON cannot be read: ${what}, at character ${at}.`);
}

function afterBlanks(text: string, from: number): number {
  for (let at = from; ; at++) {
    const c = text.charCodeAt(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return at;
  }
}

function blanks(p: Parser): void {
  p.at = afterBlanks(p.text, p.at);
}

function readValue(p: Parser): unknown {
  switch (p.text[p.at]) {
    case '{':
      return readObject(p);
    case '[':
      return readArray(p);
    case '"':
      return readString(p);
    case 't':
      return readWord(p, 'true', true);
    case 'f':
      return readWord(p, 'false', false);
    case 'n':
      return readWord(p, 'null', null);
    case undefined:
      return fail(p.at, 'it ends too early');
    default:
      return readNumber(p);
  }
}

function readWord<T>(p: Parser, word: string, value: T): T {
  if (!p.text.startsWith(word, p.at)) fail(p.at, 'a value is expected');
  p.at += word.length;
  return value;
}

/** Goes into an object or an array; whether there is anything in it. */
function enter(p: Parser, close: string): boolean {
  p.at++;
  if (++p.depth > (p.limits?.depth ?? Number.POSITIVE_INFINITY)) {
    throw new DragomanError('too-large', `The JSON nests deeper than ${p.limits?.depth} levels.`);
  }
  blanks(p);
  if (p.text[p.at] !== close) return true;
  leave(p);
  return false;
}

function leave(p: Parser): void {
  p.at++;
  p.depth--;
}

/** Counts what was read of an object or array; whether more of it follows. */
function goesOn(p: Parser, close: string): boolean {
  if (++p.members > (p.limits?.members ?? Number.POSITIVE_INFINITY)) {
    throw new DragomanError('too-large', `The JSON has more than ${p.limits?.members} members.`);
  }
  blanks(p);
  const next = p.text[p.at];
  if (next === close) {
    leave(p);
    return false;
  }
  if (next !== ',') fail(p.at, `a comma or ${close} is expected`);
  p.at++;
  blanks(p);
  return true;
}

function readObject(p: Parser): unknown {
  const members: Member[] = [];
  for (let more = enter(p, '}'); more; more = goesOn(p, '}')) {
    const { at } = p;
    if (p.text[at] !== '"') fail(at, 'a member name in double quotes is expected');
    const name = readString(p);
    blanks(p);
    if (p.text[p.at] !== ':') fail(p.at, 'a colon is expected after a member name');
    p.at++;
    blanks(p);
    members.push({ name, value: readValue(p), at });
  }
  return p.parts.object(members, fail);
}

function readArray(p: Parser): unknown {
  const array: unknown[] = [];
  for (let more = enter(p, ']'); more; more = goesOn(p, ']')) array.push(readValue(p));
  return array;
}

function readString(p: Parser): string {
  const start = p.at;
  const end = endOfString(p.text, start);
  if (end < 0) fail(start, 'a string does not end');
  p.at = end + 1;
  try {
    // The engine knows every escape; what remains to be told is the place.
    return JSON.parse(p.text.slice(start, end + 1)) as string;
  } catch {
    return fail(start, 'a string holds a bad escape or a raw control character');
  }
}

/** Index of the quote that closes the string opened at `start`; -1 when there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i;
    if (c === 0x5c) i++;
  }
  return -1;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function readNumber(p: Parser): unknown {
  NUMBER.lastIndex = p.at;
  const lexical = NUMBER.exec(p.text)?.[0];
  if (lexical === undefined) return fail(p.at, 'a value is expected');
  p.at += lexical.length;
  const value = Number(lexical);
  return p.parts.number(lexical, value);
}

/** Whether the double `value` is exactly the decimal number that `lexical` writes. */
export function isExact(lexical: string, value: number): boolean {
  return Number.isFinite(value) && normalForm(lexical) === normalForm(String(value));
}

/** One spelling per decimal number: sign, digits without zeros at either end, power of ten. */
function normalForm(lexical: string): string {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(lexical);
  if (match === null) return lexical;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  let digits = whole + fraction;
  let exponent = Number(power) - fraction.length;
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  exponent += digits.length - end;
  digits = digits.slice(0, end).replace(/^0+/, '');
  return digits === '' ? '0' : `${sign === '-' ? '-' : ''}${digits}e${exponent}`;
}
