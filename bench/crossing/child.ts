import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A process of its own whose CPU time is what is measured. */
export class Child {
  readonly #process: ChildProcess;
  readonly url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts `role` of `role.ts` and waits until it listens. */
  static async start(role: string, options: unknown = {}): Promise<Child> {
    const entry = fileURLToPath(new URL('./role.js', import.meta.url));
    const process = fork(entry, [role, JSON.stringify(options)], { execArgv: (globalThis.process.env['BENCH_PROFILE'] ?? '').split(' ').filter(Boolean) });
    const { url } = await message<{ url: string }>(process);
    return new Child(process, url);
  }

  /** CPU time used so far, in nanoseconds, and resident memory in bytes. */
  async usage(): Promise<{ cpu: number; memory: number }> {
    this.#process.send('usage');
    return await message(this.#process);
  }

  stop(): void {
    this.#process.disconnect();
  }
}

function message<T>(process: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    process.once('message', (value) => {
      process.off('exit', ended);
      resolve(value as T);
    });
    const ended = (code: number | null): void => reject(new Error(`the process ended with ${code}`));
    process.once('exit', ended);
  });
}
