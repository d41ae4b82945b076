import { type IncomingMessage, request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { type Running, startTestGateway } from './running.ts';

const LIMIT = 8192;
const XML = 'application/vnd.syncml.dm+xml';
let gateway: Running;
beforeAll(async () => {
  gateway = await startTestGateway({
    deviceAuth: { dm1: 'none', dm2: 'none' },
    limits: { messageBytes: LIMIT, requestSeconds: 1 },
  });
});
afterAll(() => gateway.stop());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly continued: boolean;
}

/** A POST of `body` in pieces, with or without a length. */
function send(
  body: readonly string[],
  headers: Record<string, string> = {},
  { path = '/dm', method = 'POST' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port, hostname } = new URL(gateway.urls.devices);
    let continued = false;
    const request = rawRequest({
      port,
      host: hostname,
      path,
      method,
      headers: { 'Content-Type': XML, ...headers },
    });
    const write = () => {
      for (const piece of body) request.write(piece);
      request.end();
    };
    request.on('continue', () => {
      continued = true;
      write();
    });
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text, continued });
    });
    request.on('error', reject);
    if (headers['Expect'] === undefined) write();
    else request.flushHeaders();
  });
}

/** The first message of a device, as it really sends it. */
async function packageOne(deviceId: string): Promise<string> {
  const device = new LegacyDevice({ url: gateway.urls.devices, deviceId });
  device.begin();
  const text = Buffer.from(device.nextBytes ?? []).toString('utf8');
  await device.close();
  return text;
}

describe('the device port', () => {
  it('takes messages with a length, in chunks, and behind Expect: 100-continue', async () => {
    const one = await packageOne('IMEI:a');
    const plain = await send([one], { 'Content-Length': String(Buffer.byteLength(one)) });
    expect(plain.status).toBe(200);
    expect(plain.headers['content-type']).toContain(XML);
    expect(Number(plain.headers['content-length'])).toBe(Buffer.byteLength(plain.text));
    const two = await packageOne('IMEI:b');
    expect((await send([two.slice(0, 100), two.slice(100)])).status).toBe(200);
    const three = await packageOne('IMEI:c');
    const patient = await send([three], { Expect: '100-continue', 'Content-Length': String(three.length) });
    expect(patient).toMatchObject({ status: 200, continued: true });
  });

  it('answers 413 to a body over the limit, however it comes', async () => {
    const large = 'x'.repeat(LIMIT + 1);
    expect((await send([large], { 'Content-Length': String(large.length) })).status).toBe(413);
    expect((await send([large.slice(0, 5000), large.slice(5000)])).status).toBe(413);
    expect((await send(Array.from({ length: 10 }, () => 'x'.repeat(LIMIT)))).status).toBe(413);
    const asked = await send([], { Expect: '100-continue', 'Content-Length': String(LIMIT + 1) });
    expect(asked).toMatchObject({ status: 413, continued: false });
    expect(asked.text).toContain('limits.messageBytes');
  });

  it('answers 405 to other methods and 415 to other types', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await send([], {}, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('POST');
    }
    const other = await send(['hello'], { 'Content-Type': 'text/plain' });
    expect(other.status).toBe(415);
    expect(other.text).toContain(XML);
  });

  it('answers 400 with the reason to what cannot be read', async () => {
    const broken = await send(['<SyncML><SyncHdr>']);
    expect(broken.status).toBe(400);
    expect(broken.text).toMatch(/\d+:\d+/);
  });

  it('has nothing at other paths, and no document behind a guessed token', async () => {
    expect((await send([], {}, { path: '/', method: 'GET' })).status).toBe(404);
    expect((await send([], {}, { path: '/dmx' })).status).toBe(404);
    const guess = `/repository/${'A'.repeat(43)}`;
    expect((await send([], {}, { path: guess, method: 'GET' })).status).toBe(404);
    expect((await send(['body'], {}, { path: guess, method: 'PUT' })).status).toBe(404);
  });

  it('survives a device that goes away in the middle of its message', async () => {
    const { port, hostname } = new URL(gateway.urls.devices);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /dm HTTP/1.1\r\nHost: x\r\nContent-Type: ${XML}\r\nContent-Length: 500\r\n\r\n<SyncML>`,
    );
    await wait(50);
    socket.destroy();
    await wait(50);
    expect((await send([await packageOne('IMEI:d')])).status).toBe(200);
  });

  it('closes connections whose request does not come to its end in time', async () => {
    const { port, hostname } = new URL(gateway.urls.devices);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (data) => {
      text += String(data);
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(`POST /dm HTTP/1.1\r\nHost: x\r\nContent-Type: ${XML}\r\nContent-Length: 5000\r\n\r\n`);
    const drip = setInterval(() => socket.write('x'), 100);
    socket.on('error', () => undefined);
    await closed;
    clearInterval(drip);
    expect(text).toMatch(/^(HTTP\/1.1 408|$)/);
  });

  it('counts messages by dialect and result', async () => {
    const metrics = await (await gateway.api('/metrics')).text();
    expect(metrics).toMatch(/dragoman_messages_total\{dialect="dm1 xml",direction="in",result="ok"\} [1-9]/);
    expect(metrics).toMatch(/dragoman_device_request_seconds_count\{status="413"\} [1-9]/);
    expect(metrics).toMatch(/dragoman_journal_flush_seconds_count [1-9]/);
    expect(metrics).toMatch(/dragoman_sessions_live \d/);
  });
});

describe('overload', () => {
  it('refuses new sessions with 503 and Retry-After, and goes on with the old ones', async () => {
    const small = await startTestGateway({ deviceAuth: { dm1: 'none' }, limits: { sessions: 1 } });
    try {
      const first = new LegacyDevice({ url: small.urls.devices, deviceId: 'IMEI:1' });
      first.begin();
      await first.step();
      const second = new LegacyDevice({ url: small.urls.devices, deviceId: 'IMEI:2' });
      expect((await second.session()).detail).toBe('HTTP 503');
      expect(second.messages.at(-1)?.status).toBe(503);
      const refused = await fetch(small.urls.devices, {
        method: 'POST',
        headers: { 'Content-Type': XML },
        body: await packageOne('IMEI:3'),
      });
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      while (await first.step());
      expect(first.report.outcome).toBe('completed');
      expect((await second.session()).outcome).toBe('completed');
      await Promise.all([first.close(), second.close()]);
    } finally {
      await small.stop();
    }
  });

  it('answers 429 to a device that sends more than it may', async () => {
    const strict = await startTestGateway({ deviceAuth: { dm1: 'none' }, limits: { requestsPerDevice: 2 } });
    try {
      const body = await packageOne('IMEI:1');
      const ask = () =>
        fetch(strict.urls.devices, { method: 'POST', headers: { 'Content-Type': XML }, body });
      expect((await ask()).status).toBe(200);
      expect((await ask()).status).toBe(200);
      const third = await ask();
      expect(third.status).toBe(429);
      expect(third.headers.get('retry-after')).toMatch(/^\d+$/);
    } finally {
      await strict.stop();
    }
  });
});
