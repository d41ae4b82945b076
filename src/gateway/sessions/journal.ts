import type { JournalEntry, JournalRow } from '../../store/schema.ts';
import type { SessionStore, SessionWrite } from '../../store/sessions.ts';

interface Waiting {
  readonly write: SessionWrite;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Transactions under way at a time where the database answers over a network. */
const FLIGHTS = 4;

/**
 * The journal of all sessions. What arrives in one turn of the event loop goes into one transaction,
 * so a busy node pays for one commit where it handled dozens of messages. Writes of one session stay
 * in their order.
 */
export class Journal {
  readonly #store: SessionStore;
  readonly #flushed: (seconds: number) => void;
  /** Other nodes may write to the same journal. */
  readonly shared: boolean;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #flights = 0;
  #idle: (() => void)[] = [];

  constructor(store: SessionStore, flushed: (seconds: number) => void = () => {}, shared = store.shared) {
    this.#store = store;
    this.#flushed = flushed;
    this.shared = shared;
  }

  /** Resolves when durable; rejects when refused, for one when another node has written at that place. */
  write(write: SessionWrite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#schedule();
    });
  }

  append(sessionId: string, entries: readonly JournalEntry[]): Promise<void> {
    return this.write({ id: sessionId, entries });
  }

  read(sessionId: string): Promise<JournalEntry[]> {
    return this.#store.entries(sessionId);
  }

  rows(sessionId: string): Promise<JournalRow[]> {
    return this.#store.rows(sessionId);
  }

  /** Resolves when nothing waits to be written. */
  settled(): Promise<void> {
    if (this.#waiting.length === 0 && this.#flights === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#flights >= FLIGHTS) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#flights += 1;
    const began = performance.now();
    try {
      const outcome = await this.#store.commit(batch.map((w) => w.write));
      batch.forEach((w, i) => {
        const error = outcome[i];
        if (error === undefined) w.resolve();
        else w.reject(error);
      });
    } catch (error) {
      for (const w of batch) w.reject(error);
    } finally {
      this.#flights -= 1;
      this.#flushed((performance.now() - began) / 1000);
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#flights === 0) for (const done of this.#idle.splice(0)) done();
    }
  }
}
