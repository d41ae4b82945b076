import type { Characteristic } from './provisioning/document.ts';

/** How an address is written (1x§13.3). */
export type AddressType = 'URI' | 'IPv4' | 'IPv6';

export const AUTH_LEVELS = ['CLCRED', 'SRVCRED', 'OBEX', 'HTTP'] as const;

/** Whose credentials an entry holds: what the client presents, what the server presents, the transport's. */
export type AuthLevel = (typeof AUTH_LEVELS)[number];

/** One AppAuth entry. `secret` and `data` must reach no log, trace or error. */
export interface AuthEntry {
  readonly level: AuthLevel;
  /** `BASIC`, `DIGEST`, `HMAC`, … (1x§9.1). */
  readonly type?: string;
  readonly name?: string;
  readonly secret?: string;
  /** Nonce, raw bytes. */
  readonly data?: Uint8Array;
}

export interface Address {
  readonly addr: string;
  readonly type?: AddressType;
  /** Decimal port numbers. */
  readonly ports?: readonly number[];
}

/** A way to the server; by its kind the CP profile names proxies and access points apart. */
export interface ConnectionRef {
  readonly ref: string;
  readonly kind?: 'proxy' | 'nap';
}

/** A DM account in terms of none of its forms: DMAcc object (1x§13.3), CP profile, DM profile (1x§14). */
export interface DmAccount {
  readonly serverId: string;
  readonly name?: string;
  readonly addresses: readonly Address[];
  readonly prefConRef?: string;
  readonly conRefs?: readonly ConnectionRef[];
  readonly authPref?: string;
  readonly auth: readonly AuthEntry[];
  /** Whether the device opens a session at once; only the CP profile tells it. */
  readonly init?: boolean;
  /** What else an APPLICATION of a CP profile says: retries and certificates of Windows (1x§15.5). */
  readonly more?: Pick<Characteristic, 'parms' | 'characteristics'>;
}

/** Where an account shall point instead. */
export interface NewAddress {
  /** Absolute URL. */
  readonly addr: string;
  readonly port?: number;
  /** Another server identifier, where the gateway has its own. */
  readonly serverId?: string;
}

/** The account at another address, with all else as it was (IW-BOOT-1). */
export function repoint(account: DmAccount, to: NewAddress): DmAccount {
  return {
    ...account,
    ...(to.serverId !== undefined && { serverId: to.serverId }),
    addresses: [{ addr: to.addr, type: 'URI', ...(to.port !== undefined && { ports: [to.port] }) }],
  };
}

/** The same without secrets and nonces, for people and logs. */
export function withoutSecrets(account: DmAccount): DmAccount {
  const { more, auth } = account;
  return {
    ...account,
    auth: auth.map(({ secret: _s, data: _d, ...entry }) => entry),
    // Nobody knows what these say.
    ...(more && { more: { parms: more.parms.map(({ name }) => ({ name })), characteristics: [] } }),
  };
}
