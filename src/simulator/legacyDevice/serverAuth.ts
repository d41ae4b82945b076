import type { Meta, SyncMLMessage } from '../../dm1/message.ts';
import { challengeOf, credMatches, freshNonce } from '../credentials.ts';
import type { LegacyDeviceOptions } from './options.ts';

export type ServerVerdict =
  | { readonly code: 200 | 212; readonly chal?: Meta }
  | { readonly code: 401 | 407; readonly chal: Meta; readonly final: boolean };

/** How a device makes sure of its server (1x§9.4 rules 6 and 7). Nonces are kept over sessions. */
export class ServerAuthentication {
  readonly #account: NonNullable<LegacyDeviceOptions['serverCred']> | undefined;
  #nonce = freshNonce();
  #accepted = false;
  #failures = 0;

  constructor(account: LegacyDeviceOptions['serverCred']) {
    this.#account = account;
  }

  /** Nonce that the server must use next. */
  get nonce(): Uint8Array {
    return this.#nonce;
  }

  begin(): void {
    this.#accepted = this.#account === undefined;
    this.#failures = 0;
  }

  judge(message: SyncMLMessage, hasCommands: boolean): ServerVerdict {
    if (!this.#account || this.#accepted) return { code: this.#account ? 212 : 200 };
    const { cred } = message.header;
    const account = this.#account;
    if (cred && credMatches(cred, account.scheme, account, this.#nonce)) {
      this.#accepted = true;
      // Nothing answers a message without commands, so no new nonce would get there.
      if (!hasCommands) return { code: 212 };
      this.#nonce = freshNonce();
      // The nonce that goes with 212 is for the next session.
      return account.scheme === 'md5' ? { code: 212, chal: challengeOf('md5', this.#nonce) } : { code: 212 };
    }
    if (!cred && !hasCommands) return { code: 200 };
    this.#failures += 1;
    if (cred) this.#nonce = freshNonce();
    return {
      code: cred ? 401 : 407,
      chal: challengeOf(account.scheme, this.#nonce),
      final: this.#failures > 2,
    };
  }
}
