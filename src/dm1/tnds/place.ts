import { isWithin, parseTreePath, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { PlacedNode } from './node.ts';
import type { ReadNode, Spot } from './readNode.ts';
import { settle } from './settle.ts';

/** Segments of the deepest place; deeper trees than any URI may be (1x§7.1) are hostile. */
const MAX_SEGMENTS = 128;

/**
 * Puts the nodes of a document where they belong relative to the command's target (1x§11.2). A first node
 * without Path stands at the target when it has no name or the target's own, else below it. A Path may be
 * relative to the target, repeat the target's own name where the first node has it, or be the place in the
 * whole tree. Without a known target the first node is taken to stand there.
 */
export function place(nodes: readonly ReadNode[], target: TreePath | undefined): readonly PlacedNode[] {
  const resolve = resolver(nodes[0]!, target);
  const top: Spot = { name: resolve.name, children: new Map() };
  for (const node of nodes) put(top, resolve.segments(node), node);
  refuseCircles(top);
  if (top.node !== undefined) return [{ below: 'target', node: settle(top) }];
  const placed: PlacedNode[] = [];
  collect(top, [], placed);
  return placed;
}

interface Resolver {
  /** Name of the target. */
  readonly name: string;
  /** From the target to the node; none for the target itself. */
  segments(node: ReadNode): readonly string[];
}

function resolver(first: ReadNode, given: TreePath | undefined): Resolver {
  const firstPath = pathOf(first);
  const target = given ?? (first.name === undefined ? [''] : [...firstPath, first.name]);
  const own = target.at(-1) ?? '';
  const repeatsOwn = first.name === own && (firstPath.length === 0 || given === undefined);
  const segments = (node: ReadNode): readonly string[] => {
    const path = pathOf(node);
    if (node.name === undefined) {
      if (node === first && (path.length === 0 || isWithin(path, target))) return [];
      throw new DragomanError('malformed', 'A Node of the tree has no NodeName and is not the first one.');
    }
    const whole = [...path, node.name];
    const rooted = node.path !== undefined && /^\.?(?:\/|$)/.test(node.path);
    if ((rooted || given === undefined) && isWithin(target, whole)) return whole.slice(target.length);
    if (node.path?.startsWith('/')) {
      throw new DragomanError(
        'bad-address',
        `The Path "${clip(node.path)}" of Node ${node.name} leaves the target of the command.`,
      );
    }
    if (repeatsOwn && path[0] === own) return whole.slice(1);
    return node === first && path.length === 0 && node.name === own ? [] : whole;
  };
  return { name: own, segments };
}

function pathOf({ name, path }: ReadNode): TreePath {
  if (path === undefined || path === '') return [];
  const segments = parseTreePath(path);
  if (segments === undefined) {
    throw new DragomanError(
      'bad-address',
      `The Path "${clip(path)}" of Node ${name ?? 'without NodeName'} is no place below the target: no "..", no empty segment.`,
    );
  }
  return segments;
}

function put(top: Spot, segments: readonly string[], node: ReadNode): void {
  if (segments.length > MAX_SEGMENTS) {
    throw new DragomanError(
      'too-large',
      `Node ${node.name ?? ''} stands deeper than ${MAX_SEGMENTS} levels.`,
    );
  }
  let at = top;
  for (const name of segments) {
    let next = at.children.get(name);
    if (next === undefined) {
      next = { name, children: new Map() };
      at.children.set(name, next);
    }
    at = next;
  }
  if (at.node !== undefined) {
    throw new DragomanError('malformed', `Node ${['', ...segments].join('/')} occurs twice in the tree.`);
  }
  at.node = node;
  for (const child of node.children) put(at, [child.name!], nested(child, [...segments]));
}

/** A nested Node stands where it stands: a Path of its own could only lead in a circle. */
function nested(node: ReadNode, within: readonly string[]): ReadNode {
  if (node.path === undefined || node.path === '') return node;
  throw new DragomanError(
    'bad-address',
    `Node ${node.name} stands inside Node ${['', ...within].join('/')} and has a Path; only the Nodes right below MgmtTree may have one.`,
  );
}

/** Nodes whose parents are not in the document, each named in the Path of the next, hang from nothing. */
function refuseCircles(top: Spot): void {
  if (top.node !== undefined && [...top.children.values()].every((spot) => spot.node)) return;
  const parentOf = new Map<string, string>();
  const visit = (spot: Spot, parent: Spot | undefined): void => {
    if (spot.node !== undefined) {
      if (parent !== undefined && parent !== top && parent.node === undefined)
        parentOf.set(spot.name, parent.name);
      return;
    }
    for (const child of spot.children.values()) visit(child, spot);
  };
  for (const child of top.children.values()) visit(child, top);
  const done = new Set<string>();
  for (const start of parentOf.keys()) {
    const seen = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at)) {
      if (seen.has(at) && parentOf.get(at) !== at) {
        throw new DragomanError(
          'bad-address',
          `The Paths of the tree lead in a circle through Node ${clip(at)}.`,
        );
      }
      if (seen.has(at)) break;
      seen.add(at);
      at = parentOf.get(at);
    }
    for (const name of seen) done.add(name);
  }
}

/** The subtrees whose parents the document does not have. */
function collect(spot: Spot, below: readonly string[], placed: PlacedNode[]): void {
  for (const child of spot.children.values()) {
    if (child.node !== undefined) placed.push({ below, node: settle(child) });
    else collect(child, [...below, child.name], placed);
  }
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
