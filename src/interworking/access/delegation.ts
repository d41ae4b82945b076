import { createHash } from 'node:crypto';
import { parseClientUri } from '../../dm2/clientUri.ts';
import type { MoItem } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import type { MoAddress } from '../addresses.ts';
import type { Session } from '../session.ts';
import { RIGHTS, type Right } from './model.ts';
import { delegate, delegationOf, isRestricted, isVisible, rightsOn } from './rights.ts';

/** The object that shows rights. The standard's node list is not published; docs/operations.md has ours. */
const DELEGATION = 'urn:x-dragoman:mo:delegation:1.0';

const MOUNT: Mount = Object.freeze({
  moid: DELEGATION,
  miid: 'delegation',
  // No legacy tree has such a place: the object is the gateway's.
  root: ['urn:x-dragoman', 'delegation'],
});

/** Shows the delegation object to a backend that is held to rights; others have all of them anyway. */
export function showDelegation(s: Session): void {
  if (isRestricted(s)) s.synthesise([...s.mounts.filter((mount) => s.isSynthesised(mount)), MOUNT]);
}

export function isDelegation({ mapping }: Pick<MoAddress, 'mapping'>): boolean {
  return mapping.mount.moid === DELEGATION;
}

/** Whether an address means the delegation object, where it is shown. */
export function namesDelegation(s: Session, text: string): boolean {
  const uri = parseClientUri(text);
  return !('error' in uri) && uri.moid === DELEGATION && s.mounts.includes(MOUNT);
}

/** What a 2.0 client does not list itself. */
export function delegationItem(s: Session): MoItem[] {
  return s.mounts.includes(MOUNT) ? [{ MOID: MOUNT.moid, MIID: [MOUNT.miid] }] : [];
}

/** A node of the delegation object: what the backend has rights on, and what others have, if it may delegate. */
export function delegationNode(s: Session, path: readonly string[]): MoNode | undefined {
  const instances = s.mounts.filter((mount) => !s.isSynthesised(mount) && isVisible(s, mount));
  const children = instances.map((mount) => instanceNode(s, mount));
  const root = interior('Delegation', [interior('Instance', children)]);
  return descendant(root, path);
}

function instanceNode(s: Session, mount: Mount): MoNode {
  const { owner } = delegationOf(s, mount) ?? {};
  const everybody = rightsOn(s, mount).has('delegate') ? Object.keys(s.context.access ?? {}) : [];
  const told = everybody.includes(s.actor) ? everybody : [s.actor, ...everybody];
  const rights = told.flatMap((backend) => {
    const has = rightsOn(s, mount, backend);
    return has.size > 0 ? [leaf(backend, RIGHTS.filter((right) => has.has(right)).join(' '))] : [];
  });
  return interior(nameOf(s, mount), [
    leaf('MOID', mount.moid),
    leaf('MIID', mount.miid),
    ...(owner === undefined ? [] : [leaf('Owner', owner)]),
    interior('Rights', rights),
  ]);
}

/**
 * Gives a backend exactly these rights on an instance, or takes back what was given (`undefined`): the `sc`
 * of the command. 403 without the right to delegate, 404 for an unknown instance or backend, 405 for any
 * node but `Instance/<x>/Rights/<backend>`, 415 for words that are no rights.
 */
export function changeDelegation(s: Session, path: readonly string[], text: string | undefined): number {
  const [kind, name, branch, backend, ...below] = path;
  if (kind !== 'Instance' || branch !== 'Rights' || backend === undefined || below.length > 0) return 405;
  const mount = s.mounts.find(
    (each) => !s.isSynthesised(each) && isVisible(s, each) && nameOf(s, each) === name,
  );
  if (!mount || !isRestricted(s, backend)) return 404;
  if (!rightsOn(s, mount).has('delegate')) return 403;
  const { [backend]: before, ...others } = delegationOf(s, mount)?.rights ?? {};
  if (text === undefined) {
    if (before === undefined) return 404;
    delegate(s, mount, { rights: others });
    return 200;
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (!words.every((word): word is Right => (RIGHTS as readonly string[]).includes(word))) return 415;
  delegate(s, mount, { rights: { ...others, [backend]: words as Right[] } });
  return 200;
}

/** Stays the same while the instance keeps its MIID. */
function nameOf(s: Session, mount: Mount): string {
  return createHash('sha256').update(s.instanceKey(mount)).digest('hex').slice(0, 12);
}

function interior(name: string, children: readonly MoNode[]): MoNode {
  return { name, format: 'node', children };
}

function leaf(name: string, value: string): MoNode {
  return { name, format: 'chr', value };
}
