import { basename } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Mount, MountMapping } from '../../../src/mo/mapping.ts';
import { descendant, type MoNode, walk } from '../../../src/mo/node.ts';
import { checkPacks, loadPacks, readPackFiles, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import { listPacks } from '../../../src/mo/pack/mappingSet.ts';
import type { PackDocument } from '../../../src/mo/pack/schema.ts';
import { isWithin, parseTreePath, type TreePath } from '../../../src/mo/treePath.ts';
import { dm2Tree, legacyTrees, sorted } from './generated.ts';

const set = loadPacks([SHIPPED_PACKS]);
const packs = readPackFiles(SHIPPED_PACKS).map(({ file, text }) => ({
  name: basename(file),
  document: parse(text) as PackDocument,
}));

type Trees = readonly { legacy: TreePath; node: MoNode }[];

/** What a device with these trees answers to a read of `place`. */
function read(trees: Trees, place: TreePath): MoNode | undefined {
  for (const { legacy, node } of trees) {
    if (!isWithin(legacy, place)) continue;
    const found = descendant(node, place.slice(legacy.length));
    if (found) return found;
  }
  return undefined;
}

function readAll(mapping: MountMapping, path: readonly string[], trees: Trees) {
  return mapping.sources(path).map((source) => ({ source, node: read(trees, source.legacy) }));
}

const byPlace = (trees: Trees) =>
  trees
    .map(({ legacy, node }) => [legacy.join('/'), sorted(node)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));

for (const { name, document } of packs.filter((p) => p.document.nodes)) {
  describe(`mappings/${name}`, () => {
    const moid = (document.moid ?? document.layoutOf)!;
    const declared = document.roots?.[0]?.replace(/<\w+>/g, 'inst');
    const root = declared === undefined ? set.virtualRoot(moid, 'inst') : parseTreePath(declared)!;
    const mount: Mount = { moid, miid: 'inst', root };
    const mapping = set.forMount(mount);

    it('takes any 2.0 tree to 1.x and back [IW-ADDR-3]', () => {
      fc.assert(
        fc.property(dm2Tree(document, mapping.rootName), (tree) => {
          const legacy = mapping.toLegacy([], tree);
          const back = mapping.toDm2([], readAll(mapping, [], legacy));
          expect(back && sorted(back)).toEqual(sorted(tree));
        }),
        { numRuns: 200 },
      );
    });

    it('takes any 1.x tree to 2.0 and back [IW-ADDR-3]', () => {
      fc.assert(
        fc.property(legacyTrees(document, root), (trees) => {
          const tree = mapping.toDm2([], readAll(mapping, [], trees))!;
          expect(byPlace(mapping.toLegacy([], tree))).toEqual(byPlace(trees));
        }),
        { numRuns: 200 },
      );
    });

    it('reads each subtree as it stands in the whole [IW-ADDR-3] [IW-GET-1]', () => {
      fc.assert(
        fc.property(dm2Tree(document, mapping.rootName), (tree) => {
          const legacy = mapping.toLegacy([], tree);
          for (const { path, node } of walk(tree)) {
            const part = mapping.toDm2(path, readAll(mapping, path, legacy));
            expect(part && sorted(part), path.join('/')).toEqual(sorted(node));
          }
        }),
        { numRuns: 50 },
      );
    });

    it('writes each subtree to the places that the whole has for it [IW-ADDR-3] [IW-HGET-1]', () => {
      fc.assert(
        fc.property(dm2Tree(document, mapping.rootName), (tree) => {
          const whole = mapping.toLegacy([], tree);
          for (const { path, node } of walk(tree)) {
            for (const part of mapping.toLegacy(path, node, readAll(mapping, path, whole))) {
              for (const below of walk(part.node)) {
                if (below.node.children !== undefined) continue;
                expect(read(whole, [...part.legacy, ...below.path])).toEqual(below.node);
              }
            }
          }
        }),
        { numRuns: 50 },
      );
    });

    it('addresses every declared node there and back [IW-ADDR-3]', () => {
      for (const key of Object.keys(document.nodes ?? {})) {
        const path = key.replace(/<\w+>/g, 'inst').split('/');
        expect(mapping.fromLegacy(mapping.legacy(path)), key).toEqual(path);
        expect(mapping.definition(path)?.format, key).toBe(document.nodes?.[key]?.format);
      }
      expect(mapping.legacy([])).toEqual(root);
      expect(mapping.fromLegacy(root)).toEqual([]);
    });
  });
}

describe('the shipped packs', () => {
  it('have no errors', () => {
    const checked = checkPacks(SHIPPED_PACKS);
    expect(checked.length).toBeGreaterThanOrEqual(15);
    expect(checked.flatMap(({ errors }) => errors)).toEqual([]);
  });

  it('are listed with what they hold', () => {
    const rows = listPacks(set);
    expect(rows.find((row) => row.moid === 'urn:oma:mo:oma-fumo:1.0')).toMatchObject({
      title: 'Firmware update',
      roots: ['./FUMO/<x>', './FwUpdate/<x>'],
      nodes: 10,
    });
    expect(rows.every((row) => row.title !== '')).toBe(true);
  });

  it('know the aliases of DevInfo and DMAcc [IW-ADDR-4]', () => {
    for (const alias of ['urn:oma:mo:oma-dm-devinfo:1.0', 'oma:mo:oma-dm-devinfo:1.1'])
      expect(set.canonical(alias)).toBe('urn:oma:mo:oma-dm-devinfo:1.2');
    expect(set.sameObject('urn:oma:mo:oma-dm-dmacc:2.0', 'org.openmobilealliance/1.0/w7')).toBe(true);
    expect(set.sameObject('urn:oma:mo:oma-dm-dmacc:2.0', 'urn:oma:mo:oma-fumo:1.0')).toBe(false);
  });

  it('hang instances of a 2.0 device where they say, others below ./MO [IW-INV-4]', () => {
    expect(set.virtualRoot('urn:oma:mo:oma-dm-devinfo:1.0', 'any')).toEqual(['DevInfo']);
    expect(set.virtualRoot('urn:oma:mo:oma-fumo:1.0', 'fumo1')).toEqual(['FUMO', 'fumo1']);
    expect(set.virtualRoot('com.acme/1.0/Thing', 'a')).toEqual(['MO', 'com.acme/1.0/Thing', 'a']);
  });

  it('say where a new instance is made [IW-HGET-1]', () => {
    expect(set.creationParent('urn:oma:mo:oma-dm-dmacc:2.0')).toEqual(['DMAcc']);
    expect(set.creationParent('urn:oma:mo:oma-dm-devinfo:1.2')).toBeUndefined();
  });

  it('tell legacy roots with wildcards [IW-INV-2]', () => {
    const of = (moid: string) =>
      set
        .rootPatterns()
        .filter((p) => p.moid === moid)
        .map((p) => p.path.join('/'));
    expect(of('urn:oma:mo:oma-dm-dmacc:1.2')).toEqual(['DMAcc/<x>', 'SyncML/DMAcc/<x>']);
    expect(of('urn:oma:mo:oma-dm-devinfo:1.2')).toEqual(['DevInfo']);
  });

  it('mark every secret of an account [IW-ADDR-3]', () => {
    const secret = (root: TreePath, ...path: string[]) =>
      set.forMount({ moid: 'urn:oma:mo:oma-dm-dmacc:1.2', miid: 'a', root }).definition(path)?.secret;
    expect(secret(['DMAcc', 'a'], 'AppAuth', 'any', 'AAuthSecret')).toBe(true);
    expect(secret(['DMAcc', 'a'], 'AppAuth', 'any', 'AAuthData')).toBe(true);
    expect(secret(['DMAcc', 'a'], 'Auth', 'Noti', 'Secret')).toBe(true);
    expect(secret(['DMAcc', 'a'], 'AppAuth', 'any', 'AAuthName')).toBeUndefined();
    expect(secret(['SyncML', 'DMAcc', 'a'], 'ClientPW')).toBe(true);
  });

  it('translate alert types both ways, old names one way, others verbatim [IW-ALERT-2] [IW-ALERT-3]', () => {
    for (const { document } of packs) {
      for (const { dm2, legacy } of document.alerts ?? []) {
        expect(set.alertToDm2(set.alertToDm1(dm2))).toBe(dm2);
        expect(set.alertToDm1(set.alertToDm2(legacy[0]!))).toBe(legacy[0]);
        for (const name of legacy) expect(set.alertToDm2(` ${name.toUpperCase()}\n`)).toBe(dm2);
      }
    }
    expect(set.alertToDm2('org.openmobilealliance.dm.softwarecomponent.OperationComplete')).toBe(
      'urn:oma:at:scomo:1.0:OperationComplete',
    );
    expect(set.alertToDm2('com.acme:Thing')).toBe('com.acme:Thing');
    expect(set.alertToDm1('com.acme:Thing')).toBe('com.acme:Thing');
  });

  it('show a legacy server a DevDetail that a 2.0 device lacks [IW-ADDR-3]', () => {
    const [detail, ...more] = set.synthesised();
    expect(more).toEqual([]);
    expect(detail).toEqual({
      moid: 'urn:oma:mo:oma-dm-devdetail:1.0',
      miid: 'DevDetail',
      root: ['DevDetail'],
    });
    const mapping = set.forMount(detail!);
    const tree = mapping.synthesised([]);
    expect(descendant(tree!, ['URI', 'MaxDepth'])?.value).toBe('0');
    expect(mapping.synthesised(['LrgObj'])).toEqual({
      name: 'LrgObj',
      format: 'bool',
      type: 'text/plain',
      value: 'true',
    });
    expect(mapping.synthesised(['Ext'])).toBeUndefined();
    expect(set.forMount({ moid: 'x:y', miid: 'a', root: ['a'] }).synthesised([])).toBeUndefined();
  });
});
