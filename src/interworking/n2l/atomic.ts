import type { Command, GroupCommand, Item } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import type { Dm2Command } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import { decodeSegment, formatTreePath, isWithin, type TreePath } from '../../mo/treePath.ts';
import { clientUri, type MoAddress, ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
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
  /** The client's `sc` where it would not tell. */
  readonly unread?: number;
  /** The first child that changes it. */
  readonly child: number;
}

/**
 * Atomic of a legacy server on a client that has none (IW-WR-4): what will change is read first, the
 * children are executed one by one, and on a failure what stood there before is put back. The failing
 * child keeps its code, executed ones get 216 (516 when they could not be put back), the rest 215, the
 * Atomic 507. A Get or a group inside: that child 500, nothing executed; nor where a place cannot be read, for
 * what is not known cannot be put back.
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
    return untouched(children, forbidden, 500);
  }
  const before = yield* snapshot(s, device, children);
  const unknown = before.find(({ unread }) => unread !== undefined);
  if (unknown) {
    yield* s.note(
      'IW-WR-4',
      `${formatTreePath(unknown.legacy)} could not be read; nothing of the Atomic was executed.`,
    );
    return untouched(children, unknown.child, statusToDm1(unknown.unread!));
  }
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
  const lost = yield* putBack(s, device, before, created);
  const executed = answers.length - 1;
  const isLost = (child: Command): boolean =>
    changedPlaces(child).some((path) => lost.some((each) => isWithin(each, path) || isWithin(path, each)));
  return {
    code: 507,
    children: children.map((child, i) =>
      i === executed ? failed : { code: i > executed ? 215 : isLost(child) ? 516 : 216 },
    ),
  };
}

/** One child is to blame, and none was executed. */
function untouched(children: readonly Command[], blamed: number, code: number): ServerCommandAnswer {
  const answers = children.map(skipped);
  return { code: 507, children: answers.map((answer, i) => (i === blamed ? { ...answer, code } : answer)) };
}

/** Reads every place that the children change; of nested places the outermost is enough. */
function* snapshot(s: Session, device: Dm2Device, children: readonly Command[]): Script<readonly Before[]> {
  const places = new Map<string, { legacy: TreePath; address: MoAddress; child: number }>();
  for (const [child, command] of children.entries()) {
    for (const path of changedPlaces(command)) {
      const address = ownerOf(s, path);
      const key = path.join('\0');
      if (address && !places.has(key)) places.set(key, { legacy: path, address, child });
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
  return outermost.map((place, i) => {
    const read = reads[i]!;
    return { ...place, node: nodeOf(read), ...(!read.ok && read.sc !== 404 && { unread: read.sc }) };
  });
}

function changedPlaces(command: Command): readonly TreePath[] {
  return 'items' in command && command.kind !== 'Alert' ? command.items.flatMap(changedBy) : [];
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

/** Writes back what was there and deletes what was not; returns the places that the client did not confirm. */
function* putBack(
  s: Session,
  device: Dm2Device,
  before: readonly Before[],
  created: readonly Mount[],
): Script<readonly TreePath[]> {
  const now = yield* readFromClient(
    s,
    device,
    before.map(({ address }) => ({ address })),
  );
  const undo: { legacy: TreePath; command: Dm2Command }[] = [];
  for (const [i, { legacy, address, node }] of before.entries()) {
    const { mapping, path } = address;
    if (node) undo.push({ legacy, command: yield* offerDocument(s, device, address, node) });
    else if (isThere(now[i]!)) undo.push({ legacy, command: deletion(mapping.mount, path) });
  }
  for (const mount of created) undo.push({ legacy: mount.root, command: deletion(mount, []) });
  const items = yield* device.run(undo.map(({ command }) => command));
  s.unmount(created.filter((_, i) => items.at(i - created.length)!.sc < 300));
  const lost = undo
    .filter((_, i) => items[i]!.sc !== 200 && items[i]!.sc !== 404)
    .map(({ legacy }) => legacy);
  yield* s.note(
    'IW-WR-4',
    lost.length === 0
      ? 'A child of an Atomic failed; what it changed was put back.'
      : `Not put back: ${lost.map(formatTreePath).join(', ')}.`,
  );
  return lost;
}

/** Where the client does not tell, it may be. */
function isThere(read: Dm2Read): boolean {
  return read.ok || read.sc !== 404;
}

function deletion(mount: Mount, path: readonly string[]): Dm2Command {
  return { verb: 'DELETE', clientUri: clientUri(mount, path) };
}
