import { type KeptBack, keepBack } from '../../dm1/keepBack.ts';
import type { Item, ItemCommand, SyncMLMessage } from '../../dm1/message.ts';
import type { Mount } from '../../mo/mapping.ts';
import { parseTreePath, type TreePath } from '../../mo/treePath.ts';
import type { Right } from '../access/model.ts';
import { isRestricted, may } from '../access/rights.ts';
import { ownerOf } from '../addresses.ts';
import type { Session } from '../session.ts';

/**
 * The server's message without what its `access` does not allow on this device (20§10.3). Objects are known
 * by where the session or a pack has them; what is in none of them is the device's own matter.
 */
export function withinRights(
  s: Session,
  message: SyncMLMessage,
): {
  readonly message: SyncMLMessage;
  readonly kept: readonly KeptBack[];
  readonly notes: readonly string[];
} {
  if (!isRestricted(s)) return { message, kept: [], notes: [] };
  const notes = new Set<string>();
  const checked = keepBack(message, ({ kind, items }) => {
    const wrong = items.find((item) => !isAllowed(s, kind, item));
    if (wrong) notes.add(`${s.actor} has no right to ${kind} ${wrong.target?.uri}.`);
    return wrong === undefined;
  });
  return { ...checked, notes: [...notes] };
}

const RIGHT: Readonly<Record<ItemCommand['kind'], Right>> = {
  Add: 'write',
  Replace: 'write',
  Delete: 'write',
  Copy: 'write',
  Exec: 'execute',
  Get: 'read',
};

function isAllowed(s: Session, kind: ItemCommand['kind'], { target, source }: Item): boolean {
  if (kind === 'Copy' && !mayAt(s, 'read', source?.uri, true)) return false;
  // The names of what is below a node tell nothing of it; a list of a subtree may.
  const deep = kind !== 'Exec' && (kind !== 'Get' || /[?&]list=/i.test(target?.uri ?? ''));
  return mayAt(s, RIGHT[kind], target?.uri, deep);
}

/** Whether the right is had on the object that holds the address, or, if `deep`, on every one below it. */
function mayAt(s: Session, right: Right, uri: string | undefined, deep: boolean): boolean {
  // What says no place is left to the device to refuse.
  if (uri === undefined) return true;
  const path = parseTreePath(uri.replace(/\?.*$/s, ''));
  // No address to us, but a device may be less strict, and climb to any place.
  if (!path) return false;
  const known = ownerOf(s, path)?.mapping.mount;
  if (known) return may(s, right, known);
  const patterns = s.context.mappings.rootPatterns();
  const holds = patterns.filter(
    (pattern) => pattern.path.length <= path.length && agrees(pattern.path, path),
  );
  if (holds.length > 0) return holds.every((pattern) => may(s, right, instance(pattern, path)));
  if (!deep) return true;
  const below = s.mounts.filter(({ root }) => root.length > path.length && agrees(path, root));
  const possible = patterns.filter(
    (pattern) => pattern.path.length > path.length && agrees(pattern.path, path),
  );
  return (
    below.every((mount) => may(s, right, mount)) &&
    possible.every(({ moid, path: root }) => may(s, right, { moid, miid: '', root }))
  );
}

/** Whether both go the same way as far as the shorter one goes; `<x>` is any name. */
function agrees(a: TreePath, b: TreePath): boolean {
  return a.every((name, i) => i >= b.length || name === b[i] || /^<.*>$/.test(name));
}

function instance({ moid, path }: { readonly moid: string; readonly path: TreePath }, at: TreePath): Mount {
  const root = at.slice(0, path.length);
  return { moid, miid: root.at(-1) ?? '', root };
}
