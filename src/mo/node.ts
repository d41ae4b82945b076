import { type Format, isBinary } from './format.ts';
import { isStored, type StoredBytes } from './stored.ts';

/** A leaf's value: text in its lexical form or, for formats `bin` and `b64`, the raw bytes, perhaps stored ones. */
export type Value = string | Uint8Array | StoredBytes;

/** The value itself. @throws TypeError for one that is stored: whoever calls this has to have it read before */
export function plainValue(value: Value): string | Uint8Array;
export function plainValue(value: Value | undefined): string | Uint8Array | undefined;
export function plainValue(value: Value | undefined): string | Uint8Array | undefined {
  if (isStored(value)) throw new TypeError('A stored value has to be read first.');
  return value;
}

/**
 * A node of a management tree, in terms of neither protocol. An interior node has `children` (perhaps
 * none); a leaf has `value`; a node known only by name has neither.
 */
export interface MoNode {
  readonly name: string;
  /** Absent where nobody has told it yet. */
  readonly format?: Format;
  /** MIME type of a leaf; MOID of an MO root. */
  readonly type?: string;
  readonly value?: Value;
  readonly children?: readonly MoNode[];
}

/** MIME type of a leaf, also where nobody told one. */
export function mimeType({ type, format }: MoNode): string {
  return type ?? (isBinary(format) ? 'application/octet-stream' : 'text/plain');
}

export function isInterior(node: MoNode): boolean {
  return node.children !== undefined;
}

export function childNamed(node: MoNode, name: string): MoNode | undefined {
  return node.children?.find((child) => child.name === name);
}

/** The descendant at `path`, or `undefined`; the empty path is the node itself. */
export function descendant(node: MoNode, path: readonly string[]): MoNode | undefined {
  let at: MoNode | undefined = node;
  for (const name of path) {
    at = at && childNamed(at, name);
  }
  return at;
}

/** The node with `levels` generations below it; absent: all. */
export function pruned(node: MoNode, levels: number | undefined): MoNode {
  if (levels === undefined || node.children === undefined) return node;
  const children = levels === 0 ? [] : node.children.map((child) => pruned(child, levels - 1));
  return { ...node, children };
}

/** Every node of the subtree with its path below `node`, parents before children. */
export function* walk(
  node: MoNode,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; node: MoNode }> {
  yield { path, node };
  for (const child of node.children ?? []) yield* walk(child, [...path, child.name]);
}

/** Whether two values are the same bytes or the same text. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined || typeof a === 'string' || typeof b === 'string') return a === b;
  // What is stored is not looked into: it counts as another value.
  if (isStored(a) || isStored(b)) return false;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
