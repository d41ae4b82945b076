import type { CredScheme } from '../credentials.ts';
import type { OnMessage } from '../eventLog.ts';
import type { HttpClientOptions } from '../httpClient.ts';
import type { DmVersion } from '../syncml.ts';
import type { UiAnswer, UiRequest } from './interaction.ts';

/** Optional features of a DM 1.x client; a device has all that are not listed as missing. */
export type LegacyCapability =
  | 'atomic'
  /** Put back what an Atomic did; without it 516 is reported. */
  | 'rollback'
  | 'sequence'
  | 'copy'
  | 'exec'
  | 'delete'
  | 'alert'
  | 'ui'
  | 'list'
  | 'listStruct'
  | 'listStructData'
  | 'listTnds'
  | 'tnds'
  | 'prop'
  | 'largeObjects'
  | 'correlator';

/** A client alert to send in Package 1 or 3. */
export interface ClientAlert extends ClientAlertItem {
  /** `1226` when absent. */
  readonly code?: string;
  readonly correlator?: string;
  /** Further Items of the same alert. */
  readonly more?: readonly ClientAlertItem[];
}

export interface ClientAlertItem {
  readonly source?: string;
  readonly target?: string;
  readonly type?: string;
  readonly format?: string;
  readonly mark?: string;
  readonly data?: string | Uint8Array;
}

/** What an Exec does; the answer's `status` is 200, 202 or an error. */
export type ExecHandler = (call: {
  readonly uri: string;
  readonly data: string;
  readonly correlator?: string;
}) => { readonly status: number; readonly alert?: ClientAlert } | undefined;

export interface LegacyAuth {
  readonly type: 'none' | CredScheme;
  readonly username: string;
  readonly password: string;
  /** Nonce known from an earlier session; without one md5 waits for a challenge. */
  readonly nonce?: Uint8Array;
}

/** Ways in which known clients differ from the rules. */
export interface LegacyQuirks {
  /** `application/vnd.syncml+xml` as content type. */
  readonly obsoleteContentType?: boolean;
  /** Interior lists end in NUL. */
  readonly nulTerminatedLists?: boolean;
  /** A Sequence stops at its first failure; the rest is 215. */
  readonly sequenceStops?: boolean;
  /** An Atomic gets no Status and is not rolled back. */
  readonly silentAtomic?: boolean;
  /** Only 212 authenticates; 200 makes it send Package 1 again. */
  readonly needs212?: boolean;
  /** Basic credentials in every message, whatever the server said of them. */
  readonly credAlways?: boolean;
  /** 212 for every header of the server, though it never proved itself. */
  readonly header212?: boolean;
  /** A server header without RespURI ends the session. */
  readonly needsRespURI?: boolean;
  /** Every message goes where the first one went. */
  readonly ignoresRespURI?: boolean;
  /** Status for commands that it does not have; 406 when absent. */
  readonly unsupportedCode?: number;
  /** Status for TNDS; 415 when absent. */
  readonly tndsCode?: number;
  /** DevInfo in reverse order, with its interior nodes. */
  readonly devInfoReversed?: boolean;
  /** `?list=` of the root is refused; subtrees may be listed. */
  readonly noListAtRoot?: boolean;
  /** Meta of the server's header means nothing to it: its own MaxMsgSize bounds what it sends. */
  readonly ignoresServerMeta?: boolean;
  /** Adds Alert 1222 to its own messages without Final. */
  readonly nextMessageAlert?: boolean;
}

export interface LegacyDeviceOptions extends Omit<HttpClientOptions, 'connections'> {
  readonly url: string;
  readonly deviceId: string;
  readonly version?: DmVersion;
  readonly encoding?: 'xml' | 'wbxml';
  readonly auth?: LegacyAuth;
  /** Makes the device demand that the server authenticates itself. */
  readonly serverCred?: {
    readonly scheme: 'basic' | 'md5';
    readonly username: string;
    readonly password: string;
  };
  /** Tree notation, root MoNode, or the path of a JSON or YAML file; a phone when absent. */
  readonly tree?: unknown;
  readonly missing?: readonly LegacyCapability[];
  readonly quirks?: LegacyQuirks;
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
  /** `counter` counts sessions in upper-case hex, `decimal` in decimal; a text is used as it is. */
  readonly sessionId?: 'counter' | 'decimal' | (string & {});
  readonly userAgent?: string;
  /** Behind the URL of the first message: `?mode=Maintenance`. */
  readonly query?: string;
  /** Code of the session alert: `1201` when absent. */
  readonly sessionAlert?: '1200' | '1201';
  /** Alerts of the first session; more may be queued on `pendingAlerts`. */
  readonly alerts?: readonly ClientAlert[];
  /** How UI alerts are answered; an agreeable user when absent. */
  readonly ui?: (request: UiRequest) => UiAnswer;
  readonly exec?: ExecHandler;
  /** When the report of an asynchronous Exec is sent: in a new session when absent. */
  readonly reports?: 'next-session' | 'same-session' | 'never';
  /** Server identifier that ACLs name; ACLs bind nobody when absent. */
  readonly serverId?: string;
  /** Name of a preset of `presets.ts`, filled in under these options. */
  readonly preset?: string;
  readonly onMessage?: OnMessage;
  /** Remember the messages; true when absent. */
  readonly keepMessages?: boolean;
}

/** A command that the device answered. */
export interface ExecutedCommand {
  readonly command: string;
  readonly uri?: string;
  readonly code: number;
}

/** A Status that the server gave. */
export interface ReceivedStatus {
  /** Name of what the device had sent: `SyncHdr`, `Alert`, `Replace`, `Results`. */
  readonly cmd: string;
  readonly code: string;
}

export interface SessionReport {
  readonly sessionId: string;
  /** `refused`: credentials or HTTP status; `failed`: network or unreadable answer. */
  readonly outcome: 'running' | 'completed' | 'aborted' | 'refused' | 'failed';
  readonly detail?: string;
  /** Messages that the device sent, without resends. */
  readonly messages: number;
  readonly executed: readonly ExecutedCommand[];
  readonly statuses: readonly ReceivedStatus[];
  /** Breaches of the specification by the server, in words. */
  readonly violations: readonly string[];
  readonly durationMs: number;
}
