import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * The digests of DM 1.x (1x§9.2), where H is MD5 and B64 base64 with padding. MD5 is what the protocol
 * prescribes; nothing else here depends on its strength.
 */
const md5 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const b64 = (bytes: Buffer): string => bytes.toString('base64');

/** Data of a basic Cred: B64(user:password). */
export function basicCred(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`, 'utf8').toString('base64');
}

/** B64(H(user:password)): all that a verifier needs to keep (1x§9.6). */
export function userHash(user: string, password: string): string {
  return b64(md5(`${user}:${password}`));
}

/** Data of an md5 Cred: B64(H(userHash:nonce)), the nonce as raw bytes. */
export function md5Digest(hash: string, nonce: Uint8Array): string {
  return b64(md5(`${hash}:`, nonce));
}

/** The mac of a message: B64(H(userHash:nonce:B64(H(body)))) over the body bytes as sent. */
export function hmac(hash: string, nonce: Uint8Array, body: Uint8Array): string {
  return b64(md5(`${hash}:`, nonce, `:${b64(md5(body))}`));
}

/** Digest of a notification, 16 raw bytes; `trigger` is everything behind the digest (1x§10.1). */
export function notificationDigest(hash: string, nonce: Uint8Array, trigger: Uint8Array): Uint8Array {
  return md5(`${hash}:`, nonce, `:${b64(md5(trigger))}`);
}

/** Equal texts, in a time that tells nothing about where they differ. */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(md5(a), md5(b));
}

/** Checks the data of a basic Cred against the stored hash. */
export function verifyBasic(data: string, hash: string): boolean {
  return sameText(b64(md5(Buffer.from(data.trim(), 'base64'))), hash);
}

/** Checks the data of an md5 Cred. */
export function verifyMd5(data: string, hash: string, nonce: Uint8Array): boolean {
  return sameDigest(data, md5Digest(hash, nonce));
}

/** Checks a mac over a message body. */
export function verifyHmac(mac: string, hash: string, nonce: Uint8Array, body: Uint8Array): boolean {
  return sameDigest(mac, hmac(hash, nonce, body));
}

/** Takes base64 of the 16 digest bytes, and of their 32 hex characters (the sample of 1x§9.5). */
function sameDigest(given: string, expected: string): boolean {
  const decoded = Buffer.from(given.trim(), 'base64');
  const text = decoded.toString('latin1');
  const bytes = /^[0-9a-f]{32}$/i.test(text) ? Buffer.from(text, 'hex') : decoded;
  return sameText(b64(bytes), expected);
}
