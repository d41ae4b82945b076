import { type Acl, formatAcl, MAX_ACL, parseAcl } from '../../dm1/acl/acl.ts';
import { effectiveAcl } from '../../dm1/acl/rights.ts';
import type { CommandAnswer } from '../../dm1/session/server.ts';
import { formatTreePath, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { delegate, delegationOf, isRestricted } from '../access/rights.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { readLeaf } from '../values.ts';
import type { LegacyDevice } from './device.ts';
import { get } from './readRequest.ts';

/** Device capability: it tells ACLs. */
const TELLS_ACL = 'propAcl';

/** Longest ACL that is kept with an instance. */
const LONGEST = 1024;

/**
 * Reads the ACLs in force at the roots of instances that are new to the session's backend, in one batch
 * (20§10.3, 1x§7.6): rights are then no more than the device's own. The ACL of the whole tree is passed over,
 * as it says nothing of one instance. Nothing is asked where the backend is not held to rights, or where
 * the device tells no ACL.
 */
export function* readAcls(s: Session, device: LegacyDevice): Script<void> {
  if (!isRestricted(s) || s.capability(TELLS_ACL) === false) return;
  const unknown = s.mounts.filter((mount) => delegationOf(s, mount)?.acl === undefined);
  const owned = unknown.filter((mount) => delegationOf(s, mount)?.owner === undefined);
  if (owned.length === 0) return;
  const places = new Map<string, TreePath>();
  for (const { root } of owned) {
    for (let n = 1; n <= root.length; n++) places.set(formatTreePath(root.slice(0, n)), root.slice(0, n));
  }
  const uris = [...places.keys()];
  const answers = yield* device.run(uris.map((uri) => get(`${uri}?prop=ACL`)));
  const acls = new Map<string, Acl | undefined>();
  for (const [i, uri] of uris.entries()) acls.set(uri, aclOf(answers[i]!));
  const told = answers.some(({ code }) => succeeded(code));
  if (!told && answers.every(({ answered }) => answered)) s.learn(TELLS_ACL, false);
  if (!told) return;
  for (const mount of owned) {
    const chain = mount.root.map((_, n) => acls.get(formatTreePath(mount.root.slice(0, n + 1))));
    const text = chain.some((acl) => acl !== undefined) ? formatAcl(effectiveAcl(chain)) : '';
    if (text.length <= LONGEST) delegate(s, mount, { acl: text });
    else yield* s.note('20§10.3', `The ACL of ${formatTreePath(mount.root)} is too long to be kept.`);
  }
}

function aclOf(answer: CommandAnswer): Acl | undefined {
  const item = succeeded(answer.code) ? answer.results[0] : undefined;
  const value = item && readLeaf(item).value;
  if (typeof value !== 'string' || value.length > MAX_ACL) return undefined;
  try {
    return parseAcl(value);
  } catch (error) {
    if (error instanceof DragomanError) return undefined;
    throw error;
  }
}
