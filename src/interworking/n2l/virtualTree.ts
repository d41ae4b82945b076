import type { MountMapping } from '../../mo/mapping.ts';
import { childNamed, descendant, type MoNode } from '../../mo/node.ts';
import { isWithin, samePath, type TreePath } from '../../mo/treePath.ts';
import { may } from '../access/rights.ts';
import { type MoAddress, ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { readFromClient } from './read.ts';

/** A part of the virtual tree that an object fills. */
interface Part {
  readonly mapping: MountMapping;
  /** Where it starts in the virtual tree. */
  readonly legacy: TreePath;
  /** The 2.0 subtree that is read for it; it may hold more than the part. */
  readonly path: readonly string[];
}

/**
 * What has to be known of the objects for the subtree at `path` of the tree that a legacy server sees of
 * a 2.0 device (IW-INV-4): every object hangs at its place, joined objects also where their parts belong
 * (IW-ADDR-3), and the nodes above them exist by that alone.
 */
function partsAt(s: Session, path: TreePath): readonly Part[] {
  const owner = ownerOf(s, path);
  return s.mounts.flatMap((mount): Part[] => {
    const mapping = s.context.mappings.forMount(mount);
    const own = owner?.mapping === mapping ? owner.path : undefined;
    const below = mount.root.length > path.length && isWithin(path, mount.root);
    const holders = (mapping.holders?.(path) ?? []).filter(
      (holder) => own !== undefined || !samePath(mapping.legacy(holder), path),
    );
    const paths = below ? [[], ...holders] : own !== undefined ? [own, ...holders] : holders;
    return paths.map((holder, i) => {
      const legacy =
        i === 0 && own !== undefined ? path : holder.length === 0 ? mount.root : mapping.legacy(holder);
      // One read serves all parts that lie in it.
      return { mapping, legacy, path: paths.find((other) => isWithin(other, holder))! };
    });
  });
}

export type TreeRead =
  | { readonly ok: true; readonly node: MoNode }
  | { readonly ok: false; readonly sc: number };

/** A subtree of the virtual tree to read. */
export interface TreeWish {
  readonly path: TreePath;
  /** The node and the names of its children will do. */
  readonly names?: boolean;
}

/**
 * Subtrees of the virtual tree in legacy terms, one per wish; all that they need is read in one batch, once.
 * Where names will do, an object further down is there by being listed.
 */
export function* readTree(
  s: Session,
  device: Dm2Device,
  wanted: readonly TreeWish[],
): Script<readonly TreeRead[]> {
  const plans = wanted.map(({ path, names }) =>
    partsAt(s, path).map((part) => {
      const { root } = part.mapping.mount;
      return { ...part, listed: names === true && root.length > path.length && samePath(root, part.legacy) };
    }),
  );
  const requests = new Map<string, MoAddress>();
  for (const { mapping, path, listed } of plans.flat())
    if (!listed && may(s, 'read', mapping.mount)) requests.set(keyOf(mapping, path), { mapping, path });
  const keys = [...requests.keys()];
  const results = yield* readFromClient(
    s,
    device,
    [...requests.values()].map((address) => ({ address })),
  );
  const resultOf = new Map(keys.map((key, i) => [key, results[i]!]));
  return plans.map((parts, i): TreeRead => {
    const { path } = wanted[i]!;
    const found: { legacy: TreePath; node: MoNode }[] = [];
    let failed: number | undefined;
    for (const part of parts) {
      if (part.listed) {
        const { legacy } = part;
        const node: MoNode = { name: legacy.at(-1)!, format: 'node', children: [] };
        if (may(s, 'read', part.mapping.mount)) found.push({ legacy, node });
        continue;
      }
      const result = resultOf.get(keyOf(part.mapping, part.path)) ?? FORBIDDEN;
      if (result.ok) {
        const node = inLegacyTerms(part, result.node);
        if (node) found.push({ legacy: part.legacy, node });
      } else if (samePath(part.legacy, path)) failed = result.sc;
    }
    if (found.length === 0) return { ok: false, sc: failed ?? 404 };
    return { ok: true, node: compose(path, found) };
  });
}

/** The server may not read that instance (20§10.3): it is refused, and left out of lists. */
const FORBIDDEN = Object.freeze({ ok: false, sc: 403 });

function keyOf(mapping: MountMapping, path: readonly string[]): string {
  return [...mapping.mount.root, '', ...path].join('\0');
}

/** A part under its legacy names, out of the 2.0 subtree that was read for it. */
function inLegacyTerms({ mapping, path, legacy }: Part, node: MoNode): MoNode | undefined {
  const written = mapping.toLegacy(path, node);
  const holder = written.find((part) => isWithin(part.legacy, legacy));
  return holder && descendant(holder.node, legacy.slice(holder.legacy.length));
}

/** Hangs the parts below `path`, with the interior nodes between. */
function compose(path: TreePath, parts: readonly { legacy: TreePath; node: MoNode }[]): MoNode {
  let root: MoNode = { name: path.at(-1) ?? '.', format: 'node', children: [] };
  for (const { legacy, node } of parts) root = graft(root, legacy.slice(path.length), node);
  return root;
}

function graft(into: MoNode, path: TreePath, node: MoNode): MoNode {
  const [name, ...rest] = path;
  if (name === undefined) {
    if (node.children === undefined) return node;
    return { ...node, children: merge(node.children, into.children ?? []) };
  }
  const child = childNamed(into, name) ?? { name, format: 'node', children: [] };
  const next = graft(child, rest, node);
  return { ...into, children: [...(into.children ?? []).filter((each) => each.name !== name), next] };
}

function merge(a: readonly MoNode[], b: readonly MoNode[]): readonly MoNode[] {
  return [...a, ...b.filter((node) => !a.some((each) => each.name === node.name))];
}

/** An object that a new instance may be created of at this place, and the name it would bear. */
export function creationAt(
  s: Session,
  path: TreePath,
): { moid: string; name: string; below: TreePath } | undefined {
  const [first, moid, name, ...below] = path;
  if (first === 'MO' && moid !== undefined && name !== undefined) return { moid, name, below };
  for (const pattern of s.context.mappings.rootPatterns()) {
    const { length } = pattern.path;
    if (pattern.path.at(-1) !== '<x>' || path.length < length) continue;
    if (pattern.path.every((segment, i) => segment === '<x>' || segment === path[i])) {
      return { moid: pattern.moid, name: path[length - 1]!, below: path.slice(length) };
    }
  }
  return undefined;
}
