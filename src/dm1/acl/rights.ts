import type { Acl, AclCommand } from './acl.ts';

/**
 * The ACLs of a node and its ancestors, the root's first and the node's own last; `undefined` where a node
 * has none.
 */
export type AclChain = readonly (Acl | undefined)[];

/** What the root has where nobody says otherwise (1x§7.6). */
export const ROOT_ACL: Acl = new Map<AclCommand, readonly string[]>([
  ['Add', ['*']],
  ['Get', ['*']],
]);

const EVERYONE = '*';

/**
 * The ACL in force: the nearest one at or above the node, as a whole; nothing is inherited command by
 * command (1x§7.6).
 */
export function effectiveAcl(chain: AclChain): Acl {
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const acl = chain[i];
    if (acl !== undefined && acl.size > 0) return acl;
  }
  return ROOT_ACL;
}

/** Whether the last node of the chain grants `command` to the server; a denial is status 425. */
export function allows(chain: AclChain, serverId: string, command: AclCommand): boolean {
  const ids = effectiveAcl(chain).get(command);
  return ids?.some((id) => id === EVERYONE || id === serverId) ?? false;
}

/** What a server wants to do with an existing or a future node. */
export type Wish = AclCommand | 'Rename' | 'ChangeAcl';

/**
 * Whether the server may do that with the last node of the chain (1x§7.6): Add needs the right on the
 * parent, changing an ACL needs Replace on the parent or, for an interior node, on the node itself; all
 * else is asked of the node. The root is its own parent.
 */
export function permits(
  chain: AclChain,
  serverId: string,
  wish: Wish,
  kind: 'interior' | 'leaf' = 'leaf',
): boolean {
  const parent = chain.length > 1 ? chain.slice(0, -1) : chain;
  switch (wish) {
    case 'Add':
      return allows(parent, serverId, 'Add');
    case 'ChangeAcl':
      return (
        allows(parent, serverId, 'Replace') || (kind === 'interior' && allows(chain, serverId, 'Replace'))
      );
    case 'Rename':
      return allows(chain, serverId, 'Replace');
    case 'Delete':
    case 'Exec':
    case 'Get':
    case 'Replace':
      return allows(chain, serverId, wish);
  }
}
