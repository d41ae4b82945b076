import { challengeMeta, parseAuthType } from '../auth/schemes.ts';
import type { AlertCommand, Encoding, Item, Meta, Status, SyncHdr, SyncMLMessage } from '../message.ts';
import { isAuthStatus, isSuccess, parseStatusCode } from '../tables/status.ts';
import type { CredVerdict, Machine, PresentCred } from '../turn.ts';
import { Draft } from './draft.ts';
import { fillGroup, fillPlain } from './fill.ts';
import { settleGroup } from './groups.ts';
import { DeviceInbox } from './inbox.ts';
import { chunkOf, transmitted } from './largeObject.ts';
import { Pending } from './pending.ts';
import { type CommandAnswer, type PlannedCommand, type Sizing, unanswered } from './planned.ts';
import { References } from './references.ts';
import { alertMaker, headerStatusMaker, statusForEach, statusMaker } from './statuses.ts';
import { send, verify } from './turns.ts';
import { unsupportedVersion } from './versions.ts';

export type { CommandAnswer, PlannedCommand } from './planned.ts';

export interface ServerLegOptions extends Sizing {
  /** The device's first message. */
  readonly opening: SyncMLMessage;
  readonly encoding: Encoding;
  /** Absolute URL for everything that the device sends from now on. */
  readonly respURI: string;
  /** Messages that this side sends at most in the session. */
  readonly maxMessages: number;
  /** MaxMsgSize to announce, bytes. */
  readonly ownMaxMsgSize?: number;
  /** Largest object that chunks may build up, bytes; 4 MiB when not given. */
  readonly maxObjectBytes?: number;
  /** Source/LocName to send: the server's user name. */
  readonly serverName?: string;
  /** Credentials to present from the first message on, without waiting for a challenge (1x§16.1). */
  readonly present?: PresentCred;
  /** Status for an alert that has Items (IW-ALERT-4). */
  readonly judgeAlert?: (alert: AlertCommand) => number;
  /** Told what was odd or lost. */
  readonly note?: (text: string) => void;
}

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
  sequence?: false;
  atomic?: false;
}

const MAX_OBJECT = 4 * 1024 * 1024;
/** Failing messages of one session that are challenged; the authenticator usually gives up earlier. */
const MAX_CHALLENGES = 3;

interface Opening {
  readonly draft: Draft;
  /** How many of the owed Statuses are in it. */
  readonly statuses: number;
}

/** The server's side of a DM 1.x session: a legacy device is its peer (1x§2). */
export class ServerLeg {
  /** Set once no command can be sent any more. */
  ended: 'aborted' | 'gone' | undefined;
  readonly learned: Learned = {};
  readonly #o: ServerLegOptions;
  readonly #inbox: DeviceInbox;
  readonly #verDTD: string;
  readonly #verProto: string;
  /** Header of the device's last message. */
  #last: SyncHdr;
  #lastMsgId: string | undefined;
  #headerCode = 200;
  #chal: Meta | undefined;
  #verifyEach = true;
  #challenges = 0;
  #refusal: string | undefined;
  #present: PresentCred | undefined;
  #answeredChallenge = false;
  #sent = 0;
  #exhausted = false;
  #maxMsgSize: number | undefined;
  #maxObjSize: number | undefined;

  constructor(options: ServerLegOptions) {
    this.#o = options;
    this.#last = options.opening.header;
    this.#present = options.present;
    const versionFault = unsupportedVersion(options.opening.header) !== undefined;
    this.#verDTD = versionFault ? '1.2' : options.opening.header.verDTD.trim();
    this.#verProto = versionFault ? 'DM/1.2' : options.opening.header.verProto.trim();
    this.#inbox = new DeviceInbox({
      maxObjectBytes: options.maxObjectBytes ?? MAX_OBJECT,
      ...(options.judgeAlert && { judgeAlert: options.judgeAlert }),
      ...(options.note && { note: options.note }),
    });
  }

  /** Authenticates the device and takes its Package 1, however many messages that needs. */
  *open(): Machine<Opened> {
    const { opening } = this.#o;
    const fault = unsupportedVersion(opening.header);
    if (fault) {
      this.#headerCode = fault.code;
      this.#owe(opening, fault.code);
      return this.#refuse(fault.reason);
    }
    let message = yield* this.#admit(opening);
    for (;;) {
      if (!message) {
        if (this.#refusal !== undefined) return this.#refuse(this.#refusal);
        return this.ended === 'gone' ? { kind: 'gone' } : { kind: 'aborted', reply: this.close() };
      }
      const taken = this.#inbox.take(message, undefined);
      if (taken.aborted) {
        this.ended = 'aborted';
        return { kind: 'aborted', reply: this.close() };
      }
      if (message.final) break;
      message = yield* this.#askForMore(undefined);
    }
    this.#inbox.packageOneComplete = true;
    const { sessionAlert, devInfo } = this.#inbox;
    return {
      kind: 'open',
      ...(sessionAlert && { sessionAlert }),
      devInfo: [...devInfo],
      alerts: this.takeAlerts(),
      verProto: this.#verProto,
    };
  }

  /** Has the device execute commands, in order; returns one answer for each once it answered all. */
  *run(commands: readonly PlannedCommand[], options: RunOptions = {}): Machine<CommandAnswer[]> {
    const all = commands.map((command, index) => new Pending(command, index));
    const answers: (CommandAnswer | undefined)[] = new Array(commands.length);
    const queue = [...all];
    // Without Sequence, order is only certain between messages (IW-SEQ-1).
    let split = options.group === 'Sequence' && this.learned.sequence === false;
    let group = split ? undefined : options.group;
    while (queue.length > 0 && !this.ended) {
      const opening = this.#begin();
      const { draft } = opening;
      if (opening.statuses < this.#inbox.owed.length) {
        yield* this.#settle(yield* this.#askForMore(undefined), undefined);
        continue;
      }
      const references = new References(draft.header.msgId);
      const added = group
        ? fillGroup(draft, queue, references, group)
        : fillPlain(draft, queue, references, split ? 1 : undefined);
      if (added > 0) {
        const again = yield* this.#settle(yield* this.#exchange(opening, true), references);
        queue.unshift(...again.commands);
        if (again.ungroup) {
          group = undefined;
          split = true;
        }
      } else if (
        opening.statuses > 0 &&
        !(group !== 'Atomic' && this.#isObject(queue[0]) && beyond(draft, queue[0]))
      ) {
        // Statuses owed to the device take the room that the next command needs; they go first.
        yield* this.#settle(yield* this.#askForMore(undefined), undefined);
      } else if (group === 'Atomic') {
        for (const pending of queue.splice(0)) answers[pending.index] = unanswered(413);
      } else {
        const [pending] = queue.splice(0, 1);
        if (pending && !(yield* this.#sendObject(pending))) answers[pending.index] = unanswered(413);
      }
    }
    return all.map((pending) => answers[pending.index] ?? pending.answer());
  }

  /** Alerts that came since the opening or the last call. */
  takeAlerts(): AlertCommand[] {
    return this.#inbox.alerts.splice(0);
  }

  /**
   * The message that ends the session (1x§2.2): Statuses for all that is still owed, and Final; with
   * Alert 1223 where it is this side that gave up.
   */
  close(): SyncMLMessage {
    return this.#exhausted ? this.abort() : this.#farewell(undefined);
  }

  /** Ends the session before its work is done (1x§2.4). */
  abort(): SyncMLMessage {
    this.ended ??= 'aborted';
    return this.#farewell('1223');
  }

  #farewell(alert: string | undefined): SyncMLMessage {
    const opening = this.#begin();
    if (opening.statuses < this.#inbox.owed.length) this.#note('Statuses beyond MaxMsgSize were left out');
    if (alert) opening.draft.add(alertMaker(alert));
    return this.#seal(opening, true);
  }

  #note(text: string): void {
    this.#o.note?.(text);
  }

  #refuse(reason: string): Opened {
    this.ended = 'aborted';
    return { kind: 'refused', reply: this.close(), reason };
  }

  /** Owes one code to every command of a message, instead of executing it. */
  #owe(message: SyncMLMessage, code: number): void {
    this.#inbox.owed.push(...statusForEach(message, code));
  }

  /** Starts a message: header, its Status, and as many owed Statuses as fit. Nothing changes until it is sealed. */
  #begin(): Opening {
    const { opening, encoding, respURI, serverName, ownMaxMsgSize } = this.#o;
    const header: SyncHdr = {
      verDTD: this.#verDTD,
      verProto: this.#verProto,
      sessionId: opening.header.sessionId,
      msgId: String(this.#sent + 1),
      target: { uri: opening.header.source.uri },
      source: { uri: opening.header.target.uri, ...(serverName !== undefined && { name: serverName }) },
      respURI,
      ...(ownMaxMsgSize !== undefined && { meta: { maxMsgSize: ownMaxMsgSize } }),
    };
    const draft = new Draft(header, this.#o, encoding, this.#maxMsgSize, this.#present !== undefined);
    draft.add(headerStatusMaker(this.#last, this.#headerCode, this.#chal));
    draft.markFree();
    const { broken } = this.#inbox.objects;
    if (broken) draft.add(alertMaker('1225', [broken]));
    const room = draft.measure(alertMaker('1222')('0000'));
    let statuses = 0;
    for (const owed of this.#inbox.owed) {
      if (!draft.tryAdd(statusMaker(owed), room)) break;
      statuses += 1;
    }
    return { draft, statuses };
  }

  #seal(opening: Opening, final: boolean): SyncMLMessage {
    this.#sent += 1;
    this.#chal = undefined;
    this.#inbox.objects.broken = undefined;
    this.#inbox.owed.splice(0, opening.statuses);
    return opening.draft.message(final);
  }

  /** Sends a message and returns the device's authenticated answer; `undefined` ends the leg. */
  *#exchange(opening: Opening, final: boolean): Machine<SyncMLMessage | undefined> {
    if (this.#sent >= this.#o.maxMessages) {
      this.#note(`Session aborted after ${this.#sent} messages`);
      this.#exhausted = true;
      this.ended = 'aborted';
      return undefined;
    }
    const reply = yield* send(this.#seal(opening, final), this.#present);
    if (!reply) {
      this.ended = 'gone';
      return undefined;
    }
    return yield* this.#admit(reply);
  }

  /** Reads the header, and checks credentials while they are due on each message (1x§9.4). */
  *#admit(message: SyncMLMessage): Machine<SyncMLMessage | undefined> {
    this.#readHeader(message.header);
    if (!this.#verifyEach) return message;
    const verdict: CredVerdict = yield* verify(message.header, message.header.cred);
    this.#headerCode = verdict.status;
    if (verdict.ok) {
      this.#verifyEach = verdict.status === 200 && verdict.scheme !== 'none';
      this.#chal =
        verdict.nextNonce && verdict.scheme !== 'none'
          ? challengeMeta(verdict.scheme, verdict.nextNonce)
          : undefined;
      return message;
    }
    this.#owe(message, verdict.status);
    if (!verdict.challenge || this.#challenges >= MAX_CHALLENGES) {
      this.#refusal = verdict.detail;
      this.ended = 'aborted';
      return undefined;
    }
    this.#challenges += 1;
    this.#chal = challengeMeta(verdict.challenge.scheme, verdict.challenge.nonce);
    return yield* this.#exchange(this.#begin(), true);
  }

  #readHeader(header: SyncHdr): void {
    const before = Number(this.#lastMsgId ?? '0');
    if (Number(header.msgId) !== before + 1) this.#note(`MsgID ${header.msgId} follows ${before}`);
    this.#lastMsgId = header.msgId;
    this.#last = header;
    this.#maxMsgSize = header.meta?.maxMsgSize || this.#maxMsgSize;
    this.#maxObjSize = header.meta?.maxObjSize ?? this.#maxObjSize;
  }

  /** "Next message" (1x§2.3): Statuses and Alert 1222, no Final. */
  *#askForMore(references: References | undefined): Machine<SyncMLMessage | undefined> {
    const opening = this.#begin();
    const alert = opening.draft.add(alertMaker('1222'));
    references?.remind(opening.draft.header.msgId, alert.cmdId);
    return yield* this.#exchange(opening, false);
  }

  /** Reads the device's package to its end; returns the commands that have to be sent again. */
  *#settle(
    reply: SyncMLMessage | undefined,
    references: References | undefined,
  ): Machine<{ commands: readonly Pending[]; ungroup: boolean }> {
    let message = reply;
    let idle = 0;
    let challenged = false;
    while (message) {
      const taken = this.#inbox.take(message, references);
      challenged = this.#readHeaderStatus(taken.headerStatus) || challenged;
      if (taken.aborted) this.ended = 'aborted';
      if (taken.aborted || message.final) break;
      idle = taken.substance ? 0 : idle + 1;
      if (idle > 1) {
        this.#note('The device sends no Final and nothing else; its package is taken as complete');
        break;
      }
      message = yield* this.#askForMore(references);
    }
    if (this.ended || !references) return { commands: [], ungroup: false };
    if (challenged) {
      const again = references.pending.filter((pending) => pending.refusedForAuth);
      for (const pending of again) pending.reset();
      return { commands: again, ungroup: false };
    }
    const outcomes = references.groups.map((group) => ({ group, ...settleGroup(group) }));
    const lost = outcomes.find(({ unsupported }) => unsupported);
    if (lost?.group.kind === 'Atomic') this.learned.atomic = false;
    if (lost?.group.kind === 'Sequence') {
      this.learned.sequence = false;
      this.#note('The device knows no Sequence; its commands are sent one by one');
    }
    const again =
      lost?.group.kind === 'Sequence' ? lost.group.members : outcomes.flatMap((outcome) => outcome.again);
    for (const pending of again) pending.reset();
    return { commands: again, ungroup: lost?.group.kind === 'Sequence' };
  }

  /** Follows what the device says about our credentials; true when commands are to be sent again with them. */
  #readHeaderStatus(status: Status | undefined): boolean {
    if (!status) return false;
    const code = parseStatusCode(status.code);
    const scheme = parseAuthType(status.chal?.type);
    const nonce = status.chal?.nextNonce;
    if (isAuthStatus(code)) {
      if (!scheme || this.#answeredChallenge) {
        this.#note(
          scheme ? 'The device refused our credentials' : 'The device asks for credentials we cannot make',
        );
        this.#present = undefined;
        return false;
      }
      this.#answeredChallenge = true;
      this.#present = { scheme, ...(nonce && { nonce }) };
      return true;
    }
    this.#answeredChallenge = false;
    if (!this.#present) return false;
    if (code === 212) this.#present = undefined;
    else if (isSuccess(code) && nonce) this.#present = { scheme: scheme ?? this.#present.scheme, nonce };
    return false;
  }

  /** May go in chunks: one value, written. */
  #isObject(pending: Pending | undefined): boolean {
    if (!pending) return false;
    const { kind, items } = pending.command;
    return items.length === 1 && (kind === 'Add' || kind === 'Replace');
  }

  /** Sends a command that no message can hold as chunks (1x§8); false when that cannot be done. */
  *#sendObject(pending: Pending): Machine<boolean> {
    const { command } = pending;
    const first = command.items[0];
    if (!this.#isObject(pending) || !first) return false;
    const item = transmitted(first, this.#o.encoding);
    let at = 0;
    for (;;) {
      const opening = this.#begin();
      const { draft } = opening;
      const id = draft.id();
      const chunk = chunkOf(
        item,
        at,
        this.#maxObjSize,
        (part) => draft.measure({ ...command, cmdId: id, items: [part] }) <= draft.room,
        draft.room,
      );
      if (!chunk && opening.statuses > 0) {
        yield* this.#settle(yield* this.#askForMore(undefined), undefined);
        if (this.ended) return true;
        continue;
      }
      if (!chunk) return false;
      const references = new References(draft.header.msgId);
      references.add(id, pending);
      draft.put({ ...command, cmdId: id, items: [chunk.item] }, 0);
      this.#inbox.objectRefused = false;
      const again = yield* this.#settle(yield* this.#exchange(opening, chunk.last), references);
      if (again.commands.length > 0) {
        at = 0;
        continue;
      }
      if (this.ended || chunk.last) return true;
      const { code, answered } = pending.answer();
      if (this.#inbox.objectRefused || (answered && !isSuccess(code))) {
        if (isSuccess(code)) pending.reset();
        pending.imply(500);
        return true;
      }
      pending.reset();
      at = chunk.end;
    }
  }
}

/** No message could hold the command, and this one is as good as an empty one to begin with it. */
function beyond(draft: Draft, pending: Pending | undefined): boolean {
  return pending !== undefined && draft.mostlyFree && !draft.couldHold({ ...pending.command, cmdId: '0000' });
}
