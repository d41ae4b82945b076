/** Character classes of XML 1.0 (fifth edition), for scanning by code unit. */

export const LT = 60;
export const GT = 62;
export const AMP = 38;
export const SLASH = 47;
export const BANG = 33;
export const QUESTION = 63;
export const EQUALS = 61;
export const COLON = 58;
export const QUOTE = 34;
export const APOSTROPHE = 39;
export const BRACKET = 93;

/** 1 for ASCII characters that text may hold as they are; 0 for `<`, `&`, `]`, CR, and controls. */
export const PLAIN = new Uint8Array(128).fill(1, 32);
PLAIN[9] = 1;
PLAIN[10] = 1;
PLAIN[LT] = 0;
PLAIN[AMP] = 0;
PLAIN[BRACKET] = 0;

/** 1 for ASCII characters of a name (NCName plus colon); 2 for those that may also begin one. */
export const NAME = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:') NAME[c.charCodeAt(0)] = 2;
for (const c of '0123456789.-') NAME[c.charCodeAt(0)] = 1;

const START =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const NCNAME = new RegExp(`^[${START}][-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}${START}]*$`, 'u');

/** Whether this is a name without colon; only names with characters beyond ASCII need to ask. */
export function isNCName(text: string): boolean {
  return NCNAME.test(text);
}

export function isSpace(c: number): boolean {
  return c === 32 || c === 10 || c === 9 || c === 13;
}

/** XML Char: what a document may hold, literally or by reference. */
export function isXmlChar(codePoint: number): boolean {
  return (
    codePoint === 9 ||
    codePoint === 10 ||
    codePoint === 13 ||
    (codePoint >= 32 && codePoint < 0xd800) ||
    (codePoint > 0xdfff && codePoint < 0xfffe) ||
    (codePoint > 0xffff && codePoint < 0x110000)
  );
}

/** Whatever XML cannot carry: C0 controls but TAB, LF and CR, U+FFFE and U+FFFF, lone surrogates. */
const FORBIDDEN =
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const FORBIDDEN_ALL = new RegExp(FORBIDDEN, 'g');

export function hasForbidden(text: string): boolean {
  return FORBIDDEN.test(text);
}

export function withoutForbidden(text: string): string {
  return text.replace(FORBIDDEN_ALL, '');
}
