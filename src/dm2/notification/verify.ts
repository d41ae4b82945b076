import { digestMatches, type NotificationCredential } from './digest.ts';
import { digestPlace } from './notification.ts';

export type NotificationVerdict =
  | { readonly ok: true; readonly authenticated: 'with-auth-data' | 'without-auth-data' }
  /** No digest, and the account asks for none. */
  | { readonly ok: true; readonly authenticated: 'no' }
  | { readonly ok: false; readonly reason: 'no-credential' | 'wrong-digest' | 'no-digest' };

/**
 * Whether a receiver may act on a notification (20§2.2): with a digest it must be right, and a receiver
 * without credentials for that server ignores it. `required` refuses a notification without digest;
 * the protocol leaves that open, a receiver that has credentials does well to ask for it.
 * Throws DragomanError `malformed` for bytes that are no notification.
 */
export function verifyNotification(
  bytes: Uint8Array,
  credential: NotificationCredential | undefined,
  options: { readonly required?: boolean } = {},
): NotificationVerdict {
  const at = digestPlace(bytes);
  if (at === undefined) {
    return options.required ? { ok: false, reason: 'no-digest' } : { ok: true, authenticated: 'no' };
  }
  if (credential === undefined) return { ok: false, reason: 'no-credential' };
  const match = digestMatches(bytes, at, credential);
  return match === undefined ? { ok: false, reason: 'wrong-digest' } : { ok: true, authenticated: match };
}
