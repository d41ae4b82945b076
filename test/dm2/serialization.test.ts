import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientUriOf } from '../../src/dm2/clientUri.ts';
import { validatorOf } from '../../src/dm2/schema.ts';
import {
  type JsonNode,
  type ReadTarget,
  readSerialization,
  readSerializationBody,
  toNode,
  writeSerialization,
} from '../../src/dm2/serialization.ts';
import type { Format } from '../../src/mo/format.ts';
import { descendant, type MoNode } from '../../src/mo/node.ts';
import { DragomanError } from '../../src/support/errors.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const bytes = (json: unknown) =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
const target = (path?: readonly string[], moid: string | undefined = FUMO): ReadTarget => ({
  rootName: (id) => (id === FUMO ? 'FUMO' : undefined),
  ...(moid === undefined ? {} : { moid }),
  ...(path === undefined ? {} : { path }),
});
const leaf = (name: string, value: string): JsonNode => ({ name, value });
const inner = (name: string, ...children: JsonNode[]): JsonNode => ({ name, children });

describe('writing a serialization', () => {
  const node: MoNode = {
    name: 'x7',
    children: [
      { name: 'PkgName', format: 'chr', value: 'fw' },
      { name: 'State', format: 'int', value: '10' },
      { name: 'Update', format: 'null', value: '' },
      { name: 'PkgData', format: 'bin', value: Uint8Array.of(1, 2) },
      { name: 'Ext', format: 'node' },
    ],
  };

  it('keys an MO root by the name of the root, any other node by its own [IW-VAL-5]', () => {
    const write = (path: string[], at: MoNode) =>
      writeSerialization([{ uri: clientUriOf(FUMO, '1', path), rootName: 'FUMO', node: at }], {
        values: 'string',
      });
    expect(write([], node)).toEqual([
      {
        ClientURI: `${FUMO}/1/`,
        MOData: { FUMO: { PkgName: 'fw', State: '10', Update: '', PkgData: 'AQI=', Ext: {} } },
      },
    ]);
    expect(write(['State'], node.children?.[1] as MoNode)[0]?.MOData).toEqual({ State: '10' });
    expect(write(['Ext'], { name: 'Ext', children: [] })[0]?.MOData).toEqual({ Ext: {} });
  });

  it('writes typed values, validators and links when asked [IW-VAL-1] [IW-GET-3]', () => {
    const items = writeSerialization(
      [
        {
          uri: `${FUMO}//State`,
          rootName: 'FUMO',
          node: { name: 'State', format: 'int', value: '10' },
          cv: 'a1',
          ddf: 'http://d/',
        },
      ],
      { values: 'typed' },
    );
    expect(items).toEqual([
      { DDF: 'http://d/', ClientURI: `${FUMO}//State`, CV: 'a1', MOData: { State: 10 } },
    ]);
    expect(validatorOf('MOSerialization')(items)).toBe(true);
  });

  it('keeps a node named __proto__', () => {
    const [item] = writeSerialization(
      [
        {
          uri: `${FUMO}//A`,
          rootName: 'FUMO',
          node: { name: 'A', children: [{ name: '__proto__', value: 'v' }] },
        },
      ],
      { values: 'string' },
    );
    expect(JSON.stringify(item?.MOData)).toBe('{"A":{"__proto__":"v"}}');
  });
});

describe('reading a serialization', () => {
  const path = ['DownloadAndUpdate', 'PkgURL'];
  const uri = clientUriOf(FUMO, '1', path);
  const expected = leaf('PkgURL', 'http://h/');

  it.each<readonly [string, unknown]>([
    ['rooted at the target', [{ ClientURI: uri, MOData: { PkgURL: 'http://h/' } }]],
    [
      'rooted at the MO',
      [{ ClientURI: uri, MOData: { FUMO: { DownloadAndUpdate: { PkgURL: 'http://h/' } } } }],
    ],
    [
      'rooted at an MO root of another name',
      { ClientURI: uri, MOData: { X: { DownloadAndUpdate: { PkgURL: 'http://h/' } } } },
    ],
    ['rooted below the MO root', { ClientURI: uri, MOData: { DownloadAndUpdate: { PkgURL: 'http://h/' } } }],
    ['without the array', { ClientURI: uri, MOData: { PkgURL: 'http://h/' } }],
    ['as a value under MOData', { ClientURI: uri, MOData: 'http://h/' }],
  ])('finds a leaf %s [IW-VAL-5]', (_, json) => {
    expect(readSerialization(json, target(undefined, undefined))).toEqual([{ uri, node: expected }]);
  });

  it.each<readonly [string, unknown]>([
    [
      'a tree from the MO root without item and address',
      { FUMO: { DownloadAndUpdate: { PkgURL: 'http://h/' } } },
    ],
    ['a tree from the target', { PkgURL: 'http://h/' }],
    ['a bare value', 'http://h/'],
    ['an item without address', [{ MOData: { PkgURL: 'http://h/' } }]],
  ])('finds a leaf in %s by the command’s own address [IW-VAL-5]', (_, json) => {
    expect(readSerialization(json, target(path))).toEqual([{ node: expected }]);
  });

  it('reads an MO root under any key, or its content alone [IW-VAL-5]', () => {
    const root = inner('FUMO', leaf('PkgName', 'fw'), leaf('State', '10'));
    const content = { PkgName: 'fw', State: '10' };
    for (const MOData of [{ FUMO: content }, { 'oma-fumo': content }, content]) {
      expect(readSerialization({ ClientURI: `${FUMO}/1/`, MOData }, target())).toEqual([
        { uri: `${FUMO}/1/`, node: root },
      ]);
    }
    expect(readSerialization({ FUMO: { PkgName: 'fw' } })).toEqual([
      { node: inner('FUMO', leaf('PkgName', 'fw')) },
    ]);
  });

  it('tells the key of a root from the only leaf of a root without key', () => {
    const read = (moid: string, MOData: unknown) =>
      readSerialization({ ClientURI: clientUriOf(moid, '1'), MOData }, target())[0]?.node;
    expect(read(FUMO, { PkgName: 'fw' })).toEqual(inner('FUMO', leaf('PkgName', 'fw')));
    expect(read(FUMO, { FUMO: '' })).toEqual(leaf('FUMO', ''));
    expect(read('urn:x:unknown', { Root: 'v' })).toEqual(leaf('Root', 'v'));
    expect(read('urn:x:unknown', { Root: { A: '1' } })).toEqual(inner('Root', leaf('A', '1')));
    expect(read('urn:x:unknown', { A: '1', B: '2' })).toEqual(inner('', leaf('A', '1'), leaf('B', '2')));
  });

  it('reads an interior target by its content', () => {
    const ext = clientUriOf(FUMO, '1', ['Ext']);
    const read = (MOData: unknown) => readSerialization({ ClientURI: ext, MOData }, target())[0]?.node;
    expect(read({ Ext: {} })).toEqual(inner('Ext'));
    expect(read({ A: '1', B: '2' })).toEqual(inner('Ext', leaf('A', '1'), leaf('B', '2')));
    expect(read({ A: '1' })).toEqual(inner('Ext', leaf('A', '1')));
    expect(read({ FUMO: { Ext: { A: '1' } } })).toEqual(inner('Ext', leaf('A', '1')));
  });

  it('tells a target from a root of the same name where the path leads on', () => {
    const read = (path: string[], MOData: unknown) =>
      readSerialization({ ClientURI: clientUriOf(FUMO, '1', path), MOData }, target())[0]?.node;
    expect(read(['FUMO'], { FUMO: 'v' })).toEqual(leaf('FUMO', 'v'));
    expect(read(['A', 'FUMO'], { FUMO: { A: { FUMO: 'v' } } })).toEqual(leaf('FUMO', 'v'));
    expect(read(['A', 'FUMO'], { FUMO: 'v' })).toEqual(leaf('FUMO', 'v'));
  });

  it('takes the key for the name where the address holds wildcards', () => {
    const ClientURI = `${FUMO}/1/Data/*/Value`;
    expect(readSerialization({ ClientURI, MOData: { Value: 'v' } }, target())).toEqual([
      { uri: ClientURI, node: leaf('Value', 'v') },
    ]);
  });

  it('reads several items with their validators and links', () => {
    const items = readSerialization([
      { DDF: 'http://d/', ClientURI: `${FUMO}/1/`, CV: 'a1', MOData: { FUMO: {} } },
      { ClientURI: `${FUMO}/2/`, MOData: { FUMO: {} } },
    ]);
    expect(items).toEqual([
      { uri: `${FUMO}/1/`, cv: 'a1', ddf: 'http://d/', node: inner('FUMO') },
      { uri: `${FUMO}/2/`, node: inner('FUMO') },
    ]);
  });

  it.each<readonly [string, unknown, RegExp]>([
    [
      'an item whose address is malformed',
      { ClientURI: 'nonsense', MOData: { A: '1' } },
      /slash must follow/,
    ],
    [
      'an array where a node belongs',
      { ClientURI: `${FUMO}/1/`, MOData: { FUMO: { A: ['1'] } } },
      /node A is given as/,
    ],
    [
      'a document from the MO root without the target',
      { ClientURI: uri, MOData: { FUMO: { A: '1' } } },
      /does not hold/,
    ],
  ])('refuses %s', (_, json, detail) => {
    expect(() => readSerialization(json, target())).toThrow(detail);
    expect(() => readSerialization(json, target())).toThrow(DragomanError);
  });

  it('keeps the letters of numbers [IW-VAL-2]', () => {
    const [item] = readSerializationBody(
      bytes('{"FUMO":{"A":1.50,"B":12345678901234567890,"C":7}}'),
      target([]),
    );
    expect(item?.node).toEqual({
      name: 'FUMO',
      children: [
        { name: 'A', value: 1.5, lexical: '1.50' },
        { name: 'B', value: Number('12345678901234567890'), lexical: '12345678901234567890' },
        { name: 'C', value: 7 },
      ],
    });
    expect(readSerializationBody(bytes('1.50'), target(['A']))).toEqual([
      { node: { name: 'A', value: 1.5, lexical: '1.50' } },
    ]);
  });

  it('never throws anything but a refusal', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5 }),
        fc.array(fc.string({ maxLength: 2 }), { maxLength: 3 }),
        (text, path) => {
          try {
            readSerializationBody(bytes(text), target(path));
          } catch (error) {
            expect(error).toBeInstanceOf(DragomanError);
          }
        },
      ),
    );
  });
});

describe('giving formats to a tree', () => {
  const formats: Record<string, Format> = { '': 'node', State: 'int', On: 'bool', Ext: 'node' };
  const lookup = (path: readonly string[]) => formats[path.join('/')];

  it('uses the known format, else the one that the JSON type implies [IW-VAL-2]', () => {
    const json: JsonNode = inner(
      'FUMO',
      leaf('State', '10'),
      { name: 'On', value: true },
      { name: 'N', value: 5 },
      inner('Ext'),
    );
    expect(toNode(json, lookup)).toEqual({
      name: 'FUMO',
      format: 'node',
      children: [
        { name: 'State', format: 'int', value: '10' },
        { name: 'On', format: 'bool', value: 'true' },
        { name: 'N', format: 'int', value: '5' },
        { name: 'Ext', format: 'node', children: [] },
      ],
    });
  });

  it.each<readonly [JsonNode, string[]]>([
    [inner('FUMO', leaf('State', 'ten')), ['State']],
    [inner('FUMO', inner('State')), ['State']],
    [inner('FUMO', leaf('Ext', 'x')), ['Ext']],
    [inner('FUMO', inner('Ext', inner('A', leaf('B', '\0')))), ['Ext', 'A', 'B']],
    [inner('FUMO', leaf('', 'x')), ['']],
    [inner('FUMO', leaf('..', 'x')), ['..']],
    [inner('FUMO', leaf('a\x07', 'x')), ['a\x07']],
    [leaf('FUMO', 'x'), []],
  ])('refuses %j and names the node %j [IW-VAL-2] [IW-VAL-4]', (json, path) => {
    expect(toNode(json, lookup)).toEqual({ error: 'bad-value', path, detail: expect.any(String) });
  });
});

describe('a serialization that is written and read', () => {
  const name = fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
      fc.constantFrom('a/b', '__proto__', '1', 'MOData', 'ClientURI', 'a?b'),
    )
    .filter((s) => !/[\0-\x1f\ufffe\uffff]/.test(s) && s !== '.' && s !== '..' && s.trim() !== '');
  const leafOf = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((value) => ({ format: 'chr', value }) as const),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => ({ format: 'int', value: `${n}` }) as const),
    fc.constantFrom('007', '+5', '-1').map((value) => ({ format: 'int', value }) as const),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((n) => ({ format: 'float', value: `${n}` }) as const),
    fc.constantFrom('1.50', '1e3', '.5', 'INF').map((value) => ({ format: 'float', value }) as const),
    fc.boolean().map((b) => ({ format: 'bool', value: `${b}` }) as const),
    fc.uint8Array({ maxLength: 9 }).map((value) => ({ format: 'bin', value }) as const),
    fc.constant({ format: 'null', value: '' } as const),
    fc.constant({ format: 'date', value: '2026-11-21' } as const),
  );
  type Shape = { format: Format; value: string | Uint8Array } | { children: { name: string; of: Shape }[] };
  const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
    shape: fc.oneof(
      { maxDepth: 4 },
      leafOf,
      fc.record({
        children: fc.uniqueArray(fc.record({ name, of: tie('shape') }), {
          selector: (child) => child.name,
          maxLength: 4,
        }),
      }),
    ),
  }));
  const build = (name: string, of: Shape): MoNode =>
    'children' in of
      ? { name, format: 'node', children: of.children.map((child) => build(child.name, child.of)) }
      : { name, ...of };
  const sorted = (node: MoNode): MoNode =>
    node.children === undefined
      ? node
      : { ...node, children: node.children.map(sorted).sort((a, b) => (a.name < b.name ? -1 : 1)) };
  const xmlText = (node: MoNode): boolean =>
    (typeof node.value !== 'string' || !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(node.value)) &&
    (node.children ?? []).every(xmlText);

  it('gives the same tree, with string and with typed values [IW-VAL-1] [IW-VAL-2] [IW-VAL-5]', () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(name, { maxLength: 3 }),
        fc.constantFrom('string', 'typed'),
        (of, path, values) => {
          const node = build(path.at(-1) ?? 'FUMO', of);
          fc.pre(xmlText(node) && (path.length > 0 || node.children !== undefined));
          const uri = clientUriOf(FUMO, '1', path);
          const written = bytes(writeSerialization([{ uri, rootName: 'FUMO', node }], { values }));
          const [item] = readSerializationBody(written, target());
          expect(item?.uri).toBe(uri);
          const back = toNode(item?.node as JsonNode, (below) => descendant(node, below)?.format);
          if ('error' in back) throw new Error(back.detail);
          expect(sorted(back)).toEqual(sorted(node));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
