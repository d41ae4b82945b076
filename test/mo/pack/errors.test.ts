import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analysePacks, compilePacks } from '../../../src/mo/pack/compile.ts';
import { checkPacks, loadPacks, readPackFiles } from '../../../src/mo/pack/files.ts';
import { packSchema } from '../../../src/mo/pack/schema.ts';
import { DragomanError } from '../../../src/support/errors.ts';

const errorsOf = (...texts: string[]) =>
  analysePacks(texts.map((text, i) => ({ file: `p${i}.yaml`, text }))).errors.map(
    ({ file, line, path, reason }) => `${file}:${line ?? ''} ${path}: ${reason}`,
  );

describe('a wrong pack is told by file, line, place and reason [IW-ADDR-3]', () => {
  it.each([
    ['YAML that does not parse', 'moid: [a', 'p0.yaml:1 : Flow sequence in block collection'],
    ['a key twice', 'moid: a\nmoid: b', 'p0.yaml:2 : Map keys must be unique'],
    ['an unknown key', 'moid: a:b\nnode: {}', 'p0.yaml:2 node: is no key that a pack knows'],
    [
      'an unknown key of a node',
      'moid: a:b\nnodes:\n  A: { lagacy: B }',
      'p0.yaml:3 nodes.A.lagacy: is no key',
    ],
    [
      'a wrong format',
      'moid: a:b\nnodes:\n  A: { format: text }',
      'p0.yaml:3 nodes.A.format: must be one of b64',
    ],
    ['a wrong type', 'moid: 7', 'p0.yaml:1 moid: must be string'],
    [
      'a wrong occurrence',
      'moid: a:b\nnodes: { A: { occurs: Twice } }',
      'p0.yaml:2 nodes.A.occurs: must match',
    ],
    ['an empty file', '', 'p0.yaml: : must be object'],
    ['no content', '{}', 'p0.yaml:1 : must NOT have fewer than 1 properties'],
    ['moid and layoutOf', 'moid: a:b\nlayoutOf: a:b\nroots: [./A]\nnodes: {}', ': moid and layoutOf exclude'],
    ['nodes of nothing', 'nodes: {}', 'p0.yaml:1 : must have one of moid, layoutOf'],
    [
      'a transform of no kind',
      'moid: a:b\ntransforms: { t: {} }',
      'p0.yaml:2 transforms.t: must have one of values, strip, boolean',
    ],
    [
      'another name of what is no root',
      'moid: a:b\nroots: [./A]\nsameAs: { ./A: ./B }',
      'p0.yaml:3 sameAs../A: "./B" is none of the roots',
    ],
    [
      'another name of another name',
      'moid: a:b\nroots: [./A, ./B, ./C]\nsameAs: { ./A: ./B, ./B: ./C }',
      'p0.yaml:3 sameAs../A: "./B" is itself the other name of a root',
    ],
    ['a broken path', 'moid: a:b\nnodes:\n  A//B: {}', 'p0.yaml:3 nodes.A//B: "A//B" has an empty segment'],
    ['a broken escape', 'moid: a:b\nnodes:\n  A%zz: {}', 'nodes.A%zz: "A%zz" has a broken percent escape'],
    [
      'a half wildcard',
      'moid: a:b\nnodes:\n  A<x: {}',
      'nodes.A<x: "A<x" is neither a name, <x> nor <x=name>',
    ],
    [
      'a pick in a 2.0 path',
      'moid: a:b\nnodes:\n  <x=1>/A: {}',
      'nodes.<x=1>/A: <x=name> is for legacy places',
    ],
    [
      'a node twice',
      'moid: a:b\nnodes:\n  <x>/A: {}\n  <y>/A: {}',
      'p0.yaml:4 nodes.<y>/A: is declared twice',
    ],
    [
      'two nodes in one legacy place',
      'moid: a:b\nnodes:\n  A: { legacy: C }\n  B: { legacy: C }',
      'p0.yaml:4 nodes.B.legacy: is the legacy place of "A" too',
    ],
    [
      'a rename onto another node',
      'moid: a:b\nnodes:\n  A: {}\n  B: { legacy: A }',
      'p0.yaml:4 nodes.B.legacy: is the legacy place of "A" too',
    ],
    [
      'wildcards that differ in number',
      'moid: a:b\nnodes:\n  L/<x>/A: { legacy: ./Q/A }',
      'nodes.L/<x>/A.legacy: must have as many <x> as "L/<x>/A", which has 1',
    ],
    [
      'a node below a pick',
      'moid: a:b\nnodes:\n  A: { legacy: Q/<x=1>/A }\n  A/B: {}',
      'nodes.A/B.legacy: a node below <x=name> needs a place of its own',
    ],
    [
      'an unknown transform',
      'moid: a:b\nnodes:\n  A: { transform: t }',
      'p0.yaml:3 nodes.A.transform: no transform is called "t"',
    ],
    [
      'a value table that cannot be reversed',
      "moid: a:b\ntransforms:\n  t: { values: { a: '1', b: '1' } }",
      'p0.yaml:3 transforms.t: "a" and "b" both become "1", which cannot be reversed',
    ],
    [
      'a spelling of both truths',
      'moid: a:b\ntransforms:\n  t: { boolean: { "true": ["1"], "false": ["1"] } }',
      'transforms.t: "1" cannot mean both',
    ],
    [
      'a legacy-only node without default',
      'moid: a:b\nnodes:\n  A: { only: legacy }',
      'p0.yaml:3 nodes.A.only: needs a default',
    ],
    ['a relative root', 'moid: a:b\nroots: [A]', 'p0.yaml:2 roots.0: "A" must begin with ./'],
    ['a root twice', 'moid: a:b\nroots: [./A/<x>, ./A/<y>]', 'p0.yaml:2 roots.1: "./A/<y>" is listed twice'],
    ['a virtual place of two unknowns', 'moid: a:b\nvirtual: ./<x>/<y>', 'virtual: has more than one <x>'],
    ['a parent that is a pattern', 'moid: a:b\ncreate: ./A/<x>', 'create: must be one place, without <x>'],
    [
      'a synthesised object without fixed place',
      'moid: a:b\nvirtual: ./A/<x>\nsynthesise: true',
      'p0.yaml:3 synthesise: needs a virtual place without <x>',
    ],
    [
      'a layout of no object',
      'layoutOf: a:b\nroots: [./A]\nnodes: {}',
      'p0.yaml:1 layoutOf: no pack has the MOID "a:b"',
    ],
    [
      'an alert twice',
      'alerts:\n  - { dm2: a, legacy: [b] }\n  - { dm2: c, legacy: [d, B] }',
      'p0.yaml:3 alerts.1.legacy.1: "B" has a row already',
    ],
    [
      'a profile of what nobody asks',
      'profiles: [{ match: { man: A }, capabilities: { atomc: false } }]',
      'profiles.0.capabilities.atomc: must be one of atomic, ',
    ],
    [
      'a profile of a word',
      'profiles: [{ match: { man: A }, capabilities: { atomic: maybe } }]',
      'profiles.0.capabilities.atomic: must be boolean',
    ],
  ])('%s', (_, text, expected) => {
    const errors = errorsOf(text);
    expect(errors.join('\n')).toContain(expected);
  });

  it.each([
    [
      'a MOID',
      'moid: a:b',
      'moid: oma:x\naliases: [urn:a:b]',
      'p1.yaml:2 aliases.0: "urn:a:b" belongs to p0.yaml',
    ],
    [
      'a root',
      'moid: a:b\nroots: [./A/<x>]',
      'moid: a:c\nroots: [./Q, ./A/<y>]',
      'p1.yaml:2 roots.1: is a root of p0',
    ],
    [
      'a virtual place',
      'moid: a:b\nvirtual: ./A',
      'moid: a:c\nvirtual: ./A',
      'p1.yaml:2 virtual: is the virtual',
    ],
    [
      'a joined node',
      'moid: a:b\nnodes: { A: { legacy: ./X/A } }',
      'moid: a:c\nnodes: { B: { legacy: ./X/A } }',
      'p1.yaml:2 nodes.B.legacy: is a joined place of p0.yaml too',
    ],
    [
      'an alert type',
      'alerts: [{ dm2: a, legacy: [b] }]',
      'alerts: [{ dm2: a, legacy: [c] }]',
      'p1.yaml:1 alerts.0.dm2: "a" has a row already',
    ],
  ])('%s that two packs claim', (_, first, second, expected) => {
    expect(errorsOf(first, second).join('\n')).toContain(expected);
  });

  it('all errors of all files come at once, in the order of the files', () => {
    const errors = errorsOf(
      'moid: a:b\nroots: [A]\nnodes:\n  A: { transform: t }\n  B//C: {}',
      'moid: a:b\nnodes:\n  A: { only: legacy }',
    );
    expect(errors.map((e) => e.split(':')[0])).toEqual([
      'p0.yaml',
      'p0.yaml',
      'p0.yaml',
      'p1.yaml',
      'p1.yaml',
    ]);
  });

  it('is thrown as an error of the operator with every line', () => {
    const packs = [{ file: 'x.yaml', text: 'moid: a:b\nroots: [A, B]' }];
    expect(() => compilePacks(packs)).toThrow(DragomanError);
    expect(() => compilePacks(packs)).toThrow(
      'mapping: x.yaml:2: roots.0: "A" must begin with ./\nx.yaml:2: roots.1: "B" must begin with ./',
    );
  });
});

describe('pack files', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'packs-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('are read by name and checked file by file', () => {
    writeFileSync(join(dir, 'b.yml'), 'moid: a:b\nroots: [A]');
    writeFileSync(join(dir, 'a.yaml'), 'moid: a:c');
    writeFileSync(join(dir, 'schema.json'), '{');
    expect(readPackFiles(dir).map((p) => p.file)).toEqual([join(dir, 'a.yaml'), join(dir, 'b.yml')]);
    expect(checkPacks(dir).map(({ errors }) => errors.length)).toEqual([0, 1]);
  });

  it('of a later folder stand in for those of the same name', () => {
    const other = join(dir, 'fumo.yaml');
    writeFileSync(other, 'moid: urn:oma:mo:oma-fumo:1.0\nroots: [./Firmware]');
    const set = loadPacks(['mappings', dir]);
    const roots = set.rootPatterns().filter((p) => p.moid === 'urn:oma:mo:oma-fumo:1.0');
    expect(roots.map((p) => p.path)).toEqual([['Firmware']]);
  });

  it('that cannot be read are an error that names the folder', () => {
    expect(() => readPackFiles(join(dir, 'none'))).toThrow(/Mapping packs of .*none cannot be read/);
  });

  it('have the schema that operators find beside them', () => {
    const published: unknown = JSON.parse(readFileSync('mappings/schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(packSchema)));
  });
});
