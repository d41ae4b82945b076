/** A mutual exclusion that costs nothing while it is free: `tryEnter` needs no turn of the event loop. */
export class Lock {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  tryEnter(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  enter(): Promise<void> | undefined {
    if (this.tryEnter()) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#held = false;
  }
}
