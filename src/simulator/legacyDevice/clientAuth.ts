import type { Cred, Status } from '../../dm1/message.ts';
import { type CredScheme, credOf, schemeOfType } from '../credentials.ts';
import type { LegacyAuth } from './options.ts';

/** How a device shows who it is, and what it makes of the server's answer (1x§9.4). */
export class ClientAuthentication {
  readonly #auth: LegacyAuth;
  /** Shows basic credentials also where they were accepted for the session. */
  readonly #always: boolean;
  #scheme: 'none' | CredScheme;
  #nonce: Uint8Array | undefined;
  #accepted = false;
  #failures = 0;

  constructor(auth: LegacyAuth, always = false) {
    this.#auth = auth;
    this.#always = always;
    this.#scheme = auth.type;
    this.#nonce = auth.nonce;
  }

  get scheme(): 'none' | CredScheme {
    return this.#scheme;
  }

  /** Nonce for the next Cred; `undefined` before any challenge. */
  get nonce(): Uint8Array | undefined {
    return this.#nonce;
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  begin(): void {
    this.#scheme = this.#auth.type;
    this.#accepted = false;
    this.#failures = 0;
  }

  /** The Cred of the next message, if it must carry one. */
  cred(): Cred | undefined {
    if (this.#scheme === 'none' || this.#scheme === 'hmac') return undefined;
    if (this.#accepted && !(this.#always && this.#scheme === 'basic')) return undefined;
    if (this.#scheme === 'md5' && !this.#nonce) return undefined;
    return credOf(this.#scheme, this.#auth, this.#nonce ?? new Uint8Array());
  }

  /** Takes the Status of the SyncHdr: go on, send Package 1 again, or give up. */
  take(status: Status, needs212: boolean): 'accepted' | 'again' | { readonly refused: string } {
    const type = schemeOfType(status.chal?.type);
    if (status.chal?.nextNonce) this.#nonce = status.chal.nextNonce;
    if (status.code === '212' || (status.code === '200' && !needs212)) {
      this.#accepted = status.code === '212';
      return 'accepted';
    }
    if (status.code !== '401' && status.code !== '407' && status.code !== '200') {
      return { refused: `SyncHdr answered ${status.code}` };
    }
    this.#accepted = false;
    this.#failures += 1;
    if (this.#auth.type === 'none')
      return { refused: `challenged with ${status.code}, but no credentials are set` };
    if (this.#failures > 2) return { refused: `credentials refused with ${status.code}` };
    if (status.code !== '200' && !type) return { refused: `${status.code} without a challenge` };
    if (type) this.#scheme = type;
    return 'again';
  }
}
