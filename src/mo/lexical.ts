import type { Format } from './format.ts';

const INT = /^[+-]?\d{1,10}$/;
const FLOAT = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?|[+-]?INF|NaN)$/;
const DATE = /^(-?\d{4})(-?)(\d\d)\2(\d\d)(?:Z|[+-]\d\d:?\d\d)?$/;
const TIME =
  /^(?:(\d{4})(-?)(\d\d)\2(\d\d)T)?(\d\d)(?:(:?)(\d\d)(?:\6(\d\d)(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/;
// Searched for, not matched over the whole text: a repeated group overflows the stack on large objects.
const NOT_BASE64 = /[^A-Za-z0-9+/]/;
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const ILLEGAL_ALL = new RegExp(ILLEGAL.source, 'gu');

/**
 * Whether `text` is a value of `format` in its lexical form (1x§7.3): `int` is a signed 32-bit decimal,
 * `bool` is `true` or `false`, `float` an XSD float, `date` and `time` ISO 8601 basic or extended, `b64` and
 * `bin` base64 text, `null` and `node` empty. `chr` and `xml` hold any text.
 */
export function isLexical(format: Format, text: string): boolean {
  switch (format) {
    case 'chr':
    case 'xml':
      return true;
    case 'int':
      return isInt32(text);
    case 'bool':
      return text === 'true' || text === 'false';
    case 'float':
      return text.length <= 64 && FLOAT.test(text);
    case 'date':
      return isDate(text);
    case 'time':
      return isTime(text);
    case 'b64':
    case 'bin':
      return decodeBase64(text) !== undefined;
    case 'null':
    case 'node':
      return text === '';
  }
}

function isInt32(text: string): boolean {
  if (!INT.test(text)) return false;
  const number = Number(text);
  return number >= -2147483648 && number <= 2147483647;
}

function isDate(text: string): boolean {
  const match = text.length <= 32 ? DATE.exec(text) : null;
  return match !== null && isDay(Number(match[1]), Number(match[3]), Number(match[4]));
}

function isTime(text: string): boolean {
  const match = text.length <= 48 ? TIME.exec(text) : null;
  if (match === null) return false;
  if (match[1] !== undefined && !isDay(Number(match[1]), Number(match[3]), Number(match[4]))) return false;
  const hour = Number(match[5]);
  const minute = Number(match[7] ?? 0);
  const second = Number(match[8] ?? 0);
  // 24:00:00 is the end of a day and :60 a leap second; both are ISO 8601.
  return (hour < 24 && minute < 60 && second <= 60) || (hour === 24 && minute === 0 && second === 0);
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (month !== 2) return day <= ([4, 6, 9, 11].includes(month) ? 30 : 31);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (leap ? 29 : 28);
}

/**
 * The bytes of base64 text (RFC 4648 §4, padding obligatory, white space tolerated), or `undefined` when it
 * is none. Bits that the padding leaves over must be zero, so that decoding and encoding is the identity.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const dense = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (dense.length % 4 !== 0) return undefined;
  const end = dense.search(NOT_BASE64);
  const pad = end < 0 ? '' : dense.slice(end, end + 3);
  if (pad !== '' && ((pad !== '=' && pad !== '==') || end + pad.length !== dense.length)) return undefined;
  const bytes = Buffer.from(dense, 'base64');
  if (pad !== '' && bytes.subarray(-(bytes.length % 3)).toString('base64') !== dense.slice(-4))
    return undefined;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Index of the first character that XML 1.0 cannot carry (controls, lone surrogates, U+FFFE, U+FFFF), else -1. */
export function xmlIllegal(text: string): number {
  return text.search(ILLEGAL);
}

/** The text without what XML 1.0 cannot carry, and how many characters that were (IW-VAL-4). */
export function stripIllegal(text: string): { readonly text: string; readonly removed: number } {
  if (xmlIllegal(text) < 0) return { text, removed: 0 };
  let removed = 0;
  const kept = text.replace(ILLEGAL_ALL, () => {
    removed += 1;
    return '';
  });
  return { text: kept, removed };
}
