import type { Item, ItemCommand } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import { parseTreePath } from '../../mo/treePath.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import { writeLeaf } from '../values.ts';
import type { Dm2Device } from './device.ts';
import { isInInbox } from './inbox.ts';
import { addressOf } from './targets.ts';
import { readTree } from './virtualTree.ts';
import { runWrites } from './writes.ts';

/** Copy is a read of its source and a write of its target, leaf to leaf (IW-WR-3, 1x§3.2). */
export function* runCopy(s: Session, device: Dm2Device, command: ItemCommand): Script<ServerCommandAnswer> {
  const items: { uri: string; code: number }[] = [];
  for (const item of command.items) {
    items.push({ uri: item.target?.uri ?? '', code: yield* copyItem(s, device, item) });
  }
  if (items.length === 0) return { code: 400 };
  return { code: items.find(({ code }) => code !== 200)?.code ?? 200, items };
}

function* copyItem(s: Session, device: Dm2Device, item: Item): Script<number> {
  const to = addressOf(item);
  const from = item.source && parseTreePath(item.source.uri);
  if (!to || !from) return 404;
  if (to.query !== undefined || isInInbox(s, from)) return 405;
  const [source, target] = yield* readTree(s, device, [{ path: from }, { path: to.path }]);
  if (!source!.ok) return statusToDm1(source!.sc);
  const { node } = source!;
  if (node.children !== undefined || (target!.ok && target!.node.children !== undefined)) return 405;
  const leaf = writeLeaf(s.context.backend.encoding, node.value ?? '', node.format, node.type);
  const written: Item = { target: { uri: to.uri }, ...leaf };
  const kind = target!.ok ? 'Replace' : 'Add';
  const [answer] = yield* runWrites(s, device, [{ kind, cmdId: '0', items: [written] }]);
  return answer!.code;
}
