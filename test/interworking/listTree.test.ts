import { describe, expect, it } from 'vitest';
import type { Item } from '../../src/dm1/message.ts';
import { treeOfList } from '../../src/interworking/l2n/listTree.ts';

const node = (uri: string): Item => ({ source: { uri }, meta: { format: 'node' } });
const leaf = (uri: string, data: string): Item => ({ source: { uri }, data });

describe('a list that a device tells', () => {
  it('is a tree, with nodes that it leaves out, down to the deepest level [IW-GET-1]', () => {
    const told = [node('./A?list=StructData'), leaf('./A/b/c', '1'), leaf('./A/b/d/e', '2')];
    const [b] = treeOfList(['A'], told, 2)?.children ?? [];
    expect(b?.children).toEqual([{ name: 'c', format: 'chr', value: '1' }]);
    const [deep] = treeOfList(['A'], told, 3)?.children ?? [];
    expect(deep?.children?.map(({ name }) => name)).toEqual(['c', 'd']);
  });

  it('costs no more than it has bytes, however deep and odd its addresses are [IW-GET-1]', () => {
    const told = [
      node('./A'),
      leaf(`./A/${'x/'.repeat(100_000)}y`, '1'),
      leaf(`./A/z${'?list='.repeat(200_000)}\n`, '2'),
    ];
    expect(treeOfList(['A'], told, 32)?.children?.map(({ name }) => name)).toEqual(['z']);
  });
});
