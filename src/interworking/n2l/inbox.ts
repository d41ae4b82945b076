import type { TndsNode } from '../../dm1/tnds/node.ts';
import { formatTreePath, isWithin, samePath, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Session } from '../session.ts';

/** A subtree of a TNDS document and its place in the virtual tree. */
export interface Subtree {
  readonly path: TreePath;
  readonly node: TndsNode;
}

const INBOX = 'urn:oma:mo:oma-dm-inbox:1.0';

/** Where a legacy server drops objects of any kind; nothing can be read there (1x§11.2). */
export function inboxPath(s: Session): TreePath {
  return s.context.mappings.virtualRoot(INBOX, '');
}

export function isInInbox(s: Session, path: TreePath): boolean {
  return isWithin(inboxPath(s), path);
}

/**
 * Moves objects out of the Inbox to where their MOID belongs, under their own name or the next free one;
 * values that begin with an address in the Inbox follow (1x§11.2).
 *
 * @throws DragomanError `bad-value` for a tree without MOID: nothing says where it belongs
 */
export function placeFromInbox(s: Session, inbox: TreePath, placed: readonly Subtree[]): readonly Subtree[] {
  const taken = s.mounts.map(({ root }) => root);
  const moves = placed
    .flatMap((subtree) => objectsIn(inbox, subtree))
    .map(({ path, node }) => {
      const to = freePlace(s, node, path.length > inbox.length ? path.at(-1)! : '', taken);
      taken.push(to);
      return { from: path, to, node };
    });
  const references = moves
    .filter(({ from }) => from.length > inbox.length)
    .map(({ from, to }) => ({ from: formatTreePath(from), to: formatTreePath(to) }));
  return moves.map(({ to, node }) => ({
    path: to,
    node: { ...follow(node, references), name: to.at(-1) ?? node.name },
  }));
}

/** The objects of a subtree; the Inbox itself may stand above them. */
function objectsIn(inbox: TreePath, { path, node }: Subtree): readonly Subtree[] {
  if (samePath(path, inbox) && (node.type === undefined || node.type === INBOX)) {
    return (node.children ?? []).flatMap((child) =>
      objectsIn(inbox, { path: [...path, child.name], node: child }),
    );
  }
  if (node.type !== undefined && node.children !== undefined) return [{ path, node }];
  throw new DragomanError(
    'bad-value',
    `${formatTreePath(path)} has no MOID in Type/DDFName, so nothing says where it belongs.`,
  );
}

/** The place of an instance of that name, or of the name with a number. */
function freePlace(s: Session, node: TndsNode, name: string, taken: readonly TreePath[]): TreePath {
  const { mappings } = s.context;
  const moid = mappings.canonical(node.type!);
  for (let n = 1; ; n++) {
    const wish = n === 1 && name !== '' ? name : `${name}${n}`;
    const place = mappings.virtualRoot(moid, wish);
    // An object that exists once has one place, taken or not.
    if (!taken.some((root) => samePath(root, place)) || !place.includes(wish)) return place;
  }
}

function follow(node: TndsNode, references: readonly { from: string; to: string }[]): TndsNode {
  if (node.children) return { ...node, children: node.children.map((child) => follow(child, references)) };
  const { value } = node;
  if (typeof value !== 'string') return node;
  const moved = references.find(({ from }) => value === from || value.startsWith(`${from}/`));
  return moved ? { ...node, value: moved.to + value.slice(moved.from.length) } : node;
}
