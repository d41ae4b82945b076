import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMoNode, toMoNode } from '../../src/simulator/tree.ts';
import { readFileNotation, readInstances, readNotation, readTree } from '../../src/simulator/treeFile.ts';
import { DM2_OBJECTS, dm2Instances, PHONE_TREE, phoneTree, treeFrom } from '../../src/simulator/trees.ts';

const folder = fileURLToPath(new URL('../../fixtures/trees/', import.meta.url));

describe('tree files', () => {
  it.each(readdirSync(folder))('%s can be read', (file) => {
    const notation = readFileNotation(folder + file);
    const nodes = Array.isArray(notation)
      ? readInstances(notation)
      : [...readTree(notation).children!.keys()];
    expect(nodes.length).toBeGreaterThan(1);
  });

  it('show the default devices as the code has them', () => {
    expect(readFileNotation(`${folder}phone-1.2.yaml`)).toEqual(JSON.parse(JSON.stringify(PHONE_TREE)));
    expect(readFileNotation(`${folder}phone-2.0.yaml`)).toEqual(JSON.parse(JSON.stringify(DM2_OBJECTS)));
  });

  it('tell formats by what stands there', () => {
    const node = readNotation('n', {
      a: 'x',
      b: 5,
      c: true,
      d: null,
      e: { $format: 'bin', $value: 'AAE=' },
      f: {},
    });
    const formats = [...node.children!.values()].map(({ format }) => format);
    expect(formats).toEqual(['chr', 'int', 'bool', 'null', 'bin', 'node']);
    expect(node.children!.get('e')!.value).toEqual(new Uint8Array([0, 1]));
  });

  it('refuse an unknown format and a missing file with what to do', () => {
    expect(() => readNotation('n', { $format: 'text', $value: 'x' })).toThrow(/no node format/);
    expect(() => readFileNotation('/does/not/exist.yaml')).toThrow(/Cannot read the tree file/);
  });
});

describe('a simulated tree', () => {
  it('is a fresh one for every device', () => {
    const one = phoneTree('IMEI:1');
    const two = phoneTree('IMEI:2');
    one.delete(['Settings']);
    expect(two.find(['Settings'])).toBeDefined();
    expect(two.find(['DevInfo', 'DevId'])!.value).toBe('IMEI:2');
    expect(dm2Instances('IMEI:3')[0]!.node.children!.get('DevID')!.value).toBe('IMEI:3');
  });

  it('goes back to a snapshot whatever happened since', () => {
    const name = fc.constantFrom('A', 'B', 'C');
    const path = fc.array(name, { minLength: 1, maxLength: 3 });
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), path }),
      fc.record({ kind: fc.constant('replace' as const), path }),
      fc.record({ kind: fc.constant('delete' as const), path }),
      fc.record({ kind: fc.constant('rename' as const), path }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const tree = treeFrom({ A: { B: 'x', C: {} }, B: 'y' });
        const before = JSON.stringify(toMoNode(tree.root));
        const snapshot = tree.snapshot();
        for (const { kind, path: at } of operations) {
          if (kind === 'add') tree.add(at, { format: at.length < 3 ? 'node' : 'chr', value: 'n' });
          else if (kind === 'replace') tree.replace(at, { value: 'r' });
          else if (kind === 'delete') tree.delete(at);
          else tree.rename(at, 'D');
        }
        tree.restore(snapshot);
        expect(JSON.stringify(toMoNode(tree.root))).toBe(before);
      }),
    );
  });

  it('keeps content through MoNode and back, without what refuses Get', () => {
    const tree = phoneTree('IMEI:1');
    const seen = toMoNode(tree.root);
    expect(toMoNode(fromMoNode(seen))).toEqual(seen);
    expect(JSON.stringify(seen)).not.toContain('not-readable');
  });
});
