import { DEFAULT_LIMITS } from '../dm1/codec/limits.ts';
import type { Item, Meta } from '../dm1/message.ts';
import type { TndsDocument } from '../dm1/tnds/node.ts';
import { readTnds } from '../dm1/tnds/read.ts';
import { decodeBase64 } from '../mo/lexical.ts';
import { MOST_TEXT } from '../mo/stored.ts';
import type { TreePath } from '../mo/treePath.ts';
import { DragomanError } from '../support/errors.ts';
import type { Script } from './script.ts';
import type { Session } from './session.ts';

/** Elements that one Node with all its properties takes. */
const ELEMENTS_OF_NODE = 16;

/**
 * Reads the TNDS document that an Item holds, in either encoding, also one that came as a large object;
 * `target` is the node that the command names (1x§11.2).
 *
 * @throws DragomanError as `readTnds` does
 */
export function* readTreeDocument(
  s: Session,
  item: Item,
  meta: Meta | undefined,
  target: TreePath,
): Script<TndsDocument> {
  const { objectBytes, nodes } = s.context.limits;
  const bytes = Math.min(objectBytes, MOST_TEXT);
  const limits = { ...DEFAULT_LIMITS, bytes, elements: nodes * ELEMENTS_OF_NODE };
  const { stored } = item;
  if (!stored) return readTnds(documentOf(item, meta), { target, limits });
  if (stored.bytes > bytes) {
    throw new DragomanError('too-large', `The tree has ${stored.bytes} bytes; the limit is ${bytes}.`);
  }
  const { body } = yield* s.perform({ kind: 'object.load', stored });
  return readTnds(body, { target, limits });
}

/** XML text, or bytes of either encoding; in an XML message these are base64. */
function documentOf({ data = '' }: Item, meta: Meta | undefined): string | Uint8Array {
  if (typeof data !== 'string' || !/^\s*(?:b64|bin)\s*$/i.test(meta?.format ?? '')) return data;
  return data.trimStart().startsWith('<') ? data : (decodeBase64(data) ?? data);
}
