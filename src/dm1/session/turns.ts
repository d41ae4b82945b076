import type { Cred, SyncHdr, SyncMLMessage } from '../message.ts';
import type { StoredChunk } from '../storedData.ts';
import type { CredVerdict, Machine, PresentCred, StorePiece } from '../turn.ts';

/** Sends a message; returns the peer's next one, or `undefined` when there will be none. */
export function* send(message: SyncMLMessage, present?: PresentCred): Machine<SyncMLMessage | undefined> {
  return (yield { kind: 'send', message, ...(present && { present }) }) as SyncMLMessage | undefined;
}

/** Has a peer's credentials checked. */
export function* verify(header: SyncHdr, cred: Cred | undefined): Machine<CredVerdict> {
  return (yield { kind: 'verify', header, ...(cred && { cred }) }) as CredVerdict;
}

/** Has a piece of a large object put in the store. */
export function* store(piece: StorePiece): Machine<StoredChunk> {
  return (yield { kind: 'store', ...piece }) as StoredChunk;
}
