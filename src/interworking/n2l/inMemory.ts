import { type MoNode, walk } from '../../mo/node.ts';
import { isStored } from '../../mo/stored.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';

/** Most bytes of stored values that are read for one TNDS: it is written as a whole. */
const MOST = 4 * 1024 * 1024;

/** The subtree with its stored values read; `undefined` where they are too many bytes. */
export function* inMemory(s: Session, node: MoNode): Script<MoNode | undefined> {
  let bytes = 0;
  for (const { node: each } of walk(node)) if (isStored(each.value)) bytes += each.value.bytes;
  if (bytes <= MOST) return yield* loaded(s, node);
  yield* s.note('IW-RD-2', `The subtree has ${bytes} bytes in large values; a TNDS may have ${MOST}.`);
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
