import type { Format } from '../../mo/format.ts';
import { childNamed, type MoNode, type Value } from '../../mo/node.ts';

/** One Add or Replace of a legacy server, below the node that an HGET will write. */
export interface Edit {
  readonly kind: 'Add' | 'Replace';
  readonly path: readonly string[];
  readonly format?: Format;
  readonly type?: string;
  /** Absent: an interior node. */
  readonly value?: Value;
  /** Instead of a value: the whole subtree, as TNDS brings it. */
  readonly tree?: MoNode;
}

export type Edited = { readonly node: MoNode | undefined; readonly code: number };

/**
 * What the subtree looks like after one edit, and its status: Add on an existing node 418, Replace on a
 * missing one 404, a child under a leaf or a value for an interior node 405 (IW-WR-1, 1x§3.2). Missing
 * parents of an Add come into being with it.
 */
export function applyEdit(node: MoNode | undefined, name: string, edit: Edit): Edited {
  return apply(node, name, edit, edit.path);
}

function apply(node: MoNode | undefined, name: string, edit: Edit, path: readonly string[]): Edited {
  const [next, ...rest] = path;
  if (next === undefined) return place(node, name, edit);
  if (node && node.children === undefined) return { node, code: edit.kind === 'Add' ? 405 : 404 };
  if (!node && edit.kind === 'Replace') return { node, code: 404 };
  const parent: MoNode = node ?? { name, format: 'node', children: [] };
  const child = apply(childNamed(parent, next), next, edit, rest);
  if (child.code !== 200 || !child.node) return { node, code: child.code };
  const { node: changed } = child;
  const known = parent.children!.some((each) => each.name === next);
  const children = known
    ? parent.children!.map((each) => (each.name === next ? changed : each))
    : [...parent.children!, changed];
  return { node: { ...parent, children }, code: 200 };
}

function place(node: MoNode | undefined, name: string, edit: Edit): Edited {
  if (edit.kind === 'Add') {
    if (node) return { node, code: 418 };
    if (edit.tree) return { node: { ...edit.tree, name }, code: 200 };
    return { node: edit.value === undefined ? interior(name, edit) : leaf(name, edit), code: 200 };
  }
  if (!node) return { node, code: 404 };
  if (edit.tree) return { node: { ...edit.tree, name }, code: 200 };
  // An interior node has no value to replace; whole subtrees come as TNDS (1x§3.2).
  if (node.children !== undefined || edit.value === undefined) return { node, code: 405 };
  return { node: { ...node, ...leaf(name, edit), ...(node.format && { format: node.format }) }, code: 200 };
}

function interior(name: string, edit: Edit): MoNode {
  return { name, format: 'node', children: [], ...(edit.type !== undefined && { type: edit.type }) };
}

function leaf(name: string, edit: Edit): MoNode {
  return {
    name,
    ...(edit.format !== undefined && { format: edit.format }),
    ...(edit.type !== undefined && { type: edit.type }),
    value: edit.value ?? '',
  };
}
