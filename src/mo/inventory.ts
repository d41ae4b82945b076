import type { Mount } from './mapping.ts';
import { samePath, type TreePath } from './treePath.ts';

/** An instance that discovery found. */
export interface FoundRoot {
  readonly moid: string;
  readonly root: TreePath;
  readonly ddf?: string;
}

/**
 * The MIID of the instance at `root` (IW-INV-3): its node name where no other instance of the MOID has that
 * name, else parent and node joined by `-`, and further ancestors as long as another path has the result.
 * `others` are the other mounts of the same MOID, those included whose root is gone, as a MIID never moves
 * to another path. A mount of `others` with this very root keeps its MIID.
 */
export function miidFor(root: TreePath, others: readonly Mount[]): string {
  const own = others.find((mount) => samePath(mount.root, root));
  if (own) return own.miid;
  const names = newNames();
  for (const { root: other, miid } of others) {
    countTails(names, other);
    names.taken.add(miid);
  }
  countTails(names, root);
  return newMiid(root, names);
}

/**
 * The mounts of a device after discovery: the known ones unchanged, then the new ones in the order found.
 * An object found at a known root under another MOID takes the place of the known one.
 */
export function addMounts(
  known: readonly Mount[],
  found: readonly FoundRoot[],
  sameObject: (a: string, b: string) => boolean = (a, b) => a === b,
): Mount[] {
  const knownAt = new Map(known.map((mount) => [keyOf(mount.root), mount]));
  const fresh = new Map<string, FoundRoot>();
  for (const item of found) {
    const key = keyOf(item.root);
    const there = knownAt.get(key);
    if (there === undefined || !sameObject(there.moid, item.moid)) fresh.set(key, item);
  }
  const mounts = known.filter((mount) => !fresh.has(keyOf(mount.root)));
  // Names are taken by every known mount, replaced ones too; roots count all that were found together, so
  // that the result does not depend on the order of discovery.
  const objects: { readonly moid: string; readonly names: Names }[] = [];
  const byMoid = new Map<string, Names>();
  const namesOf = (moid: string): Names => {
    let names = byMoid.get(moid);
    if (names === undefined) {
      const object = objects.find((o) => sameObject(o.moid, moid)) ?? { moid, names: newNames() };
      if (object.moid === moid) objects.push(object);
      names = object.names;
      byMoid.set(moid, names);
    }
    return names;
  };
  for (const { moid, miid, root } of known) {
    namesOf(moid).taken.add(miid);
    countTails(namesOf(moid), root);
  }
  for (const { moid, root } of fresh.values()) countTails(namesOf(moid), root);
  for (const { moid, root, ddf } of fresh.values()) {
    const names = namesOf(moid);
    const miid = newMiid(root, names);
    names.taken.add(miid);
    mounts.push({ moid, miid, root, ...(ddf !== undefined && { ddf }) });
  }
  return mounts;
}

/** The instances of one MOID: their MIIDs, and how many root paths end in the same names. */
interface Names {
  readonly taken: Set<string>;
  readonly tails: Map<string, number>;
  readonly roots: Set<string>;
}

function newNames(): Names {
  return { taken: new Set(), tails: new Map(), roots: new Set() };
}

function countTails({ tails, roots }: Names, root: TreePath): void {
  if (roots.has(keyOf(root))) return;
  roots.add(keyOf(root));
  for (let n = 1; n <= Math.min(root.length, TAIL); n += 1) {
    const key = keyOf(root.slice(-n));
    tails.set(key, (tails.get(key) ?? 0) + 1);
  }
}

/** Longest tail tried; beyond it a number tells instances apart. */
const TAIL = 4;

function newMiid(root: TreePath, { taken, tails }: Names): string {
  for (let n = 1; n <= Math.min(root.length, TAIL); n += 1) {
    const tail = root.slice(-n);
    const name = tail.join('-');
    if (tails.get(keyOf(tail)) === 1 && !taken.has(name)) return name;
  }
  // Rare: ./a-b/c beside ./a/b-c, or paths that differ only far above.
  const name = root.length === 0 ? 'root' : root.slice(-TAIL).join('-');
  if (!taken.has(name)) return name;
  for (let n = 2; ; n += 1) if (!taken.has(`${name}-${n}`)) return `${name}-${n}`;
}

function keyOf(root: TreePath): string {
  return JSON.stringify(root);
}
