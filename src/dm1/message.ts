/**
 * The SyncML message model of OMA DM 1.x (1x§1): what a message says, whatever its encoding. All
 * parts are immutable; identifiers stay the text that the peer wrote, so they can be echoed verbatim.
 */
import type { StoredBytes } from '../mo/stored.ts';

export interface SyncMLMessage {
  readonly header: SyncHdr;
  readonly body: readonly BodyElement[];
  /** Last message of its package (1x§1.4). */
  readonly final: boolean;
}

export interface SyncHdr {
  readonly verDTD: string;
  readonly verProto: string;
  readonly sessionId: string;
  readonly msgId: string;
  readonly target: Loc;
  readonly source: Loc;
  readonly respURI?: string;
  readonly cred?: Cred;
  readonly meta?: Meta;
}

/** LocURI and LocName of a Target or Source. */
export interface Loc {
  readonly uri: string;
  readonly name?: string;
}

/** MetInf members; numbers are decimal bytes. */
export interface Meta {
  /** As written by the peer; `parseFormat` reads it. */
  readonly format?: string;
  readonly type?: string;
  readonly mark?: string;
  readonly size?: number;
  /** Decoded nonce bytes; the codec handles base64 text and WBXML raw opaque (1x§12.2). */
  readonly nextNonce?: Uint8Array;
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
  readonly emi?: string;
}

export interface Cred {
  readonly meta: Meta;
  readonly data: string;
}

export interface Item {
  readonly target?: Loc;
  readonly source?: Loc;
  readonly meta?: Meta;
  /**
   * Text; or raw bytes where WBXML carried an opaque that is Format `bin` or no valid UTF-8. Markup
   * inside Data (TNDS as raw elements, 1x§1.4) arrives as its XML text.
   */
  readonly data?: string | Uint8Array;
  /** Instead of `data`: where it is kept. Whoever sends the message puts it in. */
  readonly stored?: StoredBytes;
  readonly moreData?: boolean;
}

export type ItemCommandName = 'Add' | 'Replace' | 'Delete' | 'Copy' | 'Get' | 'Exec';

export interface ItemCommand {
  readonly kind: ItemCommandName;
  readonly cmdId: string;
  readonly meta?: Meta;
  /** Exec only. */
  readonly correlator?: string;
  readonly items: readonly Item[];
}

export interface AlertCommand {
  readonly kind: 'Alert';
  readonly cmdId: string;
  /** Alert/Data: `1200`, `1226`, … (1x§4.1). */
  readonly code: string;
  readonly correlator?: string;
  readonly items: readonly Item[];
}

export interface GroupCommand {
  readonly kind: 'Atomic' | 'Sequence';
  readonly cmdId: string;
  readonly meta?: Meta;
  readonly commands: readonly Command[];
}

/** An element that is legal SyncML but no DM command (Put, Search, Sync, …), or unknown: answered, never executed. */
export interface ForeignCommand {
  readonly kind: 'Foreign';
  readonly name: string;
  readonly cmdId: string;
}

export type Command = ItemCommand | AlertCommand | GroupCommand | ForeignCommand;

export interface Status {
  readonly kind: 'Status';
  readonly cmdId: string;
  /** Absent where the peer left it out; see 1x§2.5 for what is read then. */
  readonly msgRef?: string;
  readonly cmdRef?: string;
  readonly cmd?: string;
  readonly targetRefs: readonly string[];
  readonly sourceRefs: readonly string[];
  readonly cred?: Cred;
  readonly chal?: Meta;
  /** Three digits as written. */
  readonly code: string;
  readonly items: readonly Item[];
}

export interface Results {
  readonly kind: 'Results';
  readonly cmdId: string;
  readonly msgRef?: string;
  readonly cmdRef?: string;
  readonly meta?: Meta;
  readonly targetRef?: string;
  readonly sourceRef?: string;
  readonly items: readonly Item[];
}

export type BodyElement = Command | Status | Results;

export function isCommand(element: BodyElement): element is Command {
  return element.kind !== 'Status' && element.kind !== 'Results';
}

/** How a message travels: what a reply must mirror (1x§12.1). */
export interface Encoding {
  readonly form: 'xml' | 'wbxml';
  /** Root namespace, `SYNCML:SYNCML1.1` or `SYNCML:SYNCML1.2`. */
  readonly namespace: string;
  /** WBXML version byte (1, 2 or 3 for 1.1, 1.2, 1.3). */
  readonly wbxmlVersion?: number;
  /** WBXML public id as the peer wrote it: the number, or the FPI when it stood in the string table. */
  readonly publicId?: number | string;
}
