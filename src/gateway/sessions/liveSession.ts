import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import type { Dm2Command } from '../../dm2/packages.ts';
import type { SessionContext } from '../../interworking/context.ts';
import type { AuthVerdict, Effect, SessionOutcome, SessionScript } from '../../interworking/script.ts';
import type { Statement } from '../../store/engine.ts';
import type { JournalEntry, JournalRow, SessionPatch, SessionRow } from '../../store/schema.ts';
import type { SessionWrite } from '../../store/sessions.ts';
import type { EntryKind, MessageMeta, Stored } from './entries.ts';
import { storeModel } from './messageModel.ts';

/** An answer in the bytes that go to the device. */
export interface Reply {
  readonly type: string;
  readonly body: Uint8Array;
  /** HTTP status, 200 when absent. */
  readonly status?: number;
  /** Beyond those of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What tells the repeat of a message from a new one. */
export interface MessageMark {
  readonly hash: string;
  readonly msgId?: string;
}

/** Entries that come again with the device's own repeat, or with the script's. */
const REPEATED: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'open',
  'device',
  'note',
  'delivered',
  'undelivered',
  // Places that nobody has been told of yet, what was uploaded, what is known of the device.
  'repository.expect',
  'repository.offer',
  'repository.collect',
  'registry.save',
]);

/**
 * One session as a node holds it between and during messages: its script, how far the journal is,
 * and the last exchange with the device.
 */
export class LiveSession {
  readonly id: string;
  readonly deviceId: string;
  readonly protocol: 'dm1' | 'dm2';
  readonly context: SessionContext;
  readonly script: SessionScript;
  /** `null` once a later session of the device has taken its place. */
  key: string | null;
  /** Where the script stands: an effect without result yet, or its outcome. */
  step: IteratorResult<Effect, SessionOutcome> | undefined;
  /** The script waits for the device's next message, and the answer to the last one is journaled. */
  parked = false;
  ended = false;
  /** How the device writes; answers mirror it. */
  encoding: Encoding | undefined;
  dialect: string;
  /** Number of the last command document, where the dialect numbers them. */
  msgId: number | undefined;
  /** The commands of that document, which the next status report answers. */
  asked: readonly Dm2Command[] = [];
  last: MessageMark;
  /** Time of the last message from the device. */
  lastAt: number;
  /** The answer to the last message; absent while it is made, and after a replay until it is asked for. */
  reply: Reply | undefined;
  /** Whether the answer arrived; `undefined` while it is on its way (`delivery` settles then). */
  delivered: boolean | undefined = false;
  delivery: Promise<unknown> | undefined;
  /** Its device was authenticated, once for the session or for each message (1x§9.4), or need not be. */
  proof: 'none' | 'session' | 'message' | undefined;
  /** Where a message came from that belongs here but did not come to the RespURI, and proved nothing. */
  strayedFrom: string | undefined;
  /** It has had addresses in the Data Repository. */
  hasPlaces = false;
  /** Its journal holds what a user typed unseen; that goes when it ends. */
  heldInConfidence = false;
  /** A dialogue of its device's user stands in its journal. */
  hasAnswers = false;
  /** What the device says next may have the bytes of what it said last. */
  lookalike = false;
  /** A relayed server has not taken what the device said last; it comes again, with what was asked for. */
  declined = false;
  /** How often the answer to its last message was given again. */
  repeats = 0;
  /** As stored; later than the true one, so that not every message writes it. */
  storedDeadline: number;
  #seq: number;
  #entries: JournalEntry[] = [];
  /** The last entry that holds a message, until it is written, and how it would hold another one. */
  #message: { readonly at: number; readonly rewrite: (message: SyncMLMessage) => Stored } | undefined;
  /** Answers of the backend so far: numbers its exchanges, the same after a replay. */
  exchanges = 0;
  /** What is not stored yet has results in it that no message of the device would bring again. */
  holdsResults = false;
  #closes: SessionWrite['places'];
  #patch: SessionPatch | undefined;
  #open: SessionRow | undefined;
  #replaces: readonly string[] | undefined;
  #secrets = false;
  #rewrites: SessionWrite['rewrites'];
  #also: Statement[] | undefined;

  constructor(start: {
    readonly row: SessionRow;
    readonly context: SessionContext;
    readonly script: SessionScript;
    readonly encoding?: Encoding | undefined;
    readonly dialect: string;
    readonly last: MessageMark;
    /** Entries that the journal has; 0: the session itself is not stored yet. */
    readonly entries: number;
    readonly replaces?: readonly string[];
  }) {
    const { row } = start;
    this.id = row.id;
    this.deviceId = row.device_id;
    this.protocol = row.protocol;
    this.key = row.key;
    this.context = start.context;
    this.script = start.script;
    this.encoding = start.encoding;
    this.dialect = start.dialect;
    this.last = start.last;
    this.lastAt = row.opened_at;
    this.storedDeadline = row.deadline;
    this.#seq = start.entries;
    if (start.entries === 0) {
      this.#open = row;
      this.#replaces = start.replaces;
    }
  }

  /** The store knows of the session, and so may other nodes. */
  get stored(): boolean {
    return this.#open === undefined;
  }

  /**
   * Puts an entry behind the others; it is durable only after the next write.
   * @param again the same comes about when the device repeats its message; else a backend is asked only
   *   once the entry is durable
   */
  record(
    kind: EntryKind,
    at: number,
    meta: string,
    body: Uint8Array | null = null,
    again: boolean = REPEATED.has(kind),
  ): void {
    this.#entries.push({ session_id: this.id, seq: this.#seq, kind, at, meta, body });
    this.#seq += 1;
    if (!again) this.holdsResults = true;
    if (kind === 'backend.exchange') this.exchanges += 1;
    if (kind === 'repository.offer' || kind === 'repository.expect') this.hasPlaces = true;
    if (kind === 'interaction.wait' && body !== null) this.heldInConfidence = true;
  }

  /** As `record`, for an entry that holds a message. */
  recordHolding(
    rewrite: (message: SyncMLMessage) => Stored,
    ...entry: Parameters<LiveSession['record']>
  ): void {
    this.#message = { at: this.#entries.length, rewrite };
    this.record(...entry);
  }

  /** Keeps the message that was recorded last as it is now; false when it was written as it came. */
  keepMessage(message: SyncMLMessage): boolean {
    const entry = this.#message && this.#entries[this.#message.at];
    if (!this.#message || !entry) return false;
    this.#entries[this.#message.at] = { ...entry, ...this.#message.rewrite(message) };
    return true;
  }

  /** Whether its journal has anything that goes when the session ends. */
  get holdsSecrets(): boolean {
    if (this.hasAnswers) return true;
    for (const { meta, body } of this.#entries) this.watch(meta, body);
    return this.#secrets;
  }

  /** Takes note of an entry of its journal. */
  watch(meta: string, body: Uint8Array | null): void {
    const { secrets } = this.context.mappings;
    this.#secrets ||= secrets.mayStandIn(meta) || (body !== null && secrets.mayStandIn(body));
  }

  /** Has rows of its journal replaced with the next write. */
  rewrite(rows: readonly JournalRow[]): void {
    if (rows.length > 0) this.#rewrites = rows;
  }

  /** Has a change of another table become durable with the next write. */
  also(change: Statement): void {
    this.#also ??= [];
    this.#also.push(change);
  }

  /** Takes note of a result of `authenticate`. */
  judged(verdict: AuthVerdict): void {
    if (!verdict.ok) return;
    if (verdict.scheme === 'none') this.proof = 'none';
    else this.proof = verdict.status === 200 ? 'message' : 'session';
  }

  recordMessage(
    kind: 'open' | 'device',
    at: number,
    meta: MessageMeta,
    body: Uint8Array | null,
    again = true,
  ): void {
    const rewrite = (message: SyncMLMessage) => storeModel(meta, message);
    this.recordHolding(rewrite, kind, at, JSON.stringify(meta), body, again);
    if (kind === 'device' && this.hasPlaces) this.#closes = 'used';
  }

  change(patch: SessionPatch): void {
    this.#patch = this.#patch ? { ...this.#patch, ...patch } : patch;
  }

  /** What is not stored yet, or `undefined` when nothing is; the caller must store it. */
  takeWrite(): SessionWrite | undefined {
    if (this.ended && this.hasPlaces) this.#closes = 'all';
    if (this.#entries.length === 0 && !this.#patch && !this.#open && !this.#also) return undefined;
    for (const { meta, body } of this.#entries) this.watch(meta, body);
    const write: SessionWrite = {
      id: this.id,
      entries: this.#entries,
      ...(this.#open && { open: this.#open }),
      ...(this.#replaces && { replaces: this.#replaces }),
      ...(this.#patch && { patch: this.#patch }),
      ...(this.#also && { also: this.#also }),
      ...(this.#closes && { places: this.#closes }),
      ...(this.#rewrites && { rewrites: this.#rewrites }),
      ...(this.ended && this.heldInConfidence && { forget: true as const }),
    };
    this.#entries = [];
    this.#message = undefined;
    this.#closes = undefined;
    this.holdsResults = false;
    this.#patch = undefined;
    this.#also = undefined;
    this.#open = undefined;
    this.#replaces = undefined;
    this.#rewrites = undefined;
    return write;
  }
}
