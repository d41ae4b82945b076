import { clientUriOf, namedPath, parseClientUri } from '../dm2/clientUri.ts';
import type { Mount, MountMapping } from '../mo/mapping.ts';
import { formatTreePath, parseTreePath, type TreePath } from '../mo/treePath.ts';
import type { Session } from './session.ts';

/** A node of a management object, named independently of either protocol. */
export interface MoAddress {
  readonly mapping: MountMapping;
  /** Below the MO root, in DM 2.0 names. */
  readonly path: readonly string[];
}

/** The instances of an object that the device has, under whatever alias (IW-ADDR-4). */
export function instancesOf(s: Session, moid: string): readonly Mount[] {
  return s.mounts.filter((mount) => s.context.mappings.sameObject(mount.moid, moid));
}

/** The object that owns a legacy node; the deepest root wins where objects nest. */
export function ownerOf(s: Session, legacy: TreePath): MoAddress | undefined {
  let best: MoAddress | undefined;
  for (const mount of s.mounts) {
    const mapping = s.context.mappings.forMount(mount);
    const path = mapping.fromLegacy(legacy);
    if (path === undefined) continue;
    if (!best || mount.root.length > best.mapping.mount.root.length) best = { mapping, path };
  }
  return best;
}

/**
 * ClientURI of a node by names alone; an instance of unknown MIID is named by the empty one. `moid` is
 * the id that the peer used (IW-ADDR-4).
 */
export function clientUri(mount: Mount, path: readonly string[], moid = mount.moid): string {
  return clientUriOf(moid, mount.miid === '' ? undefined : mount.miid, path);
}

/** ClientURI of a legacy address, or `undefined` when no object of the device holds it. */
export function toClientUri(s: Session, legacyUri: string): string | undefined {
  const path = parseTreePath(legacyUri);
  const owner = path && ownerOf(s, path);
  return owner && clientUri(owner.mapping.mount, owner.path);
}

/** Legacy address of a node of a 2.0 device's virtual tree, or of a legacy device's real one. */
export function toLegacyUri(address: MoAddress): string {
  return formatTreePath(address.mapping.legacy(address.path));
}

/** Legacy address of a ClientURI that names one node plainly, or `undefined`. */
export function plainLegacyUri(s: Session, text: string): string | undefined {
  const uri = parseClientUri(text);
  if ('error' in uri) return undefined;
  const path = namedPath(uri);
  const instances = instancesOf(s, uri.moid);
  const { instance } = uri;
  const mount =
    instance.kind === 'named'
      ? instances.find(({ miid }) => miid === instance.name)
      : instance.kind === 'empty' && instances.length === 1
        ? instances[0]
        : undefined;
  return mount && path && toLegacyUri({ mapping: s.context.mappings.forMount(mount), path });
}
