import type { AlertCommand } from '../dm1/message.ts';
import type { Alert } from '../dm2/packages.ts';
import type { DeviceAlert, Script } from './script.ts';
import type { Session } from './session.ts';

/** A kept alert that this session is to tell its backend; `n` is its number in the session. */
export interface DueAlert<A> {
  readonly n: number;
  readonly alert: A;
  readonly correlator?: string;
}

/**
 * The alerts of a session's device: each is stored before the device is told that it was taken, and
 * settled once the backend has it. What is never settled is delivered after the session (IW-ALERT-6).
 */
export class KeptAlerts<A extends AlertCommand | Alert> {
  readonly #s: Session;
  readonly #wrap: (alert: A) => DeviceAlert;
  #due: DueAlert<A>[] = [];

  constructor(s: Session, wrap: (alert: A) => DeviceAlert) {
    this.#s = s;
    this.#wrap = wrap;
  }

  /** Stores them, in order; `report` is the one at whose URL they came. */
  *keep(alerts: readonly A[], report?: string): Script<void> {
    if (alerts.length === 0) return;
    const first = this.#s.number(alerts.length);
    const { places } = yield* this.#s.perform({
      kind: 'alert.keep',
      first,
      alerts: alerts.map(this.#wrap),
      ...(report !== undefined && { report }),
    });
    let later = 0;
    for (const [i, alert] of alerts.entries()) {
      const { to, correlator } = places[i] ?? { to: 'session' };
      if (to === 'session') {
        this.#due.push({ n: first + i, alert, ...(correlator !== undefined && { correlator }) });
      } else if (to === 'later') later += 1;
      else yield* this.#s.note('IW-EXEC-2', 'An alert is the report of an EXEC and goes to its ServerURI.');
    }
    if (later > 0) {
      yield* this.#s.note(
        'IW-ALERT-6',
        `Earlier alerts of the device still wait for the backend; ${later} more go there behind them, in sessions of their own.`,
      );
    }
  }

  /** What the backend is to be told now; each alert is given once. */
  take(): readonly DueAlert<A>[] {
    return this.#due.splice(0);
  }

  /** The backend has taken them. */
  *settle(due: readonly { readonly n: number; readonly refused?: string }[]): Script<void> {
    if (due.length === 0) return;
    const settled = due.map(({ n, refused }) => ({ n, ...(refused !== undefined && { refused }) }));
    yield* this.#s.perform({ kind: 'alert.settle', settled });
  }
}

export function keptFromLegacy(s: Session): KeptAlerts<AlertCommand> {
  return new KeptAlerts(s, (alert) => ({ protocol: 'dm1', alert }));
}

export function keptFromDm2(s: Session): KeptAlerts<Alert> {
  return new KeptAlerts(s, (alert) => ({ protocol: 'dm2', alert }));
}
