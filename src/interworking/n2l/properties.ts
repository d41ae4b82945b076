import { formatAcl, parseAcl } from '../../dm1/acl/acl.ts';
import type { Item } from '../../dm1/message.ts';
import { type MoNode, mimeType } from '../../mo/node.ts';
import { base64Length, isStored } from '../../mo/stored.ts';
import { encodeSegment, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { aclOf, isPermitted } from './policy.ts';
import { runRename } from './rename.ts';
import type { ItemAddress } from './targets.ts';

/** Run-time properties that DM 2.0 does not have: asking for one is 406 (IW-RD-2). */
export const MISSING_PROPERTIES = ['Title', 'TStamp', 'VerNo'] as const;

/** Properties from what is known; `undefined` for those that are 406. */
export function readProperty(s: Session, name: string, node: MoNode, path: TreePath): string | undefined {
  switch (name) {
    case 'Format':
      return node.children ? 'node' : (node.format ?? 'chr');
    case 'Name':
      return path.length === 0 ? '.' : encodeSegment(path.at(-1)!);
    case 'Type':
      return node.children ? (moidAt(s, path) ?? '') : mimeType(node);
    case 'Size':
      return node.children ? undefined : String(sizeOf(node));
    case 'ACL':
      return formatAcl(aclOf(s, path));
    default:
      return undefined;
  }
}

/** MOID of the object whose root stands at `path` (IW-INV-4). */
export function moidAt(s: Session, path: TreePath): string | undefined {
  const owner = ownerOf(s, path);
  return owner?.path.length === 0 ? owner.mapping.mount.moid : undefined;
}

/** Unencoded bytes (1x§7.3). */
function sizeOf(node: MoNode): number {
  const value = node.value ?? '';
  if (isStored(value)) return value.text ? base64Length(value.bytes) : value.bytes;
  return typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length;
}

/**
 * Replace of a property (IW-WR-2): `?prop=Name` renames; an ACL is the gateway's policy and, like every
 * other property, cannot be set: 406. One that does not parse is 400, one that the policy forbids 425.
 */
export function* runPropertyReplace(
  s: Session,
  device: Dm2Device,
  item: Item,
  at: ItemAddress,
): Script<number> {
  if (at.query === 'prop=Name') return yield* runRename(s, device, item, at);
  if (at.query !== 'prop=ACL') return 406;
  try {
    parseAcl(typeof item.data === 'string' ? item.data : Buffer.from(item.data ?? '').toString('utf8'));
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-WR-2', `${at.uri}: ${error.detail}`);
    return error.row.dm1;
  }
  if (!isPermitted(s, at.path, 'ChangeAcl', 'interior')) return 425;
  yield* s.note('IW-WR-2', `${at.uri} was not set: DM 2.0 has no ACL, and the gateway's policy is its own.`);
  return 406;
}
