import type { Meta, SyncHdr } from '../../dm1/message.ts';
import {
  type Account,
  type CredScheme,
  challengeOf,
  credMatches,
  freshNonce,
  hmacData,
  readHmacHeader,
  same,
} from '../credentials.ts';

export type ClientVerdict =
  | { readonly ok: true; readonly code: 200 | 212; readonly chal?: Meta }
  | { readonly ok: false; readonly chal: Meta; readonly final: boolean };

/** Decides whether a client is who it says, session by session (1x§9.4, §9.5). */
export class ClientVerifier {
  readonly #required: 'none' | CredScheme;
  readonly #account: Account;
  /** Next nonce by device, shared by all sessions of a server. */
  readonly #nonces: Map<string, Uint8Array>;
  #accepted = false;
  #failures = 0;

  constructor(
    auth: { readonly type: 'none' | CredScheme } & Partial<Account>,
    nonces: Map<string, Uint8Array>,
  ) {
    this.#required = auth.type;
    this.#account = { username: auth.username ?? '', password: auth.password ?? '' };
    this.#nonces = nonces;
  }

  get scheme(): 'none' | CredScheme {
    return this.#required;
  }

  judge(header: SyncHdr, hmac: string | undefined, body: Uint8Array): ClientVerdict {
    if (this.#required === 'none') return { ok: true, code: 200 };
    if (this.#accepted) return { ok: true, code: 212 };
    const device = header.source.uri;
    const nonce = this.#nonces.get(device) ?? new Uint8Array();
    const good = this.#matches(header, hmac, body, nonce);
    if (this.#required !== 'basic') this.#nonces.set(device, freshNonce());
    const chal = challengeOf(this.#required, this.#nonces.get(device) ?? nonce);
    if (!good) {
      this.#failures += 1;
      return { ok: false, chal, final: this.#failures > 2 };
    }
    if (this.#required === 'hmac') return { ok: true, code: 200, chal };
    this.#accepted = true;
    return this.#required === 'md5' ? { ok: true, code: 212, chal } : { ok: true, code: 212 };
  }

  #matches(header: SyncHdr, hmac: string | undefined, body: Uint8Array, nonce: Uint8Array): boolean {
    if (this.#required === 'hmac') {
      const given = readHmacHeader(hmac);
      return (
        given?.username === this.#account.username && same(given.mac, hmacData(this.#account, nonce, body))
      );
    }
    const { cred } = header;
    if (!cred || this.#required === 'none') return false;
    return credMatches(cred, this.#required, this.#account, nonce);
  }
}
