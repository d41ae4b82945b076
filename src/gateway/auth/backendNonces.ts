import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { putNonce } from './nonces.ts';

/**
 * Nonces that peers gave for the gateway's credentials in the next session of a device (1x§9.3): legacy
 * servers, and the device itself. With one the gateway authenticates at once, without it has to be
 * challenged first (IW-AUTH-2, IW-AUTH-3).
 */
export class BackendNonces {
  readonly #now: Clock;
  readonly #get: (deviceId: string, party: string) => Promise<{ nonce: Uint8Array }[]>;
  readonly #put: ReturnType<typeof putNonce>;

  constructor(store: Store, now: Clock = systemClock) {
    this.#now = now;
    const { db } = store;
    this.#get = store.prepare<[string, string], { nonce: Uint8Array }>((slot) =>
      db
        .selectFrom('nonces')
        .select('nonce')
        .where('device_id', '=', slot<string>(0))
        .where('party', '=', slot<string>(1))
        .compile(),
    );
    this.#put = putNonce(store);
  }

  /** Base64, or `undefined` when the server, or without `backend` the device, gave none. */
  async get(deviceId: string, backend?: string): Promise<string | undefined> {
    const [row] = await this.#get(deviceId, partyOf(backend));
    return row && Buffer.from(row.nonce).toString('base64');
  }

  async put(deviceId: string, { backend, nonce }: { backend?: string; nonce: string }): Promise<void> {
    await this.#put(deviceId, partyOf(backend), Buffer.from(nonce, 'base64'), this.#now());
  }
}

/** Apart from the parties of `NonceStore`, whatever a backend is called. */
function partyOf(backend: string | undefined): string {
  return backend === undefined ? 'of-device' : `backend:${backend}`;
}
