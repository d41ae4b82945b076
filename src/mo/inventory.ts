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
  return newMiid(
    root,
    others.map((mount) => mount.root),
    new Set(others.map((mount) => mount.miid)),
  );
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
  const objects: { moid: string; roots: TreePath[]; taken: Set<string> }[] = [];
  const objectOf = (moid: string) => {
    let object = objects.find((o) => sameObject(o.moid, moid));
    if (object === undefined) {
      object = { moid, roots: [], taken: new Set() };
      objects.push(object);
    }
    return object;
  };
  for (const { moid, miid, root } of known) {
    const object = objectOf(moid);
    object.taken.add(miid);
    object.roots.push(root);
  }
  for (const { moid, root } of fresh.values()) objectOf(moid).roots.push(root);
  for (const { moid, root, ddf } of fresh.values()) {
    const { roots, taken } = objectOf(moid);
    const miid = newMiid(
      root,
      roots.filter((other) => !samePath(other, root)),
      taken,
    );
    taken.add(miid);
    mounts.push({ moid, miid, root, ...(ddf !== undefined && { ddf }) });
  }
  return mounts;
}

function newMiid(root: TreePath, others: readonly TreePath[], taken: ReadonlySet<string>): string {
  for (let n = 1; n <= root.length; n += 1) {
    const tail = root.slice(-n);
    const shared = others.some((other) => samePath(other.slice(-n), tail));
    const name = tail.join('-');
    if (!shared && !taken.has(name)) return name;
  }
  // Only joined names that look alike get here: ./a-b/c and ./a/b-c.
  const name = root.length === 0 ? 'root' : root.join('-');
  for (let n = 1; ; n += 1) {
    const numbered = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(numbered)) return numbered;
  }
}

function keyOf(root: TreePath): string {
  return JSON.stringify(root);
}
