import { type ClientUri, formatClientUri, namedPath, parseClientUri } from '../../dm2/clientUri.ts';
import { type NodeAnswer, type NodeQuery, resolve } from '../../dm2/resolve.ts';
import { miidFor } from '../../mo/inventory.ts';
import type { Mount } from '../../mo/mapping.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Right } from '../access/model.ts';
import { isVisible, may, mayCreate } from '../access/rights.ts';
import { instancesOf, type MoAddress } from '../addresses.ts';
import { addressFits } from '../limits.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { LegacyDevice } from './device.ts';
import { discover } from './inventory.ts';
import { readObjects } from './objects.ts';

export type Resolved =
  | { readonly ok: true; readonly uri: ClientUri; readonly targets: readonly MoAddress[] }
  | { readonly ok: false; readonly sc: number };

/**
 * The nodes that a ClientURI names on a legacy device (IW-ADDR-1, IW-ADDR-2): wildcards, variables and
 * the empty MIID are resolved here, reading no more nodes than it must. 400 when malformed, 404 when it
 * names nothing or several where one is needed, 414 when the device cannot take so long an address.
 */
export function* resolveOnDevice(
  s: Session,
  device: LegacyDevice,
  text: string,
  right: Right,
): Script<Resolved> {
  const uri = parseClientUri(text);
  if ('error' in uri) {
    yield* s.note('IW-ADDR-1', uri.detail);
    return { ok: false, sc: 400 };
  }
  const resolution = yield* search(s, device, uri, right);
  if (resolution.ok && resolution.targets.some((at) => !fits(s, at))) {
    yield* s.note('IW-ADDR-5', `${text} is longer than the device's limits in DevDetail/URI allow.`);
    return { ok: false, sc: 414 };
  }
  return resolution;
}

function fits(s: Session, { mapping, path }: MoAddress): boolean {
  return s.isSynthesised(mapping.mount) || addressFits(s, mapping.legacy(path));
}

function* search(s: Session, device: LegacyDevice, uri: ClientUri, right: Right): Script<Resolved> {
  const first = yield* attempt(s, device, uri, right);
  if (first.ok || first.sc !== 404 || instancesOf(s, uri.moid).length > 0 || device.ended) return first;
  if (s.hasSearched(uri.moid)) return first;
  yield* discover(s, device, uri.moid);
  return instancesOf(s, uri.moid).length > 0 ? yield* attempt(s, device, uri, right) : first;
}

function* attempt(s: Session, device: LegacyDevice, uri: ClientUri, right: Right): Script<Resolved> {
  const all = instancesOf(s, uri.moid);
  const shown = shownFor(s, uri, right);
  if (all.length > 0 && shown.length === 0) return yield* forbidden(s, uri, right);
  const mounts = new Map(shown.map((mount) => [mount.miid, mount]));
  const steps = resolve(uri, [...mounts.keys()], { nodes: s.context.limits.nodes });
  try {
    let step = steps.next();
    while (!step.done) step = steps.next(yield* answer(s, device, mounts, step.value));
    const resolution = step.value;
    if (resolution.kind !== 'resolved') return { ok: false, sc: 404 };
    const { nodes } = s.context.limits;
    if (resolution.targets.length > nodes) {
      throw new DragomanError('too-large', `The address names more than ${nodes} nodes.`);
    }
    const targets = resolution.targets.map((target) => addressOf(s, mounts, target));
    const allowed = targets.every(({ mapping }) => may(s, right, mapping.mount));
    return allowed ? { ok: true, uri, targets } : yield* forbidden(s, uri, right);
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-ADDR-2', error.detail);
    return { ok: false, sc: error.row.dm2 };
  }
}

/**
 * The instances that an address can mean: those on which the backend has any right. A wildcard means those
 * that it may treat so, and conditions can only be asked of what it may read.
 */
function shownFor(s: Session, { moid, instance, nv }: ClientUri, right: Right): readonly Mount[] {
  return instancesOf(s, moid).filter(
    (mount) =>
      (isVisible(s, mount) || (instance.kind === 'named' && instance.name === mount.miid)) &&
      (instance.kind !== 'any' || may(s, right, mount)) &&
      (nv.length === 0 || may(s, 'read', mount)),
  );
}

function* forbidden(s: Session, uri: ClientUri, right: Right): Script<Resolved> {
  yield* s.note('20§10.3', `${s.actor} has no right to ${right} ${formatClientUri(uri)}.`);
  return { ok: false, sc: 403 };
}

function addressOf(
  s: Session,
  mounts: ReadonlyMap<string, Mount>,
  target: { readonly miid: string; readonly path: readonly string[] },
): MoAddress {
  return { mapping: s.context.mappings.forMount(mounts.get(target.miid)!), path: target.path };
}

function* answer(
  s: Session,
  device: LegacyDevice,
  mounts: ReadonlyMap<string, Mount>,
  queries: readonly NodeQuery[],
): Script<readonly NodeAnswer[]> {
  const results = yield* readObjects(
    s,
    device,
    // A node itself is enough: a leaf's value stands in it, and the names of an interior node's children.
    queries.map((query) => ({
      address: addressOf(s, mounts, query),
      ...(query.want === 'children' ? { levels: 1, names: true } : { levels: 0 }),
    })),
  );
  return results.map((result) => {
    // Too many nodes to look at are not the same as none.
    if (!result.ok && result.code === 413) {
      throw new DragomanError('too-large', 'The address leads through a node that has too much below it.');
    }
    if (!result.ok) return { exists: false };
    const { children, value } = result.node;
    return {
      exists: true,
      ...(children && { children: children.map((child) => child.name) }),
      ...(typeof value === 'string' && { value }),
    };
  });
}

/** Where an HGET puts an object. */
export interface Place {
  readonly ok: true;
  readonly address: MoAddress;
  /** MOID as the peer wrote it (IW-ADDR-4). */
  readonly moid: string;
  /** Nothing stands there yet. */
  readonly fresh: boolean;
}

/**
 * The one node that an HGET writes (IW-HGET-1). `create`: the command left the place to the device, so
 * an object that is not there, or an address without MIID of an object that may have many, becomes a
 * new instance below the pack's parent; its name is that of the address, of the document, or the next free.
 */
export function* placeFor(
  s: Session,
  device: LegacyDevice,
  text: string,
  documentName: string,
  create: boolean,
): Script<Place | { readonly ok: false; readonly sc: number }> {
  const uri = parseClientUri(text);
  const parent = 'error' in uri ? undefined : s.context.mappings.creationParent(uri.moid);
  const wantsNew = create && parent !== undefined && !('error' in uri) && uri.instance.kind === 'empty';
  if (!wantsNew) {
    const resolved = yield* resolveOnDevice(s, device, text, 'write');
    if (resolved.ok) {
      const [address, ...others] = resolved.targets;
      if (address && others.length === 0) return { ok: true, address, moid: resolved.uri.moid, fresh: false };
      yield* s.note('IW-HGET-1', `${text} names ${resolved.targets.length} nodes; a document goes to one.`);
      return { ok: false, sc: 404 };
    }
    if (resolved.sc !== 404 || parent === undefined) return resolved;
  }
  if ('error' in uri || parent === undefined || namedPath(uri)?.length !== 0) return { ok: false, sc: 404 };
  if (uri.instance.kind !== 'named' && uri.instance.kind !== 'empty') return { ok: false, sc: 404 };
  if (!mayCreate(s, uri.moid)) {
    yield* s.note('20§10.3', `${s.actor} has no right to create an instance of ${uri.moid}.`);
    return { ok: false, sc: 403 };
  }
  const wish = uri.instance.kind === 'named' ? uri.instance.name : newName(s, uri.moid, documentName);
  const root = [...parent, wish];
  const mount: Mount = {
    moid: s.context.mappings.canonical(uri.moid),
    miid: miidFor(
      root,
      s.everMounted.filter((known) => s.context.mappings.sameObject(known.moid, uri.moid)),
    ),
    root,
  };
  if (!addressFits(s, root)) return { ok: false, sc: 414 };
  return {
    ok: true,
    address: { mapping: s.context.mappings.forMount(mount), path: [] },
    moid: uri.moid,
    fresh: true,
  };
}

/** The document's own root name where no instance bears it, else the object's name with the next free number. */
function newName(s: Session, moid: string, documentName: string): string {
  const taken = new Set(instancesOf(s, moid).map((mount) => mount.root.at(-1)));
  const base = documentName.replace(/[^\w.-]/g, '') || 'instance';
  if (!taken.has(base)) return base;
  for (let n = 2; ; n++) if (!taken.has(`${base}${n}`)) return `${base}${n}`;
}
