import type { Meta } from '../message.ts';

export type AuthScheme = 'basic' | 'md5' | 'hmac';

/** Meta/Type of Cred and Chal by scheme (1x§9.1). */
export const AUTH_TYPES = {
  basic: 'syncml:auth-basic',
  md5: 'syncml:auth-md5',
  hmac: 'syncml:auth-MAC',
} as const satisfies Record<AuthScheme, string>;

/** The scheme that a Meta/Type names, in any case and with or without its prefix; `undefined` for the rarer ones. */
export function parseAuthType(type: string | undefined): AuthScheme | undefined {
  const name = type
    ?.trim()
    .toLowerCase()
    .replace(/^syncml:/, '');
  if (name === 'auth-basic') return 'basic';
  if (name === 'auth-md5') return 'md5';
  if (name === 'auth-mac') return 'hmac';
  return undefined;
}

/** Meta of a Chal (1x§9.3). */
export function challengeMeta(scheme: AuthScheme, nonce?: Uint8Array): Meta {
  return { type: AUTH_TYPES[scheme], format: 'b64', ...(nonce && { nextNonce: nonce }) };
}
