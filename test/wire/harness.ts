import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { startGateway } from '../../src/http/assemble.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { createLogger } from '../../src/support/log.ts';

export const TYPES = Object.freeze({
  xml: 'application/vnd.syncml.dm+xml',
  wbxml: 'application/vnd.syncml.dm+wbxml',
  package1: 'application/vnd.oma.dm.initiation+json',
  package3: 'application/vnd.oma.dm.response+json',
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

export interface TraceView {
  readonly id: string;
  readonly state: string;
  readonly ending?: string;
  readonly detail?: string;
  readonly trace: readonly {
    readonly kind: string;
    readonly rule?: string;
    readonly text?: string;
    readonly body?: string;
  }[];
}

export interface Wired {
  readonly dm: string;
  /** Parsed lines of the log. */
  readonly log: Record<string, unknown>[];
  post(body: string | Uint8Array, headers: Record<string, string>): Promise<Answer>;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Sessions of a device with their traces, newest first. */
  traces(device: string): Promise<TraceView[]>;
  /** The last log line of a device message with that result. */
  logged(result: string): Record<string, unknown> | undefined;
  /** Before the test ends; another may go on with its store. */
  stop(): Promise<void>;
}

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (let close = open.pop(); close; close = open.pop()) await close();
});

export function closing<T extends { close(): Promise<void> | void }>(peer: T): T {
  open.push(() => peer.close());
  return peer;
}

/** Host and port of a server that answers so until the test is over. */
export async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  closing({ close: () => void server.close() });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A whole gateway on free ports whose log can be read. */
export async function wired(config: Record<string, unknown> = {}): Promise<Wired> {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-wire-'));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const log: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void log.push(JSON.parse(line)) };
  const text = JSON.stringify({
    listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
    admin: { token: 'wire-tests' },
    store: `sqlite:${join(folder, 'dragoman.db')}`,
    deviceAuth: { dm1: 'none', dm2: 'none' },
    ...config,
  });
  const gateway = await startGateway(loadConfig({ text, env: {} }), {
    log: createLogger({ level: 'info', destination }),
  });
  open.push(() => gateway.stop());
  const api: Wired['api'] = async (method, path, body) => {
    const response = await fetch(`${gateway.urls.admin}${path}`, {
      method,
      headers: { authorization: 'Bearer wire-tests', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return JSON.parse(answer) as never;
  };
  return {
    dm: gateway.urls.devices,
    log,
    post: (body, headers) => post(gateway.urls.devices, body, headers),
    api,
    traces: async (device) => {
      const { sessions } = await api<{ sessions: { id: string }[] }>(
        'GET',
        `/api/sessions?device=${encodeURIComponent(device)}`,
      );
      return Promise.all(sessions.map(({ id }) => api<TraceView>('GET', `/api/sessions/${id}`)));
    },
    stop: () => gateway.stop(),
    logged: (result) => log.findLast((line) => line['msg'] === 'device message' && line['result'] === result),
  };
}

export function post(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
): Promise<Answer> {
  const bytes = Buffer.from(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', headers: { ...headers, 'content-length': bytes.length }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const all = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: all,
            text: all.toString('utf8'),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}

let healthyDevices = 0;

/** Does `work` while a healthy device has a whole session, which nothing may disturb. */
export async function beside<T>(gateway: Wired, work: () => Promise<T>): Promise<T> {
  healthyDevices += 1;
  const device = new LegacyDevice({ url: gateway.dm, deviceId: `HEALTHY:${healthyDevices}` });
  const [report, result] = await Promise.all([device.session(), work()]);
  await device.close();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  return result;
}

/** A DM 1.2 message in XML, as text to be spoilt. */
export function syncml(
  options: { device: string; msgId?: string; sessionId?: string; cred?: string; target?: string },
  body: string,
): string {
  const { device, msgId = '1', sessionId = '1', cred = '', target = 'http://gw/dm' } = options;
  return `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${sessionId}</SessionID><MsgID>${msgId}</MsgID><Target><LocURI>${target}</LocURI></Target><Source><LocURI>${device}</LocURI></Source>${cred}</SyncHdr><SyncBody>${body}</SyncBody></SyncML>`;
}

const leaf = (name: string, value: string) =>
  `<Item><Source><LocURI>./DevInfo/${name}</LocURI></Source><Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta><Data>${value}</Data></Item>`;

/** Alert 1201 and DevInfo. */
export function packageOne(device: string): string {
  const items = [
    leaf('DevId', device),
    leaf('Man', 'Raw'),
    leaf('Mod', 'M'),
    leaf('DmV', '1.2'),
    leaf('Lang', 'en'),
  ];
  return `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Replace><CmdID>2</CmdID>${items.join('')}</Replace><Final/>`;
}

/** The Statuses of a message in XML: `Cmd` and code, in order. */
export function statuses(xml: string): [string, string][] {
  return [...xml.matchAll(/<Status>.*?<Cmd>(\w+)<\/Cmd>.*?<Data>(\d+)<\/Data>.*?<\/Status>/gs)].map(
    ([, cmd = '', code = '']) => [cmd, code],
  );
}
