import type { AlertCommand, Encoding } from '../../dm1/message.ts';
import { type CommandAnswer, type Opened, type PlannedCommand, ServerLeg } from '../../dm1/session/server.ts';
import { judgeAlert } from '../alerts.ts';
import { driveDevice } from '../drive.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';

/**
 * The legacy device of an L2N session: runs 1.x commands on it and collects the alerts that it sends
 * meanwhile. Once it aborted or went away every further command is answered 500, unsent (IW-SES-10).
 */
export class LegacyDevice {
  readonly #s: Session;
  readonly #leg: ServerLeg;
  readonly #notes: string[] = [];
  #along:
    | { commands: readonly PlannedCommand[]; take: (answers: readonly CommandAnswer[]) => void }
    | undefined;
  readonly encoding: Encoding;
  /** Why there will be no next message, if so. */
  gone: 'timeout' | 'replaced' | 'shutdown' | undefined;

  constructor(s: Session) {
    const { opening, deviceUrl, limits } = s.context;
    if (opening.protocol !== 'dm1') throw new TypeError('LegacyDevice needs a DM 1.x opening');
    this.#s = s;
    this.encoding = opening.encoding;
    this.#leg = new ServerLeg(
      {
        opening: opening.message,
        encoding: opening.encoding,
        respURI: deviceUrl,
        maxMessages: limits.messages,
        ownMaxMsgSize: limits.messageBytes,
        judgeAlert,
        note: (text: string) => this.#notes.push(text),
      },
      s.capability('sequence') === false ? { sequence: false } : {},
    );
  }

  get ended(): 'aborted' | 'gone' | undefined {
    return this.#leg.ended;
  }

  *open(): Script<Opened> {
    const opened = yield* driveDevice(this.#s, this.#leg.open(), (reason) => {
      this.gone = reason;
    });
    yield* this.#flushNotes();
    return opened;
  }

  /**
   * Asks these along with the next commands, so that a check costs no exchange of its own; `take` gets
   * their answers.
   */
  askAlong(commands: readonly PlannedCommand[], take: (answers: readonly CommandAnswer[]) => void): void {
    this.#along = { commands, take };
  }

  /** One answer for each command, in order; as few messages as its MaxMsgSize allows. */
  *run(commands: readonly PlannedCommand[], group?: 'Sequence' | 'Atomic'): Script<readonly CommandAnswer[]> {
    if (commands.length === 0) return [];
    const along = group === undefined ? this.#along : undefined;
    if (along) this.#along = undefined;
    const sent = along ? [...along.commands, ...commands] : commands;
    const answers = yield* driveDevice(this.#s, this.#leg.run(sent, group ? { group } : {}), (reason) => {
      this.gone = reason;
    });
    yield* this.#remember(group);
    yield* this.#flushNotes();
    if (!along) return answers;
    const count = along.commands.length;
    along.take(answers.slice(0, count));
    return answers.slice(count);
  }

  /** Commands whose order matters: in a Sequence, or message by message where the device has none (IW-SEQ-1). */
  *runInOrder(commands: readonly PlannedCommand[]): Script<readonly CommandAnswer[]> {
    return yield* this.run(commands, commands.length > 1 ? 'Sequence' : undefined);
  }

  takeAlerts(): readonly AlertCommand[] {
    return this.#leg.takeAlerts();
  }

  /** The answer that ends the session tidily; `undefined` when nobody waits for one. */
  close() {
    if (this.#leg.ended === 'gone') return undefined;
    return { protocol: 'dm1', message: this.#leg.close() } as const;
  }

  *#remember(group: 'Sequence' | 'Atomic' | undefined): Script<void> {
    if (group === undefined || this.ended) return;
    const name = group === 'Sequence' ? 'sequence' : 'atomic';
    const supported = this.#leg.learned[name] !== false;
    if (!supported && this.#s.capability(name) !== false) {
      yield* this.#s.note('IW-INV-2', `The device has no ${group}; this is remembered.`);
    }
    // A 413 is about this one group; an answer to a group's children proves that it was understood.
    if (!supported) this.#s.learn(name, false);
  }

  *#flushNotes(): Script<void> {
    for (const text of this.#notes.splice(0)) yield* this.#s.note('1x§2.5', text);
  }
}
