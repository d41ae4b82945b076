import type { CommandError, CommandOptions } from '../command.ts';
import type { JsonLimits } from '../json.ts';
import type { Dm2Command, MoItem, Package1, Package2, Package3, SerializationItem } from '../packages.ts';
import type { DialectCapabilities, DialectName } from './capabilities.ts';

/** An HTTP message as it came; header names in lower case. */
export interface WireMessage {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** An HTTP message to send; header names in lower case. */
export interface WrittenMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What the dialect has no place for, a sentence each, for the trace. */
  readonly lost: readonly string[];
}

export interface ReadLimits {
  /** Of a whole body; default 1 MiB. */
  readonly bytes: number;
  /** Lines of a text document; default 10,000. */
  readonly lines: number;
  /** Parameters of one text command or status; default 1,024. */
  readonly parameters: number;
  /** Characters of one parameter; default 8,192. */
  readonly parameterLength: number;
  /** Parts of a multipart body; default 1,024. */
  readonly parts: number;
  readonly json: JsonLimits;
}

/** A client's first message. */
export interface Opening {
  /** As the identity header has it. */
  readonly deviceId: string;
  readonly package1: Package1;
  /** DevInfo by its approved names (`DevID`, `Man`, `FwV`, ...); empty where the dialect carries none. */
  readonly devInfo: Readonly<Record<string, string>>;
  /** Objects whose data came along, DevInfo and DevDetail among them. */
  readonly items: readonly SerializationItem[];
}

/** Commands from server to client. */
export interface CommandDocument {
  readonly commands: readonly Dm2Command[];
  readonly msgId?: number;
}

export interface ReadCommands {
  /** In order; one that is wrong is an error of its own and gets a status of its own. */
  readonly commands: readonly (Dm2Command | CommandError)[];
  readonly msgId?: number;
  /** END, or a document without commands: no status report is due (20§1.2 C3). */
  readonly ends: boolean;
}

export interface ReadPackage2 {
  readonly package2: Package2;
  readonly msgId?: number;
}

/** Results from client to server. */
export interface StatusReport {
  readonly package3: Package3;
  readonly msgId?: number;
}

/** What reading had to tolerate, a sentence each, for the trace. */
export interface Tolerated {
  readonly tolerated: readonly string[];
}

export interface ReadStatusOptions {
  readonly limits?: ReadLimits;
  /** The commands that the report answers: data whose part does not say so is given to them in order. */
  readonly commands?: readonly Dm2Command[];
}

export interface WriteStatusOptions {
  /** Member of a Status item that carries data, where data is a member (20§15 Q1); default `MO`. */
  readonly getMember?: string;
}

/** Body of a side transfer to or from a ServerURI. */
export interface TransferDocument {
  readonly items: readonly SerializationItem[];
  /** Supported objects, where everything was asked for. */
  readonly mos?: readonly MoItem[];
}

/**
 * One generation of DM 2.0 on the wire, for both roles: the device side reads openings and status
 * reports and writes commands, the backend side the reverse. What is read and written is always the
 * approved model: approved verbs, ClientURIs with `urn:` and the slash behind the instance, GET data in
 * `MO`. Readers throw DragomanError `malformed` or `too-large`; writers `bad-command` or
 * `not-implemented` for a command that {@link refuses}.
 */
export interface Dialect {
  readonly name: DialectName;
  readonly capabilities: DialectCapabilities;
  readonly mediaTypes: {
    readonly opening: string;
    readonly commands: string;
    readonly status: string;
    /** Of {@link TransferDocument}. */
    readonly document: string;
  };
  /** Options for `parseCommand` on what this dialect has read. */
  readonly commandOptions: CommandOptions;

  readOpening(message: WireMessage, limits?: ReadLimits): Opening & Tolerated;
  writeOpening(opening: Opening): WrittenMessage;

  readCommands(message: WireMessage, limits?: ReadLimits): ReadCommands & Tolerated;
  /**
   * As `readCommands`, as a Package#2 of the approved model. A wrong command of a JSON dialect stays as it
   * came; of a text dialect it becomes one that is refused with the same error, and a remark says why.
   */
  readPackage2(message: WireMessage, limits?: ReadLimits): ReadPackage2 & Tolerated;
  /** An empty list is written as what ends a session. */
  writeCommands(document: CommandDocument): WrittenMessage;
  /**
   * As `writeCommands`, from a Package#2 of the approved model. JSON dialects write it as it is, for a
   * client answers commands that are wrong itself.
   */
  writePackage2(package2: Package2, msgId?: number): WrittenMessage;
  /** Why this dialect cannot say the command; `undefined` when it can. */
  refuses(command: Dm2Command): CommandError | undefined;

  readStatus(message: WireMessage, options?: ReadStatusOptions): StatusReport & Tolerated;
  writeStatus(report: StatusReport, deviceId: string, options?: WriteStatusOptions): WrittenMessage;

  readDocument(body: Uint8Array, limits?: ReadLimits): TransferDocument;
  writeDocument(document: TransferDocument): WrittenMessage;
}
