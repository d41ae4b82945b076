import type { Milliseconds } from '../support/durations.ts';

export interface WorkLoopOptions<T> {
  /** Pieces of work under way at a time. */
  readonly flights: number;
  /** Claims up to `free` pieces that are due. */
  readonly claim: (free: number) => Promise<readonly T[]>;
  readonly work: (piece: T) => Promise<void>;
  /** Told of an error of `work`, and of `claim` without a piece. */
  readonly failed: (error: unknown, piece?: T) => void;
}

/**
 * Looks for work that is due, whenever it is woken and every so often, and does several pieces at a time: one
 * that hangs holds up none of the others.
 */
export class WorkLoop<T> {
  readonly #o: WorkLoopOptions<T>;
  readonly #flying = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #everyMs = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  constructor(options: WorkLoopOptions<T>) {
    this.#o = options;
  }

  /** Looks for work now, whenever it is woken and every `everyMs` milliseconds, until `stop`. */
  start(everyMs: Milliseconds): void {
    this.#stopped = false;
    this.#everyMs = everyMs;
    this.wake();
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        setImmediate(() => this.wake());
        return;
      }
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.wake(), this.#everyMs).unref();
    });
  }

  /** Begins nothing more and waits for what is under way, `ms` milliseconds at most. */
  async stop(ms: Milliseconds): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.idle(), late]);
    clearTimeout(timer);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#looking || this.#flying.size > 0) {
      await this.#looking;
      await Promise.all(this.#flying);
    }
  }

  async #look(): Promise<void> {
    this.#again = false;
    try {
      await this.round(() => this.#stopped);
    } catch (error) {
      this.#o.failed(error);
    }
  }

  /** Claims what is due and begins it, unless `over` says that nothing more shall begin. */
  async round(over: () => boolean = () => false): Promise<void> {
    const free = this.#o.flights - this.#flying.size;
    if (free <= 0 || over()) return;
    for (const piece of await this.#o.claim(free)) this.#launch(piece);
  }

  #launch(piece: T): void {
    const flight = this.#o
      .work(piece)
      .catch((error: unknown) => this.#o.failed(error, piece))
      .finally(() => {
        this.#flying.delete(flight);
        // What stood behind it may be due now.
        this.wake();
      });
    this.#flying.add(flight);
  }
}

/**
 * Wait before the next try: doubles with every one, within bounds, and is spread so that a peer that returns is
 * not rushed.
 *
 * @param tries from 1
 * @param random between 0 and 1
 */
export function backOff(
  tries: number,
  bounds: { readonly first: Milliseconds; readonly longest: Milliseconds },
  random: number,
): Milliseconds {
  const doubled = Math.min(bounds.first * 2 ** Math.min(tries - 1, 20), bounds.longest);
  return Math.round(doubled * (0.75 + 0.5 * random));
}
