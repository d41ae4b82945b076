import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMounts, type FoundRoot, miidFor } from '../../src/mo/inventory.ts';
import type { Mount } from '../../src/mo/mapping.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const mount = (miid: string, ...root: string[]): Mount => ({ moid: FUMO, miid, root });
const found = (...root: string[]): FoundRoot => ({ moid: FUMO, root });

describe('miidFor', () => {
  it('is the node name where it is unique [IW-INV-3]', () => {
    expect(miidFor(['FUMO', 'fw'], [mount('other', 'FUMO', 'other')])).toBe('fw');
    expect(miidFor(['DevInfo'], [])).toBe('DevInfo');
  });

  it('joins parent and node where another instance has the name [IW-INV-3]', () => {
    expect(miidFor(['B', 'x'], [mount('x', 'A', 'x')])).toBe('B-x');
  });

  it('keeps the MIID of a path that has one [IW-INV-3]', () => {
    expect(miidFor(['A', 'x'], [mount('odd', 'A', 'x'), mount('x', 'B', 'x')])).toBe('odd');
  });

  it('never takes a name that another path has, whatever paths look like [IW-INV-3]', () => {
    expect(miidFor(['a-b', 'c'], [mount('c', 'z', 'c'), mount('a-b-c', 'a', 'b-c')])).toBe('a-b-c-2');
    expect(miidFor(['x'], [mount('x', 'A', 'y')])).toBe('x-2');
  });
});

describe('addMounts', () => {
  it('names instances found together after their parents when they share a name [IW-INV-3]', () => {
    const mounts = addMounts([], [found('A', 'x'), found('B', 'x'), found('C', 'y')]);
    expect(mounts.map((m) => m.miid)).toEqual(['A-x', 'B-x', 'y']);
  });

  it('tells MOIDs apart but joins aliases [IW-INV-3]', () => {
    const alias = { moid: 'urn:oma:mo:oma-fumo:1.1', root: ['B', 'x'] };
    expect(addMounts([mount('x', 'A', 'x')], [alias])[1]?.miid).toBe('x');
    expect(addMounts([mount('x', 'A', 'x')], [alias], () => true)[1]?.miid).toBe('B-x');
  });

  it('replaces a mount whose root now is another object, and its name stays taken [IW-INV-3]', () => {
    const other = { moid: 'urn:oma:mo:oma-scomo:1.0', root: ['A', 'x'] };
    const mounts = addMounts([mount('x', 'A', 'x')], [other, found('Q', 'x')]);
    expect(mounts.map((m) => [m.moid, m.miid])).toEqual([
      [other.moid, 'x'],
      [FUMO, 'Q-x'],
    ]);
  });

  it('lists a root once that was found twice, with its DDF', () => {
    const item = { ...found('A'), ddf: 'http://ddf.example/a' };
    expect(addMounts([], [item, item])).toEqual([{ ...item, miid: 'A' }]);
  });

  const segment = fc.constantFrom('a', 'b', 'a-b', 'x', 'x-2', '2');
  const path = fc.array(segment, { minLength: 1, maxLength: 6 });
  const short = fc.array(segment, { minLength: 1, maxLength: 4 });
  const rounds = fc.array(fc.array(path, { maxLength: 6 }), { maxLength: 4 });

  it('over any discoveries keeps MIIDs and never gives one to another path [IW-INV-3]', () => {
    fc.assert(
      fc.property(rounds, (discoveries) => {
        let mounts: Mount[] = [];
        for (const roots of discoveries) {
          const next = addMounts(
            mounts,
            roots.map((root) => found(...root)),
          );
          expect(next.slice(0, mounts.length)).toEqual(mounts);
          mounts = next;
          expect(new Set(mounts.map((m) => m.miid)).size).toBe(mounts.length);
          for (const root of roots) expect(mounts.filter((m) => `${m.root}` === `${root}`)).toHaveLength(1);
        }
      }),
    );
  });

  it('gives the same names in whatever order instances are found, numbers aside [IW-INV-3]', () => {
    fc.assert(
      fc.property(fc.uniqueArray(short, { selector: String, maxLength: 8 }), (roots) => {
        const named = (order: string[][]) =>
          addMounts(
            [],
            order.map((root) => found(...root)),
          )
            .map((m) => `${m.root.join('/')} ${m.miid}`)
            .filter((row) => !/-\d$/.test(row))
            .sort();
        const plain = roots.map((root) => root.map((s) => s.replaceAll('-', '_')));
        expect(named([...plain].reverse())).toEqual(named(plain));
      }),
    );
  });

  it('names ten thousand instances without comparing each with each [IW-INV-3]', () => {
    const roots = Array.from({ length: 10_000 }, (_, i) => found('A', String(i % 100), 'x', String(i)));
    expect(addMounts([], roots)).toHaveLength(10_000);
  });
});
