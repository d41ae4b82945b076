import { DEFAULT_LIMITS } from '../../dm1/codec/limits.ts';
import type { Item, Meta } from '../../dm1/message.ts';
import type { TndsNode } from '../../dm1/tnds/node.ts';
import { readTnds } from '../../dm1/tnds/read.ts';
import { decodeBase64 } from '../../mo/lexical.ts';
import { walk } from '../../mo/node.ts';
import { isWithin, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Session } from '../session.ts';
import { inboxPath, placeFromInbox, type Subtree } from './inbox.ts';

export type Unfolded =
  | {
      readonly ok: true;
      /** Nearly always one; of several none holds another. */
      readonly subtrees: readonly Subtree[];
      /** Properties that a 2.0 object cannot carry. */
      readonly lost: readonly string[];
    }
  | { readonly ok: false; readonly code: number; readonly detail: string };

/** The subtrees of a TNDS Item whose target is `target` (IW-WR-2, 1x§11.2), taken out of the Inbox where it came there. */
export function unfold(s: Session, target: TreePath, item: Item, meta: Meta): Unfolded {
  const { limits } = s.context;
  try {
    const document = readTnds(documentOf(item, meta), {
      target,
      limits: { ...DEFAULT_LIMITS, bytes: limits.objectBytes, elements: limits.nodes * ELEMENTS_OF_NODE },
    });
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

/** Elements that one Node with all its properties takes. */
const ELEMENTS_OF_NODE = 16;

/** XML text, or bytes of either encoding; in an XML message these are base64. */
function documentOf({ data = '' }: Item, meta: Meta): string | Uint8Array {
  if (typeof data !== 'string' || !/^\s*(?:b64|bin)\s*$/i.test(meta.format ?? '')) return data;
  return data.trimStart().startsWith('<') ? data : (decodeBase64(data) ?? data);
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
