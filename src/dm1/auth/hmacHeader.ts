/** The `x-syncml-hmac` transport header (1x§9.5). */
export const HMAC_HEADER = 'x-syncml-hmac';

export interface HmacHeader {
  /** Upper case; MD5 when left out. */
  readonly algorithm: string;
  /** Source/LocName of the sender. */
  readonly username: string;
  /** Base64 as sent. */
  readonly mac: string;
}

const LONGEST = 1024;
const PARAMETER = /\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;

/**
 * Reads the header, parameters in any order and case; `undefined` when it is not one, lacks a mac or user, or
 * says something twice.
 */
export function parseHmacHeader(text: string): HmacHeader | undefined {
  if (text.length > LONGEST) return undefined;
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (found.has(name)) return undefined;
    found.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  const username = found.get('username');
  const mac = found.get('mac');
  if (username === undefined || !mac) return undefined;
  return { algorithm: (found.get('algorithm') ?? 'MD5').toUpperCase(), username: fromHeader(username), mac };
}

export function formatHmacHeader(header: { readonly username: string; readonly mac: string }): string {
  const username = header.username.replace(/[\r\n]/g, '').replace(/["\\]/g, '\\$&');
  return `algorithm=MD5, username="${toHeader(username)}", mac=${header.mac}`;
}

/** HTTP headers are bytes, one for each character of the text that stands for them; names are UTF-8 (1x§9.2). */
function toHeader(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}

function fromHeader(text: string): string {
  const name = Buffer.from(text, 'latin1').toString('utf8');
  return name.includes('\ufffd') ? text : name;
}
