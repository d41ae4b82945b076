import type { SyncMLMessage } from '../../dm1/message.ts';
import { withChunk } from '../../dm1/storedData.ts';
import type {
  BackendEvent,
  EffectOf,
  ResultOf,
  SessionOutcome,
  TransferEvent,
} from '../../interworking/script.ts';
import type { SecretPaths } from '../../mo/secretPaths.ts';
import type { JournalRow } from '../../store/schema.ts';
import { DragomanError, type ErrorCode } from '../../support/errors.ts';
import { showsPage, storeResult, writeReplyMeta } from './entries.ts';
import type { Journal } from './journal.ts';
import type { LiveSession, Reply } from './liveSession.ts';
import type { PerformedFor, PerformedKind, Performers } from './performers.ts';
import type { SessionLog, SessionMetrics } from './ports.ts';
import type { Replies } from './replies.ts';
import { wipeRows } from './wipe.ts';

/** How often work on a session starts over from the journal when another node writes to it at the same time. */
export const MOST_RELOADS = 3;

/** The journal could not take what a session wants written; the session in memory is worth nothing now. */
export class JournalRefused extends Error {}

export interface Driver {
  readonly journal: Journal;
  readonly performers: Performers;
  readonly replies: Replies;
  readonly secrets: SecretPaths;
  readonly metrics: SessionMetrics;
  readonly log: SessionLog;
  now(): number;
  /** Told once when a session has ended and that is durable. */
  ended(session: EndedSession): void;
}

/** What is left to say of a session. */
export interface EndedSession {
  readonly id: string;
  readonly key: string | null;
  readonly deviceId: string;
  readonly backend: string;
  readonly ending: string;
}

/** The message that the session goes on with, if any, and what was found about it before. */
export type Taken = Pick<PerformedFor, 'request' | 'verdict'>;

/** What a session came to: an answer for the device, the end without one, or a fault of ours. */
export type Driven =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'silent' }
  | { readonly kind: 'lost'; readonly code: ErrorCode };

/**
 * Runs a session from where it stands until it waits for its device or is over. What the script was
 * told is durable before it reaches beyond the gateway and before the device gets an answer; effects on
 * the gateway's own store need no write of their own before them, for a repeat of theirs harms nothing.
 * Where other nodes share the store, a session is written before anything else is done, so that a node
 * which no longer holds it finds out.
 */
export async function drive(session: LiveSession, driver: Driver, message: Taken = {}): Promise<Driven> {
  try {
    return await run(session, driver, message);
  } catch (error) {
    if (error instanceof JournalRefused) throw error;
    return fail(session, driver, error);
  }
}

/** Gives the script its next result and leaves it at its next effect. */
export function advance(session: LiveSession, result: unknown): void {
  session.step = session.script.next(result);
}

async function run(session: LiveSession, driver: Driver, message: Taken): Promise<Driven> {
  const whose: PerformedFor = {
    sessionId: session.id,
    context: session.context,
    also: (change) => session.also(change),
    ...message,
  };
  // A session that another node has gone on with must find out before it does anything at all.
  let fenced = !session.stored;
  for (;;) {
    session.step ??= session.script.next();
    const { step } = session;
    if (step.done) return finish(session, driver, step.value);
    const effect = step.value;
    switch (effect.kind) {
      case 'note':
        session.record('note', driver.now(), JSON.stringify({ rule: effect.rule, text: effect.text }));
        advance(session, undefined);
        break;
      case 'device.exchange': {
        const written = driver.replies.write(session, effect.reply);
        session.record('reply', driver.now(), writeReplyMeta(written.meta), written.journaled);
        // What it brings may be stored with it only.
        if (written.meta.stored) await flush(session, driver);
        const [reply] = await Promise.all([
          driver.replies.toDevice(session, written),
          flush(session, driver),
        ]);
        session.reply = reply;
        session.delivered = false;
        session.parked = true;
        return { kind: 'reply', reply };
      }
      case 'backend.exchange':
      case 'transfer':
        // The device repeats a message that was not answered, so on its own it need not be durable yet;
        // but a backend that was told of the session must be asked under the same name again.
        if (driver.journal.shared || session.holdsResults || isNamedUnstored(effect, session)) {
          await flush(session, driver);
        }
        await performAndRecord(session, driver, effect, whose);
        break;
      case 'alert.keep':
        // What outlives the session is named by it, so the store has to know the session first (IW-ALERT-6).
        await flush(session, driver);
        fenced = true;
        await performAndRecord(session, driver, effect, whose);
        break;
      case 'report.close':
      case 'object.load':
        // The report, or the object, may be one that is to be stored with the entry that brought it.
        if (driver.journal.shared || session.holdsResults) await flush(session, driver);
        fenced = true;
        await performAndRecord(session, driver, effect, whose);
        break;
      default:
        if (!staysInside(effect, whose)) {
          if (!fenced && driver.journal.shared) await flush(session, driver);
          fenced = true;
        }
        await performAndRecord(session, driver, effect, whose);
    }
  }
}

/** What it does becomes durable with the session's next write, or was done before the session heard of it. */
function staysInside({ kind }: EffectOf<PerformedKind>, { verdict }: PerformedFor): boolean {
  return kind === 'object.append' || (kind === 'authenticate' && verdict !== undefined);
}

/**
 * Whether the backend knows the session by a name that a crash would lose: the built-in one by its id, a
 * legacy server by a SessionID of its opening's time.
 */
function isNamedUnstored({ kind }: EffectOf<'backend.exchange' | 'transfer'>, session: LiveSession): boolean {
  const { builtin, protocol } = session.context.backend;
  return kind === 'backend.exchange' && !session.stored && (builtin === true || protocol === 'dm1');
}

async function performAndRecord(
  session: LiveSession,
  driver: Driver,
  effect: EffectOf<PerformedKind>,
  whose: PerformedFor,
): Promise<void> {
  const result = await performOne(effect, driver, { ...whose, step: session.exchanges });
  if (showsPage(effect)) session.hasAnswers = true;
  if (effect.kind === 'object.append') {
    const { chunk } = result as ResultOf<'object.append'>;
    // Whatever reads the object has to find this piece of it.
    session.holdsResults = true;
    if (session.keepMessage(withChunk(effect.place, chunk))) {
      advance(session, result);
      return;
    }
  }
  const { meta, body } = storeResult(effect.kind, effect, result);
  if (effect.kind === 'authenticate') {
    const verdict = result as ResultOf<'authenticate'>;
    // A nonce that was used up is none when the message comes again.
    session.record(effect.kind, result.at, meta, body, verdict.ok && verdict.nextNonce === undefined);
    session.judged(verdict);
  } else if (effect.kind === 'backend.exchange') {
    const exchanged = result as ResultOf<'backend.exchange'>;
    const rewrite = (message: SyncMLMessage) =>
      storeResult(effect.kind, effect, { ...exchanged, message } as ResultOf<'backend.exchange'>);
    session.recordHolding(rewrite, effect.kind, result.at, meta, body);
  } else session.record(effect.kind, result.at, meta, body);
  advance(session, result);
}

type Failed = Extract<BackendEvent, { kind: 'failed' }> & Extract<TransferEvent, { kind: 'failed' }>;

async function performOne(effect: EffectOf<PerformedKind>, driver: Driver, whose: PerformedFor) {
  const { performers } = driver;
  switch (effect.kind) {
    case 'backend.exchange':
      return performers['backend.exchange'](effect, whose).catch((error) => failed(error, driver, whose));
    case 'transfer':
      return performers.transfer(effect, whose).catch((error) => failed(error, driver, whose));
    case 'repository.offer':
      return performers['repository.offer'](effect, whose);
    case 'repository.expect':
      return performers['repository.expect'](effect, whose);
    case 'repository.collect':
      return performers['repository.collect'](effect, whose);
    case 'object.append':
      return performers['object.append'](effect, whose);
    case 'object.load':
      return performers['object.load'](effect, whose);
    case 'authenticate':
      return whose.verdict ?? performers.authenticate(effect, whose);
    case 'registry.save':
      return performers['registry.save'](effect, whose);
    case 'interaction.open':
      return performers['interaction.open'](effect, whose);
    case 'interaction.wait':
      return performers['interaction.wait'](effect, whose);
    case 'alert.keep':
      return performers['alert.keep'](effect, whose);
    case 'alert.settle':
      return performers['alert.settle'](effect, whose);
    case 'report.expect':
      return performers['report.expect'](effect, whose);
    case 'report.promise':
      return performers['report.promise'](effect, whose);
    case 'url.check':
      return performers['url.check'](effect, whose);
    case 'report.close':
      return performers['report.close'](effect, whose);
    case 'wakeup.answer':
      return performers['wakeup.answer'](effect, whose);
  }
}

function failed(error: unknown, driver: Driver, whose: PerformedFor): Failed {
  const known = error instanceof DragomanError;
  if (!known) driver.log.error({ session: whose.sessionId, error }, 'An effect was rejected unexpectedly.');
  return {
    kind: 'failed',
    at: driver.now(),
    code: known ? error.code : 'internal',
    detail: known ? error.detail : 'The gateway failed to perform this.',
  };
}

async function finish(session: LiveSession, driver: Driver, outcome: SessionOutcome): Promise<Driven> {
  await wipe(session, driver);
  const written = outcome.reply && driver.replies.write(session, outcome.reply);
  const at = driver.now();
  if (written) session.record('reply', at, writeReplyMeta(written.meta), written.journaled);
  const { ending, detail } = outcome;
  await end(session, driver, ending, detail);
  if (!written) return { kind: 'silent' };
  const reply = await driver.replies.toDevice(session, written);
  session.reply = reply;
  return { kind: 'reply', reply };
}

/** Ends a session that cannot go on; its device learns it from the answer `lost`. */
export async function fail(session: LiveSession, driver: Driver, error: unknown): Promise<Driven> {
  const code = error instanceof DragomanError ? error.code : 'internal';
  const detail = error instanceof DragomanError ? error.detail : 'An error of the gateway; see its log.';
  driver.log.error({ session: session.id, device: session.deviceId, code, error }, 'A session was lost.');
  await wipe(session, driver);
  await end(session, driver, code, detail);
  return { kind: 'lost', code };
}

/** Endings that are in order; after any other the session counts as failed. */
const REGULAR: ReadonlySet<string> = new Set<SessionOutcome['ending']>([
  'completed',
  'aborted',
  'refused',
  'device-gone',
]);

async function end(
  session: LiveSession,
  driver: Driver,
  ending: string,
  detail: string | undefined,
): Promise<void> {
  const at = driver.now();
  session.record('end', at, JSON.stringify({ ending, ...(detail !== undefined && { detail }) }));
  session.change({
    state: REGULAR.has(ending) ? 'done' : 'failed',
    ending,
    detail: detail ?? null,
    updated_at: at,
  });
  session.ended = true;
  await flush(session, driver);
  driver.metrics.sessionEnded(ending);
  const { id, key, deviceId, context } = session;
  driver.ended({ id, key, deviceId, backend: context.backend.name, ending });
}

/**
 * Takes secrets out of the journal of a session that is about to end, together with its last entry: nobody
 * replays it then, and its trace shows them to nobody.
 */
async function wipe(session: LiveSession, driver: Driver): Promise<void> {
  if (!session.holdsSecrets) return;
  await flush(session, driver);
  session.rewrite(await wiped(session.id, session.protocol, driver));
}

/** What takes the place of rows that hold secrets; throws JournalRefused. */
export async function wiped(
  sessionId: string,
  protocol: 'dm1' | 'dm2',
  { journal, secrets }: Pick<Driver, 'journal' | 'secrets'>,
): Promise<readonly JournalRow[]> {
  try {
    return wipeRows(await journal.rows(sessionId), protocol, secrets);
  } catch (error) {
    throw new JournalRefused('The journal could not be read.', { cause: error });
  }
}

/** Makes durable what the session has to be written; throws JournalRefused. */
export async function flush(session: LiveSession, driver: Driver): Promise<void> {
  const write = session.takeWrite();
  if (!write) return;
  try {
    await driver.journal.write(write);
  } catch (error) {
    throw new JournalRefused('The journal did not take an entry.', { cause: error });
  }
}
