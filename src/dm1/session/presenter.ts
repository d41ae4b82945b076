import { parseAuthType } from '../auth/schemes.ts';
import type { Status } from '../message.ts';
import { isAuthStatus, parseStatusCode } from '../tables/status.ts';
import type { PresentCred } from '../turn.ts';

/**
 * What a peer's Status for our header means for our credentials (1x§2.6, §9.4): `repeat` the same with
 * `current`; `refused` for good; `accepted`; or `failed` for a reason of another kind.
 */
export type HeaderVerdict = 'repeat' | 'refused' | 'accepted' | 'failed';

/** Which credentials our next message presents, following what the peer says about the last ones. */
export class Presenter {
  current: PresentCred | undefined;
  /** Given by a peer that accepted us: for the next session, or for the next message while it says 200. */
  nextNonce: Uint8Array | undefined;
  readonly #able: boolean;
  #answeredChallenge = false;

  /** `able` says whether there are credentials to present at all. */
  constructor(initial: PresentCred | undefined, able: boolean) {
    this.current = initial;
    this.#able = able;
  }

  follow(status: Status): HeaderVerdict {
    const code = parseStatusCode(status.code);
    const scheme = parseAuthType(status.chal?.type);
    const nonce = status.chal?.nextNonce;
    if (isAuthStatus(code)) {
      // One retry per challenge: the nonce was the peer's own, so a second refusal means the secret.
      if (!this.#able || !scheme || this.#answeredChallenge) {
        this.current = undefined;
        return 'refused';
      }
      this.#answeredChallenge = true;
      this.current = { scheme, ...(nonce && { nonce }) };
      return 'repeat';
    }
    if (code === 0 || code >= 300) return 'failed';
    this.#answeredChallenge = false;
    if (nonce) this.nextNonce = nonce;
    if (!this.current) return 'accepted';
    // HMAC, once used, is on every message, whatever the peer says of it (1x§9.5).
    if (code === 212 && this.current.scheme !== 'hmac') this.current = undefined;
    else if (nonce) this.current = { scheme: scheme ?? this.current.scheme, nonce };
    return 'accepted';
  }
}
