import type { ByteRanges } from '../../dm1/codec.ts';
import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import type { Dialect, DialectName, ReadLimits } from '../../dm2/dialects/index.ts';
import type { Opening, SessionContext } from '../../interworking/context.ts';
import type { Presentation, ResultOf, SessionScript } from '../../interworking/script.ts';
import type { MappingSet } from '../../mo/mapping.ts';
import type { ErrorCode } from '../../support/errors.ts';
import type { Incoming } from './incoming.ts';
import type { DeviceRequest } from './request.ts';

/** Why no session begins; the device is told in its own protocol. */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly detail: string;
}

/** Decides what becomes of an opening, and finds the same script again for a replay. */
export interface SessionStarter {
  /** Takes the device's snapshot, its route and its backend's profile at time `at`. */
  start(opening: Opening, deviceId: string, at: number): Promise<SessionContext | Refusal>;
  /** Pure: the same context gives the same script, on every node and after every restart. */
  script(context: SessionContext): SessionScript;
  /** The mapping packs, which a stored context does not repeat. */
  readonly mappings: MappingSet;
}

/** What the HTTP-level authentication of a 2.0 client found (IW-AUTH-4). */
export type Dm2Verdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 429;
      /** `WWW-Authenticate`, `Retry-After`. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly detail: string;
    };

/**
 * Checks a DM 1.x message before a session takes it (IW-AUTH-1): each one that opens a session, and each
 * one within a session whose messages prove themselves one by one (1x§9.5).
 */
export type AuthenticateDm1 = (
  message: Incoming,
  context: SessionContext,
) => Promise<ResultOf<'authenticate'>>;

/** Whether a DM 1.x message bears good credentials, which it does not use up: they are checked again in its turn. */
export type RecognisesDm1 = (message: Incoming) => Promise<boolean>;

export type AuthenticateDm2 = (request: DeviceRequest, deviceId: string) => Promise<Dm2Verdict>;

/** A reply with the gateway's credentials in it, and the transport header that HMAC needs (1x§9.5). */
export interface Presented {
  readonly message: SyncMLMessage;
  /** Called with the encoded message. */
  readonly headers?: (body: Uint8Array) => Readonly<Record<string, string>>;
}

export type PresentToDevice = (
  message: SyncMLMessage,
  present: Presentation,
  deviceId: string,
) => Promise<Presented>;

/** How the bytes of device messages are read and written. */
export interface Wire {
  readDm1(
    body: Uint8Array,
    form: 'xml' | 'wbxml',
  ): {
    readonly message: SyncMLMessage;
    readonly encoding: Encoding;
    /** Where the data of credentials stands in the bytes. */
    readonly credRanges: ByteRanges;
    /** Characters left out because XML cannot carry them (IW-VAL-4). */
    readonly stripped?: number;
  };
  /** A copy with the credentials made unreadable, of the same length. */
  maskDm1(body: Uint8Array, credRanges: ByteRanges): Uint8Array;
  writeDm1(message: SyncMLMessage, encoding: Encoding): Uint8Array;
  readonly dm2: Readonly<Record<DialectName, Dialect>>;
  /** Bounds of what is read in any dialect of 2.0. */
  readonly dm2Limits: ReadLimits;
}

/** Counters of the operator's dashboard. */
export interface SessionMetrics {
  message(dialect: string, direction: 'in' | 'out', result: string): void;
  sessionEnded(ending: string): void;
  journalFlushed(seconds: number): void;
}

/** The part of a pino logger that is used here. */
export interface SessionLog {
  info(line: object, text: string): void;
  warn(line: object, text: string): void;
  error(line: object, text: string): void;
}

export interface RunnerLimits {
  /** Sessions that this node carries at a time; more openings are put off (503). */
  readonly sessions: number;
  readonly messageBytes: number;
  /** A device that is silent for longer has left (IW-SES-11). */
  readonly sessionSeconds: number;
  /** Sessions kept in memory between two messages; others are replayed when their next one comes. */
  readonly cachedSessions?: number;
}
