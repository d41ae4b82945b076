import fc from 'fast-check';
import type { Format } from '../../../src/mo/format.ts';
import type { MoNode } from '../../../src/mo/node.ts';
import type { NodeEntry, PackDocument } from '../../../src/mo/pack/schema.ts';

/** Node names for `<x>`, none of which is a declared name. */
const NAMES = ['1', 'x1', 'left', 'A/B', 'ünï'];

interface Shape {
  readonly entry?: NodeEntry;
  readonly names: Map<string, Shape>;
  any?: Shape;
}

/** A declared leaf in the terms of one side. */
interface Declared {
  readonly segments: readonly string[];
  readonly entry: NodeEntry;
}

function shapeOf(declared: readonly Declared[]): Shape {
  const root: Shape = { names: new Map() };
  for (const { segments, entry } of declared) {
    let at = root;
    for (const segment of segments) {
      const wild = segment.startsWith('<');
      const next: Shape = (wild ? at.any : at.names.get(segment)) ?? { names: new Map() };
      if (wild) at.any = next;
      else at.names.set(segment, next);
      at = next;
    }
    Object.assign(at, { entry });
  }
  return root;
}

function values(
  entry: NodeEntry,
  side: 'dm2' | 'legacy',
  document: PackDocument,
): fc.Arbitrary<string | Uint8Array> {
  const transform = entry.transform === undefined ? undefined : document.transforms?.[entry.transform];
  if (transform && 'values' in transform) {
    const table = transform.values;
    return fc.constantFrom(...(side === 'dm2' ? Object.keys(table) : Object.values(table)));
  }
  switch (entry.format) {
    case 'bin':
    case 'b64':
      return fc.uint8Array({ maxLength: 8 });
    case 'bool':
      return fc.constantFrom('true', 'false');
    case 'int':
      return fc.integer().map(String);
    case 'null':
      return fc.constant('');
    default:
      return fc.string({ unit: 'binary', maxLength: 8 });
  }
}

function leafOf(
  name: string,
  entry: NodeEntry,
  side: 'dm2' | 'legacy',
  document: PackDocument,
): fc.Arbitrary<MoNode> {
  const own = values(entry, side, document);
  // A node that 2.0 leaves out has its default in a 1.x tree, or any value; in a 2.0 tree never the default.
  const value =
    side === 'legacy' && entry.default !== undefined ? fc.oneof(fc.constant(entry.default), own) : own;
  return value.map((v) => ({
    name,
    ...(entry.format !== undefined && { format: entry.format as Format }),
    type: entry.type ?? 'application/octet-stream',
    value: v,
  }));
}

function nodeOf(
  name: string,
  shape: Shape,
  side: 'dm2' | 'legacy',
  document: PackDocument,
): fc.Arbitrary<MoNode> {
  const { entry } = shape;
  const declared = shape.names.size > 0 || shape.any !== undefined;
  if (!declared && entry !== undefined && entry.format !== 'node') return leafOf(name, entry, side, document);
  const children: fc.Arbitrary<readonly MoNode[]>[] = [];
  for (const [child, below] of shape.names) {
    const node = nodeOf(child, below, side, document).map((n): readonly MoNode[] => [n]);
    const optional =
      below.entry?.occurs?.startsWith('Zero') || (below.entry === undefined && declaredOptional(below));
    children.push(optional ? fc.oneof(node, fc.constant([])) : node);
  }
  const { any } = shape;
  if (any) {
    children.push(
      fc
        .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })
        .chain((names) => fc.tuple(...names.map((n) => nodeOf(n, any, side, document)))),
    );
  }
  if (!declared || entry?.format === 'node') children.push(undeclared);
  return fc
    .tuple(...children)
    .map((found) => ({ name, format: 'node', children: found.flat().filter((n) => tells(n, shape)) }));
}

/** An empty interior node that stands only on the way to declared ones says nothing, so none is generated. */
function tells(node: MoNode, parent: Shape): boolean {
  const shape = parent.names.get(node.name) ?? (node.name === '1' ? parent.any : undefined);
  return shape === undefined || shape.entry !== undefined || node.children?.length !== 0;
}

/** An interior node that no pack line names may be absent, unless it leads to a required node alone. */
function declaredOptional(shape: Shape): boolean {
  return (
    shape.any === undefined && [...shape.names.values()].every((s) => s.entry?.occurs?.startsWith('Zero'))
  );
}

/** Nodes that a pack does not name. */
const undeclared: fc.Arbitrary<readonly MoNode[]> = fc.uniqueArray(
  fc.oneof(
    fc.record({ name: fc.constantFrom('v1', 'v2'), value: fc.string({ maxLength: 4 }) }),
    fc.record({
      name: fc.constantFrom('v3', 'v4'),
      format: fc.constant('node' as const),
      children: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('a', 'b'), value: fc.string({ maxLength: 4 }) }),
        { selector: (n) => n.name, maxLength: 2 },
      ),
    }),
  ),
  { selector: (n) => n.name, maxLength: 2 },
);

const entriesOf = (document: PackDocument) =>
  Object.entries(document.nodes ?? {}).map(([key, entry]) => ({ segments: key.split('/'), entry }));

/** A 2.0 tree of what the pack declares, with a sprinkle of what it does not. */
export function dm2Tree(document: PackDocument, rootName: string): fc.Arbitrary<MoNode> {
  const declared = entriesOf(document).filter(({ entry }) => entry.only === undefined);
  return nodeOf(rootName, shapeOf(declared), 'dm2', document);
}

/** Legacy trees of the same, by absolute place: the object's own and what is joined to it. */
export function legacyTrees(
  document: PackDocument,
  root: readonly string[],
): fc.Arbitrary<readonly { legacy: readonly string[]; node: MoNode }[]> {
  const own: Declared[] = [];
  const joined: Declared[] = [];
  for (const { segments, entry } of entriesOf(document)) {
    const { legacy } = entry;
    if (legacy?.startsWith('./')) joined.push({ segments: legacy.slice(2).split('/'), entry });
    else if (legacy === undefined) own.push({ segments, entry });
    else if (legacy.includes('/')) own.push({ segments: legacy.replace(/^\//, '').split('/'), entry });
    else own.push({ segments: [...segments.slice(0, -1), legacy], entry });
  }
  return fc.tuple(
    nodeOf(root.at(-1)!, shapeOf(own), 'legacy', document).map((node) => ({ legacy: root, node })),
    ...joined.map(({ segments, entry }) =>
      leafOf(segments.at(-1)!, entry, 'legacy', document).map((node) => ({ legacy: segments, node })),
    ),
  );
}

/** The same tree with children in order of name, so that order does not count. */
export function sorted(node: MoNode): MoNode {
  if (node.children === undefined) return node;
  const children = node.children.map(sorted).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...node, children };
}
