import { Buffer, isUtf8 } from 'node:buffer';

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** No honest credential is longer; a header of megabytes is not decoded. */
const LONGEST = 4096;

/**
 * User and password of an `Authorization: Basic` header (RFC 7617), UTF-8 where it is, else Latin-1;
 * `undefined` for another scheme or a value that is not base64 of `user:password`.
 */
export function parseBasic(header: string | undefined): BasicCredentials | undefined {
  if (header === undefined || header.length > LONGEST) return undefined;
  const encoded = /^\s*basic +([A-Za-z0-9+/]+={0,2})\s*$/i.exec(header)?.[1];
  if (encoded === undefined || encoded.replace(/=+$/, '').length % 4 === 1) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  const colon = text.indexOf(':');
  if (colon < 0 || /\p{Cc}/u.test(text)) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The `Authorization` header for a user (who has no `:` in the name) and a password. */
export function formatBasic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

/** The `WWW-Authenticate` header of a 401. */
export function basicChallenge(realm: string): string {
  return `Basic realm="${realm.replace(/["\\]/g, '\\$&').replace(/\p{Cc}/gu, '')}", charset="UTF-8"`;
}
