import type { Command, GroupCommand, Item } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import type { Dm2Command } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import { decodeSegment, isWithin, type TreePath } from '../../mo/treePath.ts';
import { clientUri, type MoAddress, ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { skipped } from './interaction.ts';
import { type Dm2Read, readFromClient } from './read.ts';
import { offerDocument } from './store.ts';
import { addressOf } from './targets.ts';

/** Children that an Atomic may have (1x§3.2); an alert of the user interface cannot be taken back, but may stand in one. */
const ALLOWED: ReadonlySet<Command['kind']> = new Set(['Add', 'Replace', 'Delete', 'Copy', 'Alert']);

/** What stood at a place before the Atomic. */
interface Before {
  readonly legacy: TreePath;
  readonly address: MoAddress;
  readonly node: MoNode | undefined;
}

/**
 * Atomic of a legacy server on a client that has none (IW-WR-4): what will change is read first, the
 * children are executed one by one, and on a failure what stood there before is put back. The failing
 * child keeps its code, executed ones get 216 (516 when they could not be put back), the rest 215, the
 * Atomic 507. A Get or a group inside: that child 500, nothing executed.
 */
export function* runAtomic(
  s: Session,
  device: Dm2Device,
  atomic: GroupCommand,
  execute: (command: Command) => Script<ServerCommandAnswer>,
): Script<ServerCommandAnswer> {
  const children = atomic.commands;
  const forbidden = children.findIndex(({ kind }) => !ALLOWED.has(kind));
  if (forbidden >= 0) {
    yield* s.note(
      'IW-WR-4',
      `${children[forbidden]!.kind} may not stand in an Atomic; nothing of it was executed.`,
    );
    const answers = children.map(skipped);
    return {
      code: 507,
      children: answers.map((answer, i) => (i === forbidden ? { ...answer, code: 500 } : answer)),
    };
  }
  const before = yield* snapshot(s, device, children);
  const mounted = s.mounts;
  const answers: ServerCommandAnswer[] = [];
  for (const child of children) {
    const answer = yield* execute(child);
    answers.push(answer);
    if (answer.code >= 300 || answer.code === 214) break;
  }
  const failed = answers.at(-1);
  if (!failed || (answers.length === children.length && failed.code < 300 && failed.code !== 214)) {
    return { code: 200, children: answers };
  }
  const created = s.mounts.filter((mount) => !mounted.includes(mount));
  const restored = yield* putBack(s, device, before, created);
  const executed = answers.length - 1;
  return {
    code: 507,
    children: children.map((_, i) =>
      i === executed ? failed : { code: i > executed ? 215 : restored ? 216 : 516 },
    ),
  };
}

/** Reads every place that the children change; of nested places the outermost is enough. */
function* snapshot(s: Session, device: Dm2Device, children: readonly Command[]): Script<readonly Before[]> {
  const places = new Map<string, { legacy: TreePath; address: MoAddress }>();
  for (const child of children) {
    if (!('items' in child) || child.kind === 'Alert') continue;
    for (const path of child.items.flatMap(changedBy)) {
      const address = ownerOf(s, path);
      if (address) places.set(path.join('\0'), { legacy: path, address });
    }
  }
  const all = [...places.values()];
  const outermost = all.filter(
    ({ legacy }) => !all.some((other) => other.legacy !== legacy && isWithin(other.legacy, legacy)),
  );
  const reads = yield* readFromClient(
    s,
    device,
    outermost.map(({ address }) => ({ address })),
  );
  return outermost.map((place, i) => ({ ...place, node: nodeOf(reads[i]!) }));
}

/** The places that an Item changes; a new name (`?prop=Name`) changes that of the old and of the new one. */
function changedBy(item: Item): TreePath[] {
  const at = addressOf(item);
  if (!at) return [];
  const name = at.query === 'prop=Name' && typeof item.data === 'string' ? item.data.trim() : undefined;
  return name === undefined ? [at.path] : [at.path, [...at.path.slice(0, -1), decodeSegment(name) ?? name]];
}

function nodeOf(read: Dm2Read): MoNode | undefined {
  return read.ok ? read.node : undefined;
}

/** Writes back what was there and deletes what was not; true when the client confirmed all of it. */
function* putBack(
  s: Session,
  device: Dm2Device,
  before: readonly Before[],
  created: readonly Mount[],
): Script<boolean> {
  const now = yield* readFromClient(
    s,
    device,
    before.map(({ address }) => ({ address })),
  );
  const commands: Dm2Command[] = [];
  for (const [i, { address, node }] of before.entries()) {
    const is = nodeOf(now[i]!);
    if (!node && !is) continue;
    if (node) commands.push(yield* offerDocument(s, device, address, node));
    else commands.push({ verb: 'DELETE', clientUri: clientUri(address.mapping.mount, address.path) });
  }
  for (const mount of created) commands.push({ verb: 'DELETE', clientUri: clientUri(mount, []) });
  const items = yield* device.run(commands);
  s.unmount(created.filter((_, i) => items.at(i - created.length)!.sc < 300));
  const lost = items.filter(({ sc }) => sc !== 200 && sc !== 404).length;
  yield* s.note(
    'IW-WR-4',
    lost === 0
      ? 'A child of an Atomic failed; what it changed was put back.'
      : `${lost} place(s) could not be put back.`,
  );
  return lost === 0;
}
