import type { Status } from '../../dm1/message.ts';
import type { Outgoing } from '../syncml.ts';
import type { ClientAlert } from './options.ts';
import type { Assembled } from './outbox.ts';
import { alertElement } from './package1.ts';

/** Which alerts a client owes its server: each until a Status takes it over, into the next session if need be. */
export class AlertLedger {
  /** For the next package. */
  readonly pending: ClientAlert[];
  /** Alerts of this session without a Status yet; they are owed again when it ends early. */
  #owed: ClientAlert[] = [];
  readonly #alertOf = new WeakMap<Outgoing, ClientAlert>();
  /** Owed alerts by `MsgID/CmdID` of the Alert that carried them. */
  readonly #carried = new Map<string, ClientAlert>();
  /** Reports of asynchronous Execs for the next session. */
  readonly #reported: ClientAlert[] = [];

  constructor(pending: readonly ClientAlert[]) {
    this.pending = [...pending];
  }

  /** A session begins, with `more` alerts of its own. */
  begin(more: readonly ClientAlert[]): void {
    this.#carried.clear();
    this.#owed = [...this.pending.splice(0), ...more, ...this.#reported.splice(0)];
  }

  /** What Package 1 has to carry. */
  owed(): Outgoing[] {
    return this.#owed.map((alert) => this.#element(alert));
  }

  /** Alerts that arose meanwhile go with the package that is being answered (1x§5.2). */
  fresh(): Outgoing[] {
    const fresh = this.pending.splice(0);
    this.#owed.push(...fresh);
    return fresh.map((alert) => this.#element(alert));
  }

  /** Notes which alerts a message carries. */
  carry(msgId: number, { elements, message }: Assembled): void {
    for (const [i, element] of elements.entries()) {
      const alert = this.#alertOf.get(element);
      if (alert) this.#carried.set(`${msgId}/${message.body[i]!.cmdId}`, alert);
    }
  }

  /** An alert with a Status is the server's now, unless the Status says who are you. */
  settle({ msgRef, cmdRef, code }: Status): void {
    const alert = this.#carried.get(`${msgRef}/${cmdRef}`);
    if (!alert || code === '401' || code === '407') return;
    this.#owed = this.#owed.filter((owed) => owed !== alert);
  }

  /** The report of an asynchronous Exec. */
  report(alert: ClientAlert, when: 'same-session' | 'next-session'): void {
    (when === 'next-session' ? this.#reported : this.pending).push(alert);
  }

  /** The session is over: what is still owed comes first in the next one. */
  end(): void {
    this.pending.unshift(...this.#owed.splice(0));
  }

  #element(alert: ClientAlert): Outgoing {
    const element = alertElement(alert);
    this.#alertOf.set(element, alert);
    return element;
  }
}
