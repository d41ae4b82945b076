import type { Item } from '../../dm1/message.ts';
import { decodeSegment, samePath, type TreePath } from '../../mo/treePath.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import type { Dm2Device } from './device.ts';
import { readFromClient } from './read.ts';
import { type EditSlot, storeObjects } from './store.ts';
import { actsOn, type ItemAddress } from './targets.ts';
import { creationAt } from './virtualTree.ts';

/**
 * Replace of `?prop=Name` (IW-WR-2): the subtree is read, written under its new name and deleted under the
 * old one. Permanent nodes 405, a sibling of that name 418, what is no name 400.
 */
export function* runRename(s: Session, device: Dm2Device, item: Item, at: ItemAddress): Script<number> {
  const from = actsOn(s, at.path, 'write');
  if (typeof from === 'number') return from;
  const name = nodeName(item.data);
  if (name === undefined) {
    yield* s.note('IW-WR-2', `${at.uri}: the new name is none; it is one segment of an address, not empty.`);
    return 400;
  }
  const to = [...at.path.slice(0, -1), name];
  const { mapping, path } = from;
  const definition = mapping.definition(path);
  if (at.path.length === 0 || definition?.permanent || definition?.occurs === 'One') return 405;
  const target = placeOf(s, from, to);
  if (target === undefined) return 405;
  const [read] = yield* readFromClient(s, device, [{ address: from }]);
  if (!read!.ok) return statusToDm1(read!.sc);
  if (samePath(to, at.path)) return 200;

  const slot: EditSlot = { uri: at.uri, code: 0 };
  const edit = { kind: 'Add', path: target.path, tree: read!.node } as const;
  yield* storeObjects(s, device, [{ ...target, edits: [{ edit, slot }] }]);
  if (slot.code !== 200) return slot.code;
  const [deleted] = yield* device.run([{ verb: 'DELETE', clientUri: clientUri(mapping.mount, path) }]);
  if (deleted!.sc === 200 || deleted!.sc === 404) {
    if (path.length === 0) s.unmount([mapping.mount]);
    return 200;
  }
  yield* takeBack(s, device, to);
  return statusToDm1(deleted!.sc);
}

function nodeName(data: Item['data']): string | undefined {
  const text = typeof data === 'string' ? data.trim() : '';
  // As in an address, a name may hold an escaped slash.
  const name = text.includes('/') ? undefined : decodeSegment(text);
  return name === undefined || name === '' || name === '.' || name === '..' ? undefined : name;
}

interface Target {
  readonly mapping: MoAddress['mapping'];
  readonly root: TreePath;
  readonly creating: boolean;
  readonly path: readonly string[];
}

/** Where the node stands under its new name; a root becomes a new instance, which the client names (IW-INV-4). */
function placeOf(s: Session, { mapping, path }: MoAddress, to: TreePath): Target | undefined {
  const { root, moid } = mapping.mount;
  if (path.length > 0) {
    const renamed = mapping.fromLegacy(to);
    return renamed && { mapping, root, creating: false, path: renamed };
  }
  const standing = s.mounts.find((mount) => samePath(mount.root, to));
  if (standing)
    return { mapping: s.context.mappings.forMount(standing), root: to, creating: false, path: [] };
  const created = creationAt(s, to);
  if (!created || !s.context.mappings.sameObject(created.moid, moid)) return undefined;
  const mount = { moid: s.context.mappings.canonical(moid), miid: '', root: to };
  return { mapping: s.context.mappings.forMount(mount), root: to, creating: true, path: [] };
}

/** The old node could not be deleted, so the new one goes again. */
function* takeBack(s: Session, device: Dm2Device, to: TreePath): Script<void> {
  const made = actsOn(s, to, 'write');
  if (typeof made === 'number') return;
  const { mount } = made.mapping;
  const [item] = yield* device.run([{ verb: 'DELETE', clientUri: clientUri(mount, made.path) }]);
  const gone = item!.sc === 200 || item!.sc === 404;
  if (gone && made.path.length === 0) s.unmount([mount]);
  yield* s.note(
    'IW-WR-2',
    gone
      ? 'The client refuses to delete the node under its old name; its copy under the new name is gone again.'
      : 'The client refuses to delete the node under either name, so it stands twice.',
  );
}
