import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import { describe, expect, it } from 'vitest';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from '../crossing/gateway.ts';

/** Messages through the device port; each is a valid one, damaged. */
const MESSAGES = 100_000;
const LANES = 32;
/** Bounded time: no single answer may take longer, milliseconds. */
const SLOWEST = 10_000;

interface Seed {
  readonly type: string;
  readonly headers?: Record<string, string>;
  readonly body: Uint8Array;
}

/** A small generator of pseudo-random numbers (mulberry32), so that a run can be repeated. */
function numbers(seed: number): (below: number) => number {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One to four damages: flipped bits, cut ends, repeated or moved pieces, blown-up numbers, nesting, junk. */
function damage(original: Uint8Array, random: (below: number) => number): Buffer {
  let body = Buffer.from(original);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(body.length + 1);
    const length = random(40);
    switch (random(8)) {
      case 0:
        if (at < body.length) body[at] = body[at]! ^ (1 << random(8));
        break;
      case 1:
        body = body.subarray(0, at);
        break;
      case 2:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at, at + length), body.subarray(at)]);
        break;
      case 3:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at + length)]);
        break;
      case 4:
        body = Buffer.concat([body.subarray(at), body.subarray(0, at)]);
        break;
      case 5:
        body = Buffer.from(body.toString('latin1').replace(/\d+/, '9'.repeat(1 + random(30))), 'latin1');
        break;
      case 6: {
        const piece = ['<Item>', '[', '{"a":', '\0', '&#0;', '<![CDATA[', 'nW\u0003', '"', '\u00c3\u00ff'][
          random(9)
        ]!;
        body = Buffer.concat([
          body.subarray(0, at),
          Buffer.from(piece.repeat(1 + random(50)), 'latin1'),
          body.subarray(at),
        ]);
        break;
      }
      default:
        if (at < body.length) body[at] = random(256);
    }
  }
  return body;
}

/** Valid messages of every kind: recorded ones, and those of whole sessions of our own peers. */
async function seeds(url: string): Promise<Seed[]> {
  const list: Seed[] = [];
  for (const encoding of ['xml', 'wbxml'] as const) {
    const type = `application/vnd.syncml.dm+${encoding}`;
    for (const name of ['01-req', '02-req', '01-res']) {
      const file = readFileSync(
        new URL(
          `../../fixtures/captures/libdmclient/libdmclient-${encoding}-get-${name}.http`,
          import.meta.url,
        ),
      );
      list.push({ type, body: file.subarray(file.indexOf('\r\n\r\n') + 4) });
    }
    const device = closing(new LegacyDevice({ url, deviceId: `IMEI:fuzz-${encoding}`, encoding }));
    await device.session();
    for (const { direction, bytes } of device.messages)
      if (direction === 'sent') list.push({ type, body: bytes });
  }
  const client = closing(new Dm2Client({ url, deviceId: 'IMEI:fuzz-json' }));
  await client.session();
  const headers = { 'omadm-devid': 'IMEI:fuzz-json' };
  for (const { direction, bytes } of client.messages) {
    if (direction === 'sent')
      list.push({ type: 'application/vnd.oma.dm.initiation+json', headers, body: bytes });
  }
  const status =
    '{"Status":[{"sc":200,"URI":["urn:x:1.0/a/"]},{"sc":404}],"Alert":[{"AlertType":"urn:x","DataType":"int","Data":{"DM1x":1}}]}';
  list.push({ type: 'application/vnd.oma.dm.response+json', headers, body: Buffer.from(status) });
  return list;
}

describe('the device port', () => {
  it(`answers ${MESSAGES} damaged messages: no crash, no hang, no 5xx, memory flat [IW-SES-1] [IW-SES-10]`, async () => {
    const gateway = await run({ limits: { requestsPerDevice: 1_000_000, sessions: 200_000 } });
    const all = await seeds(gateway.dm);
    expect(all.length).toBeGreaterThan(10);
    const random = numbers(20_130_601);
    const url = new URL(gateway.dm);
    const pool = closing(new Pool(url.origin, { connections: LANES }));
    const counts = new Map<number, number>();
    let sent = 0;
    let slowest = 0;
    const heaps: number[] = [];
    const lane = async (): Promise<void> => {
      while (sent < MESSAGES) {
        sent += 1;
        if (sent % 10_000 === 0) {
          globalThis.gc?.();
          heaps.push(process.memoryUsage().heapUsed);
        }
        const seed = all[random(all.length)]!;
        const began = performance.now();
        const { statusCode, body } = await pool.request({
          path: url.pathname,
          method: 'POST',
          headers: { 'content-type': seed.type, ...seed.headers },
          body: damage(seed.body, random),
        });
        await body.dump();
        slowest = Math.max(slowest, performance.now() - began);
        counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));

    const answered = [...counts.values()].reduce((sum, n) => sum + n, 0);
    expect(answered).toBeGreaterThanOrEqual(MESSAGES);
    expect([...counts.keys()].filter((status) => status >= 500)).toEqual([]);
    expect(counts.get(200)).toBeGreaterThan(1000);
    expect(counts.get(400)).toBeGreaterThan(1000);
    expect(slowest).toBeLessThan(SLOWEST);
    // From the second sample on, when everything is warm; the allowance is for what no collection was asked for.
    expect(heaps.at(-1)! - heaps[1]!).toBeLessThan(150 * 1024 * 1024);

    const healthy = closing(new LegacyDevice({ url: gateway.dm, deviceId: 'IMEI:healthy' }));
    expect(await healthy.session()).toMatchObject({ outcome: 'completed', violations: [] });
  }, 600_000);
});
