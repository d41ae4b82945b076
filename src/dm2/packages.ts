/**
 * Package#1 to #3 of the approved DM 2.0 protocol (20§2), with the member names of the wire. `null`
 * members have been read as absent (20§15 Q29).
 */

export type Mark =
  | 'fatal'
  | 'critical'
  | 'minor'
  | 'warning'
  | 'informational'
  | 'harmless'
  | 'indeterminate';

export const MARKS: readonly Mark[] = [
  'fatal',
  'critical',
  'minor',
  'warning',
  'informational',
  'harmless',
  'indeterminate',
];

export interface Alert {
  readonly AlertType: string;
  readonly SourceURI?: string;
  readonly TargetURI?: string;
  readonly Mark?: Mark;
  readonly DataType?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

export interface MoItem {
  readonly DDF?: string;
  readonly MOID: string;
  readonly MIID: readonly string[];
}

/** One item of an MO serialization (20§6.1). */
export interface SerializationItem {
  readonly DDF?: string;
  readonly ClientURI: string;
  readonly CV?: string;
  readonly MOData: Readonly<Record<string, unknown>>;
}

export interface StatusItem {
  readonly sc: number;
  readonly URI?: readonly string[];
  /** GET data (IW-GET-2); the member's name on the wire is configurable. */
  readonly MO?: readonly SerializationItem[];
}

export interface Package1 {
  readonly MOS?: readonly MoItem[];
  readonly Alert?: readonly Alert[];
}

/** A command as it stands in `CMD`: verb, then parameters. */
export type RawCommand = readonly string[];

export interface Package2 {
  readonly CMD: readonly RawCommand[];
}

export interface Package3 {
  readonly Status: readonly StatusItem[];
  readonly Alert?: readonly Alert[];
}

/** A command with its parameters named (20§3). */
export type Dm2Command =
  | { readonly verb: 'HGET'; readonly serverUri: string; readonly clientUri?: string }
  | { readonly verb: 'HPUT' | 'HPOST'; readonly serverUri: string; readonly clientUris: readonly string[] }
  | { readonly verb: 'GET'; readonly clientUris: readonly string[] }
  | { readonly verb: 'DELETE'; readonly clientUri: string }
  | { readonly verb: 'EXEC'; readonly clientUri: string; readonly serverUri?: string }
  | { readonly verb: 'SHOW'; readonly serverUri: string }
  | { readonly verb: 'CONT'; readonly serverUri: string }
  | { readonly verb: 'END' }
  | { readonly verb: 'DEFAULT'; readonly moid: string; readonly serverUri: string }
  | { readonly verb: 'SUB'; readonly serverUri: string; readonly clientUri: string }
  | { readonly verb: 'UNSUB'; readonly clientUri: string };

export const SESSION_ALERT = {
  serverInitiated: 'urn:oma:at:dm:2.0:ServerInitiatedMgmt',
  clientInitiated: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt',
  bootstrapComplete: 'urn:oma:at:dm:2.0:BootstrapComplete',
} as const;

export const MEDIA_TYPE = {
  package1: 'application/vnd.oma.dm.initiation+json',
  package2: 'application/vnd.oma.dm.request+json',
  package3: 'application/vnd.oma.dm.response+json',
  serialization: 'application/vnd.oma.dm.mo+json',
} as const;
