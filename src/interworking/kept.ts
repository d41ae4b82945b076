import type { Right } from './access/model.ts';

/** Where the configuration of an object is to be had when the device has no instance of it (IW-DEF-1). */
export interface DefaultSource {
  readonly serverUri: string;
  /** Name of the backend that said so. */
  readonly backend: string;
  /** An early draft: a session is opened at the URL, instead of a download from it (20§1.2 C8). */
  readonly opensSession?: true;
}

/** A part of a device whose changes are sent to a ServerURI (IW-SUB-1). */
export interface Subscription {
  readonly serverUri: string;
  readonly backend: string;
  /** Of the content as its receiver knows it. */
  readonly validator: string;
}

/** A document that an HGET wrote, so that the next one can be conditional (IW-HGET-1). */
export interface KnownDocument {
  readonly etag: string;
  /** What it made of the device, by ClientURI. */
  readonly places: readonly { readonly uri: string; readonly validator: string }[];
}

/** Who has which rights on an instance, beside what the configuration says (20§10.3). */
export interface Delegation {
  /** The backend that created it. */
  readonly owner?: string;
  /** Given by one that may delegate, by backend. */
  readonly rights?: Readonly<Record<string, readonly Right[]>>;
  /** In force at its root on a legacy device. */
  readonly acl?: string;
}

/** What is kept per device for later sessions. */
export interface KeptForDevice {
  /** By MOID. */
  readonly defaults: Readonly<Record<string, DefaultSource>>;
  /** By ClientURI, as subscribed. */
  readonly subscriptions: Readonly<Record<string, Subscription>>;
  /** By MOID and MIID. */
  readonly delegations: Readonly<Record<string, Delegation>>;
  /** By a digest of URL and ClientURI. */
  readonly documents: Readonly<Record<string, KnownDocument>>;
}

export type KeptKind = keyof KeptForDevice;

/** Changes of what is kept, entry by entry; `null` takes an entry away. */
export type KeptPatch = {
  readonly [K in KeptKind]?: Readonly<Record<string, KeptForDevice[K][string] | null>>;
};

/** Entries of one kind that a device may have: nobody's store grows by commands alone. */
export const MOST_KEPT = 100;
