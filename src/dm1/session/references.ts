import type { Results, Status } from '../message.ts';
import type { Pending } from './pending.ts';

/** A Sequence or Atomic that was sent. */
export interface PendingGroup {
  readonly kind: 'Sequence' | 'Atomic';
  readonly cmdId: string;
  readonly members: readonly Pending[];
  /** Its own Status, where the peer gave one. */
  status?: Status;
}

/** What one sent message waits for: which command has which CmdID (1x§2.5, §16.3). */
export class References {
  readonly msgId: string;
  readonly #byId = new Map<string, Pending>();
  readonly #groups: PendingGroup[] = [];
  /** Messages that only asked for more of the answer, by MsgID, with the CmdID of their Alert 1222. */
  readonly #reminders = new Map<string, string>();

  constructor(msgId: string) {
    this.msgId = msgId;
  }

  add(cmdId: string, pending: Pending): void {
    this.#byId.set(cmdId, pending);
  }

  addGroup(group: PendingGroup): void {
    this.#groups.push(group);
  }

  get groups(): readonly PendingGroup[] {
    return this.#groups;
  }

  /** Every command has a Status. */
  get complete(): boolean {
    return this.pending.every((pending) => pending.answered);
  }

  get pending(): readonly Pending[] {
    return [...this.#byId.values()];
  }

  /** The peer was asked for the rest by this message; some then refer to it instead of to the first. */
  remind(msgId: string, alertId: string): void {
    this.#reminders.set(msgId, alertId);
  }

  /** Whether a Status speaks of a command of this message. */
  names(status: Status): boolean {
    return this.#isOurs(status.msgRef) && this.#reminders.get(status.msgRef ?? '') !== status.cmdRef;
  }

  /** Gives a Status to its command; returns a note about what could not be used or was odd. */
  status(status: Status): string | undefined {
    if (!this.#isOurs(status.msgRef)) return `Status for message ${status.msgRef} ignored`;
    const cmdRef = status.cmdRef?.trim();
    if (cmdRef) {
      const group = this.#groups.find(({ cmdId }) => cmdId === cmdRef);
      if (group) {
        group.status = status;
        return undefined;
      }
    }
    const pending = cmdRef ? this.#byId.get(cmdRef) : this.#guess(status.cmd, status.targetRefs[0]);
    return pending
      ? pending.accept(status)
      : `Status for unknown command ${status.cmdRef ?? '(no CmdRef)'} ignored`;
  }

  /** The command that Results belong to. */
  results(results: Results): Pending | undefined {
    const cmdRef = results.cmdRef?.trim();
    const known = cmdRef && this.#isOurs(results.msgRef) ? this.#byId.get(cmdRef) : undefined;
    if (known || cmdRef) return known;
    const first = results.items[0];
    return this.#guess(
      'Get',
      first?.source?.uri ?? first?.target?.uri ?? results.sourceRef ?? results.targetRef,
    );
  }

  /** A missing MsgRef can only mean the one message that is open. */
  #isOurs(msgRef: string | undefined): boolean {
    const text = msgRef?.trim();
    return !text || text === this.msgId || this.#reminders.has(text);
  }

  /** A missing CmdRef: the first open command of that name and address, else the command that 1x§2.5 says. */
  #guess(name: string | undefined, uri: string | undefined): Pending | undefined {
    const open = this.pending.filter((p) => !name || p.command.kind === name.trim());
    const addressed = uri === undefined ? open : open.filter((p) => p.addresses(uri));
    return addressed.find((p) => !p.answered) ?? addressed[0] ?? this.#byId.get('1');
  }
}
