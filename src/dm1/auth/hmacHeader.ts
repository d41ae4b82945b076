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

/** Reads the header, parameters in any order and case; `undefined` when it is not one or lacks a mac or user. */
export function parseHmacHeader(text: string): HmacHeader | undefined {
  if (text.length > LONGEST) return undefined;
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    found.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  const username = found.get('username');
  const mac = found.get('mac');
  if (username === undefined || !mac) return undefined;
  return { algorithm: (found.get('algorithm') ?? 'MD5').toUpperCase(), username, mac };
}

export function formatHmacHeader(header: { readonly username: string; readonly mac: string }): string {
  const username = header.username.replace(/[\r\n]/g, '').replace(/["\\]/g, '\\$&');
  return `algorithm=MD5, username="${username}", mac=${header.mac}`;
}
