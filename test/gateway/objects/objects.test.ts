import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredChunk } from '../../../src/dm1/storedData.ts';
import { ObjectStore } from '../../../src/gateway/objects/objects.ts';
import { sliceStored } from '../../../src/mo/stored.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { package1 } from '../../dm1/session/play.ts';
import { onEveryEngine } from '../../store/engines.ts';

const whose = { sessionId: 's' };
/** Whoever stores the piece does not look at the message. */
const place = { message: package1(), element: 0, item: 0 };
const bytesOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

onEveryEngine('the object store', (newUrl) => {
  let store: Store;
  let now = 1_000;
  let objects: ObjectStore;
  beforeAll(async () => {
    store = await openStore(await newUrl());
    objects = new ObjectStore(store, () => now);
  });
  afterAll(() => store.close());

  it('puts base64 together wherever it was cut, and takes a piece twice after a crash [1x§8]', async () => {
    const image = bytesOf(10_001);
    const text = Buffer.from(image).toString('base64');
    let after: StoredChunk | undefined;
    for (const [from, end] of [
      [0, 5],
      [5, 6],
      [6, 9_000],
      [9_000, text.length],
    ] as const) {
      const piece = {
        data: `${text.slice(from, end)}\n`,
        coding: 'base64',
        last: end === text.length,
        ...(after && { after }),
        place,
      } as const;
      const { chunk } = await objects.append(whose, piece);
      if (after) expect(await objects.append(whose, piece)).toMatchObject({ chunk });
      after = chunk;
    }
    expect(after).toMatchObject({ rest: '' });
    expect(after!.from + after!.bytes).toBe(image.length);
    const whole = await objects.read({ object: after!.object, from: 0, bytes: image.length });
    expect(Buffer.compare(whole, image)).toBe(0);
  });

  it.each([
    ['a character that is none', ['AAAA', 'A*AA']],
    ['an end in the middle of a group', ['AAAA', 'AAA']],
    ['more behind its padding', ['AAA=', 'AAAA']],
  ])('tells that there is %s', async (_what, pieces) => {
    let after: StoredChunk | undefined;
    for (const [i, data] of pieces.entries()) {
      const last = i === pieces.length - 1;
      const piece = { data, coding: 'base64', last, ...(after && { after }), place } as const;
      after = (await objects.append(whose, piece)).chunk;
    }
    expect(after?.invalid).toBe(true);
  });

  it('reads any part, and streams as bytes and as base64', async () => {
    const image = bytesOf(500_001);
    const writer = objects.writer('s');
    for (let at = 0; at < image.length; at += 70_000) await writer.write(image.subarray(at, at + 70_000));
    const stored = await writer.end();
    expect(stored.bytes).toBe(image.length);
    for (const [from, bytes] of [
      [0, 0],
      [0, 1],
      [196_607, 3],
      [123_456, 300_000],
      [500_000, 1],
    ] as const) {
      const part = await objects.read(sliceStored(stored, from, bytes));
      expect(Buffer.compare(part, image.subarray(from, from + bytes))).toBe(0);
    }
    const streamed: Uint8Array[] = [];
    const head = Buffer.from('<');
    for await (const piece of objects.stream([head, { stored, coding: 'base64' }])) streamed.push(piece);
    expect(Buffer.concat(streamed).toString('latin1')).toBe(`<${Buffer.from(image).toString('base64')}`);
    await expect(objects.read({ ...stored, from: 1 })).rejects.toThrow('is not in the store');
  });

  it('forgets what a session kept when it ends, and what a dead process left', async () => {
    const keep = async (session: string) => {
      const writer = objects.writer(session);
      await writer.write(Uint8Array.of(1, 2, 3));
      return writer.end();
    };
    const mine = await keep('ended');
    const other = await keep('left');
    await objects.release('ended');
    await expect(objects.read(mine)).rejects.toThrow();
    expect((await objects.read(other)).length).toBe(3);
    now += 10_000;
    expect(await objects.prune(now)).toBeGreaterThan(0);
    await expect(objects.read(other)).rejects.toThrow();
  });
});
