import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wbxmlToXml, xmlToWbxml } from '../../../src/dm1/codec.ts';
import type { TndsNode } from '../../../src/dm1/tnds/node.ts';
import { type ReadTndsOptions, readTnds } from '../../../src/dm1/tnds/read.ts';
import { parseSelection, TNDS_PROPERTIES } from '../../../src/dm1/tnds/selection.ts';
import { readTimeStamp } from '../../../src/dm1/tnds/timeStamp.ts';
import { writeTnds, writeTndsWbxml } from '../../../src/dm1/tnds/write.ts';
import { tndsTree } from './tree.ts';

const fixture = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../../../fixtures/dm1/tnds/${name}`, import.meta.url)));

const FUMO: TndsNode = {
  name: 'x',
  format: 'node',
  type: 'urn:oma:mo:oma-fumo:1.0',
  children: [
    { name: 'PkgName', format: 'chr', type: 'text/plain', acl: 'Add=srvA&Get=*', value: 'fw <1>' },
    {
      name: 'Update',
      format: 'node',
      children: [
        { name: 'PkgData', format: 'bin', type: 'application/octet-stream', value: Uint8Array.of(0, 1, 2) },
      ],
    },
    { name: 'State', format: 'int', type: 'text/plain', tstamp: '20010711T163817Z', verNo: '3', value: '10' },
  ],
};

/** The single subtree that a document has. */
function only(document: string | Uint8Array, options?: ReadTndsOptions): TndsNode {
  const { nodes } = readTnds(document, options);
  expect(nodes).toHaveLength(1);
  return nodes[0]!.node;
}

const tree = (nodes: string): string =>
  `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${nodes}</MgmtTree>`;
const leaf = (name: string, value: string, path?: string): string =>
  `<Node><NodeName>${name}</NodeName>${path === undefined ? '' : `<Path>${path}</Path>`}<Value>${value}</Value></Node>`;

describe('reading TNDS', () => {
  it('reads nested nodes, CDATA and nodes without RTProperties [1x§11.2]', () => {
    const read = readTnds(fixture('fumo-nested.xml'));
    expect(read).toStrictEqual({ man: 'Example', mod: 'Phone 1', nodes: [{ below: 'target', node: FUMO }] });
  });

  it('reads the flat style with Path, a Type that is always MIME and a TStamp as ctime writes it [1x§16.1]', () => {
    const [, update, ...rest] = FUMO.children!;
    const b64 = { ...update!.children![0]!, format: 'b64' as const };
    expect(only(fixture('fumo-flat.xml'))).toStrictEqual({
      ...FUMO,
      children: [FUMO.children![0], { ...update, children: [b64] }, ...rest],
    });
  });

  it('reads what libwbxml makes of a tree, and the same once more as our WBXML [1x§12.1]', () => {
    expect(only(fixture('fumo-nested.wbxml'))).toStrictEqual(FUMO);
    const ours = xmlToWbxml(fixture('fumo-nested.xml'), { version: 3 });
    expect(Buffer.from(ours.subarray(0, 6)).toString('hex')).toBe('03016a000002');
    expect(only(ours)).toStrictEqual(FUMO);
    expect(only(wbxmlToXml(fixture('fumo-nested.wbxml')))).toStrictEqual(FUMO);
  });

  it('takes a Value in a WBXML opaque as bytes where the Format says so, else as text [1x§12.2]', () => {
    const head = '03016a00 0002 60 64 66037800 01 6f 5c';
    const bytes = (format: string, value: string) =>
      Uint8Array.from(Buffer.from(`${head}${format} 01 01 76 c3${value} 01 01 01`.replace(/\s/g, ''), 'hex'));
    expect(only(bytes('09', '0300ff10')).value).toStrictEqual(Uint8Array.of(0, 255, 16));
    expect(only(bytes('0b', '03c3a461')).value).toBe('äa');
    expect(() => only(bytes('0b', '0200ff'))).toThrow('bin');
  });

  it('takes a tree without namespace, with a prefix, with elements of other namespaces [1x§16.1]', () => {
    expect(only(`<MgmtTree><VerDTD>1.2</VerDTD>${leaf('a', '1')}</MgmtTree>`).value).toBe('1');
    const prefixed =
      '<t:MgmtTree xmlns:t="syncml:dmddf1.2" xmlns:v="urn:v"><t:Node><t:NodeName>a</t:NodeName><v:NodeName>b</v:NodeName><v:X><v:Node/></v:X><t:Value>1</t:Value></t:Node></t:MgmtTree>';
    expect(only(prefixed)).toStrictEqual({ name: 'a', format: 'chr', value: '1' });
  });

  it('gives a node without Format node where it has children, else chr [1x§11.2]', () => {
    const read = only(
      tree(`<Node><NodeName>a</NodeName>${leaf('b', 'v')}<Node><NodeName>c</NodeName></Node></Node>`),
    );
    expect(read).toStrictEqual({
      name: 'a',
      format: 'node',
      children: [
        { name: 'b', format: 'chr', value: 'v' },
        { name: 'c', format: 'chr' },
      ],
    });
    const flat = only(tree(`<Node><NodeName>a</NodeName></Node>${leaf('b', 'v', 'a')}`));
    expect(flat).toStrictEqual({
      name: 'a',
      format: 'node',
      children: [{ name: 'b', format: 'chr', value: 'v' }],
    });
  });

  it('keeps an empty Value apart from none, and white space of a Value', () => {
    expect(only(tree('<Node><NodeName>a</NodeName><Value/></Node>')).value).toBe('');
    expect(only(tree(leaf('a', ' b\n'))).value).toBe(' b\n');
    expect(only(tree('<Node><NodeName>a</NodeName></Node>'))).not.toHaveProperty('value');
  });

  it('unescapes names [1x§7.1]', () => {
    expect(only(tree(leaf('a%2Fb', '1'))).name).toBe('a/b');
  });
});

describe('places of TNDS nodes', () => {
  const target = ['FUMO', 'x'];
  const at = (document: string, where: readonly string[] = target) =>
    readTnds(document, { target: where }).nodes.map(({ below, node }) => ({ below, name: node.name }));

  it.each([
    ['without NodeName', '<Node><Value>1</Value></Node>'],
    ['with an empty NodeName', '<Node><NodeName/><Value>1</Value></Node>'],
    ['with the name of the target', leaf('x', '1')],
    ['with the name of the target and an empty Path', leaf('x', '1', '')],
    ['with the place of the target in the whole tree', leaf('x', '1', './FUMO')],
    ['with an absolute Path', leaf('x', '1', '/FUMO')],
  ])('puts a first node %s at the target [1x§11.2]', (_, node) => {
    expect(at(tree(node))).toStrictEqual([{ below: 'target', name: 'x' }]);
  });

  it.each([
    ['another name', leaf('y', '1'), []],
    ['a relative Path', leaf('y', '1', 'A/B'), ['A', 'B']],
    ['a Path with ./ that is not within the target', leaf('y', '1', './A'), ['A']],
    ['a Path in the whole tree', leaf('y', '1', './FUMO/x/A'), ['A']],
    ['an absolute Path', leaf('y', '1', '/FUMO/x'), []],
  ])('puts a first node with %s below the target [1x§11.2]', (_, node, below) => {
    expect(at(tree(node))).toStrictEqual([{ below, name: 'y' }]);
  });

  it('puts an object without name into the Inbox, which places it [1x§11.2]', () => {
    expect(
      at(
        tree(
          '<Node><NodeName/><RTProperties><Type><DDFName>urn:oma:mo:x:1.0</DDFName></Type></RTProperties></Node>',
        ),
        ['Inbox'],
      ),
    ).toStrictEqual([{ below: 'target', name: 'Inbox' }]);
  });

  it('joins flat nodes whatever their order, and keeps apart what has no common node [1x§11.2]', () => {
    const document = tree(
      `${leaf('c', '1', 'A/B') + leaf('d', '2', 'E')}<Node><NodeName>A</NodeName></Node>`,
    );
    const { nodes } = readTnds(document, { target });
    expect(nodes).toStrictEqual([
      {
        below: [],
        node: {
          name: 'A',
          format: 'node',
          children: [{ name: 'B', format: 'node', children: [{ name: 'c', format: 'chr', value: '1' }] }],
        },
      },
      { below: ['E'], node: { name: 'd', format: 'chr', value: '2' } },
    ]);
  });

  it('reads Paths that begin with the root of the document where that stands at the target [1x§11.2]', () => {
    const document = tree(
      `<Node><NodeName>x</NodeName></Node>${leaf('a', '1', 'x')}${leaf('b', '2', 'x/c')}`,
    );
    expect(only(document, { target }).children?.map(({ name }) => name)).toStrictEqual(['a', 'c']);
  });
});

describe('malformed TNDS', () => {
  const rt = (format: string, rest = '') =>
    tree(`<Node><NodeName>a</NodeName><RTProperties><Format>${format}</Format></RTProperties>${rest}</Node>`);
  const NODE_A = '<Node><NodeName>a</NodeName></Node>';
  it.each([
    ['no document', '', 'malformed'],
    ['another root', '<Tree/>', 'malformed'],
    ['another namespace', '<MgmtTree xmlns="urn:x"/>', 'malformed'],
    ['no Node', tree(''), 'malformed'],
    ['text between elements', tree(`${NODE_A}x`), 'malformed'],
    ['something behind the root', `${tree(NODE_A)}<a/>`, 'malformed'],
    ['an entity declaration', `<!DOCTYPE MgmtTree [<!ENTITY a "b">]>${tree(NODE_A)}`, 'malformed'],
    ['an unknown entity', tree(leaf('a', '&x;')), 'malformed'],
    [
      'a nested node without name',
      tree(`<Node><NodeName>a</NodeName><Node><Value/></Node></Node>`),
      'malformed',
    ],
    ['a second node without name', tree(`${NODE_A}<Node/>`), 'malformed'],
    [
      'siblings of one name',
      tree(`<Node><NodeName>a</NodeName>${leaf('b', '1')}${leaf('b', '2')}</Node>`),
      'malformed',
    ],
    [
      'one place twice',
      tree(`<Node><NodeName>a</NodeName>${leaf('b', '1')}</Node>${leaf('b', '2', 'a')}`),
      'malformed',
    ],
    ['the root twice', tree(NODE_A + NODE_A), 'malformed'],
    [
      'a value beside children',
      tree(`<Node><NodeName>a</NodeName><Value>1</Value>${leaf('b', '1')}</Node>`),
      'malformed',
    ],
    ['a value on Format node', rt('<node/>', '<Value>1</Value>'), 'bad-value'],
    ['a value on a node with children by Path', tree(leaf('a', '1') + leaf('b', '2', 'a')), 'bad-value'],
    ['children on a leaf', rt('<chr/>', leaf('b', '1')), 'bad-value'],
    ['an unknown Format', rt('<decimal/>'), 'bad-value'],
    ['two Formats', rt('<chr/><int/>'), 'bad-value'],
    ['bin that is not base64', rt('<bin/>', '<Value>%%%</Value>'), 'bad-value'],
    ['a Path with ..', tree(NODE_A + leaf('b', '1', 'a/../c')), 'bad-address'],
    ['a Path with an empty segment', tree(NODE_A + leaf('b', '1', 'a//c')), 'bad-address'],
    [
      'a Path inside a Node',
      tree(`<Node><NodeName>a</NodeName>${leaf('b', '1', 'a/b')}</Node>`),
      'bad-address',
    ],
    ['a NodeName of two segments', tree(leaf('a/b', '1')), 'bad-address'],
    ['a NodeName ..', tree(leaf('..', '1')), 'bad-address'],
    ['Paths in a circle', tree(leaf('a', '1', 'b') + leaf('b', '1', 'a')), 'bad-address'],
    [
      'Paths in a wider circle',
      tree(leaf('a', '1', 'b') + leaf('b', '1', 'c') + leaf('c', '1', 'a')),
      'bad-address',
    ],
    ['a Path that leaves the target', tree(leaf('a', '1', '/Other')), 'bad-address'],
    ['a Path of too many segments', tree(NODE_A + leaf('b', '1', 'a/'.repeat(200))), 'too-large'],
    [
      'nodes too deep',
      tree(`${'<Node><NodeName>a</NodeName>'.repeat(300)}${'</Node>'.repeat(300)}`),
      'too-large',
    ],
  ])('answers %s with its own error', (_, document, code) => {
    expect(() => readTnds(document, { target: ['T'] })).toThrow(expect.objectContaining({ code }));
  });

  it('bounds the size of the document', () => {
    const limits = { bytes: 100, depth: 9, totalDepth: 9, elements: 9, attributes: 9, text: 9 };
    expect(() => readTnds(' '.repeat(101), { limits })).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
    expect(() => readTnds('<MgmtTree>'.repeat(10), { limits: { ...limits } })).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
  });

  it('never fails in another way, whatever bytes are changed', () => {
    const samples = [fixture('fumo-nested.xml'), fixture('fumo-flat.xml'), fixture('fumo-nested.wbxml')];
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        (sample, changes) => {
          const bytes = Uint8Array.from(sample);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          try {
            readTnds(bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: 'DragomanError' });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('writing TNDS', () => {
  it('is read back as it was, nested and flat, as XML and WBXML [1x§11.2]', () => {
    fc.assert(
      fc.property(tndsTree, fc.constantFrom('nested' as const, 'flat' as const), (node, style) => {
        expect(only(writeTnds(node, undefined, '', style))).toStrictEqual(node);
        expect(only(writeTndsWbxml(node, undefined, '', style))).toStrictEqual(node);
      }),
    );
  });

  it('is read back from any place in the whole tree', () => {
    fc.assert(
      fc.property(
        tndsTree,
        fc.array(fc.constantFrom('A', 'B/C', 'x'), { maxLength: 3 }),
        fc.constantFrom('nested' as const, 'flat' as const),
        (node, parent, style) => {
          const target = [...parent, node.name];
          const { nodes } = readTnds(writeTnds(node, parent, '', style), { target });
          expect(nodes).toStrictEqual([{ below: 'target', node }]);
        },
      ),
    );
  });

  it('tells the properties selected, and the Type of interior nodes always [1x§7.4]', () => {
    const node = FUMO.children![0]!;
    const properties = (selection: string) => writeTnds(node, undefined, selection);
    expect(properties('+Value+ACL')).toContain(
      '<RTProperties><ACL>Add=srvA&amp;Get=*</ACL></RTProperties><Value>',
    );
    expect(properties('-Format')).not.toContain('<Format>');
    expect(properties('-Format')).toContain('<ACL>');
    expect(properties('-Value')).not.toContain('<Value>');
    expect(properties('+Type')).toBe(
      tree(
        '<Node><NodeName>PkgName</NodeName><RTProperties><Type><MIME>text/plain</MIME></Type></RTProperties></Node>',
      ),
    );
    expect(writeTnds(FUMO, undefined, '+Value')).toContain('<DDFName>urn:oma:mo:oma-fumo:1.0</DDFName>');
  });

  it('knows a property selection that cannot be read, for status 406 [1x§7.4]', () => {
    expect(parseSelection('+Value+ACL')).toStrictEqual(new Set(['Value', 'ACL']));
    expect(parseSelection('-Format')?.has('Format')).toBe(false);
    expect(parseSelection('')).toStrictEqual(new Set(TNDS_PROPERTIES.filter((name) => name !== 'Name')));
    expect(parseSelection('+Title', ['Title'])).toBeUndefined();
    expect(parseSelection('-Title', ['Title'])?.has('Title')).toBe(false);
    for (const wrong of ['Value', '+Value-ACL', '+', '-Nothing', '+value']) {
      expect(parseSelection(wrong), wrong).toBeUndefined();
    }
  });

  it('refuses values that XML cannot carry [IW-VAL-4]', () => {
    expect(() => writeTnds({ name: 'a', value: '\u0001' })).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
  });
});

describe('TStamp', () => {
  it.each([
    ['Wed Jul 11 16:38:17 2001', '20010711T163817Z'],
    ['Tue Jan  1 00:00:00 2008', '20080101T000000Z'],
    ['Tue Jan 01 00:00:00 GMT 2008', '20080101T000000Z'],
    ['2001-07-11T16:38:17Z', '20010711T163817Z'],
    ['20010711T163817Z', '20010711T163817Z'],
    ['yesterday', 'yesterday'],
    ['Wed Foo 11 16:38:17 2001', 'Wed Foo 11 16:38:17 2001'],
  ])('reads %s as %s [1x§16.1]', (text, time) => {
    expect(readTimeStamp(text)).toBe(time);
  });
});
