import { ACL_COMMANDS, type Acl, type AclCommand, isServerId } from '../../dm1/acl/acl.ts';
import { type AclChain, permits, type Wish } from '../../dm1/acl/rights.ts';
import { samePath, type TreePath } from '../../mo/treePath.ts';
import type { Right } from '../access/model.ts';
import { isRestricted, rightsOn } from '../access/rights.ts';
import type { Session } from '../session.ts';

/**
 * The ACL of a node of the virtual tree as the gateway's policy has it (IW-RD-2): the root gives the
 * session's server every right, objects that only the gateway shows can be read, an instance tells the
 * rights of a server that is held to some (20§10.3); all else inherits.
 */
export function aclOf(s: Session, path: TreePath): Acl | undefined {
  const { serverId } = s.context.backend;
  const ids = [isServerId(serverId) ? serverId : '*'];
  if (path.length === 0) return new Map(ACL_COMMANDS.map((command) => [command, ids]));
  const mount = s.mounts.find(({ root }) => samePath(root, path));
  if (mount && s.isSynthesised(mount)) return new Map([['Get', ids]]);
  if (!mount || !isRestricted(s)) return undefined;
  const rights = rightsOn(s, mount);
  const granted = ACL_COMMANDS.filter((command) => rights.has(NEEDS[command]));
  return new Map(granted.map((command) => [command, ids]));
}

/** The right on an instance that stands behind each command of an ACL (20§10.3). */
const NEEDS: Readonly<Record<AclCommand, Right>> = {
  Add: 'write',
  Delete: 'write',
  Exec: 'execute',
  Get: 'read',
  Replace: 'write',
};

/** Whether that policy lets the session's server do this with a node (1x§7.6); if not, the Status is 425. */
export function isPermitted(s: Session, path: TreePath, wish: Wish, kind: 'interior' | 'leaf'): boolean {
  const chain: AclChain = [...path, ''].map((_, depth) => aclOf(s, path.slice(0, depth)));
  return permits(chain, s.context.backend.serverId, wish, kind);
}
