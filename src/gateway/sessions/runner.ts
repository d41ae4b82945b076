import { LRUCache } from 'lru-cache';
import { isLeftToServer } from '../../interworking/sessions.ts';
import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { DragomanError } from '../../support/errors.ts';
import type { ReadStored } from '../objects/fill.ts';
import { DeliveryLog } from './deliveryLog.ts';
import { DeviceOrder } from './deviceOrder.ts';
import { advance, type Driven, type Driver, drive, fail, JournalRefused, type Taken } from './drive.ts';
import type { MessageMeta } from './entries.ts';
import { abandon, type Gone, sayGoodbye } from './goodbye.ts';
import type { Answer, Incoming } from './incoming.ts';
import { Journal } from './journal.ts';
import type { LiveSession } from './liveSession.ts';
import { newSession } from './newSession.ts';
import type { Performers } from './performers.ts';
import type {
  AuthenticateDm1,
  PresentToDevice,
  RunnerLimits,
  SessionLog,
  SessionMetrics,
  SessionStarter,
  Wire,
} from './ports.ts';
import { belongsTo, isOutOfOrder, isRepeat, repeatedExchange } from './repeats.ts';
import { type ReplayTools, replay } from './replay.ts';
import { Replies } from './replies.ts';
import { otherDialect, reportFor } from './statusReports.ts';
import { findExchange, restoreReply, type StoredExchange } from './storedAnswers.ts';

export interface RunnerOptions {
  readonly store: Store;
  readonly starter: SessionStarter;
  readonly performers: Performers;
  readonly wire: Wire;
  readonly present: PresentToDevice;
  readonly authenticate: AuthenticateDm1;
  /** Bytes that answers only name. */
  readonly readStored: ReadStored;
  readonly limits: RunnerLimits;
  readonly metrics: SessionMetrics;
  readonly log: SessionLog;
  /** Name of this node in the store. */
  readonly node: string;
  /** Several nodes use the store at once; where it is PostgreSQL that is assumed. */
  readonly shared?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told of every session that ended. */
  readonly ended?: (session: { id: string; deviceId: string; backend: string; ending: string }) => void;
}

/** How much later than the true deadline the stored one is, as a part of the whole; spares a write per message. */
const DEADLINE_SLACK = 0.25;
/** How often a message starts over from the journal when another node writes to it at the same time. */
const MOST_RELOADS = 3;

/** Drives every session of this node; see the parts: `drive` runs a script, `replay` brings one back. */
export class SessionRunner {
  readonly journal: Journal;
  readonly replies: Replies;
  readonly #options: RunnerOptions;
  readonly #driver: Driver;
  readonly #tools: ReplayTools;
  readonly #now: () => number;
  readonly #order = new DeviceOrder();
  readonly #deliveries: DeliveryLog;
  /** Sessions in memory by key. */
  readonly #cache: LRUCache<string, LiveSession>;
  /** Live sessions that this node was the last to serve, longest silent first. */
  readonly #live = new Map<string, { readonly deviceId: string; readonly deadline: number }>();
  /** Sessions without a device that are being brought to their end. */
  readonly #closing = new Map<string, Promise<void>>();
  readonly #sessionMs: number;
  #sweeper: NodeJS.Timeout | undefined;
  #draining = false;
  #stopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#sessionMs = options.limits.sessionSeconds * 1000;
    this.journal = new Journal(options.store.sessions, options.metrics.journalFlushed, options.shared);
    this.#deliveries = new DeliveryLog(this.journal, this.#now);
    this.replies = new Replies(options.wire, options.present, options.readStored);
    this.#cache = new LRUCache({ max: options.limits.cachedSessions ?? options.limits.sessions });
    this.#tools = { starter: options.starter, wire: options.wire, replies: this.replies };
    this.#driver = {
      journal: this.journal,
      performers: options.performers,
      replies: this.replies,
      metrics: options.metrics,
      log: options.log,
      now: this.#now,
      ended: (session, ending) => this.#ended(session, ending),
    };
  }

  /** Live sessions that this node carries. */
  get live(): number {
    return this.#live.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Hands a message to its session, in the order of its device's messages (IW-SES-5). */
  async deliver(message: Incoming): Promise<Answer> {
    if (this.#stopped || (this.#draining && message.opens === 'always')) {
      return overload('The gateway is shutting down.');
    }
    const answer = this.#order.inOrder(message.deviceId, () => this.#deliver(message));
    return answer ?? overload('Too many messages of this device wait.');
  }

  /** Sweeps now and then every `everyMs` milliseconds, until `drain`. */
  start(everyMs = 1_000): void {
    const run = async () => {
      try {
        await this.sweep();
      } catch (error) {
        this.#options.log.error({ error }, 'Abandoned sessions could not be looked for.');
      }
      if (!this.#draining) this.#sweeper = setTimeout(run, everyMs).unref();
    };
    void run();
  }

  /**
   * Refuses new sessions, lets messages in flight be answered, for `ms` milliseconds at most, and leaves
   * the rest to the journal. Any node can go on with them.
   */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    clearTimeout(this.#sweeper);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all([this.#order.idle(), ...this.#closing.values()]), late]);
    clearTimeout(timer);
    this.#stopped = true;
    await this.journal.settled();
    this.#cache.clear();
  }

  /** Ends sessions whose device has been silent for too long, this node's and abandoned ones (IW-SES-11). */
  async sweep(limit = 100): Promise<void> {
    const now = this.#now();
    const due: Promise<unknown>[] = [];
    for (const [id, { deviceId, deadline }] of this.#live) {
      if (deadline > now || due.length >= limit) break;
      if (this.#order.isBusy(deviceId)) {
        this.#extend(id, deviceId, now);
        continue;
      }
      due.push(this.#order.inOrder(deviceId, () => this.#timeOut(id)) ?? Promise.resolve());
    }
    await Promise.all(due);
    const { sessions } = this.#options.store;
    for (const row of await sessions.overdue(now, limit)) {
      if (this.#stopped) return;
      if (this.#closing.has(row.id) || this.#order.isBusy(row.device_id)) continue;
      if (!(await sessions.claim(row, this.#options.node, now + this.#sessionMs))) continue;
      await this.#order.inOrder(row.device_id, () => this.#timeOut(row.id));
    }
  }

  /** A message that takes long, a user who ponders: no other node may take the session for abandoned. */
  #extend(id: string, deviceId: string, now: number): void {
    this.#live.delete(id);
    this.#live.set(id, { deviceId, deadline: now + this.#sessionMs });
    const deadline = Math.round(now + this.#sessionMs * (1 + DEADLINE_SLACK));
    this.journal.write({ id, patch: { deadline }, entries: [] }).catch((error) => {
      this.#options.log.warn({ session: id, error }, 'The deadline of a session could not be moved.');
    });
  }

  async #deliver(message: Incoming): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#dispatch(message);
      } catch (error) {
        // Another node drove the session meanwhile, or the database is out of reach: the journal decides.
        this.#cache.delete(message.key);
        const refused = error instanceof JournalRefused;
        if (refused && attempt < MOST_RELOADS) continue;
        this.#options.log.error({ device: message.deviceId, error }, 'A message could not be handled.');
        if (refused) return overload('The message could not be recorded; try again.');
        return { kind: 'refused', code: 'internal', detail: 'An error of the gateway; see its log.' };
      }
    }
  }

  async #dispatch(message: Incoming): Promise<Answer> {
    const held = this.#cache.get(message.key);
    if (held && (await isRepeat(held, message))) return this.#repeat(held, message);
    if (held && goesOn(held, message)) return this.#continue(held, message);
    const rows = await this.#options.store.sessions.keyedOf(message.deviceId);
    const row = belongsTo(rows, message);
    if (row && !(held && held.id === row.id)) {
      const entries = await this.journal.read(row.id);
      const repeated = repeatedExchange(row, entries, message, this.#sessionMs);
      if (row.state !== 'live') {
        if (repeated?.reply) return this.#answerAgain(row, repeated, message);
      } else if (repeated || message.opens !== 'always') {
        const session = await this.#load(row, entries, message);
        if (!session) return { kind: 'lost', code: 'diverged', session: row.id };
        if (repeated) return this.#repeat(session, message);
        if (goesOn(session, message)) return this.#continue(session, message);
      }
    }
    return message.opens === 'never' ? { kind: 'no-session' } : this.#begin(message, rows);
  }

  async #continue(session: LiveSession, message: Incoming): Promise<Answer> {
    if (!message.event) return { kind: 'no-session' };
    const other = otherDialect(session, message);
    if (other) return other;
    if (isOutOfOrder(session, message)) {
      const entries = await this.journal.read(session.id);
      const earlier = findExchange(entries, message);
      if (!earlier?.reply) return { kind: 'out-of-order', session: session.id };
      return this.#answerAgain(session, earlier, message);
    }
    if (!session.parked) {
      // The answer to the last message was never made; make it for the journal, then go on from there.
      await drive(session, this.#driver);
      if (session.ended) return { kind: 'no-session' };
    }
    const report = reportFor(session, message, this.#options.wire);
    if ('refused' in report) return report.refused;
    if (session.proof !== 'message') return this.#next(session, message, report.event);
    const verdict = await this.#options.authenticate(message, session.context);
    if (!verdict.ok) return { kind: 'unproven', verdict };
    return this.#next(session, message, report.event, verdict);
  }

  async #next(
    session: LiveSession,
    message: Incoming,
    event: NonNullable<Incoming['event']>,
    verdict?: Taken['verdict'],
  ): Promise<Answer> {
    const { at, mark, encoding, stripped, contentType, tolerated } = message;
    const changed = encoding && encoding.form !== session.encoding?.form;
    if (changed) session.encoding = encoding;
    session.parked = false;
    session.reply = undefined;
    session.delivered = false;
    session.delivery = undefined;
    session.repeats = 0;
    if (session.key !== null && session.key !== message.key) this.#rename(session, message.key);
    // One that looks like the last would be taken for its repeat after a crash, if nothing told of it.
    const unlike = session.last.hash !== mark.hash;
    session.last = mark;
    session.lastAt = at;
    const meta: MessageMeta = {
      h: mark.hash,
      ...(mark.msgId !== undefined && { m: mark.msgId }),
      ...(changed && { enc: encoding }),
      ...(stripped && { stripped }),
      ...(contentType !== undefined && { type: contentType }),
      ...(tolerated && { tolerated }),
    };
    session.recordMessage('device', at, meta, message.stored, unlike);
    this.#touch(session, at);
    return this.#answer(session, message, { verdict, resume: () => advance(session, { ...event, at }) });
  }

  /** Runs the session on and turns what comes of it into the answer to `message`. */
  async #answer(
    session: LiveSession,
    message: Incoming,
    { verdict, resume }: { verdict?: Taken['verdict']; resume?: () => void } = {},
  ): Promise<Answer> {
    const { request } = message;
    let driven: Driven;
    try {
      resume?.();
      driven = await drive(session, this.#driver, { request, verdict });
    } catch (error) {
      if (error instanceof JournalRefused) throw error;
      driven = await fail(session, this.#driver, error);
    }
    this.#keep(session);
    switch (driven.kind) {
      case 'lost':
        return { kind: 'lost', code: driven.code, session: session.id };
      case 'silent':
        // The device still waits for an answer, whatever the script thought.
        return { kind: 'no-session' };
      case 'reply':
        if (session.protocol === 'dm2' || session.ended) {
          this.#deliveries.watch(session, driven.reply, message.request.delivered);
        }
        return { kind: 'reply', reply: driven.reply, session: session.id, ...claimed(session) };
    }
  }

  async #begin(message: Incoming, earlier: readonly SessionRow[]): Promise<Answer> {
    const { opening, deviceId, at } = message;
    if (!opening) return { kind: 'no-session' };
    const replaced = earlier.filter((row) => row.state === 'live');
    if (this.#live.size >= this.#options.limits.sessions + replaced.length) {
      return overload('Too many sessions.');
    }
    const started = await this.#options.starter.start(opening, deviceId, at);
    if ('refused' in started) return { kind: 'refused', code: started.refused, detail: started.detail };
    // Whoever merely claims to be the device opens nothing, and ends nothing.
    const verdict =
      message.protocol === 'dm1' ? await this.#options.authenticate(message, started) : undefined;
    if (verdict?.ok === false) return { kind: 'unproven', verdict };
    const ended = isLeftToServer(started) ? earlier.filter(({ key }) => key === message.key) : earlier;
    const session = newSession(message, started, ended, {
      starter: this.#options.starter,
      node: this.#options.node,
      deadline: Math.round(at + this.#sessionMs * (1 + DEADLINE_SLACK)),
    });
    this.#touch(session, at);
    for (const row of ended) {
      const held = row.key === null ? undefined : this.#cache.get(row.key);
      if (row.key !== null) this.#cache.delete(row.key);
      this.#live.delete(row.id);
      if (row.state === 'live') this.#closeInBackground(row, held?.id === row.id ? held : undefined);
    }
    return this.#answer(session, message, { verdict });
  }

  async #repeat(session: LiveSession, message: Incoming): Promise<Answer> {
    if (!session.parked) return this.#answer(session, message);
    if (!session.reply) {
      const exchange = findExchange(await this.journal.read(session.id));
      if (!exchange?.reply) throw new DragomanError('internal', `Session ${session.id} has lost its answer.`);
      session.reply = await restoreReply(exchange.reply, session.deviceId, session.dialect, this.replies);
    }
    session.repeats += 1;
    session.lastAt = message.at;
    this.#touch(session, message.at);
    this.#keep(session);
    this.#deliveries.watch(session, session.reply, message.request.delivered);
    return { kind: 'reply', reply: session.reply, session: session.id, repeated: true, ...claimed(session) };
  }

  async #answerAgain(
    session: { readonly id: string },
    exchange: StoredExchange,
    message: Incoming,
  ): Promise<Answer> {
    const { reply } = exchange;
    if (!reply) return { kind: 'no-session' };
    const restored = await restoreReply(reply, message.deviceId, message.dialect, this.replies);
    return { kind: 'reply', reply: restored, session: session.id, repeated: true };
  }

  /** Brings a session back from its journal; `undefined` when it did not repeat itself and was ended. */
  async #load(
    row: SessionRow,
    entries: readonly JournalEntry[],
    message?: Incoming,
  ): Promise<LiveSession | undefined> {
    try {
      const session = replay(row, entries, this.#tools, message);
      this.#touch(session, message?.at ?? session.lastAt);
      this.#keep(session);
      return session;
    } catch (error) {
      await this.#abandon(row, entries, error);
      return undefined;
    }
  }

  /** Ends a session whose script cannot be brought back. */
  async #abandon(row: SessionRow, entries: readonly JournalEntry[], error: unknown): Promise<void> {
    const code = await abandon(row, entries, error, this.#driver);
    this.#live.delete(row.id);
    this.#options.metrics.sessionEnded(code);
    this.#options.ended?.({ id: row.id, deviceId: row.device_id, backend: row.backend, ending: code });
  }

  async #timeOut(id: string): Promise<void> {
    const row = await this.#options.store.sessions.byId(id);
    if (row?.state !== 'live') {
      this.#live.delete(id);
      return;
    }
    const held = row.key === null ? undefined : this.#cache.get(row.key);
    await this.#sayGoodbye(
      row,
      held?.id === id ? held : undefined,
      row.key === null ? 'replaced' : 'timeout',
    );
  }

  #closeInBackground(row: SessionRow, held: LiveSession | undefined): void {
    if (held) held.key = null;
    const closing = this.#sayGoodbye({ ...row, key: null }, held, 'replaced').finally(() =>
      this.#closing.delete(row.id),
    );
    this.#closing.set(row.id, closing);
  }

  /** Tells a script that its device is gone, so that it ends its backend leg tidily. Never rejects. */
  async #sayGoodbye(row: SessionRow, held: LiveSession | undefined, reason: Gone): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const session = (attempt === 0 && held) || (await this.#load(row, await this.journal.read(row.id)));
        if (!session) return;
        if (reason === 'timeout' && session.lastAt + this.#sessionMs > this.#now()) return;
        return await sayGoodbye(session, reason, this.#driver);
      } catch (error) {
        if (row.key !== null) this.#cache.delete(row.key);
        this.#live.delete(row.id);
        if (!(error instanceof JournalRefused)) {
          this.#options.log.error({ session: row.id, error }, 'A session could not be ended.');
          return;
        }
        // Another node wrote to it meanwhile; if it ended there, that is all.
        if (attempt >= MOST_RELOADS || (await this.#isOver(row.id))) return;
      }
    }
  }

  async #isOver(id: string): Promise<boolean> {
    try {
      return (await this.#options.store.sessions.byId(id))?.state !== 'live';
    } catch {
      // The store is out of reach; the sweep tries again.
      return true;
    }
  }

  /** Notes that the session has life in it until a deadline from `at` on. */
  #touch(session: LiveSession, at: number): void {
    const deadline = at + this.#sessionMs;
    this.#live.delete(session.id);
    this.#live.set(session.id, { deviceId: session.deviceId, deadline });
    if (deadline <= session.storedDeadline) return;
    session.storedDeadline = Math.round(deadline + this.#sessionMs * DEADLINE_SLACK);
    session.change({ deadline: session.storedDeadline, updated_at: at, node: this.#options.node });
  }

  #keep(session: LiveSession): void {
    if (!session.ended && session.key !== null) this.#cache.set(session.key, session);
  }

  /** The client goes on at another URL of ours, where its next messages look for it (IW-SES-3). */
  #rename(session: LiveSession, key: string): void {
    if (session.key !== null) this.#cache.delete(session.key);
    session.key = key;
    session.change({ key });
  }

  #ended(session: LiveSession, ending: string): void {
    this.#live.delete(session.id);
    if (session.key !== null && this.#cache.peek(session.key) === session) this.#cache.delete(session.key);
    const { id, deviceId, context } = session;
    this.#options.ended?.({ id, deviceId, backend: context.backend.name, ending });
  }
}

/** Whether a message belongs to a live session that has its key, rather than opening another. */
function goesOn(session: LiveSession, { opens }: Incoming): boolean {
  return opens !== 'always' && !(opens === 'again' && session.proof !== undefined);
}

function claimed({ context }: LiveSession): { claimed?: true } {
  return isLeftToServer(context) ? { claimed: true } : {};
}

function overload(detail: string): Answer {
  return { kind: 'refused', code: 'overload', detail };
}
