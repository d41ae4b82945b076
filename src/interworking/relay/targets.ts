import { type ClientUri, namedPath, parseClientUri } from '../../dm2/clientUri.ts';
import { type NodeQuery, type NodeTarget, resolve } from '../../dm2/resolve.ts';
import type { Mount } from '../../mo/mapping.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import { isDelegation } from '../access/delegation.ts';
import { instancesOf, type MoAddress } from '../addresses.ts';
import type { Dm2Device } from '../n2l/device.ts';
import { readFromClient } from '../n2l/read.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';

export type Targets =
  | { readonly ok: true; readonly uri: ClientUri; readonly targets: readonly MoAddress[] }
  | { readonly ok: false; readonly sc: number };

/** Whether an address needs more of a client than finding a node by its names (IW-ADDR-2). */
export function needsResolving({ instance, path, nv }: ClientUri): boolean {
  return nv.length > 0 || [instance, ...path].some(({ kind }) => kind === 'any' || kind === 'variable');
}

/**
 * The nodes that a ClientURI names on a client that cannot tell itself (IW-ADDR-2). The instances in
 * question are read whole, each once at most and all in one package.
 */
export function* resolveOnClient(s: Session, device: Dm2Device, text: string): Script<Targets> {
  const uri = parseClientUri(text);
  if ('error' in uri) return { ok: false, sc: 400 };
  const mounts = mountsFor(s, uri);
  const known = new Map<string, MoNode | undefined>();
  try {
    const steps = resolve(uri, [...mounts.keys()], { nodes: s.context.limits.nodes });
    let step = steps.next();
    while (!step.done) {
      const queries = step.value;
      yield* readInstances(s, device, mounts, known, queries);
      step = steps.next(queries.map((query) => answerFrom(known.get(query.miid), query)));
    }
    if (step.value.kind !== 'resolved') return { ok: false, sc: 404 };
    const addressOf = ({ miid, path }: NodeTarget): MoAddress => ({
      mapping: s.context.mappings.forMount(mounts.get(miid)!),
      path,
    });
    return { ok: true, uri, targets: step.value.targets.map(addressOf) };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-ADDR-2', error.detail);
    return { ok: false, sc: error.row.dm2 };
  }
}

/** The client's instances of the object by MIID; one that it never listed is taken at its word. */
function mountsFor(s: Session, uri: ClientUri): ReadonlyMap<string, Mount> {
  const { moid, instance } = uri;
  const listed = instancesOf(s, moid).filter(
    (mount) => !s.isSynthesised(mount) || isDelegation({ mapping: s.context.mappings.forMount(mount) }),
  );
  const mounts = new Map(listed.map((mount) => [mount.miid, mount]));
  const miid = instance.kind === 'named' ? instance.name : '';
  const plain = instance.kind === 'named' || (instance.kind === 'empty' && mounts.size === 0);
  if (plain && !mounts.has(miid) && namedPath(uri)) {
    mounts.set(miid, { moid, miid, root: s.context.mappings.virtualRoot(moid, miid) });
  }
  return mounts;
}

function* readInstances(
  s: Session,
  device: Dm2Device,
  mounts: ReadonlyMap<string, Mount>,
  known: Map<string, MoNode | undefined>,
  queries: readonly NodeQuery[],
): Script<void> {
  const missing = [...new Set(queries.map(({ miid }) => miid))].filter((miid) => !known.has(miid));
  const reads = yield* readFromClient(
    s,
    device,
    missing.map((miid) => ({
      address: { mapping: s.context.mappings.forMount(mounts.get(miid)!), path: [] },
    })),
  );
  for (const [i, miid] of missing.entries()) {
    const read = reads[i]!;
    known.set(miid, read.ok ? read.node : undefined);
  }
}

function answerFrom(root: MoNode | undefined, { path }: NodeQuery) {
  const node = root && descendant(root, path);
  if (!node) return { exists: false };
  if (node.children) return { exists: true, children: node.children.map(({ name }) => name) };
  return typeof node.value === 'string' ? { exists: true, value: node.value } : { exists: true };
}
