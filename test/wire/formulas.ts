import { createHash } from 'node:crypto';

/** The credentials of 1x§9.2 spelt out, for peers that share no code with what they test. */
export type Scheme = 'basic' | 'md5' | 'hmac';
export const SCHEMES = ['basic', 'md5', 'hmac'] as const;
export const AUTH_TYPE = { basic: 'auth-basic', md5: 'auth-md5', hmac: 'auth-MAC' } as const;

const h = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const b64 = (bytes: string | Uint8Array) => Buffer.from(bytes as string).toString('base64');

/** `account`: `user:password`. */
export const hashOf = (account: string) => b64(h(account));
export const md5Of = (account: string, nonce: Uint8Array) => b64(h(`${hashOf(account)}:`, nonce));
export const macOf = (account: string, nonce: Uint8Array, body: Uint8Array) =>
  b64(h(`${hashOf(account)}:`, nonce, `:${b64(h(body))}`));

/** What a message shows: the data of its Cred, or the HMAC header over its bytes. */
export function proofOf(scheme: Scheme, account: string, nonce: Uint8Array, body: Uint8Array): string {
  if (scheme === 'basic') return b64(account);
  if (scheme === 'md5') return md5Of(account, nonce);
  return `algorithm=MD5, username="${account.split(':')[0]}", mac=${macOf(account, nonce, body)}`;
}

/** `nonce`: as text in the element. */
export function challenge(scheme: Scheme | 'X509', nonce?: string): string {
  const type = scheme === 'X509' ? 'auth-X509' : AUTH_TYPE[scheme];
  const next =
    nonce === undefined || scheme === 'basic' ? '' : `<NextNonce xmlns="syncml:metinf">${nonce}</NextNonce>`;
  return `<Chal><Meta><Type xmlns="syncml:metinf">syncml:${type}</Type><Format xmlns="syncml:metinf">b64</Format>${next}</Meta></Chal>`;
}

/** The data of the Cred in a message in XML, which has to be of that scheme; `undefined` without one. */
export function credIn(scheme: Scheme, text: string): string | undefined {
  const found = /<Cred>(.*?)<\/Cred>/s.exec(text)?.[1];
  if (found === undefined) return undefined;
  const format = /<Format[^>]*>b64</.test(found);
  if (!found.includes(`>syncml:${AUTH_TYPE[scheme]}<`) || !format)
    throw new Error(`No Cred of ${scheme}: ${found}`);
  return /<Data>(.*?)<\/Data>/.exec(found)?.[1];
}

export const nonceOf = (n: number) => Buffer.alloc(16, n);
