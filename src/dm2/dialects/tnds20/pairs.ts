import { DragomanError } from '../../../support/errors.ts';
import type { JsonLimits } from '../../json.ts';
import { isExact } from '../../jsonParser.ts';

/** A JSON object with its members in order, repeated names kept (20§6.3). */
export class PairObject {
  readonly pairs: readonly (readonly [name: string, value: PairValue])[];

  constructor(pairs: readonly (readonly [string, PairValue])[]) {
    this.pairs = pairs;
  }
}

export type PairValue = string | number | boolean | null | PairObject | readonly PairValue[];

interface Parser {
  readonly text: string;
  readonly limits: JsonLimits;
  at: number;
  depth: number;
  members: number;
}

function fail(p: Parser, what: string): never {
  throw new DragomanError('malformed', `The JSON cannot be read: ${what}, at character ${p.at}.`);
}

/**
 * Reads the JSON value that begins at `at` (blanks before it are skipped); `end` is the index behind it.
 * Throws `malformed` or, past the depth or number of members, `too-large`.
 */
export function parsePairs(
  text: string,
  limits: JsonLimits,
  at = 0,
): { readonly value: PairValue; readonly end: number } {
  const parser = { text, limits, at, depth: 0, members: 0 };
  blanks(parser);
  const value = readValue(parser);
  return { value, end: parser.at };
}

/** As {@link parsePairs}, of a whole document. */
export function parsePairsDocument(text: string, limits: JsonLimits): PairValue {
  const { value, end } = parsePairs(text, limits);
  if (/[^ \t\r\n]/.test(text.slice(end))) {
    throw new DragomanError('malformed', 'Something follows the end of the JSON document.');
  }
  return value;
}

function blanks(p: Parser): void {
  for (;;) {
    const c = p.text.charCodeAt(p.at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    p.at++;
  }
}

function readValue(p: Parser): PairValue {
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
      return fail(p, 'it ends too early');
    default:
      return readNumber(p);
  }
}

function readWord<T>(p: Parser, word: string, value: T): T {
  if (!p.text.startsWith(word, p.at)) fail(p, 'a value is expected');
  p.at += word.length;
  return value;
}

function enter(p: Parser): void {
  p.at++;
  if (++p.depth > p.limits.depth) {
    throw new DragomanError('too-large', `The JSON nests deeper than ${p.limits.depth} levels.`);
  }
  blanks(p);
}

function member(p: Parser): void {
  if (++p.members > p.limits.members) {
    throw new DragomanError('too-large', `The JSON has more than ${p.limits.members} members.`);
  }
}

/** Whether another element follows; otherwise the closing bracket has been taken. */
function goesOn(p: Parser, close: string): boolean {
  blanks(p);
  const next = p.text[p.at];
  if (next !== ',' && next !== close) fail(p, `a comma or ${close} is expected`);
  p.at++;
  if (next === close) {
    p.depth--;
    return false;
  }
  blanks(p);
  return true;
}

function readObject(p: Parser): PairObject {
  const pairs: [string, PairValue][] = [];
  enter(p);
  if (p.text[p.at] === '}') {
    p.at++;
    p.depth--;
    return new PairObject(pairs);
  }
  do {
    member(p);
    if (p.text[p.at] !== '"') fail(p, 'a member name in double quotes is expected');
    const name = readString(p);
    blanks(p);
    if (p.text[p.at] !== ':') fail(p, 'a colon is expected after a member name');
    p.at++;
    blanks(p);
    pairs.push([name, readValue(p)]);
  } while (goesOn(p, '}'));
  return new PairObject(pairs);
}

function readArray(p: Parser): PairValue[] {
  const array: PairValue[] = [];
  enter(p);
  if (p.text[p.at] === ']') {
    p.at++;
    p.depth--;
    return array;
  }
  do {
    member(p);
    array.push(readValue(p));
  } while (goesOn(p, ']'));
  return array;
}

function readString(p: Parser): string {
  const start = p.at;
  let end = start + 1;
  for (; ; end++) {
    const c = p.text.charCodeAt(end);
    if (Number.isNaN(c)) fail(p, 'a string does not end');
    if (c === 0x22) break;
    if (c === 0x5c) end++;
  }
  try {
    const value = JSON.parse(p.text.slice(start, end + 1)) as string;
    p.at = end + 1;
    return value;
  } catch {
    return fail(p, 'a string holds a bad escape or a raw control character');
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** A number that a double would change stays the text that it is (IW-VAL-2), as in `readJson`. */
function readNumber(p: Parser): number | string {
  NUMBER.lastIndex = p.at;
  const lexical = NUMBER.exec(p.text)?.[0];
  if (lexical === undefined) return fail(p, 'a value is expected');
  p.at += lexical.length;
  const value = Number(lexical);
  return String(value) === lexical || isExact(lexical, value) ? value : lexical;
}

/** The JSON text of a value, without blanks. */
export function writePairs(value: PairValue): string {
  if (value instanceof PairObject) {
    return `{${value.pairs.map(([name, inner]) => `${JSON.stringify(name)}:${writePairs(inner)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(writePairs).join(',')}]`;
  return JSON.stringify(value);
}
