import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DDF_LIMITS, readDdf } from '../../../src/dm1/ddf/read.ts';

const fixture = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../../../fixtures/dm1/ddf/${name}`, import.meta.url)));

const ddf = (nodes: string): string => `<MgmtTree>\n${nodes}</MgmtTree>`;
const node = (name: string, properties: string, more = ''): string =>
  `<Node><NodeName>${name}</NodeName>${more}<DFProperties>${properties}</DFProperties></Node>`;

describe('reading a DDF', () => {
  it('reads what the specification lets a node say [1x§11.4]', () => {
    const read = readDdf(fixture('fumo.xml'), 'fumo.xml');
    expect(read).toMatchObject({ file: 'fumo.xml', verDTD: '1.2', man: 'Example', mod: 'Phone 1' });
    expect(read.tops).toHaveLength(1);
    const { below, node: root } = read.tops[0]!;
    expect(below).toStrictEqual(['FUMO']);
    expect(root).toMatchObject({
      at: '11:16',
      title: 'Firmware update',
      description: 'One firmware update',
      format: 'node',
      access: ['Get'],
      occurrence: 'ZeroOrMore',
      scope: 'Permanent',
      ddfName: 'urn:oma:mo:oma-fumo:1.0',
      caseSense: 'CS',
      properties: ['ACL', 'Format', 'Name', 'Type'],
    });
    expect(root).not.toHaveProperty('name');
    expect(root.children.map(({ name }) => name)).toStrictEqual(['PkgName', 'Update', 'State']);
    expect(root.children[1]?.access).toStrictEqual(['Exec', 'Get']);
    expect(root.children[1]?.children[0]).toMatchObject({
      format: 'bin',
      mime: ['application/octet-stream'],
    });
    expect(root.children[2]).toMatchObject({ defaultValue: '10', occurrence: 'One', scope: 'Permanent' });
  });

  it('reads over a byte order mark', () => {
    expect(readDdf('\ufeff<MgmtTree><Node><NodeName>a</NodeName></Node></MgmtTree>').tops).toHaveLength(1);
  });

  it('reads the 1.2 account with unnamed nodes at every level [1x§13.3]', () => {
    const { node: root, below } = readDdf(fixture('dmacc-1.2.xml')).tops[0]!;
    expect(below).toStrictEqual([]);
    const port = root.children.find(({ name }) => name === 'AppAddr')?.children[0]?.children[2]?.children[0];
    expect(port).not.toHaveProperty('name');
    expect(port?.occurrence).toBe('OneOrMore');
    expect(port?.children[0]?.name).toBe('PortNbr');
  });

  it("reads a vendor's file: ISO-8859-1, a DOCTYPE with instructions, foreign elements, text that looks like numbers", () => {
    const read = readDdf(fixture('vendor.xml'));
    expect(read.man).toBe('Geräte & Söhne');
    expect(read.tops.map(({ node: { name } }) => name)).toStrictEqual(['Cam 1', 'Clock']);
    const camera = read.tops[0]!.node;
    expect(camera.children.map(({ name }) => name)).toStrictEqual([
      'null',
      'A&B: #1',
      undefined,
      undefined,
      'Flash',
    ]);
    expect(camera.children[1]).toMatchObject({
      access: ['Add', 'Copy', 'Delete', 'Get', 'Replace'],
      occurrence: 'ZeroOr5',
      defaultValue: '0123',
      value: '007',
      description: 'Value <of> the "thing"',
      mime: ['text/plain', 'text/html'],
      caseSense: 'CIS',
    });
    expect(camera.children[2]).toMatchObject({ access: [], occurrence: 'OneOr3' });
    expect(camera.children[4]?.properties).toStrictEqual(['Format', 'Name', 'Type']);
    expect(read.tops[1]?.node.children[0]).not.toHaveProperty('access');
  });
});

describe('a DDF that is wrong', () => {
  const FORMAT = '<DFFormat><chr/></DFFormat>';
  it.each([
    ['no XML', 'hello', 'f.xml:1:1: the document does not begin'],
    ['another root', '<Tree/>', 'the root element is not MgmtTree'],
    ['another namespace', '<MgmtTree xmlns="urn:x"/>', 'the root element is not MgmtTree'],
    ['no Node', '<MgmtTree/>', 'has no Node'],
    ['an entity declaration', '<!DOCTYPE MgmtTree [<!ENTITY a "b">]><MgmtTree/>', 'declares something'],
    ['a parameter entity', '<!DOCTYPE MgmtTree [%a;]><MgmtTree/>', 'declares something'],
    ['an endless DOCTYPE', '<!DOCTYPE MgmtTree SYSTEM "x', 'is missing'],
    ['an entity', ddf('<Node><NodeName>&a;</NodeName></Node>'), 'f.xml:2:'],
    ['an instruction in the tree', ddf('<?x y?>'), 'processing instructions'],
    ['an unknown format', ddf(node('a', '<DFFormat><text/></DFFormat>')), 'f.xml:2:'],
    ['two formats', ddf(node('a', '<DFFormat><chr/><int/></DFFormat>')), 'a: DFFormat holds chr, int'],
    ['no format', ddf(node('a', '<DFFormat/>')), 'a: DFFormat holds nothing, not one of b64'],
    [
      'an unknown access type',
      ddf(node('a', `<AccessType><Read/></AccessType>${FORMAT}`)),
      'a: AccessType holds Read, which is none of Add, Copy, Delete, Exec, Get, Replace',
    ],
    [
      'an occurrence of one',
      ddf(node('a', '<Occurrence><ZeroOrN>1</ZeroOrN></Occurrence>')),
      'from 2 to 65536',
    ],
    ['an occurrence without number', ddf(node('a', '<Occurrence><OneOrN/></Occurrence>')), 'from 2 to 65536'],
    [
      'two occurrences',
      ddf(node('a', '<Occurrence><One/><ZeroOrOne/></Occurrence>')),
      'holds both One and ZeroOrOne; leave one of them',
    ],
    [
      'an unknown occurrence',
      ddf(node('a', '<Occurrence><Many/></Occurrence>')),
      'holds Many, not one of One, ZeroOrOne, ZeroOrMore, OneOrMore, ZeroOrN, OneOrN',
    ],
    [
      'an unknown scope',
      ddf(node('a', '<Scope><Static/></Scope>')),
      'a: Scope holds Static, not one of Permanent, Dynamic',
    ],
    [
      'a Path with ..',
      ddf(node('a', FORMAT, '<Path>./b/../c</Path>')),
      'is no place in a tree; write it as ./A/B',
    ],
    [
      'a Path inside a node',
      ddf(`<Node><NodeName>a</NodeName>${node('b', FORMAT, '<Path>c</Path>')}</Node>`),
      'a/b: a Node inside another one cannot have a Path; leave it out',
    ],
    ['a name of two segments', ddf(node('a/b', FORMAT)), 'not one segment of an address; escape "/" as %2F'],
    [
      'a name with a broken escape',
      ddf(node('a%zz', FORMAT)),
      'not one segment of an address; escape "/" as %2F',
    ],
    ['an open element', '<MgmtTree><Node>', 'the document ends'],
  ])('is told with file, place and reason: %s', (_, text, reason) => {
    expect(() => readDdf(text, 'f.xml')).toThrow(reason);
    expect(() => readDdf(text, 'f.xml')).toThrow(
      expect.objectContaining({ code: 'mapping', detail: expect.stringMatching(/^f\.xml:\d+:\d+: /) }),
    );
  });

  it('is bounded in size, depth and number of elements', () => {
    const limits = { ...DDF_LIMITS, bytes: 1000, elements: 20 };
    expect(() => readDdf(' '.repeat(1001), 'f', limits)).toThrow('the limit is 1000');
    expect(() => readDdf(ddf('<Node/>'.repeat(20)), 'f', limits)).toThrow('the limit of 20');
    expect(() => readDdf('<MgmtTree>'.repeat(200))).toThrow('nesting');
    expect(() => readDdf(ddf(node('a'.repeat(70_000), '')))).toThrow('limit');
  });

  it('never fails in another way, whatever bytes are changed', () => {
    const samples = ['fumo.xml', 'dmacc-1.2.xml', 'vendor.xml'].map(fixture);
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        (sample, changes) => {
          const bytes = Uint8Array.from(sample);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          try {
            readDdf(bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: 'DragomanError', code: 'mapping' });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
