import { type AclCommand, parseAcl } from '../../dm1/acl/acl.ts';
import type { Mount } from '../../mo/mapping.ts';
import { DragomanError } from '../../support/errors.ts';
import { matchesGlob } from '../../support/glob.ts';
import { instancesOf } from '../addresses.ts';
import type { Delegation } from '../kept.ts';
import type { Session } from '../session.ts';
import { type AccessRule, RIGHTS, type Right } from './model.ts';

const ALL: ReadonlySet<Right> = new Set(RIGHTS);
const NONE: ReadonlySet<Right> = new Set();

/** Entries that a device may have: one for each instance that somebody created or that has an ACL. */
const MOST_DELEGATIONS = 10_000;

/** A backend without `access` has every right, as a server has on a client without this control (20§10.3). */
export function isRestricted(s: Session, backend: string = s.actor): boolean {
  return s.context.access !== undefined && Object.hasOwn(s.context.access, backend);
}

/**
 * What a backend may do with an instance: its creator everything, alone unless it delegated; with others'
 * what the first rule says, as far as the device's own ACL agrees.
 */
export function rightsOn(s: Session, mount: Mount, backend: string = s.actor): ReadonlySet<Right> {
  if (!isRestricted(s, backend)) return ALL;
  const { rules, serverIds } = s.context.access![backend]!;
  const { owner, rights, acl } = delegationOf(s, mount) ?? {};
  if (owner === backend) return ALL;
  if (rights && Object.hasOwn(rights, backend)) return new Set(rights[backend]);
  if (owner !== undefined) return NONE;
  const granted = ruled(s, rules, mount.moid, mount.miid);
  if (acl === undefined) return granted;
  const agreed = rightsByAcl(acl, serverIds);
  return new Set([...granted].filter((right) => agreed.has(right)));
}

export function may(s: Session, right: Right, mount: Mount): boolean {
  return s.isSynthesised(mount) || rightsOn(s, mount).has(right);
}

/** Whether the instance is shown at all: some right on it is needed for that (20§2.4). */
export function isVisible(s: Session, mount: Mount): boolean {
  return s.isSynthesised(mount) || rightsOn(s, mount).size > 0;
}

/** Whether the backend may make new instances: nobody has any right on those yet. */
export function mayCreate(s: Session, moid: string): boolean {
  if (!isRestricted(s)) return true;
  return ruled(s, s.context.access![s.actor]!.rules, moid, '').has('write');
}

/** Whether every instance of an object allows it; of one without instances, whether one may be created. */
export function mayOnAll(s: Session, right: Right, moid: string, miid?: string): boolean {
  const instances = instancesOf(s, moid).filter((mount) => miid === undefined || mount.miid === miid);
  if (instances.length > 0) return instances.every((mount) => may(s, right, mount));
  return !isRestricted(s) || ruled(s, s.context.access![s.actor]!.rules, moid, miid ?? '').has(right);
}

/** Who creates an instance has sole rights on it (20§10.3). */
export function own(s: Session, mount: Mount): void {
  if (s.context.access === undefined || s.kept('delegations').size >= MOST_DELEGATIONS) return;
  s.keep('delegations', s.instanceKey(mount), { owner: s.actor });
}

export function delegationOf(s: Session, mount: Mount): Delegation | undefined {
  return s.kept('delegations').get(s.instanceKey(mount));
}

export function delegate(s: Session, mount: Mount, change: Partial<Delegation>): void {
  s.keep('delegations', s.instanceKey(mount), { ...delegationOf(s, mount), ...change });
}

function ruled(s: Session, rules: readonly AccessRule[], moid: string, miid: string): ReadonlySet<Right> {
  const id = s.context.mappings.canonical(moid);
  const rule = rules.find((each) => matchesGlob(each.moid, id) && matchesGlob(each.miid, miid));
  return rule ? new Set(rule.rights) : NONE;
}

/** What an ACL has to grant for a right. */
const COMMANDS_OF: Readonly<Record<Right, readonly AclCommand[]>> = {
  read: ['Get'],
  write: ['Add', 'Replace', 'Delete'],
  execute: ['Exec'],
  delegate: ['Replace'],
};

/** The ACL of an instance's root in these terms: who may change it may also give rights away (1x§7.6). */
function rightsByAcl(text: string, serverIds: readonly string[]): ReadonlySet<Right> {
  try {
    const acl = parseAcl(text);
    if (acl === undefined) return ALL;
    const granted = (...commands: readonly AclCommand[]) =>
      commands.some((command) => acl.get(command)?.some((id) => id === '*' || serverIds.includes(id)));
    return new Set(RIGHTS.filter((right) => granted(...COMMANDS_OF[right])));
  } catch (error) {
    if (error instanceof DragomanError) return NONE;
    throw error;
  }
}
