import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { type Gateway, startGateway } from '../../src/http/assemble.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { createLogger } from '../../src/support/log.ts';

/** A gateway on free loopback ports, with its admin API at hand; everything is closed behind the test. */
export interface Running {
  readonly gateway: Gateway;
  /** Where devices post. */
  readonly dm: string;
  /** Calls the admin API and returns the parsed answer. */
  api<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }>;
  register(id: string, username: string, password: string): Promise<void>;
  /** Queues commands and returns the job's id. */
  queue(id: string, CMD: readonly (readonly string[])[]): Promise<string>;
  job(
    id: string,
  ): Promise<{ state: string; Status?: { sc: number; URI?: string[]; MO?: unknown[] }[]; detail?: string }>;
  /** Notes of the device's sessions, newest session first. */
  notes(device: string): Promise<{ rule: string; text: string }[]>;
  /** Looks into its database. */
  inStore<T>(look: (store: Store) => Promise<T>): Promise<T>;
  /** Stops it as an operator would and starts another on the same store, perhaps with another configuration. */
  restart(config?: Record<string, unknown>): Promise<Running>;
}

export interface Closable {
  close(): Promise<void> | void;
}

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (let close = open.pop(); close; close = open.pop()) await close();
});

/** Closes a peer behind the test. */
export function closing<T extends Closable>(peer: T): T {
  open.push(() => peer.close());
  return peer;
}

export async function run(config: Record<string, unknown> = {}, folder?: string): Promise<Running> {
  const dir = folder ?? mkdtempSync(join(tmpdir(), 'dragoman-crossing-'));
  if (folder === undefined) open.push(() => rmSync(dir, { recursive: true, force: true }));
  const text = JSON.stringify({
    listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
    admin: { token: 'crossing-tests' },
    store: `sqlite:${join(dir, 'dragoman.db')}`,
    deviceAuth: { dm1: 'none', dm2: 'none' },
    ...config,
  });
  const gateway = await startGateway(loadConfig({ text, env: {} }), {
    log: createLogger({ level: 'silent' }),
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await gateway.stop();
    stopped = true;
  };
  open.push(stop);

  const api: Running['api'] = async (method, path, body) => {
    const response = await fetch(`${gateway.urls.admin}${path}`, {
      method,
      headers: { authorization: 'Bearer crossing-tests', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    return { status: response.status, body: answer === '' ? {} : JSON.parse(answer) };
  };
  const must = async (expected: number, ...call: Parameters<Running['api']>) => {
    const answer = await api<never>(...call);
    if (answer.status !== expected) throw new Error(`${call[0]} ${call[1]}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  return {
    gateway,
    dm: gateway.urls.devices,
    api,
    register: async (id, username, password) => {
      await must(201, 'POST', '/api/devices', { id, username, password });
    },
    queue: async (id, CMD) => {
      const { job } = await must(202, 'POST', `/api/devices/${encodeURIComponent(id)}/commands`, { CMD });
      return job;
    },
    job: async (id) => await must(200, 'GET', `/api/jobs/${id}`),
    notes: async (device) => {
      const { sessions } = await must(200, 'GET', `/api/sessions?device=${encodeURIComponent(device)}`);
      const notes: { rule: string; text: string }[] = [];
      for (const { id } of sessions as { id: string }[]) {
        const trace = await must(200, 'GET', `/api/sessions/${id}`);
        for (const entry of (trace as { trace: { kind: string; rule?: string; text?: string }[] }).trace) {
          if (entry.kind === 'note') notes.push({ rule: entry.rule ?? '', text: entry.text ?? '' });
        }
      }
      return notes;
    },
    inStore: async (look) => {
      const store = await openStore(`sqlite:${join(dir, 'dragoman.db')}`);
      try {
        return await look(store);
      } finally {
        await store.close();
      }
    },
    restart: async (other = config) => {
      await stop();
      return await run(other, dir);
    },
  };
}
