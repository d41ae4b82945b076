import type { Item } from '../../dm1/message.ts';
import { parseFormat } from '../../mo/format.ts';
import type { MoNode } from '../../mo/node.ts';
import { isWithin, parseTreePath, type TreePath } from '../../mo/treePath.ts';
import { childNames, readLeaf } from '../values.ts';
import { type Draft, typeOf } from './readRequest.ts';

/**
 * Builds the subtree of `?list=StructData` or `?list=Struct` Results: one Item per node, in any order (1x§7.4).
 * A leaf without Data has no value. `undefined` where the root is missing, or where a device that ignores
 * the query told the names of its children instead. What lies deeper than `levels` below the root is left out,
 * as where nodes are asked one by one.
 */
export function treeOfList(root: TreePath, items: readonly Item[], levels: number): MoNode | undefined {
  const [only, ...others] = items;
  if (only && others.length === 0 && isNames(only)) return undefined;
  const drafts = new Map<string, Draft>();
  const rootKey = keyOf(root);
  const placed = items
    .map((item) => ({ item, path: item.source && parseTreePath(item.source.uri.replace(/\?list=.*$/s, '')) }))
    .filter(
      (row): row is { item: Item; path: TreePath } =>
        row.path !== undefined && row.path.length <= root.length + levels && isWithin(root, row.path),
    )
    .sort((a, b) => a.path.length - b.path.length);
  for (const { item, path } of placed) {
    const key = keyOf(path);
    const known = drafts.get(key);
    const draft: Draft = known ?? { name: path.at(-1) ?? '.' };
    const format = parseFormat(item.meta?.format);
    if (format === 'node') {
      Object.assign(draft, { format, ...typeOf(item.meta?.type) });
      draft.children ??= [];
    } else {
      const leaf = readLeaf(item);
      if (item.data !== undefined || format !== undefined || item.meta !== undefined) {
        draft.format = leaf.format;
        if (leaf.type !== undefined) draft.type = leaf.type;
      }
      if (item.data !== undefined || item.stored) draft.value = leaf.value;
    }
    if (known) continue;
    drafts.set(key, draft);
    if (path.length > root.length) attach(drafts, root, path, draft);
  }
  return drafts.get(rootKey);
}

function isNames({ meta, data }: Item): boolean {
  return parseFormat(meta?.format) === 'node' && childNames(data).length > 0;
}

/** Hangs a node below its parent, making interior nodes that the list left out. */
function attach(drafts: Map<string, Draft>, root: TreePath, path: TreePath, draft: Draft): void {
  const above = path.slice(0, -1);
  const key = keyOf(above);
  let parent = drafts.get(key);
  if (!parent) {
    parent = { name: above.at(-1) ?? '.', format: 'node', children: [] };
    drafts.set(key, parent);
    if (above.length > root.length) attach(drafts, root, above, parent);
  }
  // A plain text leaf has no Meta at all, so a node with children was mistaken for one (1x§7.4).
  if (!parent.children) {
    parent.children = [];
    parent.format = 'node';
    delete parent.value;
  }
  parent.children.push(draft);
}

/** Segments are decoded and may hold a `/`, so it cannot part them here. */
function keyOf(path: TreePath): string {
  return path.join('\0');
}
