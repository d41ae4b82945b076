import type { DialectName } from '../../dm2/dialects/index.ts';
import type { Right } from '../../interworking/access/model.ts';
import type { LogLevel } from '../../support/log.ts';
import type { Route } from '../routing/route.ts';

/** The configuration as the gateway runs on it: complete, validated, defaults filled in. */
export interface Config {
  readonly listen: {
    readonly devices: string;
    readonly admin: string;
    readonly tls?: TlsFiles;
  };
  /** How devices reach the device port, without a trailing slash. */
  readonly publicUrl: string;
  /** How the gateway names itself to legacy devices (SyncHdr/Source) and as an ACL subject. */
  readonly serverId: string;
  readonly admin: { readonly token?: string; readonly tokenFile?: string };
  readonly store: string;
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly routes: readonly Route[];
  /** What clients speak whose headers leave it open; the first match wins. */
  readonly dialects: readonly { readonly deviceId: string; readonly dialect: DialectName }[];
  readonly deviceAuth: { readonly dm1: Dm1Scheme; readonly dm2: Dm2Scheme };
  /** What a device without a credential on file gets, where its generation must authenticate. */
  readonly unknownDevice: 401 | 404;
  /** CSV file of devices to import at start. */
  readonly devices?: string;
  readonly mappings: readonly string[];
  readonly values: 'string' | 'typed';
  readonly outbound: {
    readonly allow: readonly string[];
    /** PEM file of authorities that are trusted beside the public ones. */
    readonly ca?: string;
  };
  readonly notifications: NotificationsConfig;
  readonly log: { readonly level: LogLevel };
  readonly limits: Limits;
}

/** PEM files. */
export interface TlsFiles extends CertificateFiles {
  readonly clientCa?: string;
  readonly crl?: string;
  readonly minVersion: '1.1' | '1.2' | '1.3';
}

/** PEM files of a certificate chain and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export type Dm1Scheme = 'none' | 'basic' | 'md5' | 'hmac' | 'mtls';
export type Dm2Scheme = 'none' | 'basic' | 'digest' | 'mtls';

export interface Limits {
  readonly sessions: number;
  readonly messageBytes: number;
  readonly messages: number;
  readonly sessionSeconds: number;
  readonly requestSeconds: number;
  readonly requestsPerDevice: number;
  readonly interactionSeconds: number;
  readonly execReportHours: number;
  /** How long the delivery of an accepted alert is tried (IW-ALERT-6). */
  readonly alertHours: number;
  /** How long a notification is tried and its answer awaited. */
  readonly notificationHours: number;
  readonly repositorySeconds: number;
  readonly backendSeconds: number;
  readonly transferBytes: number;
  readonly transferSeconds: number;
  readonly objectBytes: number;
  readonly nodes: number;
  readonly depth: number;
  readonly jobsPerDevice: number;
  readonly cachedDevices: number;
  readonly traceHours: number;
}

export type BackendConfig = Dm1BackendConfig | Dm2BackendConfig | BuiltinBackendConfig;

export interface Dm1BackendConfig {
  readonly protocol: 'dm1';
  readonly url: string;
  /** The certificate that the gateway shows to it (IW-AUTH-4). */
  readonly tls?: CertificateFiles;
  readonly version: '1.1' | '1.2' | '1.3';
  /** Absent: a relayed device's own encoding, else XML. */
  readonly encoding?: 'xml' | 'wbxml';
  readonly serverId: string;
  readonly auth: BackendAuth;
  /** Largest SyncML message that the gateway announces to this server, in bytes. */
  readonly maxMsgSize: number;
  readonly access?: readonly AccessConfig[];
  readonly values: 'string' | 'typed';
}

export interface Dm2BackendConfig {
  readonly protocol: 'dm2';
  readonly url: string;
  /** The certificate that the gateway shows to it (IW-AUTH-4). */
  readonly tls?: CertificateFiles;
  readonly dialect: DialectName;
  readonly serverId: string;
  readonly auth: BackendAuth;
  readonly access?: readonly AccessConfig[];
  readonly values: 'string' | 'typed';
  /** Member of a Status item that carries GET data (IW-GET-2). */
  readonly getMember: string;
  /** Who carries documents between ServerURIs and 2.0 clients (IW-REL-1). */
  readonly transfers: 'direct' | 'gateway';
}

export interface BuiltinBackendConfig {
  readonly protocol: 'builtin';
  readonly access?: readonly AccessConfig[];
  readonly values: 'string' | 'typed';
  readonly getMember: string;
}

/** What a backend may do with the instances that both globs match (20§10.3). */
export interface AccessConfig {
  readonly moid: string;
  /** Absent: every instance. */
  readonly miid?: string;
  readonly rights: readonly Right[];
}

/** How the gateway authenticates itself to a backend (IW-AUTH-3, IW-AUTH-4). */
export interface BackendAuth {
  readonly type: 'none' | 'basic' | 'md5' | 'hmac' | 'bearer' | 'digest';
  readonly username?: string;
  /** Password, or the token of `bearer`. */
  readonly password?: string;
  /** Present each device's own account, as far as the registry holds it, instead of this one. */
  readonly perDevice?: boolean;
}

/** How devices are woken up (IW-NOT-1). */
export interface NotificationsConfig {
  /** Name of the transport for devices without one of their own. */
  readonly via?: string;
  readonly transports: Readonly<Record<string, TransportConfig>>;
  /** Whether a queued job wakes its device. */
  readonly jobs: boolean;
  readonly repeats: number;
  readonly repeatSeconds: number;
}

export type TransportConfig = WebhookConfig | PapConfig | UdpConfig;

export type TransportAuth = Pick<BackendAuth, 'username' | 'password'> & {
  readonly type: 'none' | 'basic' | 'bearer' | 'digest';
};

export interface WebhookConfig {
  readonly type: 'webhook';
  readonly url: string;
  readonly body: 'json' | 'binary';
  readonly auth: TransportAuth;
}

export interface PapConfig {
  readonly type: 'pap';
  readonly url: string;
  /** Address of a device, with `{address}` and `{host}` in it. */
  readonly address: string;
  readonly auth: TransportAuth;
}

export interface UdpConfig {
  readonly type: 'udp';
  readonly port: number;
  readonly framing: 'raw' | 'wsp';
  /** Private networks that devices are in, in CIDR notation. */
  readonly networks: readonly string[];
}
