import type { Journal } from './journal.ts';
import type { LiveSession, Reply } from './liveSession.ts';

/** How long a note that an answer arrived may wait for company, milliseconds. */
const PATIENCE = 5;

/**
 * Notes in the journal that an answer reached its device, where a later message with the same bytes
 * could be either a repeat or a new one (IW-SES-4). Nobody waits for these notes.
 */
export class DeliveryLog {
  readonly #journal: Journal;
  readonly #now: () => number;
  readonly #waiting = new Set<LiveSession>();
  #timer: NodeJS.Timeout | undefined;

  constructor(journal: Journal, now: () => number) {
    this.#journal = journal;
    this.#now = now;
  }

  watch(session: LiveSession, reply: Reply, delivered: Promise<boolean>): void {
    const note = (arrived: boolean) => {
      // A later message has been taken meanwhile: it was no repeat.
      if (!arrived || session.reply !== reply || session.delivered) return;
      session.delivered = true;
      session.record('delivered', this.#now(), '{}');
      this.#waiting.add(session);
      this.#timer ??= setTimeout(() => this.flush(), PATIENCE).unref();
    };
    delivered.then(note, () => {});
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const session of this.#waiting) {
      const write = session.takeWrite();
      // Refused: another node has gone on with the session, which says the same.
      if (write) this.#journal.write(write).catch(() => {});
    }
    this.#waiting.clear();
  }
}
