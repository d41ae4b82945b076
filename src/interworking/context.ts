import type { Encoding, SyncMLMessage } from '../dm1/message.ts';
import type { DialectName } from '../dm2/dialects/index.ts';
import type { Package1, SerializationItem } from '../dm2/packages.ts';
import type { MappingSet, Mount } from '../mo/mapping.ts';
import type { BackendAccess } from './access/model.ts';
import type { KeptForDevice } from './kept.ts';

/** What the registry knew of the device when the session began; part of the session's journal. */
export interface DeviceSnapshot {
  readonly id: string;
  /** How it spoke last. */
  readonly protocol?: 'dm1' | 'dm2';
  readonly dialect?: string;
  readonly devInfo: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Learned or declared: absent means unknown, so try and remember. */
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly validators: Readonly<Record<string, string>>;
  readonly kept?: Partial<KeptForDevice>;
  /** How the gateway proves itself to it (IW-AUTH-2). */
  readonly proof?: 'basic' | 'md5' | 'hmac';
  /** Bytes that this adds to a message at most. */
  readonly credBytes?: number;
  /** No session of this device has ended before. */
  readonly firstSession: boolean;
  /** It was bootstrapped through the gateway, and its backend has not been told (IW-ALERT-1). */
  readonly bootstrapped?: true;
}

/** The backend of a session as its scripts see it; secrets stay in the gateway. */
export interface BackendProfile {
  readonly name: string;
  readonly protocol: 'dm1' | 'dm2';
  /** dm2: how it speaks; absent: the approved protocol. */
  readonly dialect?: DialectName;
  /** It is part of the gateway, and names sessions in what it stores. */
  readonly builtin?: true;
  /** Server identifier used towards it and, as ACL subject, on its behalf. */
  readonly serverId: string;
  readonly url: string;
  /** dm1: `1.1`, `1.2` or `1.3`. */
  readonly version: string;
  /** dm1: how it is asked to authenticate us; `none` sends no Cred. */
  readonly scheme: 'none' | 'basic' | 'md5' | 'hmac';
  /** dm1: user name of its account for us, sent in Source/LocName. */
  readonly userName?: string;
  /** dm1: bytes that our credentials add to a message at most. */
  readonly credBytes?: number;
  /** dm1: nonce that it gave for this session at the end of an earlier one, base64. */
  readonly nonce?: string;
  readonly encoding: 'xml' | 'wbxml';
  /** dm1: relayed devices are passed on in their own encoding, not in `encoding`. */
  readonly mirrors?: true;
  /** dm2: JSON values as text, or typed where the lexical form survives (IW-VAL-1). */
  readonly values: 'string' | 'typed';
  /** dm2: member of a Status item that carries GET data (IW-GET-2). */
  readonly getMember: string;
  /** dm2: who carries documents between its ServerURIs and 2.0 clients; absent: the clients do (IW-REL-1). */
  readonly transfers?: 'direct' | 'gateway';
  readonly maxMsgSize: number;
}

export interface SessionLimits {
  /** Messages that one session may exchange with its device. */
  readonly messages: number;
  /** Nodes that one command may read, write or list. */
  readonly nodes: number;
  /** Depth of a management tree or document. */
  readonly depth: number;
  readonly messageBytes: number;
  readonly objectBytes: number;
  /** How long the user of a legacy device may take, so that its session does not end meanwhile (IW-UI-3). */
  readonly interactionSeconds?: number;
}

export type Opening =
  | {
      readonly protocol: 'dm1';
      readonly message: SyncMLMessage;
      readonly encoding: Encoding;
      /** User-Agent of the request. */
      readonly agent?: string;
    }
  | {
      readonly protocol: 'dm2';
      /** How the client speaks; absent: the approved protocol. */
      readonly dialect?: DialectName;
      readonly package1: Package1;
      /** DevInfo by its approved names, where the first message holds it. */
      readonly devInfo?: Readonly<Record<string, string>>;
      /** Objects whose data came along. */
      readonly items?: readonly SerializationItem[];
      /** Token of the report URL that it was posted to (IW-WR-3). */
      readonly reportToken?: string;
      /** Number of a notification in that URL. */
      readonly notifiedAs?: number;
    };

export interface SessionContext {
  readonly device: DeviceSnapshot;
  readonly backend: BackendProfile;
  /** The backends that may not do everything, by name (20§10.3). */
  readonly access?: Readonly<Record<string, BackendAccess>>;
  readonly mappings: MappingSet;
  readonly limits: SessionLimits;
  /** Absolute URL of the device port, for RespURI and CONT (IW-SES-9). */
  readonly deviceUrl: string;
  readonly opening: Opening;
  /**
   * What the RespURI of this session tells its device and nobody else: 16 random bytes, base64url. Absent
   * where no message, or every message, proves itself.
   */
  readonly ticket?: string;
  /** The device did not come back to its RespURI just now, so that each message is to prove itself. */
  readonly strays?: true;
  /** Nonce that a legacy device gave for our credentials, base64. */
  readonly ownNonce?: string;
  /** User-Agent of a legacy device: what profiles of its family go by. */
  readonly agent?: string;
  /** The report at whose URL the device opened the session, or why the URL's token stands for none (IW-WR-3). */
  readonly report?: { readonly id: string } | { readonly unknown: string };
  /** Number of the notification in the URL at which the device opened the session: bit fields carry none (IW-NOT-2). */
  readonly notifiedAs?: number;
  /** Time of the opening, milliseconds since 1970. */
  readonly at: number;
}
