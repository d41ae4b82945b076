import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** Compiles the sources into a folder of their own and returns it with a way to remove it. */
export function compile(): { readonly dist: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-dist-'));
  for (const name of ['node_modules', 'mappings']) symlinkSync(join(ROOT, name), join(folder, name));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const dist = join(folder, 'dist');
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(
    process.execPath,
    [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist, '--noCheck'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return { dist, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Life {
  readonly child: ChildProcess;
  /** Resolves at the next line that the process prints, rejects when it ends. */
  line(): Promise<string>;
}

/**
 * A gateway process that is killed and born again on the same store and ports. The next process is
 * loaded ahead, so that a new life begins within milliseconds.
 */
export class MortalGateway {
  readonly dm: string;
  readonly admin: string;
  deaths = 0;
  /** File of the store. */
  readonly database: string;
  readonly #dist: string;
  readonly #flags: readonly string[];
  readonly #folder: string;
  readonly #config: string;
  #current: Life | undefined;
  #next: Life;

  private constructor(
    dist: string,
    ports: readonly [number, number],
    config: Record<string, unknown>,
    flags: readonly string[],
  ) {
    this.#dist = dist;
    this.#flags = flags;
    this.#folder = mkdtempSync(join(tmpdir(), 'dragoman-kill-'));
    this.database = join(this.#folder, 'dragoman.db');
    const [devices, admin] = ports.map((port) => `127.0.0.1:${port}`);
    this.dm = `http://${devices}/dm`;
    this.admin = `http://${admin}`;
    this.#config = JSON.stringify({
      listen: { devices, admin },
      admin: { token: 'kill-tests' },
      store: `sqlite:${this.database}`,
      deviceAuth: { dm1: 'none', dm2: 'none' },
      ...config,
    });
    this.#next = this.#spawn();
  }

  /** `flags`: for Node itself. */
  static async start(
    dist: string,
    config: Record<string, unknown>,
    flags: readonly string[] = [],
  ): Promise<MortalGateway> {
    const gateway = new MortalGateway(dist, [await freePort(), await freePort()], config, flags);
    await gateway.live();
    return gateway;
  }

  #spawn(): Life {
    const standby = join(import.meta.dirname, 'standby.mjs');
    const child = spawn(process.execPath, [...this.#flags, standby, this.#dist], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const waiting: (() => void)[] = [];
    child.stdout?.on('data', (data: Buffer) => {
      lines.push(...data.toString().trim().split('\n'));
      for (const wake of waiting.splice(0)) wake();
    });
    child.once('exit', () => {
      for (const wake of waiting.splice(0)) wake();
    });
    child.stdin?.on('error', () => undefined);
    const line = async (): Promise<string> => {
      while (lines.length === 0) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error('The gateway process ended.');
        await new Promise<void>((wake) => waiting.push(wake));
      }
      return lines.shift() ?? '';
    };
    return { child, line };
  }

  /** Brings the next process to life on the store and ports of the one before. */
  async live(): Promise<void> {
    const life = this.#next;
    await life.line();
    life.child.stdin?.write(`${this.#config}\n`);
    await life.line();
    this.#current = life;
    this.#next = this.#spawn();
  }

  /** Lets the process no longer run, so that what is sent to it stays unread. */
  freeze(): void {
    this.#current?.child.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    const child = this.#current?.child;
    if (!child) throw new Error('There is no process to kill.');
    this.#current = undefined;
    this.deaths += 1;
    child.kill('SIGKILL');
    await once(child, 'exit');
    if (child.signalCode !== 'SIGKILL') throw new Error(`It ended by ${child.signalCode ?? child.exitCode}.`);
  }

  async rebirth(): Promise<void> {
    await this.kill();
    await this.live();
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.admin}${path}`, {
      method,
      headers: { authorization: 'Bearer kill-tests', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async close(): Promise<void> {
    for (const life of [this.#current, this.#next]) {
      if (!life) continue;
      const gone = once(life.child, 'exit');
      if (life.child.kill('SIGKILL')) await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody holds, below those that connections are given: it has to be free again after a death. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((settle) => {
      server.once('error', () => settle(false));
      server.listen(port, '127.0.0.1', () => settle(true));
    });
    if (!free) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
}
