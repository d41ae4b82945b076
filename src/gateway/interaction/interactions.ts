import { setTimeout as sleep } from 'node:timers/promises';
import type { UiAlert } from '../../interworking/interaction/alert.ts';
import type { UserAnswer } from '../../interworking/interaction/answers.ts';
import type { InteractionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, hours, seconds, systemClock } from '../../support/durations.ts';
import { newSecret, secretDigest } from '../../support/ids.ts';

export interface InteractionOptions {
  readonly publicUrl: string;
  /** Longest wait for a user. */
  readonly interactionSeconds: number;
  readonly now?: Clock;
  /** How often the store is asked for an answer that another node took; milliseconds. */
  readonly pollMs?: number;
}

interface Place {
  readonly deviceId: string;
  readonly sessionId: string;
}

/** What stands at the address of an interaction. */
export type InteractionView =
  | { readonly kind: 'open'; readonly alert: UiAlert; readonly lang?: string; readonly secondsLeft: number }
  | { readonly kind: 'used' | 'expired'; readonly lang?: string }
  | { readonly kind: 'unknown' };

export type AnswerVerdict = 'taken' | 'used' | 'expired' | 'unknown';

type State = 'open' | 'answered' | 'expired';

/** Expired pages say so for a while, before they are as unknown as any. */
const KEPT_AFTER = hours(1);

/**
 * Pages on which users answer the UI alerts of legacy servers (IW-UI-1, IW-UI-2). Each has a one-time
 * address, of which the store keeps the hash; answers are stored, so a wait goes on after a restart and
 * on any node.
 */
export class Interactions {
  readonly #store: Store;
  readonly #options: InteractionOptions;
  readonly #now: Clock;
  readonly #find: (hash: string) => Promise<InteractionRow[]>;
  /** Wakes those that wait, by hash of the token. */
  readonly #waiting = new Map<string, { readonly deviceId: string; readonly wake: () => void }>();
  readonly #closing = new AbortController();
  readonly #left = new Set<string>();

  constructor(store: Store, options: InteractionOptions) {
    this.#store = store;
    this.#options = options;
    this.#now = options.now ?? systemClock;
    this.#find = store.prepare<[string], InteractionRow>((slot) =>
      store.db.selectFrom('interactions').selectAll().where('token_hash', '=', slot<string>(0)).compile(),
    );
  }

  /** Performs `interaction.open`: hosts a page for an alert. */
  async open(
    { deviceId, sessionId }: Place,
    { alert, lang }: { readonly alert: UiAlert; readonly lang?: string },
  ): Promise<{ readonly at: number; readonly url: string }> {
    const at = this.#now();
    const token = newSecret();
    const longest = Math.min(alert.maxSeconds ?? Number.POSITIVE_INFINITY, this.#options.interactionSeconds);
    await this.#store.db
      .insertInto('interactions')
      .values({
        token_hash: secretDigest(token),
        device_id: deviceId,
        session_id: sessionId,
        alert: JSON.stringify(alert),
        lang: lang ?? null,
        state: 'open' satisfies State,
        answer: null,
        created_at: at,
        seen_at: null,
        expires_at: at + seconds(longest),
      })
      .execute();
    return { at, url: `${this.#options.publicUrl}/interact/${token}` };
  }

  /**
   * Performs `interaction.wait`: resolves once the user answered, or when nobody did in time; not before the
   * text has stood for MINDT. Never settles once the gateway stops: the wait begins anew where the device's
   * message is repeated.
   */
  async wait(
    { deviceId, sessionId }: Place,
    url: string,
  ): Promise<{ readonly at: number; readonly answer: UserAnswer }> {
    const hash = secretDigest(url.slice(url.lastIndexOf('/') + 1));
    for (;;) {
      if (this.#closing.signal.aborted) return new Promise(() => undefined);
      // Asked for before the store is read, so that an answer in between is not slept over.
      const woken = this.#wakeUp(hash, deviceId);
      try {
        const [row] = await this.#find(hash);
        const mine = row?.device_id === deviceId && row.session_id === sessionId;
        const answer = mine ? await this.#settled(row) : timedOut(undefined, false);
        if (answer) return { at: this.#now(), answer };
        await woken.promise(this.#pause(Number(row?.expires_at)));
      } finally {
        woken.done();
      }
    }
  }

  /** What to show at an address; `seen`: it is being shown to a user. */
  async view(token: string, seen: boolean): Promise<InteractionView> {
    const row = await this.#row(token);
    if (!row) return { kind: 'unknown' };
    const lang = row.lang === null ? {} : { lang: row.lang };
    if (row.state === 'answered') return { kind: 'used', ...lang };
    const left = Number(row.expires_at) - this.#now();
    if (row.state !== 'open' || left <= 0) return { kind: 'expired', ...lang };
    if (seen && row.seen_at === null) {
      await this.#store.db
        .updateTable('interactions')
        .set({ seen_at: this.#now() })
        .where('token_hash', '=', row.token_hash)
        .where('seen_at', 'is', null)
        .execute();
    }
    return {
      kind: 'open',
      alert: JSON.parse(row.alert) as UiAlert,
      secondsLeft: Math.ceil(left / 1000),
      ...lang,
    };
  }

  /** Takes the answer; of several the first counts. */
  async answer(token: string, answer: UserAnswer): Promise<AnswerVerdict> {
    const row = await this.#row(token);
    if (!row) return 'unknown';
    const result = await this.#store.db
      .updateTable('interactions')
      .set({ state: 'answered' satisfies State, answer: JSON.stringify(answer) })
      .where('token_hash', '=', row.token_hash)
      .where('state', '=', 'open')
      .where('expires_at', '>', this.#now())
      .executeTakeFirst();
    if (result.numUpdatedRows > 0n) {
      this.#waiting.get(row.token_hash)?.wake();
      return 'taken';
    }
    return (await this.view(token, false)).kind === 'used' ? 'used' : 'expired';
  }

  /** The device begins a new session: nobody waits for the user of the old one any more. */
  abandon(deviceId: string): void {
    for (const [hash, waiting] of this.#waiting) {
      if (waiting.deviceId !== deviceId) continue;
      this.#left.add(hash);
      waiting.wake();
    }
  }

  /** Deletes what nobody asks for any more; resolves to how many that were. */
  async prune(): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('interactions')
      .where('expires_at', '<=', this.#now() - KEPT_AFTER)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  /** Lets every wait sleep for ever, as the gateway stops. */
  close(): void {
    this.#closing.abort();
  }

  async #row(token: string): Promise<InteractionRow | undefined> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(token)) return undefined;
    return (await this.#find(secretDigest(token)))[0];
  }

  /** The answer that stands, once it may be told; `undefined` while it is to be waited for. */
  async #settled(row: InteractionRow): Promise<UserAnswer | undefined> {
    const now = this.#now();
    const alert = JSON.parse(row.alert) as UiAlert;
    if (row.state === 'answered' && row.answer !== null) {
      // OK pressed at once: what comes next must not take the text's place too soon (MINDT).
      const rest = Number(row.seen_at ?? now) + seconds(alert.minSeconds ?? 0) - now;
      const most = Math.min(rest, Number(row.expires_at) - now);
      if (most > 0 && !this.#left.has(row.token_hash)) await this.#sleep(most);
      this.#left.delete(row.token_hash);
      return JSON.parse(row.answer) as UserAnswer;
    }
    const seen = row.seen_at !== null;
    const left = this.#left.delete(row.token_hash);
    const over = row.state === 'expired' || Number(row.expires_at) <= now;
    if (!left && !over) return undefined;
    if (row.state === 'open' && !(await this.#expire(row.token_hash))) {
      const [again] = await this.#find(row.token_hash);
      return again && this.#settled(again);
    }
    return over
      ? timedOut(alert.maxSeconds, seen, this.#options.interactionSeconds)
      : timedOut(undefined, seen);
  }

  async #expire(hash: string): Promise<boolean> {
    const result = await this.#store.db
      .updateTable('interactions')
      .set({ state: 'expired' satisfies State })
      .where('token_hash', '=', hash)
      .where('state', '=', 'open')
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  #wakeUp(hash: string, deviceId: string) {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.set(hash, { deviceId, wake });
    return {
      promise: (ms: number) => Promise.race([woken, this.#sleep(ms)]),
      done: () => {
        if (this.#waiting.get(hash)?.wake === wake) this.#waiting.delete(hash);
        wake();
      },
    };
  }

  #pause(expiresAt: number): number {
    return Math.max(1, Math.min(expiresAt - this.#now(), this.#options.pollMs ?? seconds(1)));
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

/** Nobody answered: until MAXDT, where that came first, or until the gateway's own limit. */
function timedOut(maxSeconds: number | undefined, seen: boolean, limit = 0): UserAnswer {
  return { kind: 'timed-out', asked: maxSeconds !== undefined && maxSeconds <= limit, seen };
}
