import type { DialectName } from '../../dm2/dialects/index.ts';
import type { Alert } from '../../dm2/packages.ts';
import type { OnMessage } from '../eventLog.ts';
import type { HttpClientOptions } from '../httpClient.ts';
import type { NotificationAccount } from './notifications.ts';

/**
 * Features of a DM 2.0 client (20§3, 20§4), all optional but `hpost`, which a known client lacks all the
 * same; a client has all that are not listed as missing.
 */
export type Dm2Capability =
  | 'get'
  | 'hpost'
  | 'show'
  | 'sub'
  | 'default'
  | 'xname'
  | 'wildcard'
  | 'query'
  | 'cv';

/** Ways in which the known client differs from the rules (20§3). */
export interface Dm2Quirks {
  /** A transfer that cannot connect yields no Status item at all. */
  readonly shortStatus?: boolean;
  /** Commands that share a package with END are not executed. */
  readonly skipsBesideEnd?: boolean;
  /** Empty lists are sent as JSON null. */
  readonly nullLists?: boolean;
}

/** What an EXEC does; `status` 202 with an `alert` reports later. */
export type Dm2ExecHandler = (call: {
  readonly moid: string;
  readonly miid: string;
  readonly path: readonly string[];
  readonly serverUri?: string;
}) => { readonly status: number; readonly alert?: Alert } | undefined;

export interface Dm2ClientOptions extends HttpClientOptions {
  /** Generation of the protocol: the approved one when absent. */
  readonly dialect?: DialectName;
  readonly url: string;
  readonly deviceId: string;
  readonly auth?: { readonly type: 'none' | 'basic'; readonly username: string; readonly password: string };
  /** List notation of `treeFile.ts`, or the path of a JSON or YAML file; a phone when absent. */
  readonly objects?: unknown;
  readonly missing?: readonly Dm2Capability[];
  /** False leaves the list of objects out of the first message, as early clients do that nobody asked for it. */
  readonly listsObjects?: boolean;
  readonly quirks?: Dm2Quirks;
  /** Who may wake it up; every notification is ignored when absent. */
  readonly notifications?: NotificationAccount;
  /** AlertType of the session alert: client-initiated when absent. */
  readonly sessionAlert?: string;
  /** Alerts of the first session; more may be queued on `pendingAlerts`. */
  readonly alerts?: readonly Alert[];
  readonly exec?: Dm2ExecHandler;
  /** The browser of SHOW; it runs beside the session. */
  readonly show?: (url: string) => void | Promise<void>;
  /** Values of JSON leaves; text when absent. */
  readonly values?: 'string' | 'typed';
  readonly onMessage?: OnMessage;
  readonly keepMessages?: boolean;
}

export interface ExecutedDm2Command {
  readonly command: readonly string[];
  /** Absent where the client gave no Status item. */
  readonly code?: number;
}

export interface Dm2SessionReport {
  readonly outcome: 'running' | 'completed' | 'refused' | 'failed' | 'aborted';
  readonly detail?: string;
  /** Packages that the client sent, without resends. */
  readonly messages: number;
  readonly executed: readonly ExecutedDm2Command[];
  /** Breaches of the specification by the server, in words. */
  readonly violations: readonly string[];
  readonly durationMs: number;
}
