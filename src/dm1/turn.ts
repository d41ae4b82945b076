import type { Cred, SyncHdr, SyncMLMessage } from './message.ts';
import type { ChunkPlace, StoredChunk } from './storedData.ts';

/**
 * What a DM 1.x state machine asks of whoever drives it. Machines are generators: they yield a turn
 * and are resumed with its answer; they know neither HTTP nor journals.
 */
export type Turn =
  /** Send this message; resume with the peer's next one, or with `undefined` when there will be none. */
  | { readonly kind: 'send'; readonly message: SyncMLMessage; readonly present?: PresentCred }
  /** Check a peer's credentials; resume with a `CredVerdict`. */
  | { readonly kind: 'verify'; readonly header: SyncHdr; readonly cred?: Cred }
  /** Put the next piece of a large object in the store; resume with the `StoredChunk` that it is there. */
  | ({ readonly kind: 'store' } & StorePiece);

export interface StorePiece {
  readonly data: string | Uint8Array;
  /** `base64`: the store decodes it, wherever the text was cut. */
  readonly coding: 'base64' | 'raw';
  readonly last: boolean;
  /** The piece before; absent: the object begins. */
  readonly after?: StoredChunk;
  /** Where it came: what keeps that message can do without the piece from now on. */
  readonly place: ChunkPlace;
}

/** Ask the driver to add a Cred of this kind to the message's header. */
export interface PresentCred {
  readonly scheme: 'basic' | 'md5' | 'hmac';
  readonly nonce?: Uint8Array;
}

/** Verdict on a peer's credentials (IW-AUTH-1); `challenge` and `nextNonce` go into a Chal. */
export type CredVerdict =
  | {
      readonly ok: true;
      /** 212: good for the session; 200: for this message only. */
      readonly status: 212 | 200;
      /** `mtls`: the certificate of the connection, without any Cred. */
      readonly scheme: 'none' | 'basic' | 'md5' | 'hmac' | 'mtls';
      readonly nextNonce?: Uint8Array;
    }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 404;
      /** Absent: no second try, the session ends. */
      readonly challenge?: { readonly scheme: 'basic' | 'md5' | 'hmac'; readonly nonce?: Uint8Array };
      readonly detail: string;
    };

export type Machine<R> = Generator<Turn, R, SyncMLMessage | CredVerdict | StoredChunk | undefined>;
