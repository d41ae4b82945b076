import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Dm2Backend } from '../../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../../src/simulator/index.ts';

const LOADER = join(import.meta.dirname, '../../store/typescript.mjs');
const GATEWAY = join(import.meta.dirname, 'gatewayProcess.ts');
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = open.pop(); close; close = open.pop()) await close();
});

async function start(config: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', LOADER, GATEWAY, config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  open.push(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, url: line.toString().trim() };
}

it.each(['before', 'after'] as const)(
  'kill -9 %s the backend has an accepted alert loses nothing [IW-ALERT-6]',
  async (when) => {
    const folder = mkdtempSync(join(tmpdir(), 'dragoman-kill-'));
    open.push(() => rmSync(folder, { recursive: true, force: true }));
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
    const config = join(folder, 'dragoman.json');
    writeFileSync(
      config,
      JSON.stringify({
        listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
        admin: { token: 'kill-tests' },
        store: `sqlite:${join(folder, 'dragoman.db')}`,
        deviceAuth: { dm1: 'none', dm2: 'none' },
        backends: { dms: { protocol: 'dm2', url: await backend.start() } },
        routes: [{ backend: 'dms' }],
        limits: { sessionSeconds: 1 },
      }),
    );
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
    for (let tries = 0; tries < 400 && told() === before; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(told()).toBeGreaterThan(before);
  },
  60_000,
);
