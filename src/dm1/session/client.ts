import type { BodyElement, Command, Encoding, Item, Status, SyncHdr, SyncMLMessage } from '../message.ts';
import { isAuthStatus, isSuccess, parseStatusCode } from '../tables/status.ts';
import type { Machine, PresentCred } from '../turn.ts';
import { NOTE_LENGTH } from './deviceChannel.ts';
import { Draft } from './draft.ts';
import { alertPart, type FillOptions, fillParts, type Part, type Placed, statusPart } from './outbox.ts';
import { type AnswerLimits, answerParts, type ServerCommandAnswer } from './package3.ts';
import type { PlannedAlert, Sizing } from './planned.ts';
import { Presenter } from './presenter.ts';
import { owedFor, type ReceivedCommand, ServerInbox } from './serverInbox.ts';
import { Spool } from './spool.ts';
import { alertMaker, headerStatusMaker, leastRoom, type OwedStatus, statusMaker } from './statuses.ts';
import { send } from './turns.ts';

export type { ServerCommandAnswer } from './package3.ts';
export type { PlannedAlert } from './planned.ts';
export type { ReceivedCommand } from './serverInbox.ts';

export interface ClientLegOptions extends Sizing {
  /** Chosen by us, or printed from a notification (1x§1.3). */
  readonly sessionId: string;
  /** Source/LocURI: `IMEI:…`, `urn:uuid:…`. */
  readonly deviceId: string;
  readonly serverUrl: string;
  readonly verDTD: string;
  readonly verProto: string;
  readonly encoding: Encoding;
  /** Sizes to announce, bytes. */
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
  readonly scheme: 'none' | PresentCred['scheme'];
  /** Nonce kept from the session before (md5, hmac). */
  readonly nonce?: Uint8Array;
  /** Source/LocName: the user name of md5 and HMAC. */
  readonly userName?: string;
  /** Messages that this side sends at most in the session. */
  readonly maxMessages: number;
  /** Told what was odd or lost. */
  readonly note?: (text: string) => void;
}

export interface Package1Content {
  readonly sessionAlert: '1200' | '1201';
  /** Items of the DevInfo Replace, each with a Source (1x§2.1). */
  readonly devInfo: readonly Item[];
  readonly alerts: readonly PlannedAlert[];
}

export type ServerPackage =
  /** To be executed in this order and answered by `answer`. */
  | { readonly kind: 'commands'; readonly commands: readonly ReceivedCommand[] }
  /** The server has no more commands: the session is over and nothing is sent any more (1x§2.2). */
  | { readonly kind: 'end' }
  /** Alert 1223 from the server; it is not answered (1x§2.4). */
  | { readonly kind: 'aborted' }
  /** This side cannot go on: too many messages, or the server's MaxMsgSize has no room. `abort` tells the server. */
  | { readonly kind: 'given-up'; readonly reason: string }
  | { readonly kind: 'gone' }
  /** The server refused the header: credentials, version, overload. */
  | { readonly kind: 'refused'; readonly code: number };

const MAX_OBJECT = 4 * 1024 * 1024;

/** The client's side of a DM 1.x session: a legacy server is its peer (1x§2). */
export class ClientLeg {
  /** Where the next message goes: the configured URL, later the server's RespURI. */
  url: string;
  /** What the server said to our alerts, in order. */
  readonly alertStatuses: { readonly alert: PlannedAlert; readonly code: number }[] = [];
  readonly #o: ClientLegOptions;
  readonly #inbox: ServerInbox;
  readonly #spool: Spool;
  /** What is still to be said in this package. */
  readonly #outbox: Part[] = [];
  readonly #acknowledged: OwedStatus[] = [];
  /** What was said since the last point to repeat from after a challenge. */
  #repeatable: Part[] = [];
  readonly #alertRefs = new Map<string, { readonly alert: PlannedAlert; readonly goesOn: boolean }>();
  readonly #presenter: Presenter;
  #accepted = false;
  /** The server's last message lacked Final. */
  #serverOpen = false;
  #last: SyncHdr | undefined;
  #sent = 0;
  #maxMsgSize: number | undefined;
  #maxObjSize: number | undefined;

  constructor(options: ClientLegOptions) {
    this.#o = options;
    this.url = options.serverUrl;
    this.#inbox = new ServerInbox(options.maxObjSize ?? MAX_OBJECT);
    this.#spool = new Spool(options.maxObjSize ?? MAX_OBJECT);
    const { scheme, nonce } = options;
    // Without a nonce the server's challenge has to come first (1x§9.4).
    const ready = scheme === 'basic' || (scheme !== 'none' && nonce !== undefined);
    const initial = ready ? { scheme, ...(nonce && { nonce }) } : undefined;
    this.#presenter = new Presenter(initial, scheme !== 'none');
  }

  /** Nonce for the next session, once the server gave one after accepting us. */
  get nextNonce(): Uint8Array | undefined {
    return this.#presenter.nextNonce;
  }

  /** Credentials that `abort` is to bear. */
  get presenting(): PresentCred | undefined {
    return this.#presenter.current;
  }

  /** Opens the session with Package 1; returns what the server wants first. */
  *open(content: Package1Content): Machine<ServerPackage> {
    this.#outbox.push(alertPart({ kind: 'Alert', code: content.sessionAlert, items: [] }));
    if (content.devInfo.length > 0) this.#outbox.push(devInfoPart(content.devInfo));
    this.#outbox.push(...content.alerts.map(alertPart));
    return yield* this.#deliver();
  }

  /** Answers the last package, in its order; `alerts` are new ones of the device. */
  *answer(
    answers: readonly ServerCommandAnswer[],
    alerts: readonly PlannedAlert[] = [],
  ): Machine<ServerPackage> {
    let at = 0;
    const limits = this.#limits();
    for (const slot of this.#inbox.slots.splice(0)) {
      const answer = slot.auto === undefined ? answers[at++] : { code: slot.auto };
      this.#outbox.push(...answerParts(slot, answer, limits));
    }
    this.#outbox.push(...alerts.map(alertPart));
    return yield* this.#deliver();
  }

  /** The message that breaks the session off (1x§2.4), if there is room for one; an answer to it is to be ignored. */
  abort(): SyncMLMessage | undefined {
    const limits = this.#limits();
    for (const slot of this.#inbox.slots.splice(0))
      this.#outbox.push(...answerParts(slot, { code: slot.auto ?? 500 }, limits));
    const draft = this.#begin();
    const abort = alertMaker('1223');
    // An object that was begun has no end any more.
    const whole = this.#outbox.filter((part) => part.at === undefined && !part.chunkable);
    fillParts(draft, whole, { ...this.#filling(), keep: draft.measure(abort('0000')) });
    if (!draft.tryAdd(abort)) return undefined;
    this.#sent += 1;
    return draft.message(true);
  }

  #limits(): AnswerLimits {
    const empty = this.#begin();
    const room = empty.room - leastRoom(empty);
    const holds = (element: BodyElement): boolean => empty.measure(element) <= room;
    return { encoding: this.#o.encoding, maxObjSize: this.#maxObjSize, holds };
  }

  #filling(): Omit<FillOptions, 'keep'> {
    return { maxObjSize: this.#maxObjSize, note: (text) => this.#note(text) };
  }

  #note(text: string): void {
    this.#o.note?.(text.slice(0, NOTE_LENGTH));
  }

  /** Sends what the outbox holds in as many messages as the server's MaxMsgSize needs, then reads its package. */
  *#deliver(): Machine<ServerPackage> {
    for (;;) {
      const reason = this.#obstacle();
      if (reason !== undefined) return { kind: 'given-up', reason };
      const draft = this.#begin();
      const keep = draft.measure(alertMaker('1222')('0000'));
      this.#acknowledge(draft, keep);
      const placed = fillParts(draft, this.#outbox, { ...this.#filling(), keep });
      const final = this.#outbox.length === 0 && !this.#serverOpen;
      if (!final) draft.add(alertMaker('1222'));
      const message = yield* this.#exchange(draft, placed, final);
      if (!message) return { kind: 'gone' };
      const waiting = this.#inbox.slots.length;
      const taken = this.#inbox.take(yield* this.#spool.absorb(message));
      this.#statuses(taken.statuses);
      if (taken.objectRefused) this.#dropObject('with Alert 1225');
      if (taken.aborted) return { kind: 'aborted' };
      const verdict = this.#follow(taken.headerStatus);
      if (typeof verdict === 'number') return { kind: 'refused', code: verdict };
      if (verdict === 'repeat') {
        // Commands beside a challenge come again once it is met.
        this.#inbox.slots.length = waiting;
        this.#outbox.unshift(...this.#repeatable.splice(0));
        continue;
      }
      const asked = this.#inbox.slots.slice(waiting).some((slot) => slot.auto === undefined);
      // Between parts of our package a message without Final only asks for the next part (1x§2.3).
      if (message.final || asked || this.#outbox.length === 0) this.#serverOpen = !message.final;
      const commands = this.#inbox.slots.filter((slot) => slot.auto === undefined);
      if (commands.length === 0) {
        // Only the protocol's own alerts and refused commands: their Statuses go first in the next message.
        const nothing = this.#outbox.length === 0;
        this.#settleOwn();
        // A server that never says Final answers every Alert 1222 with Statuses alone: it has no more (1x§16.1).
        const silent = placed.length === 0 && !final && nothing && !this.#inbox.objects.open;
        // One that says Final to each part of our package still has to hear the rest.
        if (taken.commands || !nothing || !(message.final || silent)) continue;
        if (!message.final) this.#note('The server had nothing more to say, and no Final');
        return { kind: 'end' };
      }
      if (this.#outbox.length === 0) return { kind: 'commands', commands };
    }
  }

  /** Why this side cannot go on, if so. */
  #obstacle(): string | undefined {
    if (this.#sent >= this.#o.maxMessages) return `Session given up after ${this.#sent} messages`;
    const empty = this.#begin();
    if (empty.room >= leastRoom(empty)) return undefined;
    return `The server takes messages of ${this.#maxMsgSize} bytes at most (MaxMsgSize), too few for a Status`;
  }

  /** Statuses for what was answered without anybody's doing. */
  #settleOwn(): void {
    const first: Part[] = [];
    for (const slot of this.#inbox.slots.splice(0)) {
      const owed = owedFor(slot, slot.auto ?? 500);
      // Alert 1222 comes with every message of a long package; its Status must not wait for room among the parts.
      if (slot.command.kind === 'Alert' && owed.code === 200) this.#acknowledged.push(owed);
      else first.push(statusPart(owed));
    }
    this.#outbox.unshift(...first);
  }

  #begin(): Draft {
    const o = this.#o;
    const header: SyncHdr = {
      verDTD: o.verDTD,
      verProto: o.verProto,
      sessionId: o.sessionId,
      msgId: String(this.#sent + 1),
      target: { uri: this.url },
      source: { uri: o.deviceId, ...(o.userName !== undefined && { name: o.userName }) },
      ...((o.maxMsgSize !== undefined || o.maxObjSize !== undefined) && {
        meta: {
          ...(o.maxMsgSize !== undefined && { maxMsgSize: o.maxMsgSize }),
          ...(o.maxObjSize !== undefined && { maxObjSize: o.maxObjSize }),
        },
      }),
    };
    const draft = new Draft(header, o, o.encoding, this.#maxMsgSize, this.#presenter.current !== undefined);
    const last = this.#last;
    // A server that identifies itself is taken at its word; TLS is what proves it.
    if (last) draft.add(headerStatusMaker(last, last.cred ? 212 : 200));
    draft.markFree();
    return draft;
  }

  /** Statuses of the protocol's own alerts, and an object that was broken off: before all else, as far as they fit. */
  #acknowledge(draft: Draft, keep: number): void {
    const { objects } = this.#inbox;
    while (this.#acknowledged[0] && draft.tryAdd(statusMaker(this.#acknowledged[0]), keep))
      this.#acknowledged.shift();
    if (objects.broken && draft.tryAdd(alertMaker('1225', [objects.broken]), keep))
      objects.broken = undefined;
  }

  *#exchange(draft: Draft, placed: readonly Placed[], final: boolean): Machine<SyncMLMessage | undefined> {
    this.#sent += 1;
    // Until the server accepted us the whole of Package 1 has to be repeated, later only what it refused.
    if (this.#accepted) this.#repeatable = [];
    for (const { part, element, goesOn } of placed) {
      this.#repeatable.push(part);
      if (part.alert)
        this.#alertRefs.set(`${draft.header.msgId}/${element.cmdId}`, { alert: part.alert, goesOn });
    }
    const reply = yield* send(draft.message(final), this.#presenter.current);
    if (!reply) return undefined;
    this.#last = reply.header;
    if (reply.header.respURI) this.url = absolute(reply.header.respURI, this.url);
    this.#maxMsgSize = reply.header.meta?.maxMsgSize || this.#maxMsgSize;
    this.#maxObjSize = reply.header.meta?.maxObjSize ?? this.#maxObjSize;
    return reply;
  }

  /** Repeat the package with credentials, go on, or give up with a code (1x§9.4). */
  #follow(status: Status | undefined): 'repeat' | 'go-on' | number {
    if (!status) {
      this.#note('The server gave no Status for the header');
      return 'go-on';
    }
    const verdict = this.#presenter.follow(status);
    if (verdict === 'repeat') return 'repeat';
    if (verdict !== 'accepted') return parseStatusCode(status.code) || 500;
    this.#accepted = true;
    return 'go-on';
  }

  #statuses(statuses: readonly Status[]): void {
    for (const status of statuses) {
      const code = parseStatusCode(status.code);
      const key = `${status.msgRef?.trim() ?? this.#sent}/${status.cmdRef?.trim() ?? '1'}`;
      const told = this.#alertRefs.get(key);
      if (status.cmd?.trim() === 'Results' || told?.goesOn) this.#chunkStatus(code);
      if (!told || isAuthStatus(code)) continue;
      this.#alertRefs.delete(key);
      // 213 for a part is no word on the whole.
      if (!told.goesOn || !isSuccess(code)) this.alertStatuses.push({ alert: told.alert, code: code || 500 });
    }
  }

  /** A server that refuses a chunk gets no more of that object. */
  #chunkStatus(code: number): void {
    if (!isSuccess(code)) this.#dropObject(`with ${code}`);
  }

  #dropObject(how: string): void {
    const at = this.#outbox.findIndex((part) => part.at !== undefined);
    if (at < 0) return;
    this.#note(`The server refused a large object ${how}`);
    this.#outbox.splice(at, 1);
  }
}

function devInfoPart(items: readonly Item[]): Part {
  return {
    items,
    chunkable: true,
    make: (cmdId, some): Command => ({ kind: 'Replace', cmdId, items: some }),
  };
}

/** RespURI as an absolute URL; where it is none at all, messages keep going where they went. */
function absolute(uri: string, base: string): string {
  const text = uri.trim();
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return URL.canParse(text, base) ? new URL(text, base).href : base;
}
