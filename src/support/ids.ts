import { createHash, randomBytes } from 'node:crypto';

/** An id of our own making: 16 random bytes as 22 base64url characters, after a prefix that says what it names. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(16).toString('base64url')}`;
}

/** A bearer secret for a URL or an API: 32 random bytes as 43 base64url characters. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a secret that only ever has to be recognised: its SHA-256, hexadecimal. */
export function secretDigest(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
