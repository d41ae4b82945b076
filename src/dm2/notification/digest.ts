import { createHash, timingSafeEqual } from 'node:crypto';

/** `Secret` and `Data` of `Auth/Noti` in the account (20§10.2). */
export interface NotificationCredential {
  readonly secret: Uint8Array;
  readonly authData?: Uint8Array;
}

const WIDTH = 32;

/**
 * SHA-256 over the secret, the notification with 32 zero octets as digest (`at` is their index), and
 * the auth data (20§2.2; 20§15 Q4 for the last).
 */
export function digestOf(
  bytes: Uint8Array,
  at: number,
  { secret, authData }: NotificationCredential,
): Uint8Array {
  const hash = createHash('sha256')
    .update(secret)
    .update(bytes.subarray(0, at))
    .update(new Uint8Array(WIDTH))
    .update(bytes.subarray(at + WIDTH));
  if (authData !== undefined) hash.update(authData);
  return hash.digest();
}

/** Whether the digest at `at` is right with the auth data, or, as one sentence of the source has it, without. */
export function digestMatches(
  bytes: Uint8Array,
  at: number,
  credential: NotificationCredential,
): 'with-auth-data' | 'without-auth-data' | undefined {
  const found = bytes.subarray(at, at + WIDTH);
  // Both are computed always: how long it takes tells nothing.
  const withData = timingSafeEqual(found, digestOf(bytes, at, credential));
  const without = timingSafeEqual(found, digestOf(bytes, at, { secret: credential.secret }));
  if (withData) return 'with-auth-data';
  return without ? 'without-auth-data' : undefined;
}
