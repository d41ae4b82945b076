import type { AlertCommand, Encoding } from '../../dm1/message.ts';
import { type CommandAnswer, type Opened, type PlannedCommand, ServerLeg } from '../../dm1/session/server.ts';
import type { Machine } from '../../dm1/turn.ts';
import type { Alert } from '../../dm2/packages.ts';
import { alertsToDm2, judgeAlert } from '../alerts.ts';
import { driveDevice } from '../drive.ts';
import { type KeptAlerts, keptFromLegacy } from '../keptAlerts.ts';
import { respUri } from '../respUri.ts';
import type { DeviceReply, Presentation, Script } from '../script.ts';
import type { Session } from '../session.ts';

/** Alerts in DM 2.0 terms, and the kept ones that they say. */
export interface Told {
  readonly alerts: readonly Alert[];
  readonly due: readonly { readonly n: number }[];
}

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
  readonly alerts: KeptAlerts<AlertCommand>;
  /** Why there will be no next message, if so. */
  gone: 'timeout' | 'replaced' | 'shutdown' | undefined;

  constructor(s: Session) {
    const { opening, limits, strays } = s.context;
    if (opening.protocol !== 'dm1') throw new TypeError('LegacyDevice needs a DM 1.x opening');
    this.#s = s;
    this.encoding = opening.encoding;
    this.alerts = keptFromLegacy(s);
    this.#leg = new ServerLeg(
      {
        opening: opening.message,
        encoding: opening.encoding,
        respURI: respUri(s.context),
        eachMessage: strays === true || s.capability('respURI') === false,
        maxMessages: limits.messages,
        ownMaxMsgSize: limits.messageBytes,
        maxObjectBytes: limits.objectBytes,
        judgeAlert,
        ...present(s),
        note: (text: string) => this.#notes.push(text),
      },
      s.capability('sequence') === false ? { sequence: false } : {},
    );
  }

  get ended(): 'aborted' | 'gone' | undefined {
    return this.#leg.ended;
  }

  *open(): Script<Opened> {
    const opened = yield* this.#drive(this.#leg.open());
    yield* this.#keep(opened.kind === 'open' ? opened.alerts : []);
    yield* this.#keep(this.#leg.takeAlerts());
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
    // DevInfo may have told a model whose pack says so.
    if (this.#s.capability('sequence') === false) this.#leg.know({ sequence: false });
    const answers = yield* this.#drive(this.#leg.run(sent, group ? { group } : {}));
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

  /** What the backend is to be told of the device's alerts now, stored before (IW-ALERT-6). */
  *tell(): Script<Told> {
    yield* this.#keep(this.#leg.takeAlerts());
    const due = this.alerts.take();
    const alerts = yield* alertsToDm2(
      this.#s,
      due.map(({ alert }) => alert),
    );
    return { alerts, due };
  }

  /** The answer that ends the session tidily; `undefined` when nobody waits for one. */
  *close(): Script<DeviceReply | undefined> {
    const message = yield* this.#drive(this.#leg.finish());
    yield* this.#keep(this.#leg.takeAlerts());
    yield* this.#flushNotes();
    const { presenting } = this.#leg;
    return message && { protocol: 'dm1', message, ...(presenting && { present: presenting }) };
  }

  *#drive<R>(machine: Machine<R>): Script<R> {
    const result = yield* this.#driven(machine);
    const { nextNonce } = this.#leg;
    if (nextNonce) this.#s.learnOwnNonce(Buffer.from(nextNonce).toString('base64'));
    return result;
  }

  *#driven<R>(machine: Machine<R>): Script<R> {
    return yield* driveDevice(this.#s, machine, {
      gone: (reason) => {
        this.gone = reason;
      },
      strayed: () => {
        this.#leg.proveEach();
        this.#s.learn('respURI', false);
      },
      // The answer gives them their Status: from then on they are ours to deliver.
      beforeAnswer: () => this.#keep(this.#leg.takeAlerts()),
    });
  }

  *#keep(alerts: readonly AlertCommand[]): Script<void> {
    yield* this.alerts.keep(alerts.filter((alert) => alert.items.length > 0 && judgeAlert(alert) === 200));
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

/**
 * Credentials from the first message on where some are on file for the device: clients exist that otherwise
 * answer every command with 0 and no challenge (1x§16.1). Without a nonce the first try is for a challenge.
 */
function present({ context }: Session): { present?: Presentation; credBytes?: number } {
  const { device, ownNonce } = context;
  if (device.proof === undefined) return {};
  const nonce = ownNonce === undefined ? {} : { nonce: new Uint8Array(Buffer.from(ownNonce, 'base64')) };
  return {
    present: { scheme: device.proof, ...(device.proof !== 'basic' && nonce) },
    ...(device.credBytes !== undefined && { credBytes: device.credBytes }),
  };
}
