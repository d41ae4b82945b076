import { createHmac, randomBytes } from 'node:crypto';
import type { Store } from '../../store/store.ts';
import { type Clock, minutes, systemClock } from '../../support/durations.ts';

const NONCE_BYTES = 16;
/** How long an unused challenge is given again, so that strangers who ask for one take none away. */
const CHALLENGE_LIFE = minutes(10);

export interface FoundNonce {
  readonly party: string;
  readonly nonce: Uint8Array;
}
interface Kept extends FoundNonce {
  readonly updated_at: number;
}

/**
 * Nonces by which devices prove themselves to the gateway, kept in the store so that they outlive
 * sessions and restarts. A device has at most two: `device`, handed out with the last good
 * authentication, and `challenge`, handed out with refusals. A stranger who claims to be the device
 * learns the second and can replace neither, so it cannot put the device out of step.
 */
export class NonceStore {
  readonly #now: Clock;
  /** Of this process: what strangers are challenged with is derived from it, not stored. */
  readonly #secret = randomBytes(32);
  readonly #usable: (deviceId: string) => Promise<Kept[]>;
  readonly #put: ReturnType<typeof putNonce>;
  readonly #use: (deviceId: string, party: string, nonce: Uint8Array, at: number) => Promise<number>;

  constructor(store: Store, now: Clock = systemClock) {
    this.#now = now;
    const { db } = store;
    this.#usable = store.prepare<[string], Kept>((slot) =>
      db
        .selectFrom('nonces')
        .select(['party', 'nonce', 'updated_at'])
        .where('device_id', '=', slot<string>(0))
        .where('party', 'in', ['device', 'challenge'])
        .where('used', '=', 0)
        .compile(),
    );
    this.#put = putNonce(store);
    this.#use = store.prepareChange((slot) =>
      db
        .updateTable('nonces')
        .set({ used: 1, updated_at: slot<number>(3) })
        .where('device_id', '=', slot<string>(0))
        .where('party', '=', slot<string>(1))
        .where('nonce', '=', slot<Uint8Array>(2))
        .where('used', '=', 0)
        .compile(),
    );
  }

  /** Nonces that this device may still use. */
  async usable(deviceId: string): Promise<readonly FoundNonce[]> {
    return this.#usable(deviceId);
  }

  /** Uses a nonce up; resolves to `false` when someone else did so first. */
  async use(deviceId: string, found: FoundNonce): Promise<boolean> {
    return (await this.#use(deviceId, found.party, found.nonce, this.#now())) === 1;
  }

  /** A fresh nonce of 16 random bytes for the device's next session or message. */
  async issue(deviceId: string): Promise<Uint8Array> {
    return this.#fresh(deviceId, 'device');
  }

  /** What a refused message is challenged with: the same for a while, until it is used. */
  async challenge(deviceId: string): Promise<Uint8Array> {
    const kept = (await this.#usable(deviceId)).find(({ party }) => party === 'challenge');
    if (kept && this.#now() - Number(kept.updated_at) < CHALLENGE_LIFE) return kept.nonce;
    return this.#fresh(deviceId, 'challenge');
  }

  /** A challenge that looks like one, for an unknown device: nothing is stored for it. */
  strangersChallenge(deviceId: string): Uint8Array {
    const period = Math.floor(this.#now() / CHALLENGE_LIFE);
    const mac = createHmac('sha256', this.#secret).update(`${period} ${deviceId}`).digest();
    return mac.subarray(0, NONCE_BYTES);
  }

  async #fresh(deviceId: string, party: 'device' | 'challenge'): Promise<Uint8Array> {
    const nonce = randomBytes(NONCE_BYTES);
    await this.#put(deviceId, party, nonce, this.#now());
    return nonce;
  }
}

/** A nonce in the place of its party's last one, unused. */
export function putNonce(
  store: Store,
): (deviceId: string, party: string, nonce: Uint8Array, at: number) => Promise<number> {
  return store.prepareChange((slot) =>
    store.db
      .insertInto('nonces')
      .values({
        device_id: slot<string>(0),
        party: slot<string>(1),
        nonce: slot<Uint8Array>(2),
        used: 0,
        updated_at: slot<number>(3),
      })
      .onConflict((conflict) =>
        conflict.columns(['device_id', 'party']).doUpdateSet((eb) => ({
          nonce: eb.ref('excluded.nonce'),
          used: 0,
          updated_at: eb.ref('excluded.updated_at'),
        })),
      )
      .compile(),
  );
}
