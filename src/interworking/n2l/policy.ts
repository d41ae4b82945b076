import { ACL_COMMANDS, type Acl, isServerId } from '../../dm1/acl/acl.ts';
import { type AclChain, permits, type Wish } from '../../dm1/acl/rights.ts';
import { samePath, type TreePath } from '../../mo/treePath.ts';
import type { Session } from '../session.ts';

/**
 * The ACL of a node of the virtual tree as the gateway's policy has it (IW-RD-2): the root gives the
 * session's server every right, objects that only the gateway shows can be read; all else inherits.
 */
export function aclOf(s: Session, path: TreePath): Acl | undefined {
  const { serverId } = s.context.backend;
  const ids = [isServerId(serverId) ? serverId : '*'];
  if (path.length === 0) return new Map(ACL_COMMANDS.map((command) => [command, ids]));
  const shown = s.mounts.some((mount) => samePath(mount.root, path) && s.isSynthesised(mount));
  return shown ? new Map([['Get', ids]]) : undefined;
}

/** Whether that policy lets the session's server do this with a node (1x§7.6); if not, the Status is 425. */
export function isPermitted(s: Session, path: TreePath, wish: Wish, kind: 'interior' | 'leaf'): boolean {
  const chain: AclChain = [...path, ''].map((_, depth) => aclOf(s, path.slice(0, depth)));
  return permits(chain, s.context.backend.serverId, wish, kind);
}
