import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import { DragomanError } from '../support/errors.ts';
import { type NumberReading, parseStrictly, type ReadingLimits } from './jsonParser.ts';

/** What one document may cost. */
export interface JsonLimits extends ReadingLimits {
  readonly bytes: number;
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
  // A scan that met nothing unusual lets the engine's own parser do the work; its result is the strict
  // reader's unless a member stands twice, which shows in the number of members that are left.
  const seen = scan(body, limits);
  const text = decode(body);
  if (seen >= 0) {
    const value = attempt(text);
    if (value !== undefined && countMembers(value) === seen) return value;
  }
  return parseStrictly(text, numbers);
}

function decode(body: Uint8Array): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new DragomanError('malformed', 'The JSON document is not valid UTF-8.');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Number of `name: value` pairs in the document, or -1 when only the strict reader can do it justice.
 * It walks the bytes: all that JSON is built of is ASCII, and this is twice as fast as walking a string.
 */
function scan(body: Uint8Array, limits: JsonLimits): number {
  const { length } = body;
  let depth = 0;
  let colons = 0;
  let commas = 0;
  let unusual = false;
  for (let i = 0; i < length; i++) {
    const c = body[i]!;
    if (c === 0x22) {
      for (i++; i < length; i++) {
        const inside = body[i]!;
        if (inside === 0x22) break;
        if (inside === 0x5c) i++;
      }
    } else if (c <= 0x20) {
      // Blanks; what is no blank the parser refuses.
    } else if (c === 0x3a) {
      if (++colons > limits.members) tooMany(limits);
    } else if (c === 0x2c) {
      if (++commas > limits.members) tooMany(limits);
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > limits.depth) tooDeep(limits, i);
    } else if (c === 0x5d || c === 0x7d) {
      depth--;
    } else if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
      const end = endOfNumber(body, i);
      unusual ||= !repeatsExactly(body, i, end);
      i = end - 1;
    }
  }
  return unusual ? -1 : colons;
}

function tooDeep(limits: JsonLimits, at: number): never {
  throw new DragomanError(
    'too-large',
    `The JSON document nests deeper than ${limits.depth} levels, at byte ${at}.`,
  );
}

function tooMany(limits: JsonLimits): never {
  throw new DragomanError('too-large', `The JSON document has more than ${limits.members} members.`);
}

function endOfNumber(body: Uint8Array, start: number): number {
  let i = start + 1;
  for (; i < body.length; i++) {
    const c = body[i]!;
    const part =
      (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x2d || c === 0x2b || c === 0x65 || c === 0x45;
    if (!part) break;
  }
  return i;
}

/** Whether a double gives the number back letter by letter; up to 15 digits always do. */
function repeatsExactly(body: Uint8Array, start: number, end: number): boolean {
  let digits = start;
  while (digits < end && body[digits]! >= 0x30 && body[digits]! <= 0x39) digits++;
  if (digits === end && end - start <= 15) return true;
  if (end - start > LONGEST_DOUBLE) return false;
  const lexical = String.fromCharCode(...body.subarray(start, end));
  return String(Number(lexical)) === lexical;
}

/** No double is written with more characters. */
const LONGEST_DOUBLE = 25;

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
