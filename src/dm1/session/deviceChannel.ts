import { challengeMeta } from '../auth/schemes.ts';
import type { AlertCommand, Encoding, Meta, Status, SyncHdr, SyncMLMessage } from '../message.ts';
import type { Machine, PresentCred } from '../turn.ts';
import { Draft } from './draft.ts';
import { DeviceInbox } from './inbox.ts';
import { itemUri } from './pending.ts';
import type { PlannedCommand, Sizing } from './planned.ts';
import { Presenter } from './presenter.ts';
import type { References } from './references.ts';
import { hasChunk, Spool } from './spool.ts';
import {
  alertMaker,
  headerStatusMaker,
  leastRoom,
  type OwedStatus,
  statusForEach,
  statusMaker,
} from './statuses.ts';
import { send, verify } from './turns.ts';
import { unsupportedVersion } from './versions.ts';

export interface ServerLegOptions extends Sizing {
  /** The device's first message. */
  readonly opening: SyncMLMessage;
  readonly encoding: Encoding;
  /** Absolute URL for everything that the device sends from now on. */
  readonly respURI: string;
  /** Every message is to bear credentials: 200 for the header instead of 212 (1x§2.6). */
  readonly eachMessage?: boolean;
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

/** A message in the making; nothing is spent until it is sent. */
export interface Opening {
  readonly draft: Draft;
  /** How many of the owed Statuses are in it. */
  readonly statuses: number;
  /** It tells by Alert 1225 that an object was broken off. */
  readonly brokenTold: boolean;
}

const MAX_OBJECT = 4 * 1024 * 1024;
/** Failing messages of one session that are challenged; the authenticator usually gives up earlier. */
const MAX_CHALLENGES = 3;
export const NOTE_LENGTH = 200;
/** Messages without Final and content after which a package is taken as complete: all answered, or not. */
const PATIENCE = { answered: 1, waiting: 8 } as const;

/** Messages to and from one device: headers, numbers, sizes, credentials of both sides, Statuses owed. */
export class DeviceChannel {
  readonly inbox: DeviceInbox;
  readonly verProto: string;
  ended: 'aborted' | 'gone' | undefined;
  /** Why the device's credentials were refused for good. */
  refusal: string | undefined;
  maxObjSize: number | undefined;
  readonly #o: ServerLegOptions;
  readonly #verDTD: string;
  readonly #presenter: Presenter;
  readonly #spool: Spool;
  /** Header of the device's last message. */
  #last: SyncHdr;
  #lastMsgId = 0;
  #headerCode = 200;
  #chal: Meta | undefined;
  /** The next message is to be checked. */
  #verifies = true;
  #each: boolean;
  #challenges = 0;
  #sent = 0;
  #gaveUp = false;
  #maxMsgSize: number | undefined;

  constructor(options: ServerLegOptions) {
    const { opening, judgeAlert } = options;
    this.#o = options;
    this.#each = options.eachMessage ?? false;
    this.#last = opening.header;
    // A challenge that no session gave has used up numbers of both sides; messages alternate (1x§9.4).
    this.#sent = earlierMessages(opening.header);
    this.#lastMsgId = this.#sent;
    this.#presenter = new Presenter(options.present, true);
    const spoken = unsupportedVersion(opening.header) === undefined;
    this.#verDTD = spoken ? opening.header.verDTD.trim() : '1.2';
    this.verProto = spoken ? opening.header.verProto.trim() : 'DM/1.2';
    const maxObjectBytes = options.maxObjectBytes ?? MAX_OBJECT;
    this.#spool = new Spool(maxObjectBytes);
    this.inbox = new DeviceInbox({
      maxObjectBytes,
      ...(judgeAlert && { judgeAlert }),
      note: (text) => this.note(text),
    });
  }

  /** Nonce for our credentials in the next session, where the device gave one. */
  get nextNonce(): Uint8Array | undefined {
    return this.#presenter.nextNonce;
  }

  /** Credentials that the next message is to bear. */
  get presenting(): PresentCred | undefined {
    return this.#presenter.current;
  }

  /** The message that comes next did not come to `respURI`: its credentials are to be checked. */
  proveEach(): void {
    this.#each = true;
    this.#verifies = true;
  }

  note(text: string): void {
    // What a peer wrote may be quoted in it, at any length.
    this.#o.note?.(text.slice(0, NOTE_LENGTH));
  }

  /** Ends a session whose device leaves no room for what has to be said. */
  giveUp(): void {
    this.refusal = `The device takes messages of ${this.#maxMsgSize} bytes at most (MaxMsgSize), too few for a Status`;
    this.note(this.refusal);
    this.#headerCode = 400;
    this.#chal = undefined;
    this.#gaveUp = true;
    this.ended = 'aborted';
  }

  /** Says why a command is not sent. */
  noteUnsent({ kind, items }: PlannedCommand): void {
    const limits = [`MaxMsgSize ${this.#maxMsgSize}`, `MaxObjSize ${this.maxObjSize}`];
    const named = limits.filter((limit) => !limit.endsWith('undefined')).join(', ');
    this.note(`${kind} ${items.map(itemUri).join(' ')} is too large for the device (${named}) and not sent`);
  }

  /** A package over several messages can be had with this device. */
  get hasRoom(): boolean {
    const { draft } = this.begin([]);
    return draft.room >= leastRoom(draft);
  }

  /** Some owed Statuses did not fit into this message. */
  isShort(opening: Opening): boolean {
    return opening.statuses < this.inbox.owed.length;
  }

  /** Answers a message with one code for the header and every command, instead of executing it. */
  refuseAll(message: SyncMLMessage, code: number): void {
    this.#headerCode = code;
    this.inbox.owed.push(...statusForEach(message, code));
  }

  /** Starts a message: header, its Status, and as many owed Statuses as fit. */
  begin(due: readonly OwedStatus[] = this.inbox.owed): Opening {
    const { opening, encoding, respURI, serverName, ownMaxMsgSize } = this.#o;
    const header: SyncHdr = {
      verDTD: this.#verDTD,
      verProto: this.verProto,
      sessionId: opening.header.sessionId,
      msgId: String(this.#sent + 1),
      target: { uri: opening.header.source.uri },
      source: { uri: opening.header.target.uri, ...(serverName !== undefined && { name: serverName }) },
      respURI,
      ...(ownMaxMsgSize !== undefined && { meta: { maxMsgSize: ownMaxMsgSize } }),
    };
    const presents = this.#presenter.current !== undefined;
    const draft = new Draft(header, this.#o, encoding, this.#maxMsgSize, presents);
    draft.add(headerStatusMaker(this.#last, this.#headerCode, this.#chal));
    draft.markFree();
    const room = draft.measure(alertMaker('1222')('0000'));
    const { broken } = this.inbox.objects;
    const brokenTold = broken !== undefined && draft.tryAdd(alertMaker('1225', [broken]), room) !== undefined;
    let statuses = 0;
    for (const owed of due) {
      if (!draft.tryAdd(statusMaker(owed), room)) break;
      statuses += 1;
    }
    return { draft, statuses, brokenTold };
  }

  /** Sends a message and returns the device's authenticated answer; `undefined` ends the session. */
  *exchange(opening: Opening, final: boolean): Machine<SyncMLMessage | undefined> {
    if (this.#sent >= this.#o.maxMessages) {
      this.note(`Session aborted after ${this.#sent} messages`);
      this.#gaveUp = true;
      this.ended = 'aborted';
      return undefined;
    }
    if (opening.draft.room < 0) {
      this.giveUp();
      return undefined;
    }
    const reply = yield* send(this.#seal(opening, final), this.#presenter.current);
    if (!reply) {
      this.ended = 'gone';
      return undefined;
    }
    return yield* this.admit(reply);
  }

  /** Reads a header, and checks credentials while they are due on each message (1x§9.4). */
  *admit(message: SyncMLMessage): Machine<SyncMLMessage | undefined> {
    this.#readHeader(message.header);
    if (!this.#verifies) return message;
    const verdict = yield* verify(message.header, message.header.cred);
    if (verdict.ok) {
      const { status, scheme, nextNonce } = verdict;
      this.#verifies = status === 200 && scheme !== 'none';
      // A connection proves itself in every message, and needs no Cred in any.
      const without = scheme === 'none' || scheme === 'mtls';
      if (without) this.#headerCode = 212;
      else this.#headerCode = this.#each ? 200 : status;
      this.#chal = nextNonce && !without ? challengeMeta(scheme, nextNonce) : undefined;
      return message;
    }
    this.refuseAll(message, verdict.status);
    if (!verdict.challenge || this.#challenges >= MAX_CHALLENGES) {
      this.refusal = verdict.detail;
      this.ended = 'aborted';
      return undefined;
    }
    this.#challenges += 1;
    this.#chal = challengeMeta(verdict.challenge.scheme, verdict.challenge.nonce);
    return yield* this.exchange(this.begin(), true);
  }

  /** "Next message" (1x§2.3): Statuses and Alert 1222, no Final. */
  *askForMore(references?: References, opening = this.begin()): Machine<SyncMLMessage | undefined> {
    const alert = opening.draft.add(alertMaker('1222'));
    references?.remind(opening.draft.header.msgId, alert.cmdId);
    return yield* this.exchange(opening, false);
  }

  /** Reads one message; true when the device challenges us. */
  *hear(
    message: SyncMLMessage,
    references: References | undefined,
  ): Machine<{ challenged: boolean; substance: boolean }> {
    const { headerStatus, substance, aborted } = this.inbox.take(
      yield* this.#spool.absorb(message),
      references,
    );
    if (aborted) this.ended = 'aborted';
    return { challenged: headerStatus !== undefined && this.#follow(headerStatus), substance };
  }

  /** Reads the device's package to its end, asking for what lacks (1x§2.3); true when it challenges us. */
  *hearPackage(reply: SyncMLMessage | undefined, references: References): Machine<boolean> {
    let message = reply;
    let idle = 0;
    let challenged = false;
    while (message) {
      const heard = yield* this.hear(message, references);
      challenged ||= heard.challenged;
      // Clients exist that put Final beside MoreData; what they began is not over.
      const goesOn = this.inbox.objects.open && message.body.some(hasChunk);
      if (this.ended || (message.final && !goesOn)) break;
      idle = heard.substance ? 0 : idle + 1;
      if (idle > (references.complete ? PATIENCE.answered : PATIENCE.waiting)) {
        this.note('The device sends no Final and nothing else; its package is taken as complete');
        break;
      }
      message = yield* this.askForMore(references);
    }
    if (this.inbox.objects.open) {
      this.note('The last chunk of a large object never came');
      this.inbox.objects.interrupt();
      this.#spool.interrupt();
    }
    return challenged;
  }

  /** Sends owed Statuses in a message of their own, while our package goes on (1x§2.3). */
  *sendStatuses(): Machine<void> {
    const opening = this.begin();
    if (opening.statuses === 0) return this.giveUp();
    const reply = yield* this.askForMore(undefined, opening);
    if (reply) yield* this.hear(reply, undefined);
  }

  /** Sends what is owed beyond the room of the last message. */
  *settle(): Machine<void> {
    while (!this.ended && this.isShort(this.begin())) yield* this.sendStatuses();
  }

  /** The last message of the session: all that is owed, and Final (1x§2.2); 1223 where we give up (1x§2.4). */
  farewell(): SyncMLMessage {
    const opening = this.begin();
    if (this.isShort(opening)) this.note('Statuses beyond MaxMsgSize were left out');
    // Before the first message of ours there is nothing to break off.
    if (this.#gaveUp && this.#sent > 0) opening.draft.tryAdd(alertMaker('1223'));
    return this.#seal(opening, true);
  }

  #seal(opening: Opening, final: boolean): SyncMLMessage {
    this.#sent += 1;
    this.#chal = undefined;
    if (opening.brokenTold) this.inbox.objects.broken = undefined;
    this.inbox.owed.splice(0, opening.statuses);
    return opening.draft.message(final);
  }

  #readHeader(header: SyncHdr): void {
    const msgId = Number(header.msgId);
    if (msgId !== this.#lastMsgId + 1) this.note(`MsgID ${header.msgId} follows ${this.#lastMsgId}`);
    this.#lastMsgId = msgId;
    this.#last = header;
    this.#maxMsgSize = header.meta?.maxMsgSize || this.#maxMsgSize;
    this.maxObjSize = header.meta?.maxObjSize ?? this.maxObjSize;
  }

  #follow(status: Status): boolean {
    const verdict = this.#presenter.follow(status);
    if (verdict === 'refused') this.note(`The device refuses our credentials with ${status.code}`);
    if (verdict === 'failed') this.note(`The device answers the header with ${status.code}`);
    return verdict === 'repeat';
  }
}

function earlierMessages({ msgId }: SyncHdr): number {
  const before = Number(msgId) - 1;
  return Number.isInteger(before) && before > 0 && before <= MAX_CHALLENGES ? before : 0;
}
