import type { CompiledQuery, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Alert } from '../../dm2/packages.ts';
import {
  alertAtReport,
  missingAlert,
  reportOfAlert,
  reportOfLegacyAlert,
} from '../../interworking/reports.ts';
import type { AlertPlace, DeviceAlert, EffectOf, ResultOf } from '../../interworking/script.ts';
import type { Database, NewOutbox, OutboxRow, ReportRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { type OfSession, type Reports, reportId, type StoredReport } from '../reports/reports.ts';
import { type DeliveryQueue, WAITING } from './deliveryQueue.ts';
import { KIND, readPayload, writePayload } from './payload.ts';

export interface OutboxOptions {
  readonly execReportHours: number;
  readonly now?: Clock;
}

const MOST_HOLDING = 10_000;
/**
 * Alerts that were accepted from devices and wait until their backend took them (IW-ALERT-6), and
 * reports for ServerURIs (IW-EXEC-2). One of a session that lives is that session's to deliver.
 */
export class Outbox {
  readonly #store: Store;
  readonly #reports: Reports;
  readonly #queue: DeliveryQueue;
  readonly #options: OutboxOptions;
  readonly #now: Clock;
  /** Sessions of this node that hold alerts, and how many each has not settled. */
  readonly #holding = new Map<string, number>();
  readonly #queries: Queries;

  constructor(store: Store, reports: Reports, queue: DeliveryQueue, options: OutboxOptions) {
    this.#store = store;
    this.#reports = reports;
    this.#queue = queue;
    this.#options = options;
    this.#now = options.now ?? systemClock;
    this.#queries = queries(store);
  }

  /** Performs `alert.keep`, all of it or nothing; performed again it finds what it stored. */
  async keep(whose: OfSession, effect: EffectOf<'alert.keep'>): Promise<ResultOf<'alert.keep'>> {
    const at = this.#now();
    const places = await this.#store.db.transaction().execute(async (db) => {
      const ids = effect.alerts.map((_, i) => reportId(whose.sessionId, effect.first + i));
      const known: OutboxRow[] = [];
      for (const id of ids) known.push(...(await db.executeQuery(this.#queries.byId(id))).rows);
      if (known.length > 0)
        return ids.map((id) =>
          placeOf(
            known.find((row) => row.id === id),
            whose,
          ),
        );
      return this.#place(db, whose, effect, at);
    });
    if (places.some(({ to }) => to !== 'session')) this.#queue.wake();
    this.#hold(whose.sessionId, places.filter(({ to }) => to === 'session').length);
    return { at, places };
  }

  /** A session has ended: what it held and did not deliver is due. */
  released(sessionId: string): void {
    const unsettled = this.#holding.get(sessionId) ?? 0;
    this.#holding.delete(sessionId);
    if (unsettled > 0) this.#queue.wake();
  }

  #hold(sessionId: string, alerts: number): void {
    if (alerts === 0) return;
    // Sessions that went on elsewhere are never released here; what they held is found all the same.
    if (this.#holding.size >= MOST_HOLDING) this.#holding.clear();
    this.#holding.set(sessionId, (this.#holding.get(sessionId) ?? 0) + alerts);
  }

  async #place(
    db: Kysely<Database>,
    whose: OfSession,
    { first, alerts, report }: EffectOf<'alert.keep'>,
    at: number,
  ): Promise<AlertPlace[]> {
    const lane = `backend:${whose.backend}`;
    const match = await this.#matcher(db, whose.deviceId, alerts, report);
    const [waiting] = (await db.executeQuery(this.#queries.waiting(whose.deviceId, lane, whose.sessionId)))
      .rows;
    const rows: NewOutbox[] = [];
    const places: AlertPlace[] = [];
    for (const [i, alert] of alerts.entries()) {
      const found = match(alert, i);
      if (found) await this.#reports.end(found.id, 'done', db);
      const forUrl = found?.row.server_uri ?? undefined;
      const to = forUrl !== undefined ? 'report' : waiting ? 'later' : 'session';
      const correlator = found && forUrl === undefined ? found.correlator : undefined;
      places.push({ to, ...(correlator !== undefined && { correlator }) });
      rows.push({
        id: reportId(whose.sessionId, first + i),
        device_id: whose.deviceId,
        backend: found?.row.backend ?? whose.backend,
        kind: KIND,
        payload: writePayload({ ...alert, ...(correlator !== undefined && { correlator }) }),
        next_at: at,
        state: 'waiting',
        lane: forUrl !== undefined ? `report:${forUrl}` : lane,
        session_id: to === 'session' ? whose.sessionId : null,
        url: forUrl ?? null,
        report_id: found?.id ?? null,
        created_at: at,
      });
    }
    for (const row of rows) await db.executeQuery(this.#queries.insert(row));
    return places;
  }

  /** Finds the report that an alert is, each report once. */
  async #matcher(
    db: Kysely<Database>,
    deviceId: string,
    alerts: readonly DeviceAlert[],
    reportAt: string | undefined,
  ): Promise<(alert: DeviceAlert, index: number) => StoredReport | undefined> {
    const [sample] = alerts;
    const legacy = sample?.protocol === 'dm1';
    const awaited = [...(await this.#reports.awaited(deviceId, legacy ? 'l2n' : 'n2l', db))];
    // What a 2.0 server was promised of a client whose dialect it does not speak.
    if (!legacy) awaited.push(...(await this.#reports.awaited(deviceId, 'l2n', db)));
    const take = (report: StoredReport | undefined) => {
      if (report) awaited.splice(awaited.indexOf(report), 1);
      return report;
    };
    const opened = awaited.find(({ id }) => id === reportAt);
    const said = alerts.flatMap((each): Alert[] => (each.protocol === 'dm2' ? [each.alert] : []));
    const atOpened = opened ? alertAtReport(said, opened) : -1;
    return (alert, index) => {
      if (alert.protocol === 'dm1') return take(reportOfLegacyAlert(awaited, alert.alert));
      if (index === atOpened) return take(opened);
      return take(
        reportOfAlert(
          awaited.filter((each) => each !== opened),
          alert.alert,
        ),
      );
    };
  }

  /** Performs `alert.settle`: what a session knows of its alerts is stored with the entries that say so. */
  async settle(
    { sessionId, also }: OfSession,
    { settled }: EffectOf<'alert.settle'>,
  ): Promise<{ readonly at: number }> {
    for (const { n, refused } of settled) {
      const outcome = { state: refused === undefined ? 'done' : 'failed', detail: refused ?? null } as const;
      await this.#queue.settle(reportId(sessionId, n), outcome, also);
    }
    const held = this.#holding.get(sessionId);
    if (held !== undefined) this.#holding.set(sessionId, held - settled.length);
    return { at: this.#now() };
  }

  /** Performs `report.close`. */
  async close(
    { sessionId }: OfSession,
    { n, alert }: EffectOf<'report.close'>,
  ): Promise<{ readonly at: number }> {
    const at = this.#now();
    const id = reportId(sessionId, n);
    if (alert === undefined) {
      await this.#reports.end(id, 'cancelled');
      return { at };
    }
    await this.#store.db.transaction().execute(async (db) => {
      const ended = await this.#reports.end(id, 'done', db);
      if (ended) await this.#reportTo(db, ended, alert, at);
    });
    this.#queue.wake();
    return { at };
  }

  /** Gives up reports that nobody waits for any longer and says so to their ServerURIs; resolves to how many. */
  async giveUpReports(): Promise<number> {
    let count = 0;
    for (const { id, client_uri } of await this.#reports.overdue()) {
      await this.#store.db.transaction().execute(async (db) => {
        const ended = await this.#reports.end(id, 'expired', db);
        if (!ended) return;
        count += 1;
        const alert = missingAlert(client_uri, this.#options.execReportHours);
        await this.#reportTo(db, ended, alert, this.#now());
      });
    }
    return count;
  }

  async #reportTo(db: Kysely<Database>, report: ReportRow, alert: Alert, at: number): Promise<void> {
    if (report.server_uri === null) return;
    await db
      .insertInto('outbox')
      .values({
        id: `${report.id}.end`,
        device_id: report.device_id,
        backend: report.backend,
        kind: KIND,
        payload: writePayload({ protocol: 'dm2', alert }),
        next_at: at,
        state: 'waiting',
        lane: `report:${report.server_uri}`,
        url: report.server_uri,
        report_id: report.id,
        created_at: at,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

type Queries = ReturnType<typeof queries>;

/** What runs for every alert, compiled once. */
function queries(store: Store) {
  const { db } = store;
  return {
    byId: store.compile<[id: string], OutboxRow>((slot) =>
      db.selectFrom('outbox').selectAll().where('id', '=', slot<string>(0)).compile(),
    ),
    /** What stands in a lane and is not the session's own. */
    waiting: store.compile<[device: string, lane: string, session: string], { readonly id: string }>((slot) =>
      db
        .selectFrom('outbox')
        .select('id')
        .where('device_id', '=', slot<string>(0))
        .where('lane', '=', slot<string>(1))
        .where('state', '=', WAITING)
        .where((eb) => eb.or([eb('session_id', 'is', null), eb('session_id', '<>', slot<string>(2))]))
        .limit(sql.lit(1))
        .compile(),
    ),
    insert: insertOf(store),
  };
}

const COLUMNS = [
  'id',
  'device_id',
  'backend',
  'kind',
  'payload',
  'next_at',
  'state',
  'lane',
  'session_id',
  'url',
  'report_id',
  'created_at',
] as const satisfies readonly (keyof NewOutbox)[];

function insertOf(store: Store): (row: NewOutbox) => CompiledQuery {
  const insert = store.compile<readonly unknown[], never>((slot) =>
    store.db
      .insertInto('outbox')
      .values(Object.fromEntries(COLUMNS.map((c, i) => [c, slot(i)])) as unknown as NewOutbox)
      .compile(),
  );
  return (row) => insert(...COLUMNS.map((c) => row[c] ?? null));
}

/** Where an alert was put when the effect was performed before. */
function placeOf(row: OutboxRow | undefined, { sessionId }: OfSession): AlertPlace {
  if (!row) return { to: 'later' };
  if (row.url !== null) return { to: 'report' };
  const { correlator } = readPayload(row.payload);
  return {
    to: row.session_id === sessionId ? 'session' : 'later',
    ...(correlator !== undefined && { correlator }),
  };
}
