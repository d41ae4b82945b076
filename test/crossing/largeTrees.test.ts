import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTnds } from '../../src/dm1/tnds/read.ts';
import { writeTnds, writeTndsWbxml } from '../../src/dm1/tnds/write.ts';
import type { MoNode } from '../../src/mo/node.ts';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const OLD = 'IMEI:493005100592800';
const NEW = 'IMEI:490154203237518';
const SETTINGS = 'urn:example:mo:settings:1.0';
const AT = `./MO/${SETTINGS}/settings1/Profile`;
const MESSAGE = 50_000;
const COUNT = 2_000;

/** A tree of many leaves, each with a value of at least that length. */
const profile = (length: number): MoNode => ({
  name: 'Profile',
  format: 'node',
  children: Array.from({ length: COUNT }, (_, i) => ({
    name: `Leaf${i}`,
    format: 'chr' as const,
    type: 'text/plain',
    value: `value ${i} & <more>`.padEnd(length, '.'),
  })),
});
const PROFILE = profile(0);
/** As WBXML it is larger than what is put together in memory. */
const LARGER = profile(150);
const valuesOf = ({ children = [] }: MoNode) => children.map(({ value }) => value);

/** A legacy server and a gateway whose messages are small, before a 2.0 client. */
async function between(
  encoding: 'xml' | 'wbxml',
  script: readonly (readonly ServerCommand[])[],
  options: Partial<ConstructorParameters<typeof Dm2Client>[0]> = {},
) {
  const server = closing(new LegacyServer({ script, maxMsgSize: MESSAGE, keepMessages: false }));
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url: await server.start(), encoding, maxMsgSize: MESSAGE } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: NEW, keepMessages: false, ...options }));
  const report = await device.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const session = server.sessions.at(-1)!;
  expect(session.violations).toEqual([]);
  return {
    session,
    device,
    codes: session.commands.map(({ code }) => code),
    notes: await gateway.notes(NEW),
  };
}

const treeIn = (data: unknown, target: readonly string[]) => {
  const [only] = readTnds(String(data), { target }).nodes;
  return only!.node;
};

describe.each(['xml', 'wbxml'] as const)(
  'a TNDS larger than a message, with a legacy server in %s',
  (encoding) => {
    const xml = { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' } as const;
    const wbxml = { format: 'bin', type: 'application/vnd.syncml.dmtnds+wbxml' } as const;
    it.each([
      ['nested XML', PROFILE, writeTnds(PROFILE), xml],
      ['flat XML', PROFILE, writeTnds(PROFILE, undefined, '', 'flat'), xml],
      ['nested WBXML', PROFILE, writeTndsWbxml(PROFILE), wbxml],
      [
        'flat WBXML, large enough for the store',
        LARGER,
        writeTndsWbxml(LARGER, undefined, '', 'flat'),
        wbxml,
      ],
    ] as const)(
      'comes in chunks as %s and goes back in chunks [IW-WR-2] [IW-WR-5] [IW-RD-2]',
      async (_, tree, data, kind) => {
        expect(data.length).toBeGreaterThan(2 * MESSAGE);
        const { codes, session, device, notes } = await between(encoding, [
          [{ kind: 'Add', uri: AT, ...kind, data }],
          [{ kind: 'Get', uris: [`${AT}?list=TNDS`] }],
        ]);
        expect([codes, notes]).toEqual([['200', '200'], []]);
        const written = device.objects.tree.find([SETTINGS, 'settings1', 'Profile'])!.children!;
        expect([...written.values()].map(({ value }) => value)).toEqual(valuesOf(tree));
        const told = treeIn(session.commands[1]!.results[0]!.data, ['MO', SETTINGS, 'settings1', 'Profile']);
        expect(valuesOf(told)).toEqual(valuesOf(tree));
      },
    );

    it('tells large values too, up to a limit [IW-RD-2] [IW-VAL-3]', async () => {
      const image = Buffer.alloc(1_300_001, 'image');
      const most = Buffer.alloc(5_000_001, 'image');
      const objects = [
        {
          moid: SETTINGS,
          miid: 'settings1',
          root: 'Settings',
          tree: {
            Some: { Image: { $format: 'bin', $value: image.toString('base64') } },
            More: { Image: { $format: 'bin', $value: most.toString('base64') } },
          },
        },
      ];
      const at = `./MO/${SETTINGS}/settings1`;
      const { codes, session, notes } = await between(
        encoding,
        [
          [{ kind: 'Get', uris: [`${at}/Some?list=TNDS`] }],
          [
            { kind: 'Get', uris: [`${at}/More?list=TNDS`] },
            { kind: 'Get', uris: [`${at}/More?list=TNDS-Value`] },
          ],
        ],
        { objects },
      );
      expect(codes).toEqual(['200', '413', '200']);
      expect(notes.filter(({ rule }) => rule === 'IW-RD-2')).toHaveLength(1);
      const some = treeIn(session.commands[0]!.results[0]!.data, ['MO', SETTINGS, 'settings1', 'Some']);
      // Without a pack the gateway cannot know that the text of the document is bytes.
      const told = some.children?.[0]?.value;
      const bytes = typeof told === 'string' ? Buffer.from(told, 'base64') : Buffer.from(told as Uint8Array);
      const digest = (each: Uint8Array) => createHash('sha256').update(each).digest('hex');
      expect(digest(bytes)).toBe(digest(image));
    });
  },
);

describe.each(['xml', 'wbxml'] as const)('a legacy device in %s that tells trees as TNDS', (encoding) => {
  it('is read through large objects, and what it told is remembered [IW-GET-1] [IW-INV-2]', async () => {
    const backend = closing(
      new Dm2Backend({
        script: ({ messages }) => (messages === 1 ? [['GET', `${SETTINGS}//Big`]] : undefined),
      }),
    );
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
      mappings: ['mappings', 'fixtures/packs'],
    });
    const big = Object.fromEntries(PROFILE.children!.map(({ name, value }) => [name, value]));
    const device = closing(
      new LegacyDevice({
        url: gateway.dm,
        deviceId: OLD,
        encoding,
        tree: { DevInfo: { DevId: OLD, Man: 'M', Mod: 'M', DmV: '1', Lang: 'en' }, Settings: { Big: big } },
        missing: ['listStructData', 'listStruct'],
        maxMsgSize: MESSAGE,
        keepMessages: false,
      }),
    );
    for (let session = 1; session <= 2; session++) {
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      const [command] = backend.sessions.at(-1)!.commands;
      expect(command!.status).toMatchObject({ sc: 200, MO: [{ MOData: { Big: big } }] });
      const lists = report.executed.flatMap(({ uri }) => (uri?.startsWith('./Settings') ? [uri] : []));
      if (session === 2) expect(lists).toEqual(['./Settings/Big?list=TNDS']);
    }
  });
});
