import { basicCred, hmac, md5Digest, userHash } from '../../dm1/auth/digests.ts';
import { formatHmacHeader, HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import { AUTH_TYPES } from '../../dm1/auth/schemes.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import type { Presentation } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import type { BackendConfig } from '../config/config.ts';
import type { Registry } from '../registry/registry.ts';

/** An account as far as it is on file: the hash serves md5, only the readable form serves basic. */
export interface PresentableAccount {
  readonly username: string;
  readonly userHash: string;
  /** Data of a basic Cred. */
  readonly basic?: string;
}

/** The account that the gateway presents to a device (IW-AUTH-2); `undefined` when none is on file. */
export async function accountForDevice(
  registry: Registry,
  deviceId: string,
): Promise<PresentableAccount | undefined> {
  return (await registry.get(deviceId))?.serverAccount;
}

/** The account that the gateway presents to a legacy server for a device (IW-AUTH-3). */
export async function accountForBackend(
  registry: Registry,
  backend: BackendConfig,
  deviceId: string,
): Promise<PresentableAccount | undefined> {
  if (backend.protocol === 'builtin') return undefined;
  const { perDevice, username, password } = backend.auth;
  if (perDevice) return (await registry.get(deviceId))?.account;
  if (username === undefined || password === undefined) return undefined;
  return { username, userHash: userHash(username, password), basic: basicCred(username, password) };
}

/** Markup of a Cred and of the LocName beside it. */
const CRED_MARKUP = 180;
/** The longest spelling of a character in XML, `&quot;`. */
const ESCAPED = 6;

/**
 * Bytes by which `presentTo` makes a message longer at most: it is composed before, within the peer's
 * MaxMsgSize. In steps of 64, as it is journalled and the length of a password is nobody's business.
 */
export function credBytes({ username, userHash, basic = userHash }: PresentableAccount): number {
  const bytes = CRED_MARKUP + ESCAPED * Buffer.byteLength(username) + basic.length;
  return Math.ceil(bytes / 64) * 64;
}

/** A message that carries our credentials, and the transport header that HMAC needs (1x§9.5). */
export interface Presented {
  readonly message: SyncMLMessage;
  /** Called with the encoded message; lower-case names. */
  readonly headers?: (body: Uint8Array) => Readonly<Record<string, string>>;
}

/**
 * Adds the credentials that `present` asks for, and the account's name as Source/LocName (1x§9.2).
 * Throws `configuration` when the account cannot serve that scheme; `party` names the peer in it.
 */
export function presentTo(
  message: SyncMLMessage,
  present: Presentation,
  account: PresentableAccount | undefined,
  party: string,
): Presented {
  if (!account) {
    throw new DragomanError('configuration', `${party} asks for credentials and none are on file for it.`);
  }
  const { username, userHash } = account;
  const { scheme } = present;
  const nonce = present.nonce ?? new Uint8Array();
  const header = { ...message.header, source: { ...message.header.source, name: username } };
  if (scheme === 'hmac') {
    return {
      message: { ...message, header },
      headers: (body) => ({
        [HMAC_HEADER]: formatHmacHeader({ username, mac: hmac(userHash, nonce, body) }),
      }),
    };
  }
  const data = scheme === 'md5' ? md5Digest(userHash, nonce) : account.basic;
  if (data === undefined) {
    throw new DragomanError(
      'configuration',
      `${party} asks for basic authentication, which the stored hash cannot serve; register its password for basic.`,
    );
  }
  const cred = { meta: { type: AUTH_TYPES[scheme], format: 'b64' }, data };
  return { message: { ...message, header: { ...header, cred } } };
}
