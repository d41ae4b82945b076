/** Messages of one device that may wait for those before them. */
const MOST_WAITING = 16;

/**
 * Lets the work of one device happen one piece at a time and in order, and that of different devices
 * at the same time (IW-SES-5).
 */
export class DeviceOrder {
  readonly #tails = new Map<string, { done: Promise<void>; waiting: number }>();

  /** `undefined` when too many wait already. */
  inOrder<R>(deviceId: string, work: () => Promise<R>): Promise<R> | undefined {
    const before = this.#tails.get(deviceId);
    if (before && before.waiting >= MOST_WAITING) return undefined;
    const result = before ? before.done.then(work) : work();
    const tail = { done: Promise.resolve(), waiting: (before?.waiting ?? 0) + 1 };
    const settle = () => {
      tail.waiting -= 1;
      if (this.#tails.get(deviceId) === tail) this.#tails.delete(deviceId);
    };
    tail.done = result.then(settle, settle);
    this.#tails.set(deviceId, tail);
    return result;
  }

  get busy(): number {
    return this.#tails.size;
  }

  isBusy(deviceId: string): boolean {
    return this.#tails.has(deviceId);
  }

  /** Resolves when no device has work under way. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all([...this.#tails.values()].map((t) => t.done));
  }
}
