import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MoNode } from '../../../src/mo/node.ts';
import { compilePacks } from '../../../src/mo/pack/compile.ts';
import type { TreePath } from '../../../src/mo/treePath.ts';

const leaf = (name: string, value: string): MoNode => ({ name, value });
const node = (name: string, ...children: MoNode[]): MoNode => ({ name, format: 'node', children });

function mappingOf(text: string, ...root: string[]) {
  const set = compilePacks([{ file: 'test.yaml', text: `moid: urn:x:mo:thing:1.0\n${text}` }]);
  return set.forMount({ moid: 'x:mo:thing:1.0', miid: 'a', root: root.length > 0 ? root : ['T'] });
}

/** The value of leaf `V` after the transform, each way. */
function through(transform: string, value: string) {
  const mapping = mappingOf(`transforms:\n  t: ${transform}\nnodes:\n  V: { transform: t, format: chr }`);
  const dm2 = mapping.toDm2(['V'], [{ source: mapping.sources(['V'])[0]!, node: leaf('V', value) }]);
  return [dm2?.value, mapping.toLegacy(['V'], leaf('V', value))[0]?.node.value];
}

describe('transforms', () => {
  it('replace declared values, others pass [IW-ADDR-3]', () => {
    const table = "{ values: { on: '1', off: '0' } }";
    expect(through(table, '1')).toEqual(['on', '1']);
    expect(through(table, 'off')).toEqual(['off', '0']);
    expect(through(table, 'odd')).toEqual(['odd', 'odd']);
    expect(through(table, '__proto__')).toEqual(['__proto__', '__proto__']);
  });

  it('strip a prefix towards 2.0 and put it back [IW-ADDR-3]', () => {
    expect(through("{ strip: 'IMEI:' }", 'IMEI:12')).toEqual(['12', 'IMEI:12']);
    expect(through("{ strip: 'IMEI:' }", '12')).toEqual(['12', 'IMEI:12']);
    const digits = "{ strip: 'IMEI:', digits: true }";
    expect(through(digits, 'IMEI:12')).toEqual(['12', 'IMEI:12']);
    expect(through(digits, 'IMEI:x')).toEqual(['IMEI:x', 'IMEI:x']);
    expect(through(digits, 'MEID:1')).toEqual(['MEID:1', 'MEID:1']);
  });

  it('spell truth as each side does [IW-ADDR-3]', () => {
    const spelling = "{ boolean: { 'true': ['1', 'yes'], 'false': ['0', 'no'] } }";
    expect(through(spelling, 'YES')).toEqual(['true', 'YES']);
    expect(through(spelling, ' 0 ')).toEqual(['false', ' 0 ']);
    expect(through(spelling, 'true')).toEqual(['true', '1']);
    expect(through(spelling, 'maybe')).toEqual(['maybe', 'maybe']);
  });
});

describe('places', () => {
  const pack = `
nodes:
  Items: { legacy: List }
  Items/<x>: {}
  Items/<x>/Label: { legacy: Name }
  Items/<x>/Sub/<y>/V: { legacy: List/<x>/S/<y>/W }
  Deep/A: { legacy: /Flat }
  Far/<x>/B: { legacy: ./Else/<x>/C }
`;

  it('rename inside <x> paths, at every level [IW-ADDR-3]', () => {
    const mapping = mappingOf(pack);
    const pairs: [string, string][] = [
      ['Items', 'T/List'],
      ['Items/1/Label', 'T/List/1/Name'],
      ['Items/1/Sub/2/V', 'T/List/1/S/2/W'],
      ['Items/1/Sub/2/other', 'T/List/1/Sub/2/other'],
      ['Items/1/Other/z', 'T/List/1/Other/z'],
      ['Deep/A', 'T/Flat'],
      ['Deep/B', 'T/Deep/B'],
      ['Far/q/B', 'Else/q/C'],
      ['Far/q/B/below', 'Else/q/C/below'],
      ['Unknown', 'T/Unknown'],
    ];
    for (const [dm2, legacy] of pairs) {
      expect(mapping.legacy(dm2.split('/')), dm2).toEqual(legacy.split('/'));
      expect(mapping.fromLegacy(legacy.split('/')), legacy).toEqual(dm2.split('/'));
    }
    expect(mapping.fromLegacy(['Else', 'q'])).toBeUndefined();
    expect(mapping.fromLegacy(['U'])).toBeUndefined();
  });

  it('are read with the parts that stand elsewhere [IW-ADDR-3]', () => {
    const mapping = mappingOf(pack);
    const places = (...path: string[]) => mapping.sources(path).map((s) => s.legacy.join('/'));
    expect(places()).toEqual(['T', 'Else']);
    expect(places('Deep')).toEqual(['T/Deep', 'T/Flat']);
    expect(places('Far', 'q')).toEqual(['T/Far/q', 'Else/q/C']);
    expect(places('Items', '1')).toEqual(['T/List/1']);
    expect(places('Deep', 'B')).toEqual(['T/Deep/B']);
  });

  it('carry a tree whose parts are scattered, and back [IW-ADDR-3]', () => {
    const mapping = mappingOf(pack);
    const tree = node(
      'thing',
      node('Items', node('1', leaf('Label', 'l'), node('Sub', node('2', leaf('V', 'v'), leaf('K', 'k'))))),
      node('Deep', leaf('A', 'a')),
      node('Far', node('q', leaf('B', 'b')), node('r', leaf('B', 'c'))),
    );
    const written = mapping.toLegacy([], tree);
    expect(written).toEqual([
      {
        legacy: ['T'],
        node: node(
          'T',
          node(
            'List',
            node(
              '1',
              leaf('Name', 'l'),
              node('S', node('2', leaf('W', 'v'))),
              node('Sub', node('2', leaf('K', 'k'))),
            ),
          ),
          leaf('Flat', 'a'),
        ),
      },
      { legacy: ['Else', 'q', 'C'], node: leaf('C', 'b') },
      { legacy: ['Else', 'r', 'C'], node: leaf('C', 'c') },
    ]);
    const elsewhere = node(
      'Else',
      node('q', leaf('C', 'b')),
      node('r', leaf('C', 'c')),
      node('s', leaf('D', 'd')),
    );
    const found = mapping
      .sources([])
      .map((source) => ({ source, node: source.legacy[0] === 'Else' ? elsewhere : written[0]!.node }));
    expect(mapping.toDm2([], found)).toEqual(tree);
  });

  it('tell which 2.0 subtrees hold a legacy subtree [IW-ADDR-3] [IW-RD-1]', () => {
    const mapping = mappingOf(`${pack}  URI: { legacy: Addr/<x=1>/A }\n`);
    const held = (legacy: string) => mapping.holders(legacy.split('/')).map((path) => path.join('/'));
    expect(held('T')).toEqual(['']);
    expect(held('T/Addr')).toEqual(['Addr', 'URI']);
    expect(held('T/Addr/1')).toEqual(['Addr/1', 'URI']);
    expect(held('T/Addr/2')).toEqual(['Addr/2']);
    expect(held('T/Addr/1/A')).toEqual(['URI']);
    expect(held('T/Flat')).toEqual(['Deep/A']);
    expect(held('T/List/1/S')).toEqual(['Items/1/S', 'Items/1/Sub']);
    expect(held('Else')).toEqual(['Far']);
    expect(held('Else/q')).toEqual(['Far/q/B']);
    expect(held('Nowhere')).toEqual([]);
  });

  it('of a split node follow what the device has [IW-ADDR-3]', () => {
    const mapping = mappingOf('nodes:\n  URI: { legacy: Addr/<x=1>/A }\n  Addr/<x>/Type: {}');
    const [source] = mapping.sources(['URI']);
    expect(source).toEqual({ legacy: ['T', 'Addr'], path: ['Addr'] });
    const there = node('Addr', node('home', leaf('A', 'u'), leaf('Type', 't')));
    const found = [{ source: source!, node: there }];
    expect(mapping.toDm2(['URI'], found)).toEqual(leaf('URI', 'u'));
    const places = (known: typeof found) =>
      mapping.toLegacy(['URI'], leaf('URI', 'n'), known).map((p) => p.legacy);
    expect(places(found)).toEqual([['T', 'Addr', 'home', 'A']]);
    expect(places([])).toEqual([['T', 'Addr', '1', 'A']]);
  });

  it('fill in declared defaults where 2.0 has nothing, also below <x> [IW-ADDR-3]', () => {
    const mapping = mappingOf(
      'nodes:\n  K: { default: k, only: legacy, format: chr }\n  L/<x>/D: { default: d }\n  S/T: { default: t }',
    );
    const [written] = mapping.toLegacy([], node('thing', node('L', node('1'), node('2', leaf('D', 'own')))));
    expect(written?.node).toEqual(
      node(
        'T',
        node('L', node('1', leaf('D', 'd')), node('2', leaf('D', 'own'))),
        { name: 'K', format: 'chr', value: 'k' },
        node('S', leaf('T', 't')),
      ),
    );
    expect(mapping.toLegacy(['L', '1'], node('1'))).toEqual([
      { legacy: ['T', 'L', '1'], node: node('1', leaf('D', 'd')) },
    ]);
    const back = mapping.toDm2([], [{ source: { legacy: ['T'], path: [] }, node: written!.node }]);
    expect(back?.children?.map((c) => c.name)).toEqual(['L', 'S']);
  });

  it('a node left out at its default is told when it has another value [IW-ADDR-3]', () => {
    const mapping = mappingOf('nodes:\n  K: { default: k, only: legacy }');
    const told = mapping.toDm2(
      [],
      [{ source: { legacy: ['T'], path: [] }, node: node('T', leaf('K', 'other')) }],
    );
    expect(told?.children).toEqual([leaf('K', 'other')]);
  });

  it('give a format that the peer did not tell, where the value can have it [IW-VAL-2]', () => {
    const mapping = mappingOf('nodes:\n  I: { format: int }\n  B: { format: bin }\n  N: { format: node }');
    const format = (child: MoNode) =>
      mapping.toLegacy([], node('thing', child))[0]?.node.children?.[0]?.format;
    expect(format(leaf('I', '1'))).toBe('int');
    expect(format({ name: 'I', format: 'chr', value: '1' })).toBe('chr');
    expect(format(leaf('B', 'text'))).toBeUndefined();
    expect(format({ name: 'B', value: Uint8Array.of(1) })).toBe('bin');
    expect(format(leaf('N', 'leaf'))).toBeUndefined();
  });
});

describe('an object without pack', () => {
  const set = compilePacks([]);
  const mapping = set.forMount({ moid: 'urn:acme:mo:gadget:2.0', miid: 'g', root: ['Vendor', 'g'] });

  it('keeps every name and place [IW-ADDR-3]', () => {
    const path = fc.array(fc.string({ minLength: 1 }), { maxLength: 5 });
    fc.assert(
      fc.property(path, (below) => {
        const legacy: TreePath = ['Vendor', 'g', ...below];
        expect(mapping.legacy(below)).toEqual(legacy);
        expect(mapping.fromLegacy(legacy)).toEqual(below);
        expect(mapping.sources(below)).toEqual([{ legacy, path: below }]);
        expect(mapping.definition(below)).toBeUndefined();
      }),
    );
    expect(mapping.fromLegacy(['Vendor', 'h'])).toBeUndefined();
  });

  it('is called by the piece of its MOID that names it [IW-VAL-5]', () => {
    const name = (moid: string) => set.forMount({ moid, miid: '', root: [] }).rootName;
    expect(name('urn:oma:mo:oma-fumo:1.0')).toBe('fumo');
    expect(name('oma:mo:oma-dm-dmacc:1.2')).toBe('dm-dmacc');
    expect(name('urn:oma:mo:other:1.0')).toBe('other');
    expect(name('urn:acme:mo:gadget:2.0')).toBe('gadget');
    expect(name('com.acme/1.0/Gadget')).toBe('Gadget');
    expect(name('odd')).toBe('odd');
  });

  it('has urn: added to its id, unless it is no URN [IW-ADDR-4]', () => {
    expect(set.canonical(' oma:mo:oma-x:1.0 ')).toBe('urn:oma:mo:oma-x:1.0');
    expect(set.canonical('URN:oma:mo:oma-x:1.0')).toBe('urn:oma:mo:oma-x:1.0');
    expect(set.canonical('com.acme/1.0/Gadget')).toBe('com.acme/1.0/Gadget');
  });

  it('passes a large tree through as it is, not copied', () => {
    const big = node('g', ...Array.from({ length: 1000 }, (_, i) => node(`n${i}`, leaf('a', 'b'))));
    const out = mapping.toDm2([], [{ source: mapping.sources([])[0]!, node: big }]);
    expect(out?.children?.[0]).toBe(big.children?.[0]);
    expect(out?.name).toBe('gadget');
  });
});

describe('profiles', () => {
  const set = compilePacks([
    {
      file: 'a.yaml',
      text: 'profiles:\n  - { match: { man: Ac* }, capabilities: { atomic: false, prop: false } }\n  - { match: { man: Acme, fwv: "1.?" }, capabilities: { prop: true } }',
    },
    {
      file: 'b.yaml',
      text: 'profiles: [{ match: { deviceId: "IMEI:35*" }, capabilities: { sequence: false } }]',
    },
  ]);

  it('of all packs that match are merged, later ones first in say [IW-INV-2]', () => {
    expect(set.profile({ man: 'Acme', fwv: '1.2', deviceId: 'IMEI:351' }).capabilities).toEqual({
      atomic: false,
      prop: true,
      sequence: false,
    });
    expect(set.profile({ man: 'Acme', fwv: '1.22' }).capabilities).toEqual({ atomic: false, prop: false });
    expect(set.profile({ man: 'Other' }).capabilities).toEqual({});
    expect(set.profile({}).capabilities).toEqual({});
  });

  it('go by SwV and User-Agent too, and are listed in words', () => {
    const set = compilePacks([
      {
        file: 'c.yaml',
        text: 'profiles: [{ match: { swv: "10.*", agent: "MSFT*" }, capabilities: { correlator: false, atomicAlone: true } }]',
      },
    ]);
    expect(set.profile({ swv: '10.0', agent: 'MSFT OMA DM Client/1.2.0.1' }).capabilities).toEqual({
      correlator: false,
      atomicAlone: true,
    });
    expect(set.profile({ swv: '10.0', agent: 'other' }).capabilities).toEqual({});
    expect(set.rows()[0]!.profiles).toEqual(['swv 10.*, agent MSFT*: no correlator, atomicAlone']);
  });
});
