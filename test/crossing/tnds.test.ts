import { describe, expect, it } from 'vitest';
import { writeTnds, writeTndsWbxml } from '../../src/dm1/tnds/write.ts';
import type { MoNode } from '../../src/mo/node.ts';
import { Dm2Client, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const ID = 'IMEI:490154203237518';
const XML = 'application/vnd.syncml.dmtnds+xml';
const WBXML = 'application/vnd.syncml.dmtnds+wbxml';
const SETTINGS_MOID = 'urn:example:mo:settings:1.0';
const SETTINGS = `./MO/${SETTINGS_MOID}/settings1`;

/** A legacy server works through `script` on a 2.0 client. */
async function manage(encoding: 'xml' | 'wbxml', script: readonly (readonly ServerCommand[])[]) {
  const server = closing(new LegacyServer({ script }));
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding, serverId: 'srv' } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
  const report = await device.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const session = server.sessions.at(-1)!;
  expect(session.violations).toEqual([]);
  const value = (...path: string[]) => device.objects.tree.find([SETTINGS_MOID, 'settings1', ...path])?.value;
  return {
    device,
    codes: session.commands.map(({ code }) => Number(code)),
    results: session.commands.map(({ results }) => results.map(({ data }) => data)),
    hgets: report.executed.filter(({ command }) => command[0] === 'HGET').length,
    value,
    notes: await gateway.notes(ID),
  };
}

const leaf = (name: string, value: string, format: MoNode['format'] = 'chr'): MoNode => ({
  name,
  format,
  value,
});
const PROFILE: MoNode = {
  name: 'Profile',
  format: 'node',
  children: [
    leaf('Label', 'at work'),
    leaf('Level', '3', 'int'),
    { name: 'Rules', format: 'node', children: [leaf('On', 'true', 'bool')] },
  ],
};

const add = (data: string | Uint8Array, uri = `${SETTINGS}/Profile`, type = XML): ServerCommand => ({
  kind: 'Add',
  uri,
  format: typeof data === 'string' ? 'xml' : 'bin',
  type,
  data,
});
const replace = (data: string, uri = `${SETTINGS}/Profile`): ServerCommand => ({
  kind: 'Replace',
  uri,
  format: 'xml',
  type: XML,
  data,
});
const get = (uri: string): ServerCommand => ({ kind: 'Get', uris: [uri] });
const tree = (nodes: string): string =>
  `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${nodes}</MgmtTree>`;

describe.each(['xml', 'wbxml'] as const)('TNDS of a legacy server in %s', (encoding) => {
  it.each([
    ['nested XML', writeTnds(PROFILE), XML],
    ['flat XML', writeTnds(PROFILE, undefined, '', 'flat'), XML],
    ['nested WBXML', writeTndsWbxml(PROFILE), WBXML],
    ['flat WBXML', writeTndsWbxml(PROFILE, undefined, '', 'flat'), WBXML],
  ] as const)('is unfolded from %s, with one Status and one HGET [IW-WR-2]', async (_style, data, type) => {
    const { codes, hgets, value, results } = await manage(encoding, [
      [add(data, undefined, type)],
      [get(`${SETTINGS}/Profile/Rules/On`)],
    ]);
    expect(codes).toEqual([200, 200]);
    expect(hgets).toBe(1);
    expect([value('Profile', 'Label'), value('Profile', 'Level')]).toEqual(['at work', '3']);
    expect(results[1]).toEqual(['true']);
    // What the server did not name is still there.
    expect(value('Volume')).toBe('5');
  });

  it('replaces a whole subtree, adds none twice and replaces none that is missing [IW-WR-2]', async () => {
    const smaller = writeTnds({ name: 'Profile', format: 'node', children: [leaf('Label', 'home')] });
    const { codes, value, device } = await manage(encoding, [
      [replace(smaller), add(writeTnds(PROFILE))],
      [add(writeTnds(PROFILE))],
      [replace(smaller)],
    ]);
    expect(codes).toEqual([404, 200, 418, 200]);
    expect(value('Profile', 'Label')).toBe('home');
    expect(device.objects.tree.find([SETTINGS_MOID, 'settings1', 'Profile', 'Rules'])).toBeUndefined();
  });

  it('takes nodes without Format and without RTProperties for what they are [IW-WR-2]', async () => {
    const bare = tree(
      '<Node><NodeName>Profile</NodeName><Node><NodeName>Label</NodeName><Value>x</Value></Node></Node>',
    );
    const { codes, results } = await manage(encoding, [
      [add(bare)],
      [get(`${SETTINGS}/Profile?prop=Format`), get(`${SETTINGS}/Profile/Label?prop=Format`)],
    ]);
    expect(codes).toEqual([200, 200, 200]);
    expect(results.slice(1)).toEqual([['node'], ['chr']]);
  });

  it.each([
    [
      'Paths that lead in a circle',
      '<Node><NodeName>A</NodeName><Path>Profile/B</Path></Node><Node><NodeName>B</NodeName><Path>Profile/A</Path></Node>',
      400,
    ],
    [
      'a Path that climbs',
      '<Node><NodeName>Profile</NodeName></Node><Node><NodeName>A</NodeName><Path>../B</Path></Node>',
      400,
    ],
    [
      'the same name twice',
      '<Node><NodeName>Profile</NodeName><Node><NodeName>A</NodeName></Node><Node><NodeName>A</NodeName></Node></Node>',
      400,
    ],
    [
      'a value on an interior node',
      '<Node><NodeName>Profile</NodeName><RTProperties><Format><node/></Format></RTProperties><Value>x</Value></Node>',
      415,
    ],
    [
      'a value beside children',
      '<Node><NodeName>Profile</NodeName><Node><NodeName>A</NodeName></Node><Value>x</Value></Node>',
      400,
    ],
    [
      'a Format that is none',
      '<Node><NodeName>Profile</NodeName><RTProperties><Format><blob/></Format></RTProperties></Node>',
      415,
    ],
    [
      'base64 that is none',
      '<Node><NodeName>Profile</NodeName><RTProperties><Format><b64/></Format></RTProperties><Value>?</Value></Node>',
      415,
    ],
    ['no node at all', '', 400],
  ] as const)(
    'with %s is refused, nothing written, and the session goes on [IW-WR-2]',
    async (_w, nodes, code) => {
      const { codes, hgets, device, notes } = await manage(encoding, [
        [add(tree(nodes)), get(`${SETTINGS}/Ringtone`)],
      ]);
      expect(codes).toEqual([code, 200]);
      expect(hgets).toBe(0);
      expect(device.objects.tree.find([SETTINGS_MOID, 'settings1', 'Profile'])).toBeUndefined();
      expect(notes.filter(({ rule }) => rule === 'IW-WR-2')).toHaveLength(1);
    },
  );

  it('is written whole or not at all, and put back when an Atomic fails [IW-WR-2] [IW-WR-4]', async () => {
    const two = tree(
      '<Node><NodeName>One</NodeName><Path>Deep</Path><Value>1</Value></Node><Node><NodeName>Ringtone</NodeName><Value>2</Value></Node>',
    );
    const { codes, value } = await manage(encoding, [
      [add(two, SETTINGS)],
      [
        {
          kind: 'Atomic',
          commands: [add(writeTnds(PROFILE)), { kind: 'Replace', uri: `${SETTINGS}/Nope`, data: 'x' }],
        },
      ],
    ]);
    expect(codes).toEqual([418, 507, 216, 404]);
    expect([value('Deep', 'One'), value('Ringtone'), value('Profile', 'Label')]).toEqual([
      undefined,
      'Default',
      undefined,
    ]);
  });

  it('creates an instance, renamed as its pack says, and notes what 2.0 cannot carry [IW-WR-2] [IW-ADDR-3]', async () => {
    const account = tree(
      '<Node><NodeName>Second</NodeName><RTProperties><ACL>Get=*</ACL><Format><node/></Format><Type><DDFName>urn:oma:mo:oma-dm-dmacc:1.0</DDFName></Type></RTProperties>' +
        '<Node><NodeName>ServerID</NodeName><Value>srv2</Value></Node></Node>',
    );
    const { codes, device, results, notes } = await manage(encoding, [
      [add(account, './DMAcc/Second')],
      [get('./DMAcc/Second/ServerID')],
    ]);
    expect(codes).toEqual([200, 200]);
    expect(results[1]).toEqual(['srv2']);
    const accounts = device.objects.tree.find(['urn:oma:mo:oma-dm-dmacc:1.2'])?.children;
    const names = [...(accounts?.values() ?? [])].map(({ children }) => [...(children?.keys() ?? [])]);
    expect(names).toContainEqual(['SrvID']);
    expect(notes.map(({ text }) => text).join('\n')).toContain('no ACL');
  });

  it('dropped into the Inbox goes where its MOID belongs, with what refers to it [IW-WR-2]', async () => {
    const firmware = (name: string) =>
      tree(
        `<Node>${name}<RTProperties><Format><node/></Format><Type><DDFName>urn:oma:mo:oma-fumo:1.0</DDFName></Type></RTProperties>` +
          '<Node><NodeName>PkgName</NodeName><Value>./Inbox/fw9/State</Value></Node></Node>',
      );
    const { codes, results } = await manage(encoding, [
      [
        add(firmware('<NodeName>fw9</NodeName>'), './Inbox/fw9'),
        add(firmware(''), './Inbox'),
        add(tree('<Node><NodeName>x</NodeName><Value>1</Value></Node>'), './Inbox/x'),
        replace(firmware(''), './Inbox/fw9'),
        { kind: 'Add', uri: './Inbox/x', data: 'x' },
        get('./Inbox'),
      ],
      [get('./FUMO/fw9/PkgName'), get('./FUMO')],
    ]);
    expect(codes).toEqual([200, 200, 415, 405, 405, 405, 200, 200]);
    expect(results[6]).toEqual(['./FUMO/fw9/State']);
    expect(String(results[7])).toMatch(/fw9/);
  });
});

describe.each(['xml', 'wbxml'] as const)('properties for a legacy server in %s', (encoding) => {
  it('rename a node by reading, writing and deleting it [IW-WR-2]', async () => {
    const name = (uri: string, data: string): ServerCommand => ({
      kind: 'Replace',
      uri: `${uri}?prop=Name`,
      data,
    });
    const { codes, value, results } = await manage(encoding, [
      [name(`${SETTINGS}/Ringtone`, 'Melody'), get(`${SETTINGS}/Melody`), get(`${SETTINGS}/Ringtone`)],
      [
        name(`${SETTINGS}/Melody`, 'Volume'),
        name(`${SETTINGS}/Nope`, 'Yes'),
        name(`${SETTINGS}/Melody`, 'a/b'),
        name(`${SETTINGS}/Melody`, 'Melody'),
        name('./DevInfo/Man', 'Maker'),
        name('.', 'root'),
      ],
      // Its client refuses to delete a permanent object, so the copy goes again.
      [name('./FUMO/fumo1', 'newest'), get('./FUMO/newest/PkgName'), get('./FUMO/fumo1/PkgName')],
      [
        { kind: 'Add', uri: './FUMO/second/PkgName', data: 'p' },
        name('./FUMO/second', 'fumo1'),
        name('./FUMO/second', 'third'),
        get('./FUMO/third/PkgName'),
        get('./FUMO/second/PkgName'),
      ],
    ]);
    expect(codes.slice(0, 9)).toEqual([200, 200, 404, 418, 404, 400, 200, 405, 405]);
    expect(codes.slice(9)).toEqual([405, 404, 200, 200, 418, 200, 200, 404]);
    expect(results[1]).toEqual(['Default']);
    expect([value('Melody'), value('Ringtone')]).toEqual(['Default', undefined]);
  });

  it('cannot be set otherwise, and an ACL is what the gateway says [IW-WR-2] [IW-RD-2]', async () => {
    const set = (uri: string, data: string): ServerCommand => ({ kind: 'Replace', uri, data });
    const { codes, results } = await manage(encoding, [
      [
        set(`${SETTINGS}?prop=ACL`, 'Get=*'),
        set(`${SETTINGS}?prop=ACL`, 'Get=*&Fly=srv'),
        set('./DevDetail?prop=ACL', 'Get=*'),
        set(`${SETTINGS}/Ringtone?prop=Title`, 'x'),
        { kind: 'Add', uri: `${SETTINGS}/Ringtone?prop=Title`, data: 'x' },
        get('.?prop=ACL'),
        get(`${SETTINGS}?prop=ACL`),
        get(`${SETTINGS}/Ringtone?prop=Size`),
        get(`${SETTINGS}?prop=*`),
      ],
    ]);
    expect(codes).toEqual([406, 400, 406, 406, 405, 200, 200, 200, 406]);
    expect(results.slice(5, 8)).toEqual([['Add=srv&Delete=srv&Exec=srv&Get=srv&Replace=srv'], [''], ['7']]);
  });

  it('of a list are those that it selects [IW-RD-2]', async () => {
    const { codes, results } = await manage(encoding, [
      [
        get(`${SETTINGS}/Volume?list=TNDS+Value`),
        get(`${SETTINGS}/Volume?list=TNDS-Value-Size`),
        get(`.?list=TNDS+ACL`),
        get(`${SETTINGS}?list=TNDS+Value-Size`),
        get(`${SETTINGS}?list=TNDS+Colour`),
        get(`${SETTINGS}?list=Everything`),
      ],
    ]);
    expect(codes).toEqual([200, 200, 200, 406, 406, 406]);
    const [values, rest, acls] = results.map((data) => String(data));
    expect(values).toContain('<Value>5</Value>');
    expect(values).not.toContain('Format');
    expect(rest).toContain('<Format><');
    expect(rest).not.toMatch(/Value|Size/);
    expect(acls).toContain('<ACL>Add=srv&amp;Delete=srv&amp;Exec=srv&amp;Get=srv&amp;Replace=srv</ACL>');
  });
});
