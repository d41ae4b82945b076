import { childNamed, type MoNode } from '../../mo/node.ts';
import { isWithin, samePath, type TreePath } from '../../mo/treePath.ts';
import { type MoAddress, ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { readFromClient } from './read.ts';

/** A part of the virtual tree that an object fills: where it starts and what it holds in 2.0 terms. */
interface Part {
  readonly address: MoAddress;
  readonly legacy: TreePath;
}

/**
 * The tree that a legacy server sees of a 2.0 device (IW-INV-4): every object hangs at its place, joined
 * objects also where their parts belong (IW-ADDR-3), and the nodes above them exist by that alone.
 */
export function partsAt(s: Session, path: TreePath): readonly Part[] {
  const owner = ownerOf(s, path);
  const parts: Part[] = owner ? [{ address: owner, legacy: path }] : [];
  for (const mount of s.mounts) {
    const mapping = s.context.mappings.forMount(mount);
    for (const source of mapping.sources([])) {
      if (source.legacy.length <= path.length || !isWithin(path, source.legacy)) continue;
      // What lies below the owner's own root comes with it.
      if (owner?.mapping === mapping && isWithin(owner.path, source.path)) continue;
      parts.push({ address: { mapping, path: source.path }, legacy: source.legacy });
    }
  }
  return parts;
}

export type TreeRead =
  | { readonly ok: true; readonly node: MoNode }
  | { readonly ok: false; readonly sc: number };

/**
 * Subtrees of the virtual tree in legacy terms, one per path, read in one batch. `names`: only the
 * node itself and the names of its children are wanted.
 */
export function* readTree(
  s: Session,
  device: Dm2Device,
  wanted: readonly { readonly path: TreePath; readonly names: boolean }[],
): Script<readonly TreeRead[]> {
  const plans = wanted.map(({ path, names }) => {
    const parts = partsAt(s, path);
    // For names alone, what hangs below need not be read: that it hangs there is enough.
    return names
      ? parts.map((part) => ({ part, read: samePath(part.legacy, path) }))
      : parts.map((part) => ({ part, read: true }));
  });
  const reads = plans.flat().filter(({ read }) => read);
  const results = yield* readFromClient(
    s,
    device,
    reads.map(({ part }) => ({ address: part.address })),
  );
  let at = 0;
  return plans.map((plan, i): TreeRead => {
    const { path } = wanted[i]!;
    const found: { legacy: TreePath; node: MoNode }[] = [];
    let failed: number | undefined;
    for (const { part, read } of plan) {
      if (!read) {
        found.push({
          legacy: part.legacy,
          node: { name: part.legacy.at(-1)!, format: 'node', children: [] },
        });
        continue;
      }
      const result = results[at++]!;
      if (result.ok) {
        const node = inLegacyTerms(part.address, result.node, part.legacy);
        if (node) found.push({ legacy: part.legacy, node });
      } else if (samePath(part.legacy, path)) failed = result.sc;
    }
    if (found.length === 0) return { ok: false, sc: failed ?? 404 };
    return { ok: true, node: compose(path, found) };
  });
}

/** A 2.0 subtree under its legacy names; of a joined object, the part that stands at `legacy`. */
export function inLegacyTerms(address: MoAddress, node: MoNode, legacy: TreePath): MoNode | undefined {
  return address.mapping.toLegacy(address.path, node).find((part) => samePath(part.legacy, legacy))?.node;
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
