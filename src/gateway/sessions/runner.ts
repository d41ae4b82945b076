import type { SessionContext } from '../../interworking/context.ts';
import type { AuthVerdict } from '../../interworking/script.ts';
import { isLeftToServer } from '../../interworking/sessions.ts';
import type { JournalEntry, SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { seconds } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { holdsTicket, newTicket } from '../auth/ticket.ts';
import type { ReadStored } from '../objects/fill.ts';
import { DeliveryLog } from './deliveryLog.ts';
import { Departures } from './departures.ts';
import { DeviceOrder } from './deviceOrder.ts';
import {
  advance,
  type Driven,
  type Driver,
  drive,
  fail,
  JournalRefused,
  MOST_RELOADS,
  type Taken,
} from './drive.ts';
import { abandon } from './goodbye.ts';
import type { Answer, Incoming } from './incoming.ts';
import { Journal } from './journal.ts';
import type { LiveSession } from './liveSession.ts';
import { newSession } from './newSession.ts';
import { takeNext } from './nextMessage.ts';
import { NodeSessions } from './nodeSessions.ts';
import type { Performers } from './performers.ts';
import type {
  AuthenticateDm1,
  PresentToDevice,
  RecognisesDm1,
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
  readonly recognises: RecognisesDm1;
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

/**
 * Finds for every message the session that it belongs to, and the answer. Its parts: `drive` runs a script,
 * `replay` brings one back, `NodeSessions` knows those of this node, `Departures` ends those whose device left.
 */
export class SessionRunner {
  readonly journal: Journal;
  readonly #options: RunnerOptions;
  readonly #driver: Driver;
  readonly #tools: ReplayTools;
  readonly #order = new DeviceOrder();
  readonly #deliveries: DeliveryLog;
  readonly #sessions: NodeSessions;
  readonly #departures: Departures;
  readonly #sessionMs: number;
  #draining = false;
  #stopped = false;

  constructor(options: RunnerOptions) {
    const { store, limits, metrics, node, log } = options;
    const now = options.now ?? Date.now;
    const sessionMs = seconds(limits.sessionSeconds);
    this.#options = options;
    this.#sessionMs = sessionMs;
    this.journal = new Journal(store.sessions, metrics.journalFlushed, options.shared);
    this.#deliveries = new DeliveryLog(this.journal, now);
    const replies = new Replies(options.wire, options.present, options.readStored);
    this.#tools = { starter: options.starter, wire: options.wire, replies };
    this.#sessions = new NodeSessions({ most: limits.cachedSessions ?? limits.sessions, sessionMs, node });
    this.#driver = {
      journal: this.journal,
      performers: options.performers,
      replies,
      secrets: options.starter.mappings.secrets,
      metrics,
      log,
      now,
      ended: (session) => {
        this.#sessions.forget(session);
        options.ended?.(session);
      },
    };
    this.#departures = new Departures({
      store: store.sessions,
      sessions: this.#sessions,
      order: this.#order,
      driver: this.#driver,
      load: async (row) => this.#load(row, await this.journal.read(row.id)),
      sessionMs,
      node,
    });
  }

  /** Live sessions that this node carries. */
  get live(): number {
    return this.#sessions.size;
  }

  /** Hands a message to its session, in the order of its device's messages (IW-SES-5). */
  async deliver(message: Incoming): Promise<Answer> {
    if (this.#stopped || (this.#draining && message.opens === 'always')) {
      return overload('The gateway is shutting down.');
    }
    const work = () => this.#deliver(message);
    const answer = this.#order.inOrder(message.deviceId, work);
    if (answer) return answer;
    const own = await this.#isOwn(message);
    const late = own ? this.#order.inOrder(message.deviceId, work, own) : undefined;
    return late ?? overload('Too many messages of this device wait.');
  }

  /** Whether a message comes from its device, without its session's help: for when too many claim to. */
  async #isOwn(message: Incoming): Promise<boolean> {
    if (message.protocol === 'dm2') return true;
    const held = this.#sessions.byKey(message.key);
    if (held?.proof === 'session' && holdsTicket(held.context, message.request.url)) return true;
    return this.#options.recognises(message);
  }

  /**
   * Refuses new sessions, lets messages in flight be answered, for `ms` milliseconds at most, and leaves
   * the rest to the journal. Any node can go on with them.
   */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all([this.#order.idle(), this.#departures.idle()]), late]);
    clearTimeout(timer);
    this.#stopped = true;
    this.#departures.stop();
    await this.journal.settled();
    this.#sessions.clear();
  }

  /** Ends sessions whose device has been silent for too long, this node's and abandoned ones (IW-SES-11). */
  sweep(limit = 100): Promise<void> {
    return this.#departures.sweep(limit);
  }

  async #deliver(message: Incoming): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#dispatch(message);
      } catch (error) {
        // Another node drove the session meanwhile, or the database is out of reach: the journal decides.
        this.#sessions.distrust(message.key);
        const refused = error instanceof JournalRefused;
        if (refused && attempt < MOST_RELOADS) continue;
        this.#options.log.error({ device: message.deviceId, error }, 'A message could not be handled.');
        if (refused) return overload('The message could not be recorded; try again.');
        return { kind: 'refused', code: 'internal', detail: 'An error of the gateway; see its log.' };
      }
    }
  }

  async #dispatch(message: Incoming): Promise<Answer> {
    const held = this.#sessions.byKey(message.key);
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
    const strays = session.proof === 'session' && !holdsTicket(session.context, message.request.url);
    if (!strays) session.strayedFrom = undefined;
    if (!strays && session.proof !== 'message') return this.#next(session, message, report.event);
    const verdict = await this.#options.authenticate(message, session.context);
    if (!verdict.ok) {
      if (strays) session.strayedFrom = message.request.peer;
      return { kind: 'unproven', verdict };
    }
    const event =
      strays && report.event.kind === 'dm1' ? { ...report.event, strays: true as const } : report.event;
    return this.#next(session, message, event, verdict);
  }

  async #next(
    session: LiveSession,
    message: Incoming,
    event: NonNullable<Incoming['event']>,
    verdict?: Taken['verdict'],
  ): Promise<Answer> {
    this.#sessions.rename(session, message.key);
    takeNext(session, message, event.kind === 'dm1' && event.strays);
    this.#sessions.touch(session, message.at);
    return this.#answer(session, message, {
      verdict,
      resume: () => advance(session, { ...event, at: message.at }),
    });
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
    this.#sessions.keep(session);
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
    if (this.#sessions.size >= this.#options.limits.sessions + replaced.length) {
      return overload('Too many sessions.');
    }
    const started = await this.#options.starter.start(opening, deviceId, at);
    if ('refused' in started) return { kind: 'refused', code: started.refused, detail: started.detail };
    // Whoever merely claims to be the device opens nothing, and ends nothing.
    const verdict =
      message.protocol === 'dm1' ? await this.#options.authenticate(message, started) : undefined;
    if (verdict?.ok === false) return { kind: 'unproven', verdict };
    const ended = isLeftToServer(started) ? earlier.filter(({ key }) => key === message.key) : earlier;
    const context = verdict?.ok ? withTicket(started, verdict, this.#strays(message)) : started;
    const session = newSession(message, context, ended, {
      starter: this.#options.starter,
      node: this.#options.node,
      deadline: this.#sessions.storedDeadline(at),
    });
    this.#sessions.touch(session, at);
    for (const row of ended) {
      const held = this.#sessions.release(row);
      if (row.state === 'live') this.#departures.replace(row, held);
    }
    return this.#answer(session, message, { verdict });
  }

  /** It begins anew as its device was asked to when it did not come to the RespURI of its session. */
  #strays({ key, opens, request }: Incoming): boolean {
    const held = this.#sessions.byKey(key);
    return opens === 'again' && held?.strayedFrom !== undefined && held.strayedFrom === request.peer;
  }

  async #repeat(session: LiveSession, message: Incoming): Promise<Answer> {
    if (!session.parked) return this.#answer(session, message);
    if (!session.reply) {
      const exchange = findExchange(await this.journal.read(session.id));
      if (!exchange?.reply) throw new DragomanError('internal', `Session ${session.id} has lost its answer.`);
      session.reply = await restoreReply(
        exchange.reply,
        session.deviceId,
        session.dialect,
        this.#driver.replies,
      );
    }
    session.repeats += 1;
    session.lastAt = message.at;
    this.#sessions.touch(session, message.at);
    this.#sessions.keep(session);
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
    const restored = await restoreReply(reply, message.deviceId, message.dialect, this.#driver.replies);
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
      this.#sessions.touch(session, message?.at ?? session.lastAt);
      this.#sessions.keep(session);
      return session;
    } catch (error) {
      await abandon(row, entries, error, this.#driver);
      return undefined;
    }
  }
}

/** Whether a message belongs to a live session that has its key, rather than opening another. */
function goesOn(session: LiveSession, { opens }: Incoming): boolean {
  return opens !== 'always' && !(opens === 'again' && session.proof !== undefined);
}

function withTicket(
  context: SessionContext,
  verdict: Extract<AuthVerdict, { ok: true }>,
  strays: boolean,
): SessionContext {
  if (verdict.scheme === 'none' || verdict.status !== 212) return context;
  return { ...context, ticket: newTicket(), ...(strays && { strays }) };
}

function claimed({ context }: LiveSession): { claimed?: true } {
  return isLeftToServer(context) ? { claimed: true } : {};
}

function overload(detail: string): Answer {
  return { kind: 'refused', code: 'overload', detail };
}
