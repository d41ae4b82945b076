import type { Dm2Verb } from '../command.ts';

export type DialectName = 'approved' | 'draft-json' | 'draft-text-1' | 'draft-text-2' | 'draft-text-3';

/** What a list of every readable object is asked by, in HPUT, HPOST and GET (20§1.2 C9). */
export type EverythingForm = 'star' | 'no-uri' | 'none';

/**
 * What one generation of DM 2.0 can do and how it behaves (20§1.1, §1.2). Everything outside
 * `dialects/` asks these members, never the name of a dialect.
 */
export interface DialectCapabilities {
  /** The commands that a server of this dialect may send, by their approved names. */
  readonly verbs: ReadonlySet<Dm2Verb>;
  /** A command that is wrong can be written as it came; the client answers it itself. */
  readonly carriesWrongCommands: boolean;
  /** The verb on the wire that reads nodes within the session; absent: only uploads read. */
  readonly readVerb?: 'GET' | 'INCLUDE';
  /** Where the data of `readVerb` stands in the status report. */
  readonly dataInStatus: 'member' | 'multipart' | 'json' | 'none';
  /** The server numbers its command documents and the status report repeats the number. */
  readonly commandsCarryMsgId: boolean;
  /** The first message always holds DevInfo; where not, it is read by a command. */
  readonly openingCarriesDevInfo: boolean;
  /** A status report may hold Generic Alerts; where not, only the first message does. */
  readonly statusCarriesAlerts: boolean;
  /** A command document without commands ends the session. Every dialect takes END for it too. */
  readonly endsByEmptyDocument: boolean;
  /** A download reports the place of the data also when the server named it (20§1.2 C4). */
  readonly locationAlwaysReported: boolean;
  /** SHOW holds the session up until the browser is done (20§1.2 C6). */
  readonly showPauses: boolean;
  /** SHOW needs `Close=` or `Continue=` in its query (20§1.2 C7). */
  readonly showNeedsReturnUrl: boolean;
  /** EXEC with ServerURI is always answered 202 and reported later. */
  readonly execServerUriForcesAsync: boolean;
  /** DEFAULT makes the device open a session at the URL, instead of downloading from it (20§1.2 C8). */
  readonly defaultOpensSession: boolean;
  readonly everything: EverythingForm;
  /** The client resolves x-names and `nv`, and wildcards within an address (20§4). */
  readonly resolvesVariables: boolean;
  /** The client knows the `cv` field and answers 304 (20§11). */
  readonly cacheValidators: boolean;
  /** The form in which a Package#0 wakes its client. */
  readonly notification: 'options' | 'bit-fields' | 'none';
}

/** The commands of the second text draft and of the first JSON packages; the approved protocol adds SUB and UNSUB (20§1.1). */
export const TEN_VERBS: readonly Dm2Verb[] = Object.freeze([
  'HGET',
  'HPUT',
  'HPOST',
  'DELETE',
  'EXEC',
  'GET',
  'SHOW',
  'CONT',
  'END',
  'DEFAULT',
]);
