import { createHash } from 'node:crypto';
import { basicCred, userHash } from '../../dm1/auth/digests.ts';
import type { KeptForDevice } from '../../interworking/kept.ts';
import type { Mount } from '../../mo/mapping.ts';
import type { DeviceRow } from '../../store/schema.ts';

/** Realm of the HTTP authentication of devices; part of every stored digest hash, so it never changes. */
export const REALM = 'dragoman';

/** One device as the registry holds it. */
export interface DeviceRecord {
  readonly id: string;
  readonly protocol?: 'dm1' | 'dm2';
  readonly dialect?: string;
  readonly devInfo: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly validators: Readonly<Record<string, string>>;
  readonly kept: Partial<KeptForDevice>;
  /** Milliseconds since 1970. */
  readonly firstSeen?: number;
  readonly lastSeen?: number;
  readonly sessionsEnded: number;
  /** Scheme that this device must use, instead of the configured one. */
  readonly auth?: string;
  /** Failed authentications in a row, and when the last one was. */
  readonly failures: number;
  readonly failedAt?: number;
  readonly account?: DeviceAccount;
  readonly serverAccount?: ServerAccount;
  readonly notify: NotifySettings;
  /** When it was bootstrapped through the gateway and has had no session since (IW-ALERT-1). */
  readonly bootstrappedAt?: number;
}

/** How a device is notified (IW-NOT-1); what is absent is the configuration's. */
export interface NotifySettings {
  /** Name of a transport. */
  readonly via?: string;
  /** Address as that transport needs it. */
  readonly address?: string;
  /** Server identifier of the account that the device has for the gateway. */
  readonly serverId?: string;
  /** Base64 of Auth/Noti/Secret: SHA256-DIGEST is made with the secret itself, no hash serves (20§2.2). */
  readonly secret?: string;
  /** Base64 of Auth/Noti/Data. */
  readonly data?: string;
}

/** What is kept of the account that the device presents: hashes only. */
export interface DeviceAccount {
  readonly username: string;
  /** B64(MD5(user:password)): checks basic and md5 (1x§9.6). */
  readonly userHash: string;
  /** HA1 of RFC 7616 by algorithm, for {@link REALM}; hexadecimal. */
  readonly ha1: Readonly<Record<string, string>>;
}

/** What the gateway presents to the device (IW-AUTH-2). */
export interface ServerAccount {
  readonly username: string;
  readonly userHash: string;
  /** Data of a basic Cred; kept only for devices that ask for basic, which no hash can serve. */
  readonly basic?: string;
  /** Presented as HMAC, unless the device asks for md5. */
  readonly hmac?: true;
}

export type ServerScheme = 'md5' | 'basic' | 'hmac';

/** How the gateway proves itself to the device before that has asked for anything. */
export function schemeOf({ basic, hmac }: ServerAccount): ServerScheme {
  if (basic !== undefined) return 'basic';
  return hmac ? 'hmac' : 'md5';
}

export function accountOf(username: string, password: string): DeviceAccount {
  const ha1 = (algorithm: string) =>
    createHash(algorithm).update(`${username}:${REALM}:${password}`, 'utf8').digest('hex');
  return {
    username,
    userHash: userHash(username, password),
    ha1: { MD5: ha1('md5'), 'SHA-256': ha1('sha256') },
  };
}

export function serverAccountOf(username: string, password: string, scheme: ServerScheme): ServerAccount {
  return {
    username,
    userHash: userHash(username, password),
    ...(scheme === 'basic' && { basic: basicCred(username, password) }),
    ...(scheme === 'hmac' && { hmac: true }),
  };
}

/** Rows are written by the registry alone, so their JSON is trusted to have its shape. */
export function toRecord(row: DeviceRow): DeviceRecord {
  return {
    id: row.id,
    devInfo: JSON.parse(row.dev_info),
    mounts: JSON.parse(row.mounts),
    capabilities: JSON.parse(row.capabilities),
    validators: JSON.parse(row.validators),
    kept: JSON.parse(row.kept),
    sessionsEnded: row.sessions_ended,
    failures: row.failures,
    ...(row.protocol === null ? {} : { protocol: row.protocol }),
    ...(row.dialect === null ? {} : { dialect: row.dialect }),
    ...(row.first_seen === null ? {} : { firstSeen: Number(row.first_seen) }),
    ...(row.last_seen === null ? {} : { lastSeen: Number(row.last_seen) }),
    ...(row.auth === null ? {} : { auth: row.auth }),
    ...(row.failed_at === null ? {} : { failedAt: Number(row.failed_at) }),
    ...(row.username === null || row.user_hash === null
      ? {}
      : {
          account: {
            username: row.username,
            userHash: row.user_hash,
            ha1: row.ha1 === null ? {} : JSON.parse(row.ha1),
          },
        }),
    ...(row.server_cred === null ? {} : { serverAccount: JSON.parse(row.server_cred) }),
    notify: {
      ...(row.notify_via === null ? {} : { via: row.notify_via }),
      ...(row.notify_address === null ? {} : { address: row.notify_address }),
      ...(row.notify_server === null ? {} : { serverId: row.notify_server }),
      ...(row.notify_secret === null ? {} : { secret: row.notify_secret }),
      ...(row.notify_data === null ? {} : { data: row.notify_data }),
    },
    ...(row.bootstrapped_at === null ? {} : { bootstrappedAt: Number(row.bootstrapped_at) }),
  };
}
