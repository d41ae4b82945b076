// Searched for, not matched over the whole text: a repeated group overflows the stack on large objects.
const NOT_BASE64 = /[^A-Za-z0-9+/]/;
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const ILLEGAL_ALL = new RegExp(ILLEGAL.source, 'gu');

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
