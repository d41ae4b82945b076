import { type Alert, SESSION_ALERT } from '../../dm2/packages.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import type { JobQueue } from '../jobs/jobs.ts';
import type { ReceivedAlerts } from '../jobs/receivedAlerts.ts';
import type { JobReports } from '../reports/jobReports.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';

/** These open every session and tell an operator nothing. */
const ROUTINE: ReadonlySet<string> = new Set([SESSION_ALERT.serverInitiated, SESSION_ALERT.clientInitiated]);

/** The backend that is always there: hands out queued jobs, one in each Package#2, then END alone. */
export class BuiltinBackend implements Backend {
  readonly #jobs: JobQueue;
  readonly #alerts: ReceivedAlerts;
  readonly #reports: JobReports | undefined;

  constructor(jobs: JobQueue, alerts: ReceivedAlerts, reports?: JobReports) {
    this.#jobs = jobs;
    this.#alerts = alerts;
    this.#reports = reports;
  }

  async exchange(send: BackendRequest, whose: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol !== 'dm2') throw wrongProtocol(send);
    const { deviceId, sessionId, step } = whose;
    const session = { id: sessionId, ...(step === undefined ? {} : { step }) };
    const sent = 'package1' in send ? send.package1 : send.package3;
    const package2 =
      'package1' in send
        ? await this.#jobs.open(deviceId, session)
        : await this.#jobs.report(deviceId, session, send.package3.Status, send.left);
    // After the Status items: an EXEC that was just answered 202 may have its report beside them.
    await this.receive(deviceId, sent.Alert ?? []);
    return { kind: 'package2', package2 };
  }

  /** Takes alerts for the operator to read, and for the jobs that they end (IW-EXEC-2). */
  async receive(deviceId: string, alerts: readonly Alert[]): Promise<void> {
    const telling = alerts.filter((alert) => !ROUTINE.has(alert.AlertType));
    if (telling.length === 0) return;
    await this.#alerts.add(deviceId, telling);
    await this.#reports?.take(deviceId, telling);
  }
}
