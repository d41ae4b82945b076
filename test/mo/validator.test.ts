import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MoNode } from '../../src/mo/node.ts';
import { validatorOf } from '../../src/mo/validator.ts';

const leaf = fc.oneof(
  fc.string().map((value) => ({ format: 'chr' as const, value })),
  fc.uint8Array().map((value) => ({ format: 'bin' as const, value })),
);
const tree: fc.Arbitrary<MoNode> = fc.letrec<{ node: MoNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.record({ name: fc.string(), leaf }).map(({ name, leaf: l }) => ({ name, ...l })),
    fc
      .record({
        name: fc.string(),
        children: fc.uniqueArray(tie('node'), { selector: (n) => n.name, maxLength: 4 }),
      })
      .map((n): MoNode => ({ format: 'node', ...n })),
  ),
})).node;

const reversed = (node: MoNode): MoNode =>
  node.children ? { ...node, children: [...node.children].reverse().map(reversed) } : node;

describe('validatorOf', () => {
  it('is short hex and the same whatever the order of children [IW-GET-3]', () => {
    fc.assert(
      fc.property(tree, (node) => {
        expect(validatorOf(node)).toMatch(/^[0-9a-f]{16}$/);
        expect(validatorOf(reversed(node))).toBe(validatorOf(node));
      }),
    );
  });

  it('differs where names, values or structure differ [IW-GET-3]', () => {
    const node = (children: MoNode[]): MoNode => ({ name: 'r', children });
    const variants: MoNode[] = [
      node([]),
      { name: 'r' },
      { name: 'r', value: '' },
      { name: 'r', value: new Uint8Array() },
      node([{ name: 'a', value: '' }]),
      node([{ name: 'a', value: 'b' }]),
      node([{ name: 'ab', value: '' }]),
      node([{ name: 'a', children: [] }]),
      node([{ name: 'a', children: [{ name: 'b', value: '' }] }]),
      node([
        { name: 'a', value: '' },
        { name: 'b', value: '' },
      ]),
      node([{ name: 'a', value: Uint8Array.of(98) }]),
    ];
    expect(new Set(variants.map(validatorOf)).size).toBe(variants.length);
  });

  it('does not depend on formats and types, which not every read tells [IW-GET-3]', () => {
    expect(validatorOf({ name: 'a', format: 'int', type: 'text/plain', value: '1' })).toBe(
      validatorOf({ name: 'b', value: '1' }),
    );
  });
});
