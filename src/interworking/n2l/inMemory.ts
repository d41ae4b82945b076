import { type MoNode, walk } from '../../mo/node.ts';
import { isStored, MOST_TEXT } from '../../mo/stored.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';

/** The subtree with its stored values read, for a TNDS is written as a whole; `undefined` where they are too many bytes. */
export function* inMemory(s: Session, node: MoNode): Script<MoNode | undefined> {
  let bytes = 0;
  for (const { node: each } of walk(node)) if (isStored(each.value)) bytes += each.value.bytes;
  if (bytes <= MOST_TEXT) return yield* loaded(s, node);
  yield* s.note('IW-RD-2', `The subtree has ${bytes} bytes in large values; a TNDS may have ${MOST_TEXT}.`);
  return undefined;
}

function* loaded(s: Session, node: MoNode): Script<MoNode> {
  if (node.children) {
    const children: MoNode[] = [];
    for (const child of node.children) children.push(yield* loaded(s, child));
    return { ...node, children };
  }
  const { value } = node;
  if (!isStored(value)) return node;
  const { body } = yield* s.perform({ kind: 'object.load', stored: value });
  return { ...node, value: value.text ? Buffer.from(body).toString('base64') : body };
}
