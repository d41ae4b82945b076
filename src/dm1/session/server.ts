import type { AlertCommand, Item, SyncMLMessage } from '../message.ts';
import type { Machine, PresentCred } from '../turn.ts';
import { DeviceChannel, type ServerLegOptions } from './deviceChannel.ts';
import { fillGroup, fillPlain } from './fill.ts';
import { settleGroup } from './groups.ts';
import { itemBytes, transmitted } from './largeObject.ts';
import { Pending } from './pending.ts';
import { type CommandAnswer, type PlannedCommand, unanswered } from './planned.ts';
import { References } from './references.ts';
import { sendObject, startsHere } from './sendObject.ts';
import { unsupportedVersion } from './versions.ts';

export type { ServerLegOptions } from './deviceChannel.ts';
export type { CommandAnswer, PlannedCommand } from './planned.ts';

export type Opened =
  | {
      readonly kind: 'open';
      /** Absent when the device sent neither 1200 nor 1201. */
      readonly sessionAlert?: '1200' | '1201';
      /** Items of the DevInfo Replace as sent, leaves and interior nodes. */
      readonly devInfo: readonly Item[];
      readonly alerts: readonly AlertCommand[];
      readonly verProto: string;
    }
  | { readonly kind: 'refused'; readonly reply: SyncMLMessage; readonly reason: string }
  | { readonly kind: 'aborted'; readonly reply: SyncMLMessage }
  | { readonly kind: 'gone' };

export interface RunOptions {
  /** Wraps what travels in one message. */
  readonly group?: 'Sequence' | 'Atomic';
}

/** What the device turned out not to support while commands ran. */
export interface Learned {
  readonly sequence?: false;
  readonly atomic?: false;
}

interface Repeat {
  readonly commands: readonly Pending[];
  /** One by one, because the device knows no Sequence. */
  readonly split: boolean;
}

/** The server's side of a DM 1.x session: a legacy device is its peer (1x§2). */
export class ServerLeg {
  readonly #o: ServerLegOptions;
  readonly #channel: DeviceChannel;
  #learned: Learned;

  /** `learned`: what earlier sessions found out about the device. */
  constructor(options: ServerLegOptions, learned: Learned = {}) {
    this.#o = options;
    this.#learned = learned;
    this.#channel = new DeviceChannel(options);
  }

  /** Set once no command can be sent any more. */
  get ended(): 'aborted' | 'gone' | undefined {
    return this.#channel.ended;
  }

  /** Nonce for our credentials in the next session, where the device gave one. */
  get nextNonce(): Uint8Array | undefined {
    return this.#channel.nextNonce;
  }

  /** Credentials that `close` is to bear, for a device that wants them in every message (1x§2.6, §9.5). */
  get presenting(): PresentCred | undefined {
    return this.#channel.presenting;
  }

  get learned(): Learned {
    return this.#learned;
  }

  /** The message that comes next bears credentials, and so have those behind it to (1x§2.6, 200). */
  proveEach(): void {
    this.#channel.proveEach();
  }

  /** Takes over what became known of the device elsewhere. */
  know(learned: Learned): void {
    this.#learned = { ...this.#learned, ...learned };
  }

  /** Authenticates the device and takes its Package 1, however many messages that needs. */
  *open(): Machine<Opened> {
    const channel = this.#channel;
    const { opening } = this.#o;
    const fault = unsupportedVersion(opening.header);
    if (fault) {
      channel.refuseAll(opening, fault.code);
      channel.ended = 'aborted';
      return { kind: 'refused', reply: this.close(), reason: fault.reason };
    }
    let message = yield* channel.admit(opening);
    if (message && !channel.hasRoom) {
      channel.giveUp();
      message = undefined;
    }
    while (message) {
      yield* channel.hear(message, undefined);
      if (channel.ended) return { kind: 'aborted', reply: this.close() };
      if (message.final) return this.#opened();
      message = yield* channel.askForMore();
    }
    if (channel.ended === 'gone') return { kind: 'gone' };
    const reply = this.close();
    return channel.refusal === undefined
      ? { kind: 'aborted', reply }
      : { kind: 'refused', reply, reason: channel.refusal };
  }

  /** Has the device execute commands, in order; returns one answer for each once it answered all. */
  *run(commands: readonly PlannedCommand[], options: RunOptions = {}): Machine<CommandAnswer[]> {
    const channel = this.#channel;
    const all = commands.map((command) => new Pending(this.#spoken(command)));
    const unsent = new Set<Pending>();
    const queue = [...all];
    // Without Sequence, order is only certain between messages (IW-SEQ-1).
    let split = options.group === 'Sequence' && this.#learned.sequence === false;
    let cleared = false;
    while (queue.length > 0 && !channel.ended) {
      for (const pending of this.#withhold(queue, options.group)) unsent.add(pending);
      if (queue.length === 0) break;
      const group = split ? undefined : options.group;
      const opening = channel.begin();
      const { draft } = opening;
      if (channel.isShort(opening)) {
        yield* channel.sendStatuses();
        continue;
      }
      const references = new References(draft.header.msgId);
      const added = group
        ? fillGroup(draft, queue, references, group)
        : fillPlain(draft, queue, references, split ? 1 : undefined);
      if (added > 0) {
        const reply = yield* channel.exchange(opening, true);
        const challenged = yield* channel.hearPackage(reply, references);
        const again = this.#repeat(references, challenged);
        queue.unshift(...again.commands);
        split ||= again.split;
        cleared = false;
      } else if (opening.statuses > 0 && !cleared && (group === 'Atomic' || !startsHere(draft, queue[0]))) {
        // Statuses owed to the device take the room that the next command needs; they go first,
        // once: an Alert 1222 in each answer would keep some owed for ever.
        yield* channel.sendStatuses();
        cleared = true;
      } else if (group === 'Atomic') {
        for (const pending of queue.splice(0)) unsent.add(pending);
      } else {
        const [pending] = queue.splice(0, 1);
        if (pending && !(yield* sendObject(channel, pending, this.#o.encoding))) {
          unsent.add(pending);
          channel.noteUnsent(pending.command);
        }
      }
    }
    return all.map((pending) => (unsent.has(pending) ? unanswered(413) : pending.answer()));
  }

  /** Alerts that came since the opening or the last call. */
  takeAlerts(): AlertCommand[] {
    return this.#channel.inbox.alerts.splice(0);
  }

  /** Sends what the last message has no room for, then makes that (1x§2.2); `undefined` when nobody waits for it. */
  *finish(): Machine<SyncMLMessage | undefined> {
    yield* this.#channel.settle();
    return this.ended === 'gone' ? undefined : this.close();
  }

  /**
   * The message that ends the session (1x§2.2): Statuses for what is still owed, as far as they fit, and Final;
   * with Alert 1223 where it is this side that gave up (1x§2.4).
   */
  close(): SyncMLMessage {
    return this.#channel.farewell();
  }

  /** Takes out of the queue what holds a larger object than the device takes (1x§1.3); an Atomic goes whole or not at all. */
  #withhold(queue: Pending[], group: RunOptions['group']): Pending[] {
    const most = this.#channel.maxObjSize || Number.POSITIVE_INFINITY;
    const { encoding } = this.#o;
    const large = queue.filter(({ command }) =>
      command.items.some((item) => itemBytes(transmitted(item, encoding)) > most),
    );
    if (large.length === 0) return large;
    if (group === 'Atomic') return queue.splice(0);
    queue.splice(0, queue.length, ...queue.filter((pending) => !large.includes(pending)));
    return large;
  }

  #opened(): Opened {
    const { inbox, verProto } = this.#channel;
    inbox.packageOneComplete = true;
    const { sessionAlert, devInfo } = inbox;
    return {
      kind: 'open',
      ...(sessionAlert && { sessionAlert }),
      devInfo: [...devInfo],
      alerts: this.takeAlerts(),
      verProto,
    };
  }

  /** The command as the device's version can say it: Correlator came with DM 1.2 (1x§1.1). */
  #spoken(command: PlannedCommand): PlannedCommand {
    if (command.correlator === undefined || this.#channel.verProto !== 'DM/1.1') return command;
    const { correlator, ...rest } = command;
    this.#channel.note(`Correlator ${correlator} left out for a DM 1.1 device`);
    return rest;
  }

  /** Finds what has to be sent again: refused until we authenticate, skipped in a Sequence, or grouped in vain. */
  #repeat(references: References, challenged: boolean): Repeat {
    if (this.#channel.ended) return { commands: [], split: false };
    if (challenged) return again(references.pending.filter((pending) => pending.refusedForAuth));
    const [group] = references.groups;
    if (!group) return again([]);
    const outcome = settleGroup(group);
    if (!outcome.unsupported) return again(outcome.again);
    if (group.kind === 'Atomic') {
      this.#learned = { ...this.#learned, atomic: false };
      return again([]);
    }
    this.#learned = { ...this.#learned, sequence: false };
    this.#channel.note('The device knows no Sequence; its commands are sent one by one');
    return again(group.members, true);
  }
}

function again(commands: readonly Pending[], split = false): Repeat {
  for (const pending of commands) pending.reset();
  return { commands, split };
}
