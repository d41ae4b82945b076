import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../../src/simulator/index.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = open.pop(); close; close = open.pop()) await close();
});

function configFile(config: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-kill-'));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'dragoman.json');
  writeFileSync(
    file,
    JSON.stringify({
      listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
      admin: { token: 'kill-tests' },
      store: `sqlite:${join(folder, 'dragoman.db')}`,
      deviceAuth: { dm1: 'none', dm2: 'none' },
      routes: [{ backend: 'dms' }],
      limits: { sessionSeconds: 1 },
      ...config,
    }),
  );
  return file;
}

const LOADER = join(import.meta.dirname, '../../store/typescript.mjs');
const GATEWAY = join(import.meta.dirname, 'gatewayProcess.ts');

interface Started {
  readonly child: ChildProcess;
  /** Where devices post. */
  readonly url: string;
  readonly admin: string;
}

async function start(config: string): Promise<Started> {
  const child = spawn(process.execPath, ['--import', LOADER, GATEWAY, config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  open.push(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const [url = '', admin = ''] = line.toString().trim().split(' ');
  return { child, url, admin };
}

async function kill({ child }: Started): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('It did not happen.');
}

it.each(['before', 'after'] as const)(
  'kill -9 %s the backend has an accepted alert loses nothing [IW-ALERT-6]',
  async (when) => {
    let living: ChildProcess | undefined;
    const backend = new Dm2Backend({
      fault: async (request) => {
        if (!living || !Buffer.from(request.body).includes('last words')) return undefined;
        const doomed = living;
        living = undefined;
        doomed.kill('SIGKILL');
        await once(doomed, 'exit');
        return when === 'before' ? 'drop' : 'lose';
      },
    });
    open.push(() => backend.close());
    const config = configFile({ backends: { dms: { protocol: 'dm2', url: await backend.start() } } });
    const first = await start(config);
    living = first.child;
    const device = new LegacyDevice({ url: first.url, deviceId: 'IMEI:1' });
    open.push(() => device.close());
    const report = await device.session({
      alerts: [{ type: 'org.example.event', format: 'chr', data: 'last words' }],
    });
    if (first.child.exitCode === null && first.child.signalCode === null) await once(first.child, 'exit');
    expect(first.child.signalCode).toBe('SIGKILL');
    // The device was told that its alert was taken, and will not send it again.
    expect(report.outcome).toBe('failed');
    expect(report.statuses.some(({ cmd, code }) => cmd === 'Alert' && code === '200')).toBe(true);
    const told = () =>
      backend.sessions.filter(({ alerts }) => alerts.some(({ Data }) => Data?.['DM1x'] === 'last words'))
        .length;
    const before = told();
    await start(config);
    await until(() => told() > before);
  },
  60_000,
);

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const UPDATE = 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate';

it('kill -9 loses no report that is awaited for a ServerURI [IW-EXEC-2]', async () => {
  const backend: Dm2Backend = new Dm2Backend({
    path: '/dm20',
    script: (session) =>
      session === backend.sessions[0] && session.commands.length === 0
        ? [['EXEC', `${FUMO}//DownloadAndUpdate`, '{origin}/reports/9']]
        : undefined,
  });
  open.push(() => backend.close());
  const config = configFile({ backends: { dms: { protocol: 'dm2', url: await backend.start() } } });
  const first = await start(config);
  const device = new LegacyDevice({ url: first.url, deviceId: 'IMEI:1' });
  open.push(() => device.close());
  await device.session();
  expect(backend.sessions[0]!.commands[0]!.status).toEqual({ sc: 202 });
  await kill(first);
  const second = await start(config);
  const later = new LegacyDevice({ url: second.url, deviceId: 'IMEI:1' });
  open.push(() => later.close());
  await later.session({
    alerts: [{ source: './FUMO/fw/DownloadAndUpdate', type: UPDATE, format: 'int', data: '200' }],
  });
  // The device has its Status; whoever dies now, the report is the gateway's to deliver.
  await kill(second);
  await start(config);
  await until(() => backend.messages.some(({ url }) => url.endsWith('/reports/9')));
  await until(() =>
    backend.sessions.some(({ alerts }) => alerts.some(({ AlertType }) => AlertType === UPDATE)),
  );
}, 60_000);

it("kill -9 loses no report that is awaited for a legacy server's Correlator [IW-WR-3]", async () => {
  const server: LegacyServer = new LegacyServer({
    script: (session) =>
      session === server.sessions[0] && session.commands.length === 0
        ? [{ kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'kept' }]
        : undefined,
  });
  open.push(() => server.close());
  const config = configFile({ backends: { dms: { protocol: 'dm1', url: await server.start() } } });
  const first = await start(config);
  const client = new Dm2Client({ url: first.url, deviceId: 'IMEI:1' });
  open.push(() => client.close());
  await client.session();
  expect(server.sessions[0]!.commands[0]!.code).toBe('202');
  const { url = '', alert } = client.state.reports[0]!;
  await kill(first);
  const second = await start(config);
  // The port is another one now; who the report is for stands in the query.
  await client.session({ url: `${second.url}${new URL(url).search}`, alerts: [alert] });
  expect(server.sessions.at(-1)!.alerts[0]).toMatchObject({ correlator: 'kept' });
}, 60_000);

it('kill -9 loses no notification that was asked for, and its session is known [IW-NOT-1] [IW-NOT-2]', async () => {
  const backend = new Dm2Backend();
  open.push(() => backend.close());
  let up = false;
  const calls: string[] = [];
  const service = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => calls.push(chunk.toString()));
    request.on('end', () => void response.writeHead(up ? 204 : 503).end());
  });
  await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
  open.push(() => {
    service.closeAllConnections();
    service.close();
  });
  const hook = { type: 'webhook', url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/` };
  const config = configFile({
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    notifications: { via: 'hook', transports: { hook } },
  });
  const api = async (admin: string, method: string, path: string, body?: object) => {
    const headers = { authorization: 'Bearer kill-tests', 'content-type': 'application/json' };
    const answer = await fetch(`${admin}/api${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as { id: string; number: number; state: string; detail?: string };
  };
  const first = await start(config);
  await api(first.admin, 'POST', '/devices', { id: 'IMEI:1', serverUsername: 'gw', serverPassword: 'pw' });
  const asked = await api(first.admin, 'POST', '/devices/IMEI:1/notify', { form: 'trigger' });
  const notification = (admin: string) => api(admin, 'GET', `/notifications/${asked.id}`);
  const state = async (admin: string) => (await notification(admin)).state;
  // Dead between the call and its note it would hold the notification until its lease is over.
  await until(async () => calls.length > 0 && (await notification(first.admin)).detail !== undefined);
  await kill(first);
  up = true;
  const second = await start(config);
  await until(async () => (await state(second.admin)) === 'sent');
  await kill(second);
  const third = await start(config);
  const device = new LegacyDevice({ url: third.url, deviceId: 'IMEI:1' });
  open.push(() => device.close());
  await device.session({ sessionAlert: '1200', sessionId: asked.number.toString(16).toUpperCase() });
  expect(await state(third.admin)).toBe('answered');
  expect(backend.sessions[0]!.alerts[0]!.Data).toEqual({ NotificationID: String(asked.number) });
}, 60_000);
