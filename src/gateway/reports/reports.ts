import { randomBytes } from 'node:crypto';
import { type CompiledQuery, type Kysely, sql } from 'kysely';
import type { AwaitedReport } from '../../interworking/reports.ts';
import type { EffectOf, ResultOf } from '../../interworking/script.ts';
import type { Also } from '../../store/engine.ts';
import type { Database, ReportRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, hours, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newSecret, secretDigest } from '../../support/ids.ts';

export interface ReportsOptions {
  /** Absolute URL of the device port. */
  readonly deviceUrl: string;
  readonly execReportHours: number;
  readonly now?: Clock;
}

/** The session whose effect it is. */
export interface OfSession {
  readonly deviceId: string;
  readonly sessionId: string;
  readonly backend: string;
  readonly also?: Also;
}

/** Members of a report that differ by direction. */
type Particular = Pick<
  ReportRow,
  'direction' | 'correlator' | 'token_hash' | 'uri' | 'client_uri' | 'server_uri'
>;

/** A row as the matching rules see it. */
export interface StoredReport extends AwaitedReport {
  readonly row: ReportRow;
}

/** Written out, not bound, so that the partial indexes serve. */
export const PENDING = sql.lit('pending' as const);

/** Query parameter of a report URL. */
export const REPORT_PARAMETER = 'report';

/**
 * The reports of asynchronous EXECs that are awaited (IW-EXEC-2, IW-WR-3). Each is named by its session
 * and a number in that, so that an effect performed again after a crash finds what it made.
 */
export class Reports {
  readonly #store: Store;
  readonly #options: ReportsOptions;
  readonly #now: Clock;
  readonly #awaited: (
    device: string,
    direction: ReportRow['direction'],
    at: number,
  ) => CompiledQuery<ReportRow>;
  readonly #put: ReturnType<typeof putReport>;

  constructor(store: Store, options: ReportsOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? systemClock;
    this.#put = putReport(store);
    this.#awaited = store.compile<[string, ReportRow['direction'], number], ReportRow>((slot) =>
      store.db
        .selectFrom('reports')
        .selectAll()
        .where('device_id', '=', slot<string>(0))
        .where('state', '=', PENDING)
        .where('direction', '=', slot<ReportRow['direction']>(1))
        .where('expires_at', '>', slot<number>(2))
        .orderBy('created_at')
        .orderBy('id')
        .compile(),
    );
  }

  /** Performs `report.expect`: opens a one-time URL; the store keeps the hash of its token only. */
  async expect(
    whose: OfSession,
    { n, correlator, uri, clientUri }: EffectOf<'report.expect'>,
  ): Promise<ResultOf<'report.expect'>> {
    const token = newSecret();
    const token_hash = secretDigest(token);
    const at = await this.#insert(whose, n, {
      direction: 'n2l',
      correlator,
      token_hash,
      uri,
      client_uri: clientUri,
      server_uri: null,
    });
    return { at, url: `${this.#options.deviceUrl}?${REPORT_PARAMETER}=${token}` };
  }

  /** Performs `report.promise`, once `serverUri` has been found to be allowed. */
  async promise(
    whose: OfSession,
    { n, serverUri, uri, clientUri }: EffectOf<'report.promise'>,
  ): Promise<{ readonly at: number; readonly correlator: string }> {
    // Short, for devices keep it in small fields; 72 random bits are unique for any device.
    const correlator = randomBytes(9).toString('base64url');
    const at = await this.#insert(whose, n, {
      direction: 'l2n',
      correlator,
      token_hash: null,
      uri,
      client_uri: clientUri,
      server_uri: serverUri,
    });
    return { at, correlator };
  }

  /** The report that a token stands for, if this device may still deliver it. */
  async byToken(deviceId: string, token: string): Promise<StoredReport | { readonly unknown: string }> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(token)) return { unknown: 'it is none of ours' };
    const row = await this.#store.db
      .selectFrom('reports')
      .selectAll()
      .where('token_hash', '=', secretDigest(token))
      .executeTakeFirst();
    if (!row || row.device_id !== deviceId) return { unknown: 'it is none of this device' };
    if (row.state !== 'pending') return { unknown: 'its report came before, or is no longer awaited' };
    if (Number(row.expires_at) <= this.#now()) return { unknown: 'it has expired' };
    return stored(row);
  }

  /** What is awaited of a device, oldest first; `db` may be a transaction. */
  async awaited(
    deviceId: string,
    direction: ReportRow['direction'],
    db: Kysely<Database> = this.#store.db,
  ): Promise<readonly StoredReport[]> {
    const { rows } = await db.executeQuery(this.#awaited(deviceId, direction, this.#now()));
    return rows.map(stored);
  }

  /** Marks a report as come, or as void; resolves to the row where it was pending until now. */
  async end(
    id: string,
    state: 'done' | 'expired' | 'cancelled',
    db: Kysely<Database> = this.#store.db,
  ): Promise<ReportRow | undefined> {
    return db
      .updateTable('reports')
      .set({ state, updated_at: this.#now() })
      .where('id', '=', id)
      .where('state', '=', PENDING)
      .returningAll()
      .executeTakeFirst();
  }

  /** Reports that nobody waits for any longer. */
  async overdue(limit = 100): Promise<readonly ReportRow[]> {
    return this.#store.db
      .selectFrom('reports')
      .selectAll()
      .where('state', '=', PENDING)
      .where('expires_at', '<=', this.#now())
      .orderBy('expires_at')
      .limit(limit)
      .execute();
  }

  /** Forgets reports that ended before `before`; resolves to how many. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('reports')
      .where('state', '<>', 'pending')
      .where('updated_at', '<', before)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #insert(
    { deviceId, sessionId, backend, also }: OfSession,
    n: number,
    particular: Particular,
  ): Promise<number> {
    const at = this.#now();
    const { direction, correlator, token_hash, uri, client_uri, server_uri } = particular;
    const expires = at + hours(this.#options.execReportHours);
    const id = reportId(sessionId, n);
    const of = [id, deviceId, sessionId, backend, at, expires] as const;
    await this.#put(also, ...of, direction, correlator, token_hash, uri, client_uri, server_uri);
    return at;
  }
}

type NewReport = [
  id: string,
  device_id: string,
  session_id: string,
  backend: string,
  at: number,
  expires_at: number,
  direction: ReportRow['direction'],
  correlator: string | null,
  token_hash: string | null,
  uri: string,
  client_uri: string,
  server_uri: string | null,
];

/** Performed again after a crash: nobody has seen the first URL or correlator. */
function putReport(
  store: Store,
): (also: Also | undefined, ...row: NewReport) => Promise<unknown> | undefined {
  return store.prepareAlso<NewReport>((slot) =>
    store.db
      .insertInto('reports')
      .values({
        id: slot<string>(0),
        device_id: slot<string>(1),
        session_id: slot<string>(2),
        backend: slot<string>(3),
        state: 'pending',
        created_at: slot<number>(4),
        updated_at: slot<number>(4),
        expires_at: slot<number>(5),
        direction: slot<ReportRow['direction']>(6),
        correlator: slot<string | null>(7),
        token_hash: slot<string | null>(8),
        uri: slot<string>(9),
        client_uri: slot<string>(10),
        server_uri: slot<string | null>(11),
      })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          token_hash: eb.ref('excluded.token_hash'),
          correlator: eb.ref('excluded.correlator'),
        })),
      )
      .compile(),
  );
}

export function reportId(sessionId: string, n: number): string {
  return `${sessionId}.${n}`;
}

export function stored(row: ReportRow): StoredReport {
  return {
    id: row.id,
    uri: row.uri,
    clientUri: row.client_uri,
    ...(row.correlator !== null && { correlator: row.correlator }),
    row,
  };
}

/** Failures of the outbound guard that stay what they are; others may pass until the report comes. */
export function isRefusal(error: unknown): error is DragomanError {
  return (
    error instanceof DragomanError && (error.code === 'outbound-refused' || error.code === 'bad-address')
  );
}
