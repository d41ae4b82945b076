import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, xmlToWbxml } from '../../src/dm1/codec.ts';
import type { TndsNode } from '../../src/dm1/tnds/node.ts';
import { writeTnds, writeTndsWbxml } from '../../src/dm1/tnds/write.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import type { LegacyCapability } from '../../src/simulator/legacyDevice/options.ts';
import { BOX, ID, TREE } from './box.ts';
import { closing, type Wired, wired } from './harness.ts';
import { addressOf, headerOk, kindOf, results, type Said, status, talk } from './quirks.ts';

const BOX_TREE: TndsNode = {
  name: 'Box',
  format: 'node',
  type: BOX,
  acl: 'Get=*',
  children: [
    { name: 'A', format: 'chr', type: 'text/plain', value: 'a & <b>', verNo: '7' },
    {
      name: 'Deep/er',
      format: 'node',
      children: [
        { name: 'N', format: 'int', type: 'text/plain', value: '5' },
        { name: 'Blob', format: 'bin', type: 'application/x', value: Uint8Array.of(0, 255, 7) },
        { name: 'Empty', format: 'node', children: [] },
      ],
    },
  ],
};
/** What the backend is to get of it, whichever way it was read. */
const BOX_DATA = { box: { A: 'a & <b>', 'Deep/er': { N: '5', Blob: 'AP8H', Empty: {} } } };

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const metinf = (name: string, text: string) => `<${name} xmlns="syncml:metinf">${text}</${name}>`;
const itemOf = (uri: string, format: string, type: string, data?: string) =>
  `<Item><Source><LocURI>${uri}</LocURI></Source><Meta>${metinf('Format', format)}${type && metinf('Type', type)}</Meta>${data === undefined ? '' : `<Data>${data}</Data>`}</Item>`;

/** The box node by node: address, format, MIME type and value. */
const NODES: readonly (readonly [string, string, string, string?])[] = [
  ['./Box', 'node', BOX],
  ['./Box/A', 'chr', 'text/plain', 'a &amp; &lt;b&gt;'],
  ['./Box/Deep%2Fer', 'node', ''],
  ['./Box/Deep%2Fer/N', 'int', 'text/plain', '5'],
  ['./Box/Deep%2Fer/Blob', 'b64', 'application/x', 'AP8H'],
  ['./Box/Deep%2Fer/Empty', 'node', ''],
];
const struct = (withData: boolean) =>
  NODES.map(([uri, format, type, data]) => itemOf(uri, format, type, withData ? data : undefined)).join('');
/** What a plain Get of one of them gives. */
function plain(uri: string): string | undefined {
  const node = NODES.find(([at]) => at === uri);
  if (!node) return undefined;
  const [, format, type, data] = node;
  const below = NODES.map(([at]) => at.slice(uri.length + 1)).filter((name, i) => {
    const at = NODES[i]![0];
    return at.startsWith(`${uri}/`) && !name.includes('/');
  });
  return format === 'node'
    ? itemOf(uri, 'node', 'text/plain', below.join('/'))
    : itemOf(uri, format, type, data);
}
const XML_TREE = 'application/vnd.syncml.dmtnds+xml';

/** Items or a Status code for an address; `undefined`: what a plain Get gives, 406 for any list. */
type Answers = Readonly<Record<string, string | number>>;

function answering(answers: Answers, asked: string[]) {
  return (said: Said): string => {
    const { msgId } = said.message.header;
    let next = 1;
    const parts = said.commands.map((command) => {
      const uri = addressOf(command);
      asked.push(uri);
      const given = answers[uri] ?? (uri.includes('?') ? 406 : (plain(uri) ?? 404));
      next += 1;
      const own = status(
        next,
        msgId,
        command.cmdId,
        kindOf(command),
        typeof given === 'number' ? given : 200,
      );
      if (typeof given === 'number') return own;
      next += 1;
      return own + results(next, msgId, command.cmdId, given);
    });
    return `${headerOk(said)}${parts.join('')}<Final/>`;
  };
}

/** A gateway that knows the device by an earlier session, in which some lists were missing. */
async function known(missing: readonly LegacyCapability[] = []): Promise<Wired> {
  const gateway = await wired();
  const earlier = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, tree: TREE, missing }));
  expect(await earlier.session({ sessionId: '0' })).toMatchObject({ outcome: 'completed', violations: [] });
  return gateway;
}

const FORMS = {
  xml: {},
  wbxml: { encode: (xml: string) => xmlToWbxml(xml) },
} as const;

interface Played {
  readonly Status: { sc: number; MO?: { MOData: unknown }[] }[];
  /** Addresses that the device was asked for, versions aside. */
  readonly asked: readonly string[];
}

/** The backend reads the box; the device answers as told. */
async function read(
  gateway: Wired,
  answers: Answers,
  device: { encode?: (xml: string) => Uint8Array } = {},
  address = `${BOX}/Box/`,
): Promise<Played> {
  const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, {
    CMD: [['GET', address]],
  });
  const asked: string[] = [];
  await talk(gateway, { id: ID, answer: answering(answers, asked), ...device });
  const { Status = [] } = await gateway.api<{ Status?: Played['Status'] }>('GET', `/api/jobs/${job}`);
  return { Status, asked: asked.filter((uri) => !uri.startsWith('./DevDetail')) };
}

const whole = [{ sc: 200, MO: [{ MOData: BOX_DATA }] }];
const LIST = './Box?list=';

describe.each(['xml', 'wbxml'] as const)('a 2.0 backend that reads a legacy device in %s', (form) => {
  const device = FORMS[form];

  it('reads by StructData, in one exchange [IW-GET-1]', async () => {
    const { Status, asked } = await read(await known(), { [`${LIST}StructData`]: struct(true) }, device);
    expect(Status).toMatchObject(whole);
    expect(asked).toEqual([`${LIST}StructData`]);
  });

  it.each([
    ['nested and escaped', itemOf('./Box', 'xml', XML_TREE, escaped(writeTnds(BOX_TREE)))],
    [
      'flat, in CDATA, under the address asked for',
      itemOf(`${LIST}TNDS`, 'xml', XML_TREE, `<![CDATA[${writeTnds(BOX_TREE, undefined, '', 'flat')}]]>`),
    ],
    ['as elements', itemOf('./Box', 'xml', XML_TREE, writeTnds(BOX_TREE))],
    ['with the Path of its root', itemOf('./Box', 'xml', XML_TREE, escaped(writeTnds(BOX_TREE, [])))],
    ['without a Type', itemOf('./Box', 'xml', '', escaped(writeTnds(BOX_TREE)))],
    [
      'as base64 of WBXML',
      itemOf(
        './Box',
        'b64',
        'application/vnd.syncml.dmtnds+wbxml',
        Buffer.from(writeTndsWbxml(BOX_TREE)).toString('base64'),
      ),
    ],
  ])(
    'reads a TNDS that is %s, and asks for it at once from then on [IW-GET-1] [IW-INV-2]',
    async (_, item) => {
      const gateway = await known(['listStructData']);
      const first = await read(gateway, { [`${LIST}TNDS`]: item }, device);
      expect(first.Status).toMatchObject(whole);
      const again = await read(gateway, { [`${LIST}TNDS`]: item }, device);
      expect([first.asked, again.asked]).toEqual([[`${LIST}TNDS`], [`${LIST}TNDS`]]);
    },
  );

  it.each([400, 405, 406, 501])(
    'falls back from list to list on %i, and remembers that [IW-GET-1] [IW-INV-2]',
    async (code) => {
      const gateway = await known();
      const answers = {
        [`${LIST}StructData`]: code,
        [`${LIST}TNDS`]: code,
        [`${LIST}Struct`]: struct(false),
      };
      const leaves = ['./Box/A', './Box/Deep%2Fer/N', './Box/Deep%2Fer/Blob'];
      const first = await read(gateway, answers, device);
      expect(first.Status).toMatchObject(whole);
      expect(first.asked).toEqual([...Object.keys(answers), ...leaves]);
      const again = await read(gateway, answers, device);
      expect(again.Status).toMatchObject(whole);
      expect(again.asked).toEqual([`${LIST}Struct`, ...leaves]);
    },
  );

  it('reads node by node where the device has no list, and asks for none again [IW-GET-1] [IW-INV-2]', async () => {
    const gateway = await known();
    const first = await read(gateway, {}, device);
    expect(first.Status).toMatchObject(whole);
    expect(first.asked.slice(0, 3)).toEqual(['StructData', 'TNDS', 'Struct'].map((list) => LIST + list));
    const again = await read(gateway, {}, device);
    expect(again.Status).toMatchObject(whole);
    expect(again.asked).toEqual(NODES.map(([uri]) => uri));
  });

  it('does not take 404 for the lack of a list where nothing is there [IW-GET-1] [IW-INV-2]', async () => {
    const gateway = await known();
    const gone = await read(gateway, { [`${LIST}StructData`]: 404, './Box': 404 }, device);
    expect(gone.Status).toMatchObject([{ sc: 404 }]);
    expect(gone.asked.slice(0, 2)).toEqual([`${LIST}StructData`, './Box']);
    const back = await read(gateway, { [`${LIST}StructData`]: struct(true) }, device);
    expect(back.Status).toMatchObject(whole);
    // A list refused with 404 for a node that is there is one that the device lacks.
    const refused = await read(gateway, { [`${LIST}StructData`]: 404, [`${LIST}TNDS`]: 404 }, device);
    expect(refused.Status).toMatchObject(whole);
    const later = await read(gateway, { [`${LIST}TNDS`]: 406, [`${LIST}Struct`]: struct(false) }, device);
    expect(later.Status).toMatchObject(whole);
    expect(later.asked.slice(0, 2)).toEqual([`${LIST}TNDS`, `${LIST}Struct`]);
  });

  it('tries the next list where one is too large, without giving it up for ever [IW-GET-1]', async () => {
    const gateway = await known();
    const answers = { [`${LIST}StructData`]: 413, [`${LIST}TNDS`]: 413, [`${LIST}Struct`]: struct(false) };
    expect((await read(gateway, answers, device)).Status).toMatchObject(whole);
    expect((await read(gateway, answers, device)).asked[0]).toBe(`${LIST}StructData`);
  });

  it('is told when the list is forbidden [IW-STAT-1]', async () => {
    const { Status, asked } = await read(await known(), { [`${LIST}StructData`]: 425 }, device);
    expect([Status, asked]).toEqual([[{ sc: 403 }], [`${LIST}StructData`]]);
  });

  it('is not fooled by a device that ignores what stands behind the address [IW-GET-1]', async () => {
    const names = plain('./Box')!;
    const lists = ['StructData', 'TNDS', 'Struct'].map((list) => [LIST + list, names] as const);
    const gateway = await known();
    expect((await read(gateway, Object.fromEntries(lists), device)).Status).toMatchObject(whole);
    expect((await read(gateway, {}, device)).asked[0]).toBe('./Box');
  });

  it.each([
    [
      'that leads in a circle',
      '<Node><NodeName>A</NodeName><Path>B</Path></Node><Node><NodeName>B</NodeName><Path>A</Path></Node>',
    ],
    [
      'that names a node twice',
      '<Node><NodeName>Box</NodeName><Node><NodeName>A</NodeName></Node><Node><NodeName>A</NodeName></Node></Node>',
    ],
    ['of another node', '<Node><NodeName>Crate</NodeName><Node><NodeName>A</NodeName></Node></Node>'],
    ['without nodes', ''],
  ])('notes a TNDS %s and reads on by Struct [IW-GET-1] [IW-INV-2]', async (_, nodes) => {
    const gateway = await known(['listStructData']);
    const tree = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${nodes}</MgmtTree>`;
    const answers = {
      [`${LIST}TNDS`]: itemOf('./Box', 'xml', XML_TREE, escaped(tree)),
      [`${LIST}Struct`]: struct(false),
    };
    expect((await read(gateway, answers, device)).Status).toMatchObject(whole);
    const [session] = await gateway.traces(ID);
    const notes = session!.trace.filter(({ rule }) => rule === 'IW-GET-1').map(({ text }) => text);
    expect(notes).toEqual([expect.stringContaining('./Box?list=TNDS')]);
    expect((await read(gateway, answers, device)).asked[0]).toBe(`${LIST}Struct`);
  });
});

describe('a TNDS in a WBXML message', () => {
  it('is read where its own WBXML is an opaque [IW-GET-1]', async () => {
    const item = itemOf('./Box', 'bin', 'application/vnd.syncml.dmtnds+wbxml', 'TREE');
    const encode = (xml: string) => {
      const { message, encoding } = decodeMessage(Buffer.from(xml), 'xml');
      const body = message.body.map((element) =>
        element.kind === 'Results' && element.items[0]?.data === 'TREE'
          ? { ...element, items: [{ ...element.items[0], data: writeTndsWbxml(BOX_TREE) }] }
          : element,
      );
      return encodeMessage({ ...message, body }, { ...encoding, form: 'wbxml' });
    };
    const { Status } = await read(await known(['listStructData']), { [`${LIST}TNDS`]: item }, { encode });
    expect(Status).toMatchObject(whole);
  });
});
