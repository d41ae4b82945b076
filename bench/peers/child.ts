import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Role = 'gateway' | 'proxy' | 'upstream' | 'dm2' | 'legacy';

/** A process of its own: whose CPU time is measured, or that must not share one with who is measured. */
export class Child {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts `role` of `role.ts` and waits until it listens. */
  static async start(role: Role, options: unknown = {}): Promise<Child> {
    const entry = fileURLToPath(new URL('./role.js', import.meta.url));
    const process = fork(entry, [role, JSON.stringify(options)], { execArgv: ['--expose-gc'] });
    const { url } = await message<{ url: string }>(process);
    return new Child(process, url);
  }

  /** CPU time used so far by all threads of the process, in nanoseconds. */
  cpu(): Promise<number> {
    return this.#ask('cpu');
  }

  /** Bytes of live heap and of buffers outside it, after collecting garbage. */
  heap(): Promise<number> {
    return this.#ask('heap');
  }

  /** Resident memory now, in bytes. */
  rss(): Promise<number> {
    return this.#ask('rss');
  }

  /** The most resident memory that the process ever had, in bytes. */
  peakRss(): Promise<number> {
    return this.#ask('peakRss');
  }

  /** Device messages, or backend requests, that the process has answered. */
  count(): Promise<number> {
    return this.#ask('count');
  }

  /** Starts a CPU profile; ends it and writes it when called with a file. */
  profile(file?: string): Promise<unknown> {
    return this.#ask('profile', file);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || !this.#process.connected) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.disconnect();
    await ended;
  }

  #ask<T>(question: string, value?: string): Promise<T> {
    this.#process.send({ question, value });
    return message(this.#process);
  }
}

/** Starts processes, runs `work` with them and ends them whatever happens. */
export async function withChildren<T>(
  work: (start: (role: Role, options?: unknown) => Promise<Child>) => Promise<T>,
): Promise<T> {
  const started: Child[] = [];
  try {
    return await work(async (role, options) => {
      const child = await Child.start(role, options);
      started.push(child);
      return child;
    });
  } finally {
    await Promise.all(started.map((child) => child.stop()));
  }
}

function message<T>(process: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process ended with ${code}`));
    process.once('exit', ended);
    process.once('message', (value) => {
      process.off('exit', ended);
      resolve(value as T);
    });
  });
}
