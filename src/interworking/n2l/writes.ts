import type { Item, ItemCommand, Meta } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import { writeTnds } from '../../dm1/tnds/write.ts';
import { parseFormat } from '../../mo/format.ts';
import { xmlIllegal } from '../../mo/lexical.ts';
import type { MountMapping } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import { formatTreePath, isWithin, samePath, type TreePath } from '../../mo/treePath.ts';
import { may, mayCreate } from '../access/rights.ts';
import { ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { inheritedMeta, readLeaf } from '../values.ts';
import { runAtomic } from './atomic.ts';
import type { Dm2Device } from './device.ts';
import type { Edit } from './edit.ts';
import { isInInbox, type Subtree } from './inbox.ts';
import { runPropertyReplace } from './properties.ts';
import { type EditSlot, type ObjectEdits, storeObjects } from './store.ts';
import { addressOf, type ItemAddress } from './targets.ts';
import { isTree, unfold } from './tnds.ts';
import { creationAt } from './virtualTree.ts';

type WriteCommand = ItemCommand & { readonly kind: 'Add' | 'Replace' };

/**
 * Consecutive Adds and Replaces of a legacy server (IW-WR-1): those under one MO instance join into one
 * HGET from the gateway's repository; each keeps its own Status.
 */
export function* runWrites(
  s: Session,
  device: Dm2Device,
  commands: readonly WriteCommand[],
): Script<ServerCommandAnswer[]> {
  const slots: EditSlot[][] = [];
  let objects: ObjectEdits[] = [];
  function* flush(): Script<void> {
    yield* storeObjects(s, device, objects);
    objects = [];
  }
  for (const command of commands) {
    const own: EditSlot[] = [];
    slots.push(own);
    for (const item of command.items) {
      const slot: EditSlot = { uri: item.target?.uri ?? '', code: 0 };
      own.push(slot);
      const planned = yield* plan(s, command, item);
      switch (planned.kind) {
        case 'refused':
          slot.code = planned.code;
          break;
        case 'property':
          // Whatever was written before has to be there when the node is read.
          yield* flush();
          slot.code = yield* runPropertyReplace(s, device, item, planned.at);
          break;
        case 'trees':
          yield* flush();
          slot.code = yield* storeTrees(s, device, command.kind, planned.subtrees);
          break;
        case 'edit': {
          const last = objects.at(-1);
          if (last && samePath(last.root, planned.root)) {
            last.edits.push({ edit: planned.edit, slot });
            break;
          }
          // The object was touched before another one: what it looks like now has to be read again.
          if (objects.some((each) => samePath(each.root, planned.root))) yield* flush();
          objects.push({ ...planned, edits: [{ edit: planned.edit, slot }] });
        }
      }
    }
  }
  yield* flush();
  return slots.map((own): ServerCommandAnswer => {
    if (own.length === 0) return { code: 400 };
    const failed = own.find(({ code }) => code !== 200);
    return { code: failed?.code ?? 200, items: own.map(({ uri, code }) => ({ uri, code })) };
  });
}

type Planned =
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'property'; readonly at: ItemAddress }
  /** Several subtrees of one TNDS Item: all are written or none. */
  | { readonly kind: 'trees'; readonly subtrees: readonly Subtree[] }
  | ({ readonly kind: 'edit'; readonly edit: Edit } & Spot);

/** Where an Item belongs and what it writes, or the Status of one that cannot be. */
function* plan(s: Session, command: WriteCommand, item: Item): Script<Planned> {
  const at = addressOf(item);
  if (!at) return refused(404);
  if (at.query !== undefined) return command.kind === 'Add' ? refused(405) : { kind: 'property', at };
  const meta = inheritedMeta(command.meta, item.meta);
  if (isTree(s, at.path, item, meta)) return yield* planTnds(s, command.kind, item, meta, at);
  if (isInInbox(s, at.path)) return refused(405);
  const spot = spotAt(s, command.kind, at.path);
  if (typeof spot === 'number') return refused(spot);
  const edit = editOf(command, item, spot, at.path);
  return typeof edit === 'number' ? refused(edit) : { kind: 'edit', ...spot, edit };
}

function refused(code: number): Planned {
  return { kind: 'refused', code };
}

/** TNDS is unfolded; it has one Status, and all of it is written or nothing (IW-WR-2, 1x§3.2). */
function* planTnds(
  s: Session,
  kind: WriteCommand['kind'],
  item: Item,
  meta: Meta,
  at: ItemAddress,
): Script<Planned> {
  // The Inbox can only be added to.
  if (kind === 'Replace' && isInInbox(s, at.path)) return refused(405);
  const unfolded = yield* unfold(s, at.path, item, meta);
  if (!unfolded.ok) {
    yield* s.note('IW-WR-2', `The tree for ${at.uri} was refused with ${unfolded.code}: ${unfolded.detail}`);
    return refused(unfolded.code);
  }
  const { subtrees, lost } = unfolded;
  if (lost.length > 0) {
    yield* s.note('IW-WR-2', `DM 2.0 has no ${lost.join(', ')}; the tree for ${at.uri} loses them.`);
  }
  const [only, ...others] = subtrees;
  if (!only) return refused(400);
  if (others.length > 0) return { kind: 'trees', subtrees };
  const spot = spotAt(s, kind, only.path);
  if (typeof spot === 'number') return refused(spot);
  const tree = treeInDm2(spot, only);
  return tree ? { kind: 'edit', ...spot, edit: { kind, path: spot.path, tree } } : refused(405);
}

/** A subtree under its 2.0 names. */
function treeInDm2({ mapping, path }: Spot, { path: legacy, node }: Subtree): MoNode | undefined {
  return mapping.toDm2(path, [{ source: { legacy, path }, node }]);
}

/** Each subtree on its own, and those before it put back when one fails. */
function* storeTrees(
  s: Session,
  device: Dm2Device,
  kind: WriteCommand['kind'],
  subtrees: readonly Subtree[],
): Script<number> {
  const meta = { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' };
  const commands = subtrees.map(
    ({ path, node }): WriteCommand => ({
      kind,
      cmdId: '0',
      items: [{ target: { uri: formatTreePath(path) }, meta, data: writeTnds(node) }],
    }),
  );
  const answer = yield* runAtomic(s, device, { kind: 'Atomic', cmdId: '0', commands }, function* (child) {
    const [done] = yield* runWrites(s, device, [child as WriteCommand]);
    return done!;
  });
  const failed = answer.children?.find(({ code }) => code !== 200 && code !== 215 && code !== 216);
  return failed?.code ?? answer.code;
}

interface Spot {
  readonly mapping: MountMapping;
  readonly root: TreePath;
  readonly creating: boolean;
  /** Below the root, in 2.0 names. */
  readonly path: readonly string[];
}

/** The object that a legacy address belongs to or begins; a number is the Status where there can be none. */
function spotAt(s: Session, kind: WriteCommand['kind'], legacy: TreePath): Spot | number {
  const owner = ownerOf(s, legacy);
  if (owner) {
    const { mapping, path } = owner;
    if (s.isSynthesised(mapping.mount)) return 405;
    if (!may(s, 'write', mapping.mount)) return 425;
    return { mapping, root: mapping.mount.root, creating: false, path };
  }
  const created = creationAt(s, legacy);
  if (!created) return kind === 'Replace' ? 404 : isVirtual(s, legacy) ? 418 : 405;
  if (kind === 'Replace') return 404;
  if (!mayCreate(s, created.moid)) return 425;
  const root = legacy.slice(0, legacy.length - created.below.length);
  const moid = s.context.mappings.canonical(created.moid);
  const mapping = s.context.mappings.forMount({ moid, miid: '', root });
  return { mapping, root, creating: true, path: mapping.fromLegacy(legacy) ?? created.below };
}

function editOf(command: WriteCommand, item: Item, { mapping, path }: Spot, legacy: TreePath): Edit | number {
  const meta = inheritedMeta(command.meta, item.meta);
  const type = meta.type !== undefined && meta.type !== 'text/plain' ? { type: meta.type } : {};
  if (parseFormat(meta.format) === 'node') return { kind: command.kind, path, format: 'node', ...type };
  const leaf = readLeaf(item, command.meta, mapping.definition(path)?.format);
  if (typeof leaf.value === 'string' && xmlIllegal(leaf.value) >= 0) return 415;
  const name = legacy.at(-1) ?? mapping.rootName;
  const node: MoNode = { name, format: leaf.format, value: leaf.value };
  const translated = mapping.toDm2(path, [{ source: { legacy, path }, node }]) ?? node;
  return {
    kind: command.kind,
    path,
    ...(translated.format !== undefined && { format: translated.format }),
    ...type,
    value: translated.value ?? leaf.value,
  };
}

/** A node that exists only because objects hang below it, or could. */
function isVirtual(s: Session, path: TreePath): boolean {
  return (
    s.mounts.some((mount) => isWithin(path, mount.root)) ||
    s.context.mappings.rootPatterns().some((pattern) => isWithin(path, pattern.path))
  );
}
