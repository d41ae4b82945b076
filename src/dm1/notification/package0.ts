import { createHash, timingSafeEqual } from 'node:crypto';
import { DragomanError } from '../../support/errors.ts';
import { notificationDigest } from '../auth/digests.ts';

/** How much the user shall notice, by its two bits (1x§10.1). */
export const UI_MODES = ['not-specified', 'background', 'informative', 'user-interaction'] as const;

export type UiMode = (typeof UI_MODES)[number];

/** What a Package#0 of DM 1.1 and 1.2 says (1x§10.1). */
export interface Notification {
  /** Version × 10; 11 is what the 1.2 specification prescribes. */
  readonly version: number;
  readonly uiMode: UiMode;
  readonly initiator: 'client' | 'server';
  /** 16 bits; `sessionIdOf` is the text of SessionID. */
  readonly sessionId: number;
  readonly serverId: string;
  /** Trigger body behind the server identifier; part of the digest. */
  readonly vendorSpecific?: Uint8Array;
}

/** A Package#0 taken apart; nothing is verified yet. */
export interface Package0 {
  readonly digest: Uint8Array;
  /** Everything behind the digest: what the digest is made over. */
  readonly trigger: Uint8Array;
  readonly notification: Notification;
}

export const NOTIFICATION_TYPE = 'application/vnd.syncml.notification';

/** The version that every 1.x client is sent (1x§10.1). */
export const NOTIFICATION_VERSION = 11;

const DIGEST_BYTES = 16;
const HEADER_BYTES = 8;

/** What goes where a stored nonce failed: four zero bytes, or their spelling, by implementation (1x§9.6). */
export const RESYNC_NONCES: readonly Uint8Array[] = Object.freeze([
  new Uint8Array(4),
  new TextEncoder().encode('0x00000000'),
]);

/** The SessionID that answers a notification: upper-case hex digits without leading zeros (1x§1.3). */
export function sessionIdOf(notification: Pick<Notification, 'sessionId'>): string {
  return notification.sessionId.toString(16).toUpperCase();
}

/**
 * The trigger: header, server identifier, vendor-specific bytes.
 *
 * @throws DragomanError `bad-value` for a field that does not fit
 */
export function encodeTrigger(notification: Notification): Uint8Array {
  const { version, sessionId, vendorSpecific } = notification;
  const serverId = new TextEncoder().encode(notification.serverId);
  range('version', version, 0, 0x3ff);
  range('session id', sessionId, 1, 0xffff);
  range('length of the server identifier in bytes', serverId.length, 1, 0xff);
  const body = vendorSpecific ?? new Uint8Array(0);
  const trigger = new Uint8Array(HEADER_BYTES + serverId.length + body.length);
  trigger[0] = version >> 2;
  trigger[1] =
    ((version & 3) << 6) |
    (UI_MODES.indexOf(notification.uiMode) << 4) |
    (notification.initiator === 'server' ? 8 : 0);
  trigger[5] = sessionId >> 8;
  trigger[6] = sessionId & 0xff;
  trigger[7] = serverId.length;
  trigger.set(serverId, HEADER_BYTES);
  trigger.set(body, HEADER_BYTES + serverId.length);
  return trigger;
}

/**
 * A whole Package#0. `hash` is that of the server's own credentials at the device, B64(H(serverId:password))
 * of the SRVCRED entry.
 *
 * @throws DragomanError `bad-value` for a field that does not fit
 */
export function encodePackage0(notification: Notification, hash: string, nonce: Uint8Array): Uint8Array {
  const trigger = encodeTrigger(notification);
  const bytes = new Uint8Array(DIGEST_BYTES + trigger.length);
  bytes.set(notificationDigest(hash, nonce, trigger));
  bytes.set(trigger, DIGEST_BYTES);
  return bytes;
}

/**
 * Takes a Package#0 apart. The version is not judged, nor are the bits for future use.
 *
 * @throws DragomanError `malformed` with the byte offset
 */
export function decodePackage0(bytes: Uint8Array): Package0 {
  const trigger = bytes.slice(DIGEST_BYTES);
  const [b0, b1, , , , high, low, length] = trigger;
  if (b0 === undefined || b1 === undefined || high === undefined || low === undefined || length === undefined)
    throw malformed(bytes.length, `the notification ends before its server identifier`);
  const end = HEADER_BYTES + length;
  if (length === 0) throw malformed(DIGEST_BYTES + 7, 'the server identifier is empty');
  if (end > trigger.length) throw malformed(bytes.length, 'the notification ends in its server identifier');
  if (high === 0 && low === 0) throw malformed(DIGEST_BYTES + 5, 'the session id is 0');
  const vendorSpecific = trigger.subarray(end);
  return {
    digest: bytes.slice(0, DIGEST_BYTES),
    trigger,
    notification: {
      version: (b0 << 2) | (b1 >> 6),
      uiMode: UI_MODES[(b1 >> 4) & 3]!,
      initiator: (b1 & 8) === 0 ? 'client' : 'server',
      sessionId: (high << 8) | low,
      serverId: serverIdAt(trigger.subarray(HEADER_BYTES, end)),
      ...(vendorSpecific.length > 0 && { vendorSpecific }),
    },
  };
}

/** Which nonce the digest was made with. */
export type NonceUsed = 'stored' | 'resync';

/**
 * Checks the digest with the device's nonce, then with both resynchronisation nonces (1x§9.6);
 * `undefined` when it fits none, and the notification is to be ignored silently.
 */
export function verifyPackage0(
  { digest, trigger }: Pick<Package0, 'digest' | 'trigger'>,
  hash: string,
  nonce: Uint8Array | undefined,
): NonceUsed | undefined {
  if (nonce !== undefined && fits(digest, notificationDigest(hash, nonce, trigger))) return 'stored';
  const resync = RESYNC_NONCES.map((each) => fits(digest, notificationDigest(hash, each, trigger)));
  return resync.includes(true) ? 'resync' : undefined;
}

/** Compares hashes of both, so that lengths may differ and time tells nothing. */
function fits(given: Uint8Array, expected: Uint8Array): boolean {
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function serverIdAt(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(DIGEST_BYTES + HEADER_BYTES, 'the server identifier is not UTF-8');
  }
}

function range(what: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new DragomanError('bad-value', `The ${what} is ${value}; it must be from ${from} to ${to}.`);
  }
}

function malformed(offset: number, reason: string): DragomanError {
  return new DragomanError('malformed', `byte ${offset}: ${reason}.`);
}
