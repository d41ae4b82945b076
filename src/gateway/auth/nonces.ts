import { randomBytes } from 'node:crypto';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';

const NONCE_BYTES = 16;

interface Found {
  readonly party: string;
  readonly nonce: Uint8Array;
}

/**
 * Nonces by which devices prove themselves to the gateway, kept in the store so that they outlive
 * sessions and restarts. A device has at most two: `device`, handed out with the last good
 * authentication, and `challenge`, handed out with the last refusal. A stranger who claims to be the
 * device can replace the second only, so it cannot put the device out of step.
 */
export class NonceStore {
  readonly #now: Clock;
  readonly #usable: (deviceId: string) => Promise<Found[]>;
  readonly #put: (deviceId: string, party: string, nonce: Uint8Array, at: number) => Promise<number>;
  readonly #use: (deviceId: string, party: string, nonce: Uint8Array, at: number) => Promise<number>;

  constructor(store: Store, now: Clock = systemClock) {
    this.#now = now;
    const { db } = store;
    this.#usable = store.prepare<[string], Found>((slot) =>
      db
        .selectFrom('nonces')
        .select(['party', 'nonce'])
        .where('device_id', '=', slot<string>(0))
        .where('party', 'in', ['device', 'challenge'])
        .where('used', '=', 0)
        .compile(),
    );
    this.#put = store.prepareChange((slot) =>
      db
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
  async usable(deviceId: string): Promise<readonly Found[]> {
    return this.#usable(deviceId);
  }

  /** Uses a nonce up; resolves to `false` when someone else did so first. */
  async use(deviceId: string, found: Found): Promise<boolean> {
    return (await this.#use(deviceId, found.party, found.nonce, this.#now())) === 1;
  }

  /** A fresh nonce of 16 random bytes in the place of the one before. */
  async issue(deviceId: string, party: 'device' | 'challenge'): Promise<Uint8Array> {
    const nonce = freshNonce();
    await this.#put(deviceId, party, nonce, this.#now());
    return nonce;
  }
}

export function freshNonce(): Uint8Array {
  return randomBytes(NONCE_BYTES);
}
