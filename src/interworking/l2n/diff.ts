import type { Format } from '../../mo/format.ts';
import { childNamed, type MoNode, sameValue, type Value } from '../../mo/node.ts';
import type { TreePath } from '../../mo/treePath.ts';

/** One change of a legacy tree, with what undoes it. */
export type Change =
  | { readonly op: 'Add'; readonly path: TreePath; readonly node: MoNode }
  | {
      readonly op: 'Replace';
      readonly path: TreePath;
      readonly node: MoNode;
      readonly before: MoNode | undefined;
    }
  | { readonly op: 'Delete'; readonly path: TreePath; readonly before: MoNode };

/**
 * The changes that make `existing` equal to `wanted` (IW-HGET-2): what is absent is added, parents
 * first; what differs is replaced; what the document lacks is deleted; what is equal is left alone.
 * Nodes for which `keep` holds are never deleted.
 */
export function changes(
  path: TreePath,
  existing: MoNode | undefined,
  wanted: MoNode,
  keep: (path: TreePath) => boolean,
): Change[] {
  if (!existing) return additions(path, wanted);
  const wasInterior = existing.children !== undefined;
  const becomesInterior = wanted.children !== undefined;
  if (wasInterior !== becomesInterior) {
    return [{ op: 'Delete', path, before: existing }, ...additions(path, wanted)];
  }
  if (!becomesInterior) {
    const equal = sameValue(existing.value, wanted.value) && sameType(existing.type, wanted.type);
    return equal
      ? []
      : [{ op: 'Replace', path, node: withFormat(wanted, existing.format), before: existing }];
  }
  const out: Change[] = [];
  for (const child of wanted.children!) {
    out.push(...changes([...path, child.name], childNamed(existing, child.name), child, keep));
  }
  for (const child of existing.children!) {
    const at = [...path, child.name];
    if (!childNamed(wanted, child.name) && !keep(at)) out.push({ op: 'Delete', path: at, before: child });
  }
  return out;
}

function additions(path: TreePath, node: MoNode): Change[] {
  const own: Change = { op: 'Add', path, node };
  return [own, ...(node.children ?? []).flatMap((child) => additions([...path, child.name], child))];
}

/** A document in JSON tells no MIME type, so only a told one counts as a difference. */
function sameType(existing: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === (existing ?? 'text/plain');
}

function withFormat(node: MoNode, format: Format | undefined): MoNode {
  return node.format === undefined && format !== undefined ? { ...node, format } : node;
}

/** What puts a change back, in the order in which to do it. */
export function inverse(change: Change): Change[] {
  switch (change.op) {
    case 'Add':
      return [{ op: 'Delete', path: change.path, before: change.node }];
    case 'Replace':
      return change.before ? [{ ...change, node: change.before, before: change.node }] : [];
    case 'Delete':
      return additions(change.path, change.before);
  }
}

export function leafValue(node: MoNode): Value {
  return node.value ?? '';
}
