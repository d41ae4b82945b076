import { LRUCache } from 'lru-cache';
import type { DeviceSnapshot } from '../../interworking/context.ts';
import type { DevicePatch } from '../../interworking/script.ts';
import type { DeviceRow, NewDevice } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, minutes, seconds, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { type DeviceRecord, schemeOf, toRecord } from './device.ts';
import { learnedChanges, saysNothingNew } from './learned.ts';
import { checkId, isUsableId, type Registration, toNewRow } from './registration.ts';

export interface ListOptions {
  /** 1 to 1000, default 100. */
  readonly limit?: number;
  /** Identifier of the last device of the page before. */
  readonly after?: string;
  readonly filter?: { readonly idPrefix?: string; readonly protocol?: 'dm1' | 'dm2' };
}

export interface RegistryOptions {
  readonly cachedDevices?: number;
  readonly now?: Clock;
  /** Told of a write in the background that failed. */
  readonly onError?: (error: unknown) => void;
}

/** How long the counts of ended sessions may wait for their write. */
const COUNTED_FOR = seconds(20);
/** How long a cached record may lag behind what another node wrote. */
const CACHED_FOR = seconds(30);
/** `last_seen` is no finer than this: a device that polls must not cost a write each time. */
const SEEN_STEP = minutes(1);
const LARGEST_PAGE = 1000;

/**
 * Device records in the store behind a cache. Every operation but listing touches one row by its key, so
 * its cost does not grow with the fleet.
 */
export class Registry {
  readonly #store: Store;
  readonly #now: Clock;
  readonly #cache: LRUCache<string, DeviceRecord>;
  readonly #byId: (id: string) => Promise<DeviceRow[]>;
  readonly #ended: (id: string, sessions: number, at: number) => Promise<DeviceRow[]>;
  readonly #counts = new Map<string, { readonly sessions: number; readonly at: number }>();
  readonly #onError: (error: unknown) => void;
  #flusher: NodeJS.Timeout | undefined;
  readonly #failed: (id: string, at: number) => Promise<DeviceRow[]>;
  readonly #succeeded: (id: string) => Promise<DeviceRow[]>;

  constructor(store: Store, options: RegistryOptions = {}) {
    this.#store = store;
    this.#now = options.now ?? systemClock;
    this.#onError = options.onError ?? (() => {});
    this.#cache = new LRUCache({ max: options.cachedDevices ?? 20_000, ttl: CACHED_FOR });
    const { db } = store;
    this.#byId = store.prepare<[string], DeviceRow>((slot) =>
      db.selectFrom('devices').selectAll().where('id', '=', slot<string>(0)).compile(),
    );
    this.#ended = store.prepare<[string, number, number], DeviceRow>((slot) =>
      db
        .updateTable('devices')
        .set((eb) => ({
          sessions_ended: eb('sessions_ended', '+', slot<number>(1)),
          last_seen: slot<number>(2),
        }))
        .where('id', '=', slot<string>(0))
        .returningAll()
        .compile(),
    );
    this.#failed = store.prepare<[string, number], DeviceRow>((slot) =>
      db
        .updateTable('devices')
        .set((eb) => ({ failures: eb('failures', '+', 1), failed_at: slot<number>(1) }))
        .where('id', '=', slot<string>(0))
        .returningAll()
        .compile(),
    );
    this.#succeeded = store.prepare<[string], DeviceRow>((slot) =>
      db
        .updateTable('devices')
        .set({ failures: 0, failed_at: null })
        .where('id', '=', slot<string>(0))
        .returningAll()
        .compile(),
    );
  }

  async get(id: string): Promise<DeviceRecord | undefined> {
    const cached = this.#cache.get(id);
    if (cached) return cached;
    if (!isUsableId(id)) return undefined;
    const [row] = await this.#byId(id);
    return row ? this.#keep(row) : undefined;
  }

  /** The device whose account has this name; the first by id where several share it. */
  async findByUsername(username: string): Promise<DeviceRecord | undefined> {
    const row = await this.#store.db
      .selectFrom('devices')
      .selectAll()
      .where('username', '=', username)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return row ? toRecord(row) : undefined;
  }

  /**
   * Adds a device or gives a known one new credentials; what is not given stays. Throws `malformed` for
   * an unusable identifier and `bad-value` for half an account. Resolves to whether the device is new.
   */
  async register(registration: Registration): Promise<boolean> {
    const row = toNewRow(registration);
    const known = (await this.get(registration.id)) !== undefined;
    await this.registerRows([row]);
    return !known;
  }

  /** Writes rows made by {@link toNewRow}, in one statement; of rows with one id the last counts. */
  async registerRows(rows: readonly NewDevice[]): Promise<void> {
    const unique = [...new Map(rows.map((row) => [row.id, row])).values()];
    if (unique.length === 0) return;
    await this.#store.db
      .insertInto('devices')
      .values(unique)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          username: eb.fn.coalesce('excluded.username', 'devices.username'),
          user_hash: eb.fn.coalesce('excluded.user_hash', 'devices.user_hash'),
          ha1: eb.fn.coalesce('excluded.ha1', 'devices.ha1'),
          auth: eb.fn.coalesce('excluded.auth', 'devices.auth'),
          server_cred: eb.fn.coalesce('excluded.server_cred', 'devices.server_cred'),
          notify_via: eb.fn.coalesce('excluded.notify_via', 'devices.notify_via'),
          notify_address: eb.fn.coalesce('excluded.notify_address', 'devices.notify_address'),
          notify_server: eb.fn.coalesce('excluded.notify_server', 'devices.notify_server'),
          notify_secret: eb.fn.coalesce('excluded.notify_secret', 'devices.notify_secret'),
          notify_data: eb.fn.coalesce('excluded.notify_data', 'devices.notify_data'),
        })),
      )
      .execute();
    for (const row of unique) this.#cache.delete(row.id);
  }

  /** Notes that the device speaks this protocol now, and makes its record when there is none. */
  async firstContact(id: string, protocol: 'dm1' | 'dm2'): Promise<DeviceRecord> {
    const at = this.#now();
    const known = await this.get(id);
    if (
      known?.protocol === protocol &&
      known.firstSeen !== undefined &&
      at - (known.lastSeen ?? 0) < SEEN_STEP
    ) {
      return known;
    }
    checkId(id);
    const row = await this.#store.db
      .insertInto('devices')
      .values({ id, protocol, first_seen: at, last_seen: at })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          protocol,
          last_seen: at,
          first_seen: eb.fn.coalesce('devices.first_seen', 'excluded.first_seen'),
        })),
      )
      .returningAll()
      .executeTakeFirstOrThrow();
    return this.#keep(row);
  }

  /** Performs `registry.save`: keeps what a session learned. Throws `not-found` for an unknown device. */
  async apply(id: string, patch: DevicePatch): Promise<void> {
    // Most sessions learn nothing new. Where other nodes write as well, what is cached may be old.
    const known = this.#store.name === 'sqlite' ? this.#cache.get(id) : undefined;
    if (known && saysNothingNew(known, patch)) return;
    const row = await this.#store.db.transaction().execute(async (db) => {
      const query = db.selectFrom('devices').selectAll().where('id', '=', id);
      const current = await (this.#store.name === 'postgres' ? query.forUpdate() : query).executeTakeFirst();
      if (!current) throw notFound(id);
      const changes = learnedChanges(current, patch);
      if (Object.keys(changes).length === 0) return current;
      return db
        .updateTable('devices')
        .set(changes)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    this.#keep(row);
  }

  /** What a session is given of the device (IW-INV-1); an unknown device comes as an empty one. */
  async snapshot(id: string): Promise<DeviceSnapshot> {
    const held = await this.get(id);
    // Told once: what another node has told since is looked up.
    const record = held?.bootstrappedAt === undefined ? held : await this.#fresh(id);
    return {
      id,
      ...(record?.protocol !== undefined && { protocol: record.protocol }),
      ...(record?.dialect !== undefined && { dialect: record.dialect }),
      devInfo: record?.devInfo ?? {},
      mounts: record?.mounts ?? [],
      capabilities: record?.capabilities ?? {},
      validators: record?.validators ?? {},
      kept: record?.kept ?? {},
      ...(record?.serverAccount && { proof: schemeOf(record.serverAccount) }),
      firstSession: (record?.sessionsEnded ?? 0) === 0,
      ...(record?.bootstrappedAt !== undefined && { bootstrapped: true as const }),
    };
  }

  /**
   * Counts a session of the device that came to its end. The first one is written at once, as it is what
   * tells a known device from a new one; later counts are written together now and then, and by `flush`.
   */
  async sessionEnded(id: string): Promise<void> {
    const at = this.#now();
    const record = this.#cache.get(id);
    if (!record || record.sessionsEnded === 0) {
      this.#keepFirst(await this.#ended(id, 1, at));
      return;
    }
    this.#cache.set(id, { ...record, sessionsEnded: record.sessionsEnded + 1, lastSeen: at });
    this.#counts.set(id, { sessions: (this.#counts.get(id)?.sessions ?? 0) + 1, at });
    this.#flusher ??= setTimeout(() => void this.flush().catch(this.#onError), COUNTED_FOR).unref();
  }

  /** Writes the counts that wait; for a shutdown. */
  async flush(): Promise<void> {
    clearTimeout(this.#flusher);
    this.#flusher = undefined;
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [id, { sessions, at }] of counts) await this.#ended(id, sessions, at);
  }

  /** A bootstrap document was made for it; its backend is to be told when it comes (IW-ALERT-1). */
  async bootstrapped(id: string): Promise<void> {
    const row = await this.#store.db
      .updateTable('devices')
      .set({ bootstrapped_at: this.#now() })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw notFound(id);
    this.#keep(row);
  }

  async #fresh(id: string): Promise<DeviceRecord | undefined> {
    const [row] = await this.#byId(id);
    return row && this.#keep(row);
  }

  /** Counts a failed authentication (IW-AUTH-5). */
  async failed(id: string): Promise<void> {
    this.#keepFirst(await this.#failed(id, this.#now()));
  }

  /** Forgets failed authentications after a good one. */
  async succeeded(id: string): Promise<void> {
    this.#keepFirst(await this.#succeeded(id));
  }

  /** A page of devices by ascending id; `next` is the `after` of the page behind it. */
  async list(options: ListOptions = {}): Promise<{ devices: readonly DeviceRecord[]; next?: string }> {
    const limit = Math.min(Math.max(Math.trunc(options.limit ?? 100), 1), LARGEST_PAGE);
    const { idPrefix, protocol } = options.filter ?? {};
    let query = this.#store.db
      .selectFrom('devices')
      .selectAll()
      .orderBy('id')
      .limit(limit + 1);
    if (options.after !== undefined) query = query.where('id', '>', options.after);
    if (protocol !== undefined) query = query.where('protocol', '=', protocol);
    if (idPrefix) {
      query = query.where((eb) =>
        eb(eb.fn<string>('substr', ['id', eb.val(1), eb.val([...idPrefix].length)]), '=', idPrefix),
      );
      // SQLite compares ids as bytes, so the prefix is a range of its index.
      if (this.#store.name === 'sqlite')
        query = query.where('id', '>=', idPrefix).where('id', '<', `${idPrefix}\u{10ffff}`);
    }
    const rows = await query.execute();
    const devices = rows.slice(0, limit).map(toRecord);
    const last = devices[devices.length - 1];
    return rows.length > limit && last ? { devices, next: last.id } : { devices };
  }

  async count(): Promise<number> {
    const row = await this.#store.db
      .selectFrom('devices')
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirstOrThrow();
    return Number(row.n);
  }

  /** Forgets a device and its nonces; resolves to whether it was known. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.#store.db.transaction().execute(async (db) => {
      await db.deleteFrom('nonces').where('device_id', '=', id).execute();
      return db.deleteFrom('devices').where('id', '=', id).executeTakeFirst();
    });
    this.#cache.delete(id);
    return removed.numDeletedRows > 0n;
  }

  #keepFirst([row]: readonly DeviceRow[]): void {
    if (row) this.#keep(row);
  }

  #keep(row: DeviceRow): DeviceRecord {
    const record = toRecord(row);
    this.#cache.set(row.id, record);
    return record;
  }
}

function notFound(id: string): DragomanError {
  return new DragomanError('not-found', `There is no device ${JSON.stringify(id)}.`);
}
