import type { BackendEvent, BackendRequest } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';

/** Whose exchange it is. */
export interface ExchangeOf {
  readonly deviceId: string;
  readonly sessionId: string;
  /** Place in the session's journal: lets the built-in backend know a repetition after a crash. */
  readonly step?: number;
  /** The device's message as it came, which a relay passes on; absent when its device no longer waits. */
  readonly request?: RelayedRequest;
}

/** What a relay needs of a device's HTTP request. */
export interface RelayedRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Path and query that the device posted to. */
  readonly url?: string;
}

/** A management server of one kind; throws DragomanError when the exchange fails. */
export interface Backend {
  exchange(send: BackendRequest, whose: ExchangeOf): Promise<BackendAnswer>;
}

/** A BackendEvent other than `failed`, without its time. */
export type BackendAnswer =
  | Omit<Extract<BackendEvent, { kind: 'package2' }>, 'at'>
  | Omit<Extract<BackendEvent, { kind: 'dm1' }>, 'at'>
  | Omit<Extract<BackendEvent, { kind: 'http' }>, 'at'>;

/** What a script sent to a backend of the other generation. */
export function wrongProtocol(send: BackendRequest): DragomanError {
  return new DragomanError('internal', `It does not speak ${send.protocol}.`);
}
