import { decodeBase64, encodeBase64 } from '../../mo/lexical.ts';
import type { NewDevice } from '../../store/schema.ts';
import { DragomanError } from '../../support/errors.ts';
import { accountOf, type ServerScheme, serverAccountOf } from './device.ts';

export interface Registration {
  readonly id: string;
  /** Account that the device presents; without one it can only come in where no authentication is demanded. */
  readonly username?: string;
  readonly password?: string;
  /** Scheme for this device instead of the configured one. */
  readonly auth?: string;
  /** Account that the gateway presents to the device. */
  readonly serverUsername?: string;
  readonly serverPassword?: string;
  /** `basic` keeps that password readable, `md5` (default) and `hmac` only its hash. */
  readonly serverAuth?: ServerScheme;
  /** Transport and address of notifications to the device (IW-NOT-1). */
  readonly notifyVia?: string;
  readonly notifyAddress?: string;
  /** Server identifier of its account for the gateway, where that is not the gateway's own. */
  readonly notifyServerId?: string;
  /** Base64 of Auth/Noti/Secret and Data; kept readable, as no hash serves SHA256-DIGEST. */
  readonly notifySecret?: string;
  readonly notifyData?: string;
}

const LONGEST_ID = 255;

/** The row of a registration; throws `malformed` for an unusable identifier and `bad-value` for half an account. */
export function toNewRow(registration: Registration): NewDevice {
  const { id, username, password, auth, serverUsername, serverPassword, serverAuth } = registration;
  checkId(id);
  if ((username === undefined) !== (password === undefined)) {
    throw new DragomanError('bad-value', 'Give username and password together, or neither.');
  }
  if ((serverUsername === undefined) !== (serverPassword === undefined)) {
    throw new DragomanError('bad-value', 'Give serverUsername and serverPassword together, or neither.');
  }
  if (username?.includes(':')) throw new DragomanError('bad-value', 'A username holds no colon.');
  const account = username === undefined ? undefined : accountOf(username, password ?? '');
  const server =
    serverUsername === undefined
      ? undefined
      : serverAccountOf(serverUsername, serverPassword ?? '', serverAuth ?? 'md5');
  return {
    id,
    username: account?.username ?? null,
    user_hash: account?.userHash ?? null,
    ha1: account ? JSON.stringify(account.ha1) : null,
    auth: auth ?? null,
    server_cred: server ? JSON.stringify(server) : null,
    notify_via: registration.notifyVia ?? null,
    notify_address: registration.notifyAddress ?? null,
    notify_server: registration.notifyServerId ?? null,
    notify_secret: base64('notifySecret', registration.notifySecret),
    notify_data: base64('notifyData', registration.notifyData),
  };
}

function base64(member: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const bytes = decodeBase64(text);
  if (bytes === undefined || bytes.length === 0) {
    throw new DragomanError('bad-value', `${member} is no base64.`);
  }
  return encodeBase64(bytes);
}

export function isUsableId(id: string): boolean {
  return id.length > 0 && id.length <= LONGEST_ID && !/\p{Cc}/u.test(id);
}

/** Throws `malformed` for an identifier that no device has. */
export function checkId(id: string): void {
  if (!isUsableId(id)) {
    throw new DragomanError(
      'malformed',
      `A device identifier has 1 to ${LONGEST_ID} characters and no control characters.`,
    );
  }
}
