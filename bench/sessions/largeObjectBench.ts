import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { withChildren } from '../peers/child.ts';
import { fixed, type Result, type Settings } from '../report.ts';

const METHOD = `One binary value crosses in chunks, messages of 64 KB at most: fetched for a legacy device by HGET and sent from it
by HPUT; written on a 2.0 client by a legacy server's Replace and read from it by Get. Peers run in a process of their
own. Growth of the gateway's resident memory from before the object to its highest, code and caches warm from a
session with a small object; SQLite's own cache, 32 MB at most, is part of it. The values that arrive are compared.`;

const MESSAGE = 65_536;
const SETTINGS = 'urn:example:mo:settings:1.0';
const GOAL_MB = 100;
/** A machine that does much else may take long. */
const PATIENT = { timeoutMs: 600_000 };
const LIMITS = { requestSeconds: 600, transferSeconds: 600, backendSeconds: 600 };

type Encoding = 'xml' | 'wbxml';

/** Memory that one large object takes on its way through the gateway, both crossings, both directions. */
export async function largeObjectBench(settings: Settings): Promise<Result> {
  const megabytes = settings.quick ? 4 : 20;
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-bench-'));
  const rows: string[][] = [];
  try {
    for (const encoding of ['xml', 'wbxml'] as const) {
      for (const [way, cross] of [
        ['2.0 server to legacy device and back', l2n],
        ['legacy server to 2.0 client and back', n2l],
      ] as const) {
        settings.progress(`${megabytes} MB, ${way}, ${encoding}`);
        const { grown, seconds } = await cross(megabytes * 1_000_000 + 1, encoding);
        rows.push([way, encoding, String(megabytes), fixed(grown / 2 ** 20, 0), fixed(seconds, 1)]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const most = Math.max(...rows.map((row) => Number(row[3])));
  return {
    title: 'Large objects',
    method: METHOD,
    tables: [
      { title: 'One object, both ways', columns: ['way', 'encoding', 'MB', 'growth, MB', 'seconds'], rows },
    ],
    goals: [
      {
        what: `memory that an object of ${megabytes} MB takes`,
        goal: `below ${GOAL_MB} MB`,
        result: `${most} MB`,
        met: most < GOAL_MB,
      },
    ],
  };
}

interface Crossed {
  readonly grown: number;
  readonly seconds: number;
}

function l2n(size: number, encoding: Encoding): Promise<Crossed> {
  return withChildren(async (start) => {
    const image = firmware(size);
    const uri = `${SETTINGS}//Wallpaper`;
    const script = (name: string) => [
      [['HGET', `{origin}/repository/${name}`, uri]],
      [['HPUT', '{origin}/repository/copy', uri]],
    ];
    const documents = {
      small: { body: firmware(400_001), contentType: 'image/png' },
      image: { body: image, contentType: 'image/png' },
    };
    const backends = ['small', 'image'].map((name) => new Dm2Backend({ script: script(name), documents }));
    const [warm, large] = await Promise.all(backends.map((backend) => backend.start()));
    const gateway = await start('gateway', {
      limits: LIMITS,
      backends: { warm: { protocol: 'dm2', url: warm }, large: { protocol: 'dm2', url: large } },
      routes: [
        { match: { deviceId: 'warm' }, backend: 'warm' },
        { match: { protocol: 'dm1' }, backend: 'large' },
      ],
    });
    const play = async (deviceId: string) => {
      const device = new LegacyDevice({
        url: gateway.url,
        deviceId,
        encoding,
        maxMsgSize: MESSAGE,
        keepMessages: false,
        ...PATIENT,
      });
      demand((await device.session()).outcome === 'completed', 'the session did not complete');
      await device.close();
      return device.tree.find(['Settings', 'Wallpaper'])!.value;
    };
    await play('warm');
    const before = await gateway.rss();
    const began = performance.now();
    const arrived = await play('IMEI:493005100592800');
    const seconds = (performance.now() - began) / 1000;
    const grown = (await gateway.peakRss()) - before;
    const [item] = JSON.parse(Buffer.from(backends[1]!.uploads.at(-1)!.body).toString('utf8'));
    same(arrived, image);
    same(Buffer.from(item.MOData.Wallpaper, 'base64'), image);
    await Promise.all(backends.map((backend) => backend.close()));
    return { grown, seconds };
  });
}

function n2l(size: number, encoding: Encoding): Promise<Crossed> {
  return withChildren(async (start) => {
    const image = firmware(size);
    const uri = `./MO/${SETTINGS}/settings1/Wallpaper`;
    const servers = [firmware(400_001), image].map(
      (data) =>
        new LegacyServer({
          script: [
            [{ kind: 'Replace', uri, format: 'bin', type: 'image/png', data }],
            [{ kind: 'Get', uris: [uri] }],
          ],
          maxMsgSize: MESSAGE,
          keepMessages: false,
        }),
    );
    const [warm, large] = await Promise.all(servers.map((server) => server.start()));
    const legacy = { protocol: 'dm1', encoding, maxMsgSize: MESSAGE };
    const gateway = await start('gateway', {
      limits: LIMITS,
      backends: { warm: { ...legacy, url: warm }, large: { ...legacy, url: large } },
      routes: [
        { match: { deviceId: 'warm' }, backend: 'warm' },
        { match: { protocol: 'dm2' }, backend: 'large' },
      ],
    });
    const play = async (deviceId: string) => {
      const device = new Dm2Client({ url: gateway.url, deviceId, keepMessages: false, ...PATIENT });
      demand((await device.session()).outcome === 'completed', 'the session did not complete');
      await device.close();
    };
    await play('warm');
    const before = await gateway.rss();
    const began = performance.now();
    await play('IMEI:490154203237518');
    const seconds = (performance.now() - began) / 1000;
    const grown = (await gateway.peakRss()) - before;
    const { commands } = servers[1]!.sessions.at(-1)!;
    const codes = commands.map(({ code }) => code).join();
    demand(codes === '200,200', `the commands were answered ${codes}`);
    const { data } = commands[1]!.results[0]!;
    same(
      Buffer.from(typeof data === 'string' ? data : Buffer.from(data).toString('latin1'), 'base64'),
      image,
    );
    await Promise.all(servers.map((server) => server.close()));
    return { grown, seconds };
  });
}

/** Bytes of every value, the same at every run. */
function firmware(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = 1; i < size; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

function same(arrived: unknown, sent: Uint8Array): void {
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  demand(digest(Buffer.from(arrived as Uint8Array)) === digest(sent), 'the value arrived changed');
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
