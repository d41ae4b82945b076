/**
 * What a session script may ask of the world. A script is a pure, synchronous generator: it yields an
 * effect and is resumed with the result, so a journal of results replays it exactly. Time reaches it
 * only as the `at` of results (milliseconds since 1970), randomness only inside results.
 */

import type { KeptBack } from '../dm1/keepBack.ts';
import type { AlertCommand, Cred, SyncHdr, SyncMLMessage } from '../dm1/message.ts';
import type { Readdressing } from '../dm1/readdress.ts';
import type { StoredChunk } from '../dm1/storedData.ts';
import type { OpenChunks } from '../dm1/transcode.ts';
import type { CredVerdict, StorePiece } from '../dm1/turn.ts';
import type { Alert, Package1, Package2, Package3, SerializationItem } from '../dm2/packages.ts';
import type { Mount } from '../mo/mapping.ts';
import type { StoredBytes } from '../mo/stored.ts';
import type { ErrorCode } from '../support/errors.ts';
import type { Content } from './content.ts';
import type { UiAlert } from './interaction/alert.ts';
import type { UserAnswer } from './interaction/answers.ts';
import type { KeptPatch } from './kept.ts';

/** Credentials that the gateway adds when it encodes the message; the script never sees a secret. */
export interface Presentation {
  readonly scheme: 'basic' | 'md5' | 'hmac';
  /** Nonce from the peer's challenge (md5, hmac). */
  readonly nonce?: Uint8Array;
}

/** A SyncML message in its sender's own bytes, for a relay (IW-REL-1). */
export interface RawMessage {
  readonly form: 'xml' | 'wbxml';
  readonly body: Uint8Array;
  /** Its `x-syncml-hmac`, which covers every byte: it goes on as it is or not at all. */
  readonly mac?: string;
  /** It comes from a journal, which holds no credential: a blank stands where there was one. */
  readonly blank?: true;
}

/** What a relayed server says by HTTP alone: it has not taken the message, and its device is to send it again. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export type DeviceReply =
  | {
      readonly protocol: 'dm1';
      readonly message: SyncMLMessage;
      readonly present?: Presentation;
      /** Goes to the device in place of `message`, unless the device writes another encoding and no MAC forbids that. */
      readonly raw?: RawMessage;
      /** As of a RawMessage; the device gets the message without the credential. */
      readonly blank?: true;
    }
  | ({ readonly protocol: 'http' } & HttpAnswer)
  | {
      readonly protocol: 'dm2';
      readonly package2: Package2;
      /** OMADM-Accept: what its next uploads may be (20§9). */
      readonly accept?: string;
      /** The client's answer may have the very bytes of its last one, at the same URL (IW-SES-4). */
      readonly lookalike?: true;
    };

/** The device's next message, or why there will be none. */
export type DeviceEvent =
  | {
      readonly kind: 'dm1';
      readonly at: number;
      readonly message: SyncMLMessage;
      /** It did not come to the session's RespURI: its own credentials proved it. */
      readonly strays?: true;
    }
  | { readonly kind: 'package3'; readonly at: number; readonly package3: Package3 }
  | { readonly kind: 'gone'; readonly at: number; readonly reason: 'timeout' | 'replaced' | 'shutdown' };

/** `url` moves the backend leg (CONT, RespURI); absent: the configured one. */
export type BackendRequest =
  | {
      readonly protocol: 'dm2';
      readonly package1: Package1;
      /** By the approved names, for a server whose first message holds it. */
      readonly devInfo?: Readonly<Record<string, string>>;
      /** Objects whose data the device told beside it. */
      readonly items?: readonly SerializationItem[];
      readonly url?: string;
      readonly unchanged?: true;
    }
  | {
      readonly protocol: 'dm2';
      readonly package3: Package3;
      /** Of the commands that it answers, where they bore one. */
      readonly msgId?: number;
      readonly url?: string;
      /** The device's message at hand says just that: its own bytes pass (IW-REL-1). */
      readonly unchanged?: true;
      /** The device has left: commands in the answer would be executed by nobody (IW-SES-10). */
      readonly left?: true;
    }
  | {
      readonly protocol: 'dm1';
      readonly message: SyncMLMessage;
      readonly url?: string;
      readonly present?: Presentation;
      /** Absent: as configured. */
      readonly form?: 'xml' | 'wbxml';
    }
  /** The device's message at hand, as it came but for these addresses; signed ones without exception (IW-REL-1). */
  | {
      readonly protocol: 'relay';
      readonly addresses: readonly Readdressing[];
      readonly url?: string;
      /** Absent: as it came. */
      readonly form?: 'xml' | 'wbxml';
      /** What the device's last message left open, where the form changes. */
      readonly open?: OpenChunks;
      /** MaxMsgSize of the server: nothing is made larger than that. */
      readonly max?: number;
      /** Commands of the server that the device did not get. */
      readonly kept?: readonly KeptBack[];
    };

export type BackendEvent =
  | {
      readonly kind: 'package2';
      readonly at: number;
      readonly package2: Package2;
      readonly accept?: string;
      readonly msgId?: number;
      /** What was lost in writing to it, or tolerated in reading from it, a sentence each. */
      readonly remarks?: readonly string[];
    }
  /** `raw`: only where the device's own message was relayed. */
  | {
      readonly kind: 'dm1';
      readonly at: number;
      readonly message: SyncMLMessage;
      readonly raw?: RawMessage;
    }
  /** Only where the device's own message was relayed. */
  | ({ readonly kind: 'http'; readonly at: number } & HttpAnswer)
  | { readonly kind: 'failed'; readonly at: number; readonly code: ErrorCode; readonly detail: string };

export interface TransferRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Content;
  /** A large answer is put in the object store: binary values of an MO serialization, else the body as a whole. */
  readonly store?: true;
  /** `false`: a redirect is an answer like any other; absent: redirects are followed. */
  readonly follow?: false;
}

export type TransferEvent =
  | {
      readonly kind: 'response';
      readonly at: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      /** Marks stand in it for values that were stored (`dm2/values.ts` reads them). */
      readonly body: Uint8Array;
      /** The body as a whole, when it was stored; `body` is empty then. */
      readonly stored?: StoredBytes;
    }
  | { readonly kind: 'failed'; readonly at: number; readonly code: ErrorCode; readonly detail: string };

/** Of a legacy device. */
export type AuthVerdict = CredVerdict;

export interface Upload {
  readonly contentType: string;
  /** As in a `TransferEvent`. */
  readonly body: Uint8Array;
  readonly stored?: StoredBytes;
}

/** What a session learned of its device and wants kept (IW-INV-1, -2). Members given replace, absent ones stay. */
export interface DevicePatch {
  readonly protocol?: 'dm1' | 'dm2';
  /** Message dialect as last seen: `DM/1.2 xml`, `approved`, … */
  readonly dialect?: string;
  /** DevInfo of either generation under DM 2.0 names (`DevID`, `Man`, `FwV`, …); merged member by member. */
  readonly devInfo?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  /** Merged member by member. */
  readonly capabilities?: Readonly<Record<string, boolean>>;
  /** Content validators by ClientURI, merged; they spare reading again what has not changed. */
  readonly validators?: Readonly<Record<string, string>>;
  readonly kept?: KeptPatch;
  /** The backend was told that the bootstrap is complete (IW-ALERT-1). */
  readonly bootstrapTold?: true;
  /** Nonce that the device gave for the gateway's credentials in its next session, base64. */
  readonly ownNonce?: string;
  /** Nonce for the next session with this backend, base64. */
  readonly backendNonce?: { readonly backend: string; readonly nonce: string };
}

/** An alert as its device said it. */
export type DeviceAlert =
  | { readonly protocol: 'dm1'; readonly alert: AlertCommand }
  | { readonly protocol: 'dm2'; readonly alert: Alert };

/** Who delivers a kept alert: this session; a later one of its own, behind alerts that still wait; the report of an EXEC. */
export interface AlertPlace {
  readonly to: 'session' | 'later' | 'report';
  /** Of the legacy server's Exec that this alert answers (IW-WR-3). */
  readonly correlator?: string;
}

/** Effect by kind: what the script yields and what it is resumed with. */
export interface Effects {
  /** Answers the device's last message and waits for the next. */
  'device.exchange': { request: { readonly reply: DeviceReply }; result: DeviceEvent };
  'backend.exchange': { request: { readonly send: BackendRequest }; result: BackendEvent };
  /** A side transfer to or from a ServerURI, through the outbound guard. */
  transfer: { request: { readonly transfer: TransferRequest }; result: TransferEvent };
  /** Puts a document where this device, once, can fetch it (IW-RD-1, IW-WR-1). */
  'repository.offer': {
    request: { readonly body: Content; readonly contentType: string };
    result: { readonly at: number; readonly url: string };
  };
  /** Opens a place where this device, once, can upload a document. */
  'repository.expect': { request: object; result: { readonly at: number; readonly url: string } };
  /** What was uploaded there, if anything. */
  'repository.collect': {
    request: { readonly urls: readonly string[] };
    result: { readonly at: number; readonly uploads: readonly (Upload | null)[] };
  };
  /** Puts the next piece of a large object in the store (1x§8). */
  'object.append': { request: StorePiece; result: { readonly at: number; readonly chunk: StoredChunk } };
  /** Reads stored bytes where they are needed as such. */
  'object.load': {
    request: { readonly stored: StoredBytes };
    result: { readonly at: number; readonly body: Uint8Array };
  };
  authenticate: {
    request: { readonly header: SyncHdr; readonly cred?: Cred };
    result: AuthVerdict & { readonly at: number };
  };
  /** Keeps what was learned; performed once, also over a replay. */
  'registry.save': { request: { readonly patch: DevicePatch }; result: { readonly at: number } };
  /**
   * Stores alerts before their device gets its Status (IW-ALERT-6). They are numbered `first` and up, by a
   * count of this session. `report`: the one at whose URL the session was opened.
   */
  'alert.keep': {
    request: { readonly first: number; readonly alerts: readonly DeviceAlert[]; readonly report?: string };
    result: { readonly at: number; readonly places: readonly AlertPlace[] };
  };
  /** What the backend said to kept alerts of this session; those it never hears of are delivered later. */
  'alert.settle': {
    request: {
      readonly settled: readonly { readonly n: number; readonly refused?: string }[];
    };
    result: { readonly at: number };
  };
  /** Opens a URL for the report of an EXEC that a legacy server gave a Correlator (IW-WR-3). */
  'report.expect': {
    request: {
      readonly n: number;
      readonly correlator: string;
      /** Legacy address of the node. */
      readonly uri: string;
      readonly clientUri: string;
    };
    result: { readonly at: number; readonly url: string };
  };
  /** Promises a 2.0 server the report of an EXEC at its ServerURI (IW-EXEC-2); `refused`: nothing may go there. */
  'report.promise': {
    request: {
      readonly n: number;
      readonly serverUri: string;
      readonly uri: string;
      readonly clientUri: string;
    };
    result:
      | { readonly at: number; readonly correlator: string }
      | { readonly at: number; readonly refused: ErrorCode; readonly detail: string };
  };
  /** Whether a URL that is kept for later may be fetched or written to at all. */
  'url.check': {
    request: { readonly url: string };
    result: { readonly at: number; readonly refused?: ErrorCode; readonly detail?: string };
  };
  /** Ends an expectation or promise of this session at once: with the alert that keeps it, else as void. */
  'report.close': {
    request: { readonly n: number; readonly alert?: Alert };
    result: { readonly at: number };
  };
  /** Hosts a page on which a user, once, can answer an alert; `lang` is the device's (IW-UI-1). */
  'interaction.open': {
    request: { readonly alert: UiAlert; readonly lang?: string };
    result: { readonly at: number; readonly url: string };
  };
  /** Waits for that answer, until MAXDT or the gateway's own limit (IW-UI-2). */
  'interaction.wait': {
    request: {
      readonly url: string;
      /** What is typed is not to be seen: it stays out of the trace. */
      readonly secret?: true;
    };
    result: { readonly at: number; readonly answer: UserAnswer };
  };
  /** A session that the server initiated has begun: which notification does it answer (IW-NOT-2)? */
  'wakeup.answer': {
    /** The number that the device brings, if it does. */
    request: { readonly number?: number };
    result: {
      readonly at: number;
      readonly answers?: {
        /** Of the notification's record. */
        readonly id: string;
        readonly askedBy: string;
        /** What whoever asked knows it by; absent: nothing. */
        readonly number?: number;
        /** Another session answered it before. */
        readonly again?: true;
      };
    };
  };
  /** A line for the trace: what was lost, assumed or decided, with its rule id. */
  note: { request: { readonly rule: string; readonly text: string }; result: undefined };
}

export type EffectKind = keyof Effects;
export type Effect = { [K in EffectKind]: { readonly kind: K } & Effects[K]['request'] }[EffectKind];
export type EffectOf<K extends EffectKind> = Extract<Effect, { kind: K }>;
export type ResultOf<K extends EffectKind> = Effects[K]['result'];

export type Script<R> = Generator<Effect, R, unknown>;

/** Yields one effect and gives its result the right type. */
export function* perform<K extends EffectKind>(effect: EffectOf<K>): Generator<Effect, ResultOf<K>, unknown> {
  return (yield effect) as ResultOf<K>;
}

export interface SessionOutcome {
  /** The answer to the device's last message; absent when the device is gone. */
  readonly reply?: DeviceReply;
  readonly ending: 'completed' | 'aborted' | 'refused' | 'device-gone' | 'backend-failed';
  readonly detail?: string;
}

export type SessionScript = Script<SessionOutcome>;
