import type { DdfDocument, DdfNode } from '../../mo/pack/fromDdf.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A Node as it was read. */
export type DraftNode = Omit<Writable<DdfNode>, 'children' | 'mime'> & {
  below: readonly string[];
  readonly mime: string[];
  readonly children: DraftNode[];
};

/** Stands for the name of an unnamed node, in a Path too. */
const UNNAMED = '\0';

/**
 * Hangs Nodes that have a Path below the Node they name, so that flat and nested descriptions come to the
 * same (1x§11.2); what stands below no described node is a top of its own.
 */
export function assemble(nodes: readonly DraftNode[]): DdfDocument['tops'] {
  const tops: DraftNode[] = [];
  const places = nodes.length > 1 ? placesOf(nodes) : new Map<string, DraftNode>();
  for (const node of nodes) {
    const parent = node.below.length === 0 ? undefined : places.get(keyOf(node.below));
    if (parent === undefined) tops.push(node);
    else parent.children.push(node);
  }
  return tops.map((node) => ({ below: node.below, node: finished(node) }));
}

function placesOf(nodes: readonly DraftNode[]): Map<string, DraftNode> {
  const places = new Map<string, DraftNode>();
  const visit = (node: DraftNode, above: readonly string[]): void => {
    const place = [...above, node.name ?? UNNAMED];
    places.set(keyOf(place), node);
    for (const child of node.children) visit(child, place);
  };
  for (const node of nodes) visit(node, node.below);
  return places;
}

function keyOf(segments: readonly string[]): string {
  return JSON.stringify(segments.map((name) => (/^(?:<[^<>]*>|\*)$/.test(name) ? UNNAMED : name)));
}

function finished({ below: _, children, ...node }: DraftNode): DdfNode {
  return { ...node, children: children.map(finished) };
}
