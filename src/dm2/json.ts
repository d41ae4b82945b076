import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import { DragomanError } from '../support/errors.ts';
import { endOfString, type NumberReading, parseStrictly } from './jsonParser.ts';

/** What one document may cost. `members` counts object members and array elements together. */
export interface JsonLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly members: number;
}

export const JSON_LIMITS: JsonLimits = Object.freeze({ bytes: 1_048_576, depth: 64, members: 100_000 });

/**
 * Reads one JSON document: strict UTF-8 (a byte order mark is skipped), bounded in size, depth and
 * members, no member twice in one object (20§15 Q29), no number that silently changes its value.
 * Throws DragomanError `malformed` (with the place) or `too-large`.
 */
export function readJson(
  body: Uint8Array,
  limits: JsonLimits = JSON_LIMITS,
  numbers: NumberReading = 'exact',
): unknown {
  if (body.length > limits.bytes) {
    throw new DragomanError(
      'too-large',
      `The JSON document has ${body.length} bytes; the limit is ${limits.bytes}.`,
    );
  }
  return parseJson(decode(body), limits, numbers);
}

function decode(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new DragomanError('malformed', 'The JSON document is not valid UTF-8.');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** As {@link readJson}, from text. */
export function parseJson(text: string, limits: JsonLimits, numbers: NumberReading): unknown {
  const seen = scan(text, limits);
  // A scan that met nothing unusual lets the engine's own parser do the work; its result is the strict
  // reader's unless a member stands twice, which shows in the number of members that are left.
  if (seen >= 0) {
    const value = attempt(text);
    if (value !== undefined && countMembers(value) === seen) return value;
  }
  return parseStrictly(text, numbers);
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Number of `name: value` pairs in `text`, or -1 when only the strict reader can do it justice. */
function scan(text: string, limits: JsonLimits): number {
  let depth = 0;
  let colons = 0;
  let commas = 0;
  let unusual = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = endOfString(text, i);
      if (i < 0) return -1;
    } else if (c === 0x3a) {
      if (++colons > limits.members) tooMany(limits);
    } else if (c === 0x2c) {
      if (++commas > limits.members) tooMany(limits);
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > limits.depth) tooDeep(limits, i);
    } else if (c === 0x5d || c === 0x7d) {
      depth--;
    } else if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
      const end = endOfNumber(text, i);
      unusual ||= !repeatsExactly(text, i, end);
      i = end - 1;
    }
  }
  return unusual ? -1 : colons;
}

function tooDeep(limits: JsonLimits, at: number): never {
  throw new DragomanError(
    'too-large',
    `The JSON document nests deeper than ${limits.depth} levels, at character ${at}.`,
  );
}

function tooMany(limits: JsonLimits): never {
  throw new DragomanError('too-large', `The JSON document has more than ${limits.members} members.`);
}

function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const part =
      (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x2d || c === 0x2b || c === 0x65 || c === 0x45;
    if (!part) break;
  }
  return i;
}

function repeatsExactly(text: string, start: number, end: number): boolean {
  const lexical = text.slice(start, end);
  return String(Number(lexical)) === lexical;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) {
      if (typeof element === 'object') count += countMembers(element);
    }
    return count;
  }
  for (const name in value) {
    count++;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === 'object') count += countMembers(member);
  }
  return count;
}
