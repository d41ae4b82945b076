import { Buffer } from 'node:buffer';
import { type Format, isBinary } from '../mo/format.ts';
import type { Value } from '../mo/node.ts';
import { isStored, parseStoredMark, storedMark } from '../mo/stored.ts';
import { isExact } from './jsonParser.ts';

/** A leaf's value as JSON has it. */
export type JsonLeaf = string | number | boolean | null;

/** `typed` writes JSON numbers and booleans where nothing is lost by it (IW-VAL-1). */
export type ValueMode = 'string' | 'typed';

/**
 * A leaf's value in JSON (IW-VAL-1): base64 for bytes (of stored ones their mark), `""` for null, text in its
 * lexical form otherwise.
 */
export function toJson(value: Value | undefined, format: Format | undefined, mode: ValueMode): JsonLeaf {
  if (value === undefined || format === 'null') return '';
  if (isStored(value)) return storedMark(value);
  if (typeof value !== 'string') {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return bytes.toString(isBinary(format) || format === undefined ? 'base64' : 'utf8');
  }
  if (format === 'bool') {
    const word = value.trim().toLowerCase();
    if (word !== 'true' && word !== 'false') return value;
    return mode === 'typed' ? word === 'true' : word;
  }
  if (mode === 'typed' && (format === 'int' || format === 'float')) {
    const number = Number(value);
    if (Number.isFinite(number) && String(number) === value) return number;
  }
  return value;
}

export type LeafResult =
  | { readonly format: Format; readonly value: Value }
  | { readonly error: 'bad-value'; readonly detail: string };

/**
 * A JSON leaf as a value of `format`, or of the format that its JSON type implies (IW-VAL-2). `lexical`
 * is the number's own text where a double would change it. What the format cannot hold, and text that
 * XML cannot carry (IW-VAL-4), is `bad-value`; details never repeat the value, it may be a secret.
 */
export function fromJson(leaf: JsonLeaf, format: Format | undefined, lexical?: string): LeafResult {
  const text = leaf === null ? '' : (lexical ?? String(leaf));
  const as = format ?? impliedFormat(leaf, text);
  if (!isXmlText(text)) return bad('it holds a character that XML cannot carry');
  const stored = parseStoredMark(text);
  switch (as) {
    case 'chr':
    case 'xml':
      return { format: as, value: stored ? { ...stored, text: true } : text };
    case 'int':
      return int(leaf, text);
    case 'float':
      return float(leaf, text);
    case 'bool': {
      const word = text.trim().toLowerCase();
      const good = typeof leaf !== 'number' && (word === 'true' || word === 'false');
      return good ? { format: as, value: word } : bad('it is neither true nor false');
    }
    case 'date':
      return typeof leaf === 'string' && isDate(text.trim())
        ? { format: as, value: text.trim() }
        : bad('it is no ISO 8601 date');
    case 'time':
      return typeof leaf === 'string' && isTime(text.trim())
        ? { format: as, value: text.trim() }
        : bad('it is no ISO 8601 time');
    case 'b64':
    case 'bin':
      return stored ? { format: as, value: stored } : bytes(leaf, text, as);
    case 'null':
      return text === '' ? { format: as, value: '' } : bad('a node of format null holds nothing');
    case 'node':
      return bad('the node is an interior one and needs an object');
  }
}

function bad(detail: string): LeafResult {
  return { error: 'bad-value', detail };
}

function impliedFormat(leaf: JsonLeaf, text: string): Format {
  switch (typeof leaf) {
    case 'number':
      return isInteger(text) ? 'int' : 'float';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'chr';
    default:
      return 'null';
  }
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text) && isInt32(Number(text));
}

function isInt32(number: number): boolean {
  return number >= INT32_LEAST && number <= INT32_MOST;
}

const INT32_LEAST = -0x8000_0000;
const INT32_MOST = 0x7fff_ffff;

function int(leaf: JsonLeaf, text: string): LeafResult {
  const trimmed = text.trim();
  let digits = trimmed;
  if (typeof leaf === 'number') {
    // `5.0` and `1e3` are integers to JSON; a number that a double only approximates is not trusted.
    if (!Number.isInteger(leaf) || !isExact(trimmed, leaf)) return bad('it is no whole number');
    digits = String(leaf);
  }
  if (typeof leaf === 'boolean' || !/^[+-]?\d+$/.test(digits)) return bad('it is no decimal integer');
  if (!isInt32(Number(digits))) return bad('it does not fit 32 bits');
  return { format: 'int', value: digits === '-0' ? '0' : digits };
}

function float(leaf: JsonLeaf, text: string): LeafResult {
  const trimmed = text.trim();
  if (typeof leaf === 'string' && /^(?:-?INF|NaN)$/.test(trimmed)) return { format: 'float', value: trimmed };
  const good =
    typeof leaf !== 'boolean' &&
    /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(trimmed) &&
    Number.isFinite(Number(trimmed));
  return good ? { format: 'float', value: trimmed } : bad('it is no decimal number');
}

function bytes(leaf: JsonLeaf, text: string, format: 'b64' | 'bin'): LeafResult {
  if (typeof leaf !== 'string' && leaf !== null) return bad('bytes are given as a base64 string');
  const encoded = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return bad('it is no base64');
  // A copy, for small buffers are views of memory that the runtime shares among them.
  return { format, value: new Uint8Array(Buffer.from(encoded, 'base64')) };
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isDate(text: string): boolean {
  const match = /^(\d{4})(-?)(\d{2})\2(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[3]), Number(match[4])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && !leap ? 28 : DAYS[month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** `hh:mm:ss` or `hhmmss`, perhaps without the seconds or with a fraction, `Z` or an offset, perhaps behind a date and `T`. */
function isTime(text: string): boolean {
  const [date, clock = date, more] = text.split('T');
  if (more !== undefined || (clock !== date && date !== '' && !isDate(date ?? ''))) return false;
  const match = /^(\d{2})(:?)(\d{2})(?:\2(\d{2})(?:[.,]\d+)?)?(?:Z|[+-](\d{2}):?(\d{2})?)?$/.exec(
    clock ?? '',
  );
  if (match === null) return false;
  const [hour, minute, second] = [Number(match[1]), Number(match[3]), Number(match[4] ?? 0)];
  const endOfDay = hour === 24 && minute === 0 && second === 0;
  return (
    (hour < 24 || endOfDay) &&
    minute < 60 &&
    second <= 60 &&
    Number(match[5] ?? 0) < 24 &&
    Number(match[6] ?? 0) < 60
  );
}

/** Whether XML 1.0 can carry the text: no control but tab and line ends, no half surrogate, no U+FFFE/F. */
export function isXmlText(text: string): boolean {
  return !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/u.test(text);
}
