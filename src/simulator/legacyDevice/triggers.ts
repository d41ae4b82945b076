import { userHash } from '../../dm1/auth/digests.ts';
import {
  decodePackage0,
  NOTIFICATION_TYPE,
  NOTIFICATION_VERSION,
  type Notification,
  sessionIdOf,
  type UiMode,
  verifyPackage0,
} from '../../dm1/notification/package0.ts';
import { decodePush } from '../../dm1/notification/push.ts';
import { DragomanError } from '../../support/errors.ts';
import type { LegacyDeviceOptions } from './options.ts';

/** What a trigger had a device do. */
export interface Woken {
  readonly sessionId: string;
  readonly uiMode: UiMode;
  readonly initiator: Notification['initiator'];
}

export type TakenTrigger = Woken | { readonly ignored: string };

const PUSH = 0x06;

/** Decides which triggers start a session, each once (1x§10.1); all others are ignored without a word. */
export class TriggerInbox {
  readonly #account: LegacyDeviceOptions['serverCred'];
  #last: string | undefined;

  constructor(account: LegacyDeviceOptions['serverCred']) {
    this.#account = account;
  }

  /** `bytes` as they are or as a WAP push; `nonce` is the one that the server was given. */
  take(bytes: Uint8Array, nonce: Uint8Array): TakenTrigger {
    const account = this.#account;
    try {
      const package0 = decodePackage0(contentOf(bytes));
      const { notification } = package0;
      const { version, serverId, uiMode, initiator } = notification;
      if (version !== NOTIFICATION_VERSION) return { ignored: `version ${version / 10} is unknown` };
      if (serverId !== account?.username) return { ignored: `there is no account of ${serverId}` };
      const hash = userHash(account.username, account.password);
      if (verifyPackage0(package0, hash, nonce) === undefined) return { ignored: 'wrong-digest' };
      const sessionId = sessionIdOf(notification);
      // The same id again is the same request.
      if (sessionId === this.#last) return { ignored: 'duplicate' };
      this.#last = sessionId;
      return { sessionId, uiMode, initiator };
    } catch (error) {
      if (error instanceof DragomanError) return { ignored: error.code };
      throw error;
    }
  }
}

/** A trigger begins with a digest that may look like anything, so a push has to be one to its type. */
function contentOf(bytes: Uint8Array): Uint8Array {
  if (bytes[1] !== PUSH) return bytes;
  try {
    const { type, body } = decodePush(bytes);
    return type === NOTIFICATION_TYPE ? body : bytes;
  } catch {
    return bytes;
  }
}
