import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { Assassin, answered, calm, live, PATIENT, unread } from './killing.ts';
import { compile, MortalGateway } from './mortal.ts';

const WALLPAPER = 'urn:example:mo:settings:1.0//Wallpaper';
const digest = (bytes: unknown) =>
  createHash('sha256')
    .update(Buffer.from(bytes as Uint8Array))
    .digest('hex');

let built: ReturnType<typeof compile>;
beforeAll(() => {
  built = compile();
});
afterAll(() => built.remove());

describe.each(['xml', 'wbxml'] as const)('kill -9 amid the chunks of a large object in %s', (encoding) => {
  it('loses no byte of it, to the device or from it [IW-SES-4] [IW-HGET-4] [IW-HPUT-1]', async () => {
    const image = Uint8Array.from({ length: 1_200_001 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
    const backend = new Dm2Backend({
      script: [
        [['HGET', '{origin}/repository/image', WALLPAPER]],
        [['HPUT', '{origin}/repository/copy', WALLPAPER]],
      ],
      documents: { image: { body: image, contentType: 'image/png' } },
    });
    const gateway = await MortalGateway.start(built.dist, {
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    const device = new LegacyDevice({
      url: gateway.dm,
      deviceId: 'IMEI:493005100592800',
      encoding,
      maxMsgSize: 200_000,
      ...PATIENT,
    });
    try {
      const died = await live(gateway, device, {
        moment: (n) => (n % 6 === 3 ? unread : n % 6 === 5 ? answered : calm),
      });
      expect(died).toBeGreaterThan(3);
      expect(device.report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(digest(device.tree.find(['Settings', 'Wallpaper'])!.value)).toBe(digest(image));
      const [{ MOData }] = backend.uploads.at(-1)!.json as [{ MOData: Record<string, string> }];
      expect(digest(Buffer.from(MOData['Wallpaper']!, 'base64'))).toBe(digest(image));
      expect(backend.sessions.at(-1)!.commands.map(({ status }) => status?.sc)).toEqual([200, 200]);
    } finally {
      await device.close();
      await backend.close();
      await gateway.close();
    }
  }, 240_000);
});

const LARGE = 20_000_001;
/** Heap of a process that could not hold the object even once, as the text that it travels in. */
const SMALL_HEAP = ['--max-old-space-size=64'];

/** Bytes of the largest journal. */
function largestJournal(file: string): number {
  const database = new Database(file, { readonly: true });
  try {
    const size = 'sum(length(entries) + coalesce(length(bodies), 0))';
    const sql = `select max(size) from (select ${size} as size from journal group by session_id)`;
    return database.prepare(sql).pluck().get() as number;
  } finally {
    database.close();
  }
}

describe.each(['xml', 'wbxml'] as const)(
  'a process of little memory, killed amid 20 MB in %s',
  (encoding) => {
    const image = Uint8Array.from({ length: LARGE }, (_, i) => (i * 31 + (i >> 9)) & 0xff);

    it('goes on with what a legacy device is sent and sends [IW-SES-4] [IW-HGET-4] [IW-HPUT-1]', async () => {
      const backend = new Dm2Backend({
        script: [
          [['HGET', '{origin}/repository/image', WALLPAPER]],
          [['HPUT', '{origin}/repository/copy', WALLPAPER]],
        ],
        documents: { image: { body: image, contentType: 'image/png' } },
        keepMessages: false,
      });
      const gateway = await MortalGateway.start(
        built.dist,
        {
          backends: { dms: { protocol: 'dm2', url: await backend.start() } },
          routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
        },
        SMALL_HEAP,
      );
      const device = new LegacyDevice({
        url: gateway.dm,
        deviceId: 'IMEI:493005100592800',
        encoding,
        maxMsgSize: 400_000,
        keepMessages: false,
        ...PATIENT,
      });
      try {
        const died = await live(gateway, device, {
          moment: (n) => (n % 50 === 40 ? unread : n % 50 === 45 ? answered : calm),
        });
        expect(died).toBeGreaterThan(3);
        expect(device.report).toMatchObject({ outcome: 'completed', violations: [] });
        expect(digest(device.tree.find(['Settings', 'Wallpaper'])!.value)).toBe(digest(image));
        const [{ MOData }] = backend.uploads.at(-1)!.json as [{ MOData: Record<string, string> }];
        expect(digest(Buffer.from(MOData['Wallpaper']!, 'base64'))).toBe(digest(image));
        expect(largestJournal(gateway.database)).toBeLessThan(LARGE / 20);
      } finally {
        await device.close();
        await backend.close();
        await gateway.close();
      }
    }, 240_000);

    it('goes on with what a legacy server sends and is sent [IW-SES-4] [IW-WR-5]', async () => {
      const uri = './MO/urn:example:mo:settings:1.0/settings1/Wallpaper';
      const assassin: Assassin = new Assassin(() => server.messages);
      const server = new LegacyServer({
        fault: assassin.fault,
        script: [
          [{ kind: 'Replace', uri, format: 'bin', type: 'image/png', data: image }],
          [{ kind: 'Get', uris: [uri] }],
        ],
        maxMsgSize: 400_000,
      });
      const legacy = { protocol: 'dm1', url: await server.start(), encoding, maxMsgSize: 400_000 };
      const gateway = await MortalGateway.start(
        built.dist,
        { backends: { legacy }, routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }] },
        SMALL_HEAP,
      );
      assassin.gateway = gateway;
      const deviceId = 'IMEI:490154203237518';
      const device = new Dm2Client({ url: gateway.dm, deviceId, keepMessages: false, ...PATIENT });
      try {
        assassin.begin({ moment: () => calm, strikes: (n) => n % 40 === 39 });
        await live(gateway, device, { moment: () => calm });
        expect(gateway.deaths).toBeGreaterThan(2);
        expect(device.report).toMatchObject({ outcome: 'completed', violations: [] });
        const [{ commands, violations }] = server.sessions as [(typeof server.sessions)[number]];
        expect(violations).toEqual([]);
        expect(commands.map(({ code }) => code)).toEqual(['200', '200']);
        const { data } = commands[1]!.results[0]!;
        const text = typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
        expect(digest(Buffer.from(text, 'base64'))).toBe(digest(image));
        expect(largestJournal(gateway.database)).toBeLessThan(LARGE / 20);
      } finally {
        await device.close();
        await server.close();
        await gateway.close();
      }
    }, 240_000);
  },
);
