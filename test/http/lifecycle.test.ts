import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { startGateway } from '../../src/http/assemble.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { silentLogger } from '../../src/support/log.ts';
import { startTestGateway } from './running.ts';

const folder = mkdtempSync(join(tmpdir(), 'dragoman-life-'));
const FREE = { devices: '127.0.0.1:0', admin: '127.0.0.1:0' };

describe('a graceful stop', () => {
  it('parks a session in flight, which the next process goes on with', async () => {
    const store = `sqlite:${join(folder, 'parked.db')}`;
    const settings = { store, deviceAuth: { dm1: 'none' } };
    const first = await startTestGateway(settings);
    const port = new URL(first.urls.devices).port;
    const device = new LegacyDevice({ url: first.urls.devices, deviceId: 'IMEI:9' });
    await first.api('/api/devices', { method: 'POST', body: JSON.stringify({ id: 'IMEI:9' }) });
    device.begin();
    expect(await device.step()).toBe(true);
    await first.stop();
    const listen = { devices: `127.0.0.1:${port}`, admin: '127.0.0.1:0' };
    const second = await startTestGateway({ ...settings, listen });
    while (await device.step());
    expect(device.report).toMatchObject({ outcome: 'completed', violations: [] });
    await device.close();
    await second.stop();
  });

  it('can be asked for twice, and leaves no port open', async () => {
    const gateway = await startTestGateway();
    await Promise.all([gateway.stop(), gateway.stop()]);
    await expect(fetch(gateway.urls.admin)).rejects.toThrow();
    await expect(fetch(gateway.urls.devices)).rejects.toThrow();
  });
});

describe('a start that fails', () => {
  const start = (more: Record<string, unknown>) =>
    startGateway(loadConfig({ text: JSON.stringify({ listen: FREE, store: 'sqlite::memory:', ...more }) }), {
      log: silentLogger,
    });

  it('names the key whose port is taken, and gives back the port that it had', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const taken = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const devices = `127.0.0.1:${(probe.address() as AddressInfo).port}`;
    await new Promise((resolve) => probe.close(resolve));
    await expect(start({ listen: { devices, admin: taken } })).rejects.toThrow(/listen\.admin.*taken/);
    const again = await start({ listen: { devices, admin: '127.0.0.1:0' } });
    await again.stop();
    holder.close();
  });

  it.each([
    ['a token file that is not there', { admin: { tokenFile: '/no/such/file' } }, /admin\.tokenFile/],
    [
      'certificates that are not there',
      { listen: { ...FREE, tls: { cert: '/no/c', key: '/no/k' } } },
      /listen\.tls\.cert/,
    ],
    ['mapping packs that are not there', { mappings: ['/no/such/folder'] }, /no\/such\/folder/],
    ['a device list that is not there', { devices: '/no/such.csv' }, /no\/such\.csv/],
  ])('says what is wrong with %s', async (_what, more, said) => {
    await expect(start(more)).rejects.toThrow(said);
  });
});

it('takes its token from a file, or makes one', async () => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'token in a file\n');
  const given = await startTestGateway({ admin: { tokenFile } });
  expect(given).toMatchObject({ token: 'token in a file', tokenGenerated: false });
  expect((await given.api('/api/devices', { token: 'token in a file' })).status).toBe(200);
  await given.stop();
  const made = await startTestGateway({ admin: {} });
  expect(made.tokenGenerated).toBe(true);
  expect(made.token).toMatch(/^[\w-]{32}$/);
  await made.stop();
});

it('serves devices over TLS', async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  execFileSync('openssl', [...args, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  const gateway = await startTestGateway({
    listen: { ...FREE, tls: { cert, key } },
    deviceAuth: { dm1: 'none' },
  });
  expect(gateway.urls.devices).toMatch(/^https:/);
  expect(gateway.urls.public).toMatch(/^https:.*:[1-9]\d*$/);
  const { request, Agent } = await import('undici');
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const answer = await request(gateway.urls.devices, { method: 'GET', dispatcher });
  expect(answer.statusCode).toBe(405);
  await answer.body.dump();
  await dispatcher.close();
  await gateway.stop();
});
