import type { Item } from '../../dm1/message.ts';
import { parseTreePath, type TreePath } from '../../mo/treePath.ts';
import type { Right } from '../access/model.ts';
import { may } from '../access/rights.ts';
import { type MoAddress, ownerOf } from '../addresses.ts';
import type { Session } from '../session.ts';
import { isInInbox } from './inbox.ts';

/** An Item's address: the node and the query behind it (`prop=Name`, `list=Struct`). */
export interface ItemAddress {
  /** As the server wrote it; Results and Statuses name it so. */
  readonly uri: string;
  readonly path: TreePath;
  readonly query?: string;
}

export function addressOf(item: Item): ItemAddress | undefined {
  const uri = item.target?.uri.trim();
  if (uri === undefined || uri === '') return undefined;
  const at = uri.indexOf('?');
  const path = parseTreePath(at < 0 ? uri : uri.slice(0, at));
  if (!path) return undefined;
  return { uri, path, ...(at >= 0 && { query: uri.slice(at + 1) }) };
}

/** The object node that a command acts on; 405 for the Inbox and for a node that only holds objects, 404 for none, 425 without the right. */
export function actsOn(s: Session, path: TreePath, right: Right): MoAddress | 404 | 405 | 425 {
  // It can only be added to (1x§11.2).
  if (isInInbox(s, path)) return 405;
  const owner = ownerOf(s, path);
  if (owner && s.isSynthesised(owner.mapping.mount)) return 405;
  if (owner) return may(s, right, owner.mapping.mount) ? owner : 425;
  const above = s.mounts.some(
    (mount) => mount.root.length > path.length && path.every((name, i) => name === mount.root[i]),
  );
  return above ? 405 : 404;
}
