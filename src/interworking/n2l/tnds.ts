import type { Item, Meta } from '../../dm1/message.ts';
import type { TndsNode } from '../../dm1/tnds/node.ts';
import { isTnds } from '../../dm1/tnds/read.ts';
import { parseFormat } from '../../mo/format.ts';
import { walk } from '../../mo/node.ts';
import { isWithin, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { readTreeDocument } from '../treeDocument.ts';
import { inboxPath, isInInbox, placeFromInbox, type Subtree } from './inbox.ts';

export type Unfolded =
  | {
      readonly ok: true;
      /** Nearly always one; of several none holds another. */
      readonly subtrees: readonly Subtree[];
      /** Properties that a 2.0 object cannot carry. */
      readonly lost: readonly string[];
    }
  | { readonly ok: false; readonly code: number; readonly detail: string };

const MGMT_TREE = /^\s*(?:<\?xml[^>]*\?>\s*)?<(?:[\w-]+:)?MgmtTree\s[^>]*["']syncml:dmddf/;

/**
 * Whether an Item brings a TNDS: its Type says so, or it has no Type and a Format of `xml`, or stands in the
 * Inbox, where nothing else can be, and what it holds is one.
 */
export function isTree(s: Session, target: TreePath, { data }: Item, { type, format }: Meta): boolean {
  if (type !== undefined) return isTnds(type);
  const open = parseFormat(format) === 'xml' || isInInbox(s, target);
  return open && typeof data === 'string' && MGMT_TREE.test(data);
}

/** The subtrees of a TNDS Item whose target is `target` (IW-WR-2, 1x§11.2), taken out of the Inbox where it came there. */
export function* unfold(s: Session, target: TreePath, item: Item, meta: Meta): Script<Unfolded> {
  try {
    const document = yield* readTreeDocument(s, item, meta, target);
    const placed = document.nodes.map(({ below, node }): Subtree => {
      const path = below === 'target' ? target : [...target, ...below, node.name];
      return { path, node };
    });
    const inbox = inboxPath(s);
    return {
      ok: true,
      subtrees: isWithin(inbox, target) ? placeFromInbox(s, inbox, placed) : placed,
      lost: lostOf(placed),
    };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    return { ok: false, code: error.row.dm1, detail: error.detail };
  }
}

function lostOf(subtrees: readonly Subtree[]): string[] {
  const lost = new Set<string>();
  for (const { node: top } of subtrees) {
    for (const { node } of walk(top)) {
      const { acl, title, tstamp, verNo } = node as TndsNode;
      if (acl) lost.add('ACL');
      if (title) lost.add('Title');
      if (tstamp) lost.add('TStamp');
      if (verNo) lost.add('VerNo');
    }
  }
  return [...lost];
}
