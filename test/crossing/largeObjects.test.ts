import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const OLD = 'IMEI:493005100592800';
const NEW = 'IMEI:490154203237518';
const SETTINGS = 'urn:example:mo:settings:1.0';

/** Bytes of every value, the same at every run, with an odd rest for base64. */
function firmware(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = 1; i < size; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(Buffer.from(value as Uint8Array))
    .digest('hex');

describe.each(PHONES)('a large object of a legacy device $name', (phone) => {
  it('is fetched by HGET and sent back by HPUT, in chunks and through no memory [IW-HGET-4] [IW-HPUT-1] [IW-VAL-3]', async () => {
    const image = firmware(1_300_001);
    // Large enough to be stored, small enough for one package of JSON.
    const less = firmware(400_001);
    const backend = closing(
      new Dm2Backend({
        script: [
          [['HGET', '{origin}/repository/image', `${SETTINGS}//Wallpaper`]],
          [['HPUT', '{origin}/repository/copy', `${SETTINGS}//Wallpaper`]],
          [['HGET', '{origin}/repository/less', `${SETTINGS}//Wallpaper`]],
          [['GET', `${SETTINGS}//Wallpaper`]],
        ],
        documents: {
          image: { body: image, contentType: 'image/png' },
          less: { body: less, contentType: 'image/png' },
        },
      }),
    );
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
      ...phone.config,
    });
    const device = closing(
      new LegacyDevice({
        url: gateway.dm,
        deviceId: OLD,
        ...phone.device,
        maxMsgSize: 100_000,
        keepMessages: false,
      }),
    );
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const sc = backend.sessions.at(-1)!.commands.map(({ status }) => status?.sc);
    const { value } = device.tree.find(['Settings', 'Wallpaper'])!;
    const { uploads } = backend;
    const [{ MOData }] = JSON.parse(Buffer.from(uploads.at(-1)!.body).toString('utf8')) as [
      { MOData: Record<string, string> },
    ];
    if (!phone.has('largeObjects')) {
      // Refused chunk and all; what was there is there and can be had.
      expect(sc).toEqual([413, 200, 413, 200]);
      expect(Buffer.from(value as Uint8Array).toString('base64')).toBe('AAECAwQF');
      expect(MOData['Wallpaper']).toBe('AAECAwQF');
      return;
    }
    expect(sc).toEqual([200, 200, 200, 200]);
    expect(digest(value)).toBe(digest(less));
    expect(digest(Buffer.from(MOData['Wallpaper']!, 'base64'))).toBe(digest(image));
    const [read] = backend.sessions.at(-1)!.commands.at(-1)!.status!.MO!;
    expect(digest(Buffer.from(String(read!.MOData['Wallpaper']), 'base64'))).toBe(digest(less));
  });
});

describe.each(['xml', 'wbxml'] as const)('a large object of a legacy server in %s', (encoding) => {
  it.each([
    ['with a type of its own', 'image/png'],
    ['without', undefined],
  ] as const)('reaches a 2.0 client and comes back, %s [IW-WR-5] [IW-RD-1]', async (_how, type) => {
    const image = firmware(1_300_001);
    const uri = `./MO/${SETTINGS}/settings1/Wallpaper`;
    const server = closing(
      new LegacyServer({
        script: [
          [{ kind: 'Replace', uri, format: 'bin', data: image, ...(type && { type }) }],
          [{ kind: 'Get', uris: [uri] }],
        ],
        maxMsgSize: 100_000,
        keepMessages: false,
      }),
    );
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url: await server.start(), encoding, maxMsgSize: 100_000 } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: NEW, keepMessages: false }));
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    const session = server.sessions.at(-1)!;
    expect(session.violations).toEqual([]);
    expect(session.commands.map(({ code }) => code)).toEqual(['200', '200']);
    const { data } = session.commands[1]!.results[0]!;
    const text = typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
    expect(digest(Buffer.from(text, 'base64'))).toBe(digest(image));
  });
});
