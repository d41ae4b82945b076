import type { Journal } from './journal.ts';
import type { LiveSession, Reply } from './liveSession.ts';

/** How long the fate of an answer may stay open when a message comes that could be a repeat, milliseconds. */
const PATIENCE = 1_000;

/**
 * Follows whether an answer reached its device, where a later message with the same bytes could be either
 * a repeat or a new one (IW-SES-4). That an answer was lost is always noted. That it arrived is noted only
 * where a 2.0 client's next message may look like its last one. An answer without a note is given again
 * then; a command is never taken for done unseen.
 */
export class DeliveryLog {
  readonly #journal: Journal;
  readonly #now: () => number;

  constructor(journal: Journal, now: () => number) {
    this.#journal = journal;
    this.#now = now;
  }

  watch(session: LiveSession, reply: Reply, delivered: Promise<boolean>): void {
    session.delivered = undefined;
    session.delivery = delivered
      .catch(() => false)
      .then((arrived) => {
        // A later message has been taken meanwhile: it was no repeat.
        if (session.reply !== reply) return;
        session.delivered = arrived;
        if (arrived && (session.ended || !session.lookalike)) return;
        session.record(arrived ? 'delivered' : 'undelivered', this.#now(), '{}');
        const write = session.takeWrite();
        // Refused: another node has gone on with the session, which says the same.
        return write && this.#journal.write(write).catch(() => {});
      });
  }
}

/** Whether the last answer reached the device; an answer that is still on its way is waited for, but not for long. */
export async function knownDelivery(session: LiveSession): Promise<boolean> {
  if (session.delivered === undefined && session.delivery) {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    await Promise.race([session.delivery, patience]);
    clearTimeout(timer);
  }
  return session.delivered ?? false;
}
