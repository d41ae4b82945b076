import { parseCommand } from '../../dm2/codec.ts';
import type { Alert, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { REPORT_ALERT, reportOfAlert } from '../../interworking/reports.ts';
import type { JobRow, ReportRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, hours, systemClock } from '../../support/durations.ts';
import { DEFAULT_BACKEND } from '../routing/route.ts';
import { PENDING, reportId, stored } from './reports.ts';

/** What became of an EXEC that a device began for a job and answered 202 to. */
export interface JobReport {
  /** Index of the EXEC among the job's commands. */
  readonly command: number;
  readonly state: 'awaited' | 'done' | 'missing';
  /** The alert that reported its end, in DM 2.0 terms. */
  readonly alert?: Alert;
}

/** Joins the final alerts of asynchronous EXECs to the jobs that began them (IW-EXEC-2). */
export class JobReports {
  readonly #store: Store;
  readonly #execReportHours: number;
  readonly #now: Clock;

  constructor(store: Store, options: { readonly execReportHours: number; readonly now?: Clock }) {
    this.#store = store;
    this.#execReportHours = options.execReportHours;
    this.#now = options.now ?? systemClock;
  }

  /** A device has answered a job: every EXEC with 202 has its result still to come. */
  async await(job: JobRow, status: readonly StatusItem[]): Promise<void> {
    const at = this.#now();
    const commands = JSON.parse(job.commands) as readonly RawCommand[];
    const awaited = commands.flatMap((raw, index) => {
      const command = parseCommand(raw);
      return !('error' in command) && command.verb === 'EXEC' && status[index]?.sc === 202
        ? [{ index, uri: command.clientUri }]
        : [];
    });
    if (awaited.length === 0) return;
    await this.#store.db
      .insertInto('reports')
      .values(
        awaited.map(({ index, uri }) => ({
          id: reportId(job.id, index),
          device_id: job.device_id,
          direction: 'job' as const,
          state: 'pending' as const,
          uri: '',
          client_uri: uri,
          backend: DEFAULT_BACKEND,
          session_id: job.session_id ?? '',
          job_id: job.id,
          created_at: at,
          updated_at: at,
          expires_at: at + hours(this.#execReportHours),
        })),
      )
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }

  /** Alerts of a device, in the order of their arrival; those that end an EXEC of a job are noted with it. */
  async take(deviceId: string, alerts: readonly Alert[]): Promise<void> {
    if (alerts.length === 0) return;
    const rows = await this.#store.db
      .selectFrom('reports')
      .selectAll()
      .where('device_id', '=', deviceId)
      .where('state', '=', PENDING)
      .where('direction', '=', 'job')
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    const awaited = rows.map(stored);
    for (const alert of alerts) {
      const report = reportOfAlert(awaited, alert);
      if (!report) continue;
      awaited.splice(awaited.indexOf(report), 1);
      // What the gateway itself says at a ServerURI once it gives a report up.
      const state = alert.AlertType === REPORT_ALERT.missing ? 'expired' : 'done';
      await this.#store.db
        .updateTable('reports')
        .set({ state, alert: JSON.stringify(alert), updated_at: this.#now() })
        .where('id', '=', report.id)
        .where('state', '=', PENDING)
        .execute();
    }
  }

  /** The reports of these jobs, in the order of their commands. */
  async of(jobs: readonly string[]): Promise<ReadonlyMap<string, readonly JobReport[]>> {
    const found = new Map<string, JobReport[]>();
    if (jobs.length === 0) return found;
    const rows = await this.#store.db
      .selectFrom('reports')
      .selectAll()
      .where('job_id', 'in', jobs)
      .orderBy('created_at')
      .execute();
    for (const row of rows) {
      const job = row.job_id ?? '';
      const list = found.get(job) ?? [];
      list.push(view(row));
      found.set(
        job,
        list.sort((a, b) => a.command - b.command),
      );
    }
    return found;
  }
}

function view(row: ReportRow): JobReport {
  const state = row.state === 'pending' ? 'awaited' : row.state === 'done' ? 'done' : 'missing';
  return {
    command: Number(row.id.slice(row.id.lastIndexOf('.') + 1)),
    state,
    ...(row.alert !== null && { alert: JSON.parse(row.alert) as Alert }),
  };
}
