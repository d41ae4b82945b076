import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { type Gateway, startGateway } from '../../src/http/assemble.ts';
import { silentLogger } from '../../src/support/log.ts';

export const TOKEN = 'a token for tests';

export interface Running extends Gateway {
  /** A request to the admin port with the token. */
  api(path: string, init?: RequestInit & { token?: string | null }): Promise<Response>;
  json<T = Record<string, unknown>>(path: string, init?: RequestInit): Promise<T>;
}

/** A gateway on free ports and an empty database; `more` is merged into its configuration. */
export async function startTestGateway(more: Record<string, unknown> = {}, drainMs = 500): Promise<Running> {
  const store = `sqlite:${join(mkdtempSync(join(tmpdir(), 'dragoman-')), 'test.db')}`;
  const listen = { devices: '127.0.0.1:0', admin: '127.0.0.1:0' };
  const text = JSON.stringify({ listen, store, admin: { token: TOKEN }, ...more });
  const gateway = await startGateway(loadConfig({ text }), { log: silentLogger, drainMs });
  const api: Running['api'] = (path, { token = TOKEN, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('Authorization', `Bearer ${token}`);
    if (init.body !== undefined && !headers.has('Content-Type'))
      headers.set('Content-Type', 'application/json');
    return fetch(gateway.urls.admin + path, { ...init, headers });
  };
  return { ...gateway, api, json: async (path, init) => (await api(path, init)).json() as never };
}

export function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) };
}
