import { type Alert, SESSION_ALERT } from '../../dm2/packages.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import type { JobQueue } from '../jobs/jobs.ts';
import type { ReceivedAlerts } from '../jobs/receivedAlerts.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';

/** These open every session and tell an operator nothing. */
const ROUTINE: ReadonlySet<string> = new Set([SESSION_ALERT.serverInitiated, SESSION_ALERT.clientInitiated]);

/** The backend that is always there: hands out queued jobs, one in each Package#2, then END alone. */
export class BuiltinBackend implements Backend {
  readonly #jobs: JobQueue;
  readonly #alerts: ReceivedAlerts;

  constructor(jobs: JobQueue, alerts: ReceivedAlerts) {
    this.#jobs = jobs;
    this.#alerts = alerts;
  }

  async exchange(send: BackendRequest, whose: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol !== 'dm2') throw wrongProtocol(send);
    const { deviceId, sessionId, step } = whose;
    const session = { id: sessionId, ...(step === undefined ? {} : { step }) };
    const sent = 'package1' in send ? send.package1 : send.package3;
    await this.#keep(deviceId, sent.Alert ?? []);
    const package2 =
      'package1' in send
        ? await this.#jobs.open(deviceId, session)
        : await this.#jobs.report(deviceId, session, send.package3.Status);
    return { kind: 'package2', package2 };
  }

  async #keep(deviceId: string, alerts: readonly Alert[]): Promise<void> {
    const telling = alerts.filter((alert) => !ROUTINE.has(alert.AlertType));
    if (telling.length > 0) await this.#alerts.add(deviceId, telling);
  }
}
