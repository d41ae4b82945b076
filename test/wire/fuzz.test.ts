import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { DevicePort } from '../../src/gateway/sessions/devicePort.ts';
import { type Gateway, startGateway } from '../../src/http/assemble.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { createLogger } from '../../src/support/log.ts';
import { mutate, randomFrom } from './mutate.ts';

const SEED = 20_160_209;
const MESSAGES = 100_000;
const OVER_SOCKETS = 3_000;
const DEVICES = 8;
const SYNCML = { xml: 'application/vnd.syncml.dm+xml', wbxml: 'application/vnd.syncml.dm+wbxml' };
/** Clients of each family, with the header in which they name themselves. */
const CLIENTS = [
  ['approved', 'omadm-devid'],
  ['draft-text-1', 'x-omadmdeviceid'],
  ['draft-text-2', 'x-omadmdevid'],
  ['draft-text-3', 'x-omadmdevid'],
] as const;
const FUMO = 'urn:oma:mo:oma-fumo:1.0';

/** A good message of a device, and the good messages of its session before it. */
interface Case {
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly before: readonly {
    readonly body: Uint8Array;
    readonly headers: Readonly<Record<string, string>>;
  }[];
  readonly body: Uint8Array;
}

const logged: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'dragoman-fuzz-'));
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
let gateway: Gateway;
let port: DevicePort;
const cases: Case[][] = [];

beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  const text = JSON.stringify({
    listen: { devices: '127.0.0.1:0', admin: '127.0.0.1:0' },
    admin: { token: 'fuzz-tests' },
    store: `sqlite:${join(folder, 'fuzz.db')}`,
    deviceAuth: { dm1: 'none', dm2: 'none' },
    dialects: [{ deviceId: 'FUZZ:draft-text-3:*', dialect: 'draft-text-3' }],
    limits: { requestsPerDevice: 1_000_000, messageBytes: 65_536, sessions: 200, jobsPerDevice: 1000 },
  });
  const destination = { write: (line: string) => void logged.push(line) };
  const { handle } = DevicePort.prototype;
  DevicePort.prototype.handle = function (request) {
    port = this;
    return handle.call(this, request);
  };
  gateway = await startGateway(loadConfig({ text, env: {} }), {
    log: createLogger({ level: 'error', destination }),
  });
  for (let n = 0; n < DEVICES; n += 1) cases.push(await record(n));
  DevicePort.prototype.handle = handle;
});

afterAll(async () => {
  await gateway.stop();
  process.off('unhandledRejection', onRejection);
  rmSync(folder, { recursive: true, force: true });
});

/** Real sessions of one device of each kind, message by message. */
async function record(n: number): Promise<Case[]> {
  const found: Case[] = [];
  for (const encoding of ['xml', 'wbxml'] as const) {
    const deviceId = `FUZZ:${encoding}:${n}`;
    await queue(deviceId, 1);
    const device = new LegacyDevice({ url: gateway.urls.devices, deviceId, encoding, sessionId: '1' });
    await device.session();
    await device.close();
    expect(device.report.outcome).toBe('completed');
    found.push(...sent(device.messages, { 'content-type': SYNCML[encoding] }, encoding));
  }
  for (const [dialect, header] of CLIENTS) {
    const deviceId = `FUZZ:${dialect}:${n}`;
    await queue(deviceId, 1);
    const device = new Dm2Client({ url: gateway.urls.devices, deviceId, dialect });
    await device.session();
    await device.close();
    expect(device.report.outcome).toBe('completed');
    found.push(...sent(device.messages, { [header]: deviceId }, dialect));
    await queue(deviceId, 100);
  }
  return found;
}

function sent(
  messages: LegacyDevice['messages'],
  headers: Readonly<Record<string, string>>,
  kind: string,
): Case[] {
  const own = messages.filter(
    ({ direction, url }) => direction === 'sent' && url.startsWith(gateway.urls.devices),
  );
  const typed = own.map(({ bytes, contentType }) => ({
    body: bytes,
    headers: { ...headers, 'content-type': contentType },
  }));
  return typed.map((message, i) => ({ kind: `${kind} ${i + 1}`, ...message, before: typed.slice(0, i) }));
}

async function queue(deviceId: string, count: number): Promise<void> {
  const call = (method: string, path: string, body: unknown) =>
    fetch(`${gateway.urls.admin}${path}`, {
      method,
      headers: { authorization: 'Bearer fuzz-tests', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await call('POST', '/api/devices', { id: deviceId, username: deviceId, password: 'p' });
  for (let n = 0; n < count; n += 1) {
    await call('POST', `/api/devices/${encodeURIComponent(deviceId)}/commands`, {
      CMD: [
        ['GET', `${FUMO}//State`],
        ['GET', `${FUMO}//`],
      ],
    });
  }
}

async function handle(body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<number> {
  const delivered = Promise.resolve(true);
  const { status, headers: answer } = await port.handle({ headers, body, url: '/dm', delivered });
  if (status === 503 && answer['retry-after'] === undefined) throw new Error('503 without Retry-After');
  return status;
}

/** The heap in use after everything that can go is gone, in bytes. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const GOOD = new Set([200, 400, 404, 409, 413, 415, 429, 503]);

describe('the device port under mutated messages', () => {
  it('answers every one of 100,000 without a fault, and keeps nothing of them [IW-SES-1] [IW-SES-5]', async () => {
    const random = randomFrom(SEED);
    const counts = new Map<string, number>();
    let done = 0;
    let early = 0;
    const one = async (device: readonly Case[]): Promise<void> => {
      const chosen = device[Math.floor(random() * device.length)];
      if (!chosen) return;
      // Most mutants meet whatever state the ones before them left; some come at their place of a good session.
      if (random() < 0.03) for (const { body, headers } of chosen.before) await handle(body, headers);
      const body = mutate(chosen.body, random);
      const status = await handle(body, chosen.headers);
      if (!GOOD.has(status)) {
        throw new Error(`${chosen.kind} is answered ${status}: ${body.toString('base64')}`);
      }
      counts.set(`${status}`, (counts.get(`${status}`) ?? 0) + 1);
      done += 1;
    };
    while (done < MESSAGES) {
      await Promise.all(cases.map(one));
      if (early === 0 && done >= MESSAGES / 2) early = heap();
    }
    expect(logged).toEqual([]);
    expect(rejections).toEqual([]);
    expect(heap() - early).toBeLessThan(16 * 1024 * 1024);
    // The mutants are worth something only where many are refused and many get through.
    expect(counts.get('400')).toBeGreaterThan(MESSAGES / 10);
    expect(counts.get('200')).toBeGreaterThan(MESSAGES / 20);
  }, 600_000);

  it('answers them over real sockets, and a good device completes its session [IW-SES-1]', async () => {
    const random = randomFrom(SEED + 1);
    const all = cases.flat();
    const healthy = new LegacyDevice({ url: gateway.urls.devices, deviceId: 'FUZZ:healthy' });
    let refused = 0;
    const lane = async () => {
      for (let n = 0; n < OVER_SOCKETS / 4; n += 1) {
        const chosen = all[Math.floor(random() * all.length)];
        if (!chosen) continue;
        const status = await post(mutate(chosen.body, random), chosen.headers);
        expect(GOOD.has(status), String(status)).toBe(true);
        if (status !== 200) refused += 1;
      }
    };
    const [report] = await Promise.all([healthy.session(), lane(), lane(), lane(), lane()]);
    await healthy.close();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(refused).toBeGreaterThan(OVER_SOCKETS / 10);
    expect(logged).toEqual([]);
    expect(rejections).toEqual([]);
  }, 300_000);
});

function post(body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      gateway.urls.devices,
      { method: 'POST', headers: { ...headers, 'content-length': body.length } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
