/** Messages in one device's name that may be under way or wait for those before them. */
const MOST_WAITING = 16;
/** With those that are surely its own: what strangers send in its name takes no place from it. */
const MOST_WITH_OWN = 32;

interface Line {
  last: Promise<void>;
  length: number;
}

/**
 * Lets the work of one device happen one piece at a time and in order, and that of different devices
 * at the same time (IW-SES-5).
 */
export class DeviceOrder {
  readonly #lines = new Map<string, Line>();

  /** `undefined` when too many wait already; `own`: the device is known to have sent it. */
  inOrder<R>(deviceId: string, work: () => Promise<R>, own = false): Promise<R> | undefined {
    const line = this.#lines.get(deviceId) ?? { last: Promise.resolve(), length: 0 };
    if (line.length >= (own ? MOST_WITH_OWN : MOST_WAITING)) return undefined;
    const result = line.length === 0 ? work() : line.last.then(work);
    line.length += 1;
    const settle = () => {
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(deviceId);
    };
    line.last = result.then(settle, settle);
    this.#lines.set(deviceId, line);
    return result;
  }

  isBusy(deviceId: string): boolean {
    return this.#lines.has(deviceId);
  }

  /** Resolves when no device has work under way. */
  async idle(): Promise<void> {
    while (this.#lines.size > 0) await Promise.all(Array.from(this.#lines.values(), (line) => line.last));
  }
}
