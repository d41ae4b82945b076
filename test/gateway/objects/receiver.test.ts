import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ObjectStore } from '../../../src/gateway/objects/objects.ts';
import { Receiver } from '../../../src/gateway/objects/receiver.ts';
import { withStored } from '../../../src/interworking/content.ts';
import { MARK_START } from '../../../src/mo/stored.ts';
import { openStore, type Store } from '../../../src/store/store.ts';

const JSON_TYPE = 'application/vnd.oma.dm.mo+json';
const MB = 1024 * 1024;

let store: Store;
let objects: ObjectStore;
beforeAll(async () => {
  store = await openStore('sqlite::memory:');
  objects = new ObjectStore(store);
});
afterAll(() => store.close());

/** What arrives of a body in chunks of the given sizes, in turn, and the same with its values put back. */
async function receive(body: Buffer, sizes: readonly number[], type = JSON_TYPE) {
  const receiver = new Receiver(objects, 's', type);
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = sizes[i % sizes.length]!;
    await receiver.write(body.subarray(at, at + size));
    at += size;
  }
  const received = await receiver.end();
  const content = received.stored
    ? [{ stored: received.stored, coding: 'raw' } as const]
    : withStored(received.body);
  const parts: Uint8Array[] = [];
  if (content instanceof Uint8Array) parts.push(content);
  else for await (const part of objects.stream(content)) parts.push(part);
  return { received, whole: Buffer.concat(parts) };
}

const base64 = (bytes: number) => Buffer.alloc(bytes, 'firmware!').toString('base64');
const document = (...values: string[]) => Buffer.from(JSON.stringify([{ MOData: { ...values } }]));

describe('a body that arrives', () => {
  it('stays in memory while it is small', async () => {
    const body = document(base64(200_000));
    const { received } = await receive(body, [10_000]);
    expect(Buffer.compare(received.body, body)).toBe(0);
  });

  it('is stored whole when it is large and no document', async () => {
    const body = Buffer.alloc(2 * MB, 'x');
    const { received, whole } = await receive(body, [65_536], 'application/octet-stream');
    expect(received.body.length).toBe(0);
    expect(Buffer.compare(whole, body)).toBe(0);
  });

  it('leaves of a large document all but its binary values in memory [IW-VAL-3]', async () => {
    const body = document('short', base64(900_001), base64(700_002), `${base64(100_000)}!`);
    const { received, whole } = await receive(body, [65_536]);
    expect(received.body.length).toBeLessThan(200_000);
    expect(Buffer.from(received.body).toString().split(MARK_START)).toHaveLength(3);
    expect(Buffer.compare(whole, body)).toBe(0);
  });

  it('reads base64 whose slashes are escaped', async () => {
    const value = Buffer.alloc(1_200_000, Uint8Array.of(0xff, 0xef, 0xfe)).toString('base64');
    const escaped = Buffer.from(`["${value.replaceAll('/', '\\/')}"]`);
    const { received, whole } = await receive(escaped, [40_000, 1]);
    expect(received.body.length).toBeLessThan(200);
    expect(whole.toString()).toBe(`["${value}"]`);
  });

  it.each([
    ['ends in an escape', `["${base64(1_200_000)}\\u0041"]`],
    ['is cut off', `["${base64(1_200_001)}`],
    ['is no whole group', `["${base64(1_200_000)}A"]`],
    ['goes on behind its padding', `["${base64(1_200_001)}AAAA"]`],
  ])('keeps a long text that %s as it came', async (_what, text) => {
    const body = Buffer.from(text);
    const { received } = await receive(body, [50_000]);
    expect(Buffer.from(received.body).toString()).toBe(text);
  });

  it.each([
    ['one text', () => `["${'!'.repeat(4 * MB)}"]`],
    ['what began as base64', () => `["${base64(4 * MB)}!"]`],
    ['escapes alone', () => `["${'\\"'.repeat(2 * MB)}"]`],
    ['many short texts', () => `[${'"a",'.repeat(MB)}"a"]`],
  ])('is refused when it holds too much that is no binary value: %s', async (_what, text) => {
    await expect(receive(Buffer.from(text()), [65_536])).rejects.toMatchObject({ code: 'too-large' });
  });

  it('is the same however it was cut', async () => {
    const values = fc.array(
      fc.oneof(
        fc.string(),
        fc.integer({ min: 60_000, max: 160_000 }).map(base64),
        fc.integer({ min: 60_000, max: 160_000 }).map((n) => `${base64(n)} é"\\`),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(values, sizes, async (list, cuts) => {
        // Large enough to be looked into.
        const body = document(...list, base64(MB));
        const average = cuts.reduce((sum, size) => sum + size, 0) / cuts.length;
        fc.pre(average > 2_000);
        const { whole } = await receive(body, cuts);
        expect(Buffer.compare(whole, body)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
