import type { Encoding, Item, SyncMLMessage } from '../../dm1/message.ts';
import type { HttpReply } from '../httpServer.ts';
import type { ClientVerifier } from './clientVerifier.ts';
import type { ServerCommand } from './script.ts';
import type { CommandRecord, PartialResults, ServerSession } from './session.ts';

/** A command whose data goes in chunks. */
export interface LargeCommand {
  readonly command: ServerCommand;
  readonly item: Item;
  rest: string | Uint8Array;
  first: boolean;
  /** What the client said of it, chunk by chunk. */
  record?: CommandRecord;
}

/** A session while it runs. */
export interface Live {
  readonly session: ServerSession;
  readonly verifier: ClientVerifier;
  readonly url: string;
  readonly verProto: string;
  encoding: Encoding;
  msgId: number;
  clientMsgId: number;
  clientMaxMsgSize: number | undefined;
  lastRequest: Uint8Array | undefined;
  lastReply: HttpReply | undefined;
  sent: SyncMLMessage | undefined;
  /** Commands on their way, by `MsgID/CmdID`. */
  readonly pending: Map<string, CommandRecord>;
  /** Commands of a package that did not fit into one message. */
  carry: ServerCommand[];
  /** Rest of an object being sent in chunks. */
  object: LargeCommand | undefined;
  partial: PartialResults | undefined;
  packages: number;
  /** The client wants proof of who the server is; the same commands go out again. */
  proof: { readonly scheme: 'basic' | 'md5'; readonly nonce: Uint8Array } | undefined;
  proofs: number;
  /** What the client gave for the server's next proof. */
  ownNonce: Uint8Array;
}
