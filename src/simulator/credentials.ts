import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Cred, Meta } from '../dm1/message.ts';

/**
 * The formulas of 1x§9.2, written out once more on purpose: the simulators judge what the gateway
 * sends, so they do not share its code for it.
 */
export type CredScheme = 'basic' | 'md5' | 'hmac';

export interface Account {
  readonly username: string;
  readonly password: string;
}

const CRED_TYPE: Readonly<Record<CredScheme, string>> = {
  basic: 'syncml:auth-basic',
  md5: 'syncml:auth-md5',
  hmac: 'syncml:auth-MAC',
};

export function schemeOfType(type: string | undefined): CredScheme | undefined {
  const name = type?.trim().toLowerCase();
  return (Object.keys(CRED_TYPE) as CredScheme[]).find((scheme) => CRED_TYPE[scheme].toLowerCase() === name);
}

function md5(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function basicData({ username, password }: Account): string {
  return Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
}

function md5Data({ username, password }: Account, nonce: Uint8Array): string {
  return md5(md5(`${username}:${password}`).toString('base64'), ':', nonce).toString('base64');
}

export function hmacData({ username, password }: Account, nonce: Uint8Array, body: Uint8Array): string {
  const secret = md5(`${username}:${password}`).toString('base64');
  return md5(secret, ':', nonce, ':', md5(body).toString('base64')).toString('base64');
}

/** The Cred element for `scheme`; HMAC has none, it travels in a header. */
export function credOf(scheme: 'basic' | 'md5', account: Account, nonce: Uint8Array): Cred {
  return {
    meta: { format: 'b64', type: CRED_TYPE[scheme] },
    data: scheme === 'basic' ? basicData(account) : md5Data(account, nonce),
  };
}

export function hmacHeader(account: Account, nonce: Uint8Array, body: Uint8Array): string {
  return `algorithm=MD5, username="${account.username}", mac=${hmacData(account, nonce, body)}`;
}

/** Reads `x-syncml-hmac`; `mac` is the base64 text. */
export function readHmacHeader(value: string | undefined): { username: string; mac: string } | undefined {
  const mac = /mac\s*=\s*"?([A-Za-z0-9+/=]+)"?/i.exec(value ?? '')?.[1];
  const username = /username\s*=\s*"([^"]*)"/i.exec(value ?? '')?.[1];
  return mac === undefined || username === undefined ? undefined : { username, mac };
}

/** Whether `cred` is right for `account`; compared over equal-length hashes. */
export function credMatches(cred: Cred, scheme: CredScheme, account: Account, nonce: Uint8Array): boolean {
  if (scheme === 'hmac' || schemeOfType(cred.meta.type) !== scheme) return false;
  return same(cred.data.trim(), credOf(scheme, account, nonce).data);
}

export function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Chal/Meta that asks for `scheme`. */
export function challengeOf(scheme: CredScheme, nonce: Uint8Array): Meta {
  return {
    type: CRED_TYPE[scheme],
    format: 'b64',
    ...(scheme === 'basic' ? {} : { nextNonce: nonce }),
  };
}

export function freshNonce(): Uint8Array {
  return new Uint8Array(randomBytes(16));
}
