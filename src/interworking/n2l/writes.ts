import type { Item, ItemCommand } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import { parseFormat } from '../../mo/format.ts';
import { xmlIllegal } from '../../mo/lexical.ts';
import type { MountMapping } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import { isWithin, samePath, type TreePath } from '../../mo/treePath.ts';
import { ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { inheritedMeta, readLeaf } from '../values.ts';
import type { Dm2Device } from './device.ts';
import type { Edit } from './edit.ts';
import { type EditSlot, type ObjectEdits, storeObjects } from './store.ts';
import { addressOf } from './targets.ts';
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
  for (const command of commands) {
    const own: EditSlot[] = [];
    slots.push(own);
    for (const item of command.items) {
      const slot: EditSlot = { uri: item.target?.uri ?? '', code: 0 };
      own.push(slot);
      const planned = plan(s, command, item);
      if (typeof planned === 'number') {
        slot.code = planned;
        continue;
      }
      const last = objects.at(-1);
      if (last && samePath(last.root, planned.root)) {
        last.edits.push({ edit: planned.edit, slot });
        continue;
      }
      if (objects.some((each) => samePath(each.root, planned.root))) {
        // The object was touched before another one: what it looks like now has to be read again.
        yield* storeObjects(s, device, objects);
        objects = [];
      }
      objects.push({ ...planned, edits: [{ edit: planned.edit, slot }] });
    }
  }
  yield* storeObjects(s, device, objects);
  return slots.map((own): ServerCommandAnswer => {
    if (own.length === 0) return { code: 400 };
    const failed = own.find(({ code }) => code !== 200);
    return { code: failed?.code ?? 200, items: own.map(({ uri, code }) => ({ uri, code })) };
  });
}

interface PlannedEdit {
  readonly mapping: MountMapping;
  readonly root: TreePath;
  readonly creating: boolean;
  readonly edit: Edit;
}

/** Where an Item belongs and what it writes; a number is the Status of one that cannot be. */
function plan(s: Session, command: WriteCommand, item: Item): PlannedEdit | number {
  const at = addressOf(item);
  if (!at) return 404;
  if (at.query !== undefined) return 406;
  const owner = ownerOf(s, at.path);
  if (owner && s.isSynthesised(owner.mapping.mount)) return 405;
  const created = owner ? undefined : creationAt(s, at.path);
  if (!owner && !created) return command.kind === 'Replace' ? 404 : isVirtual(s, at.path) ? 418 : 405;
  if (created && command.kind === 'Replace') return 404;
  const root = owner ? owner.mapping.mount.root : at.path.slice(0, at.path.length - created!.below.length);
  const mapping =
    owner?.mapping ??
    s.context.mappings.forMount({ moid: s.context.mappings.canonical(created!.moid), miid: '', root });
  const path = owner?.path ?? mapping.fromLegacy(at.path) ?? created!.below;
  const edit = editOf(command, item, mapping, path, at.path);
  return typeof edit === 'number' ? edit : { mapping, root, creating: !owner, edit };
}

function editOf(
  command: WriteCommand,
  item: Item,
  mapping: MountMapping,
  path: readonly string[],
  legacy: TreePath,
): Edit | number {
  const meta = inheritedMeta(command.meta, item.meta);
  if (/^application\/vnd\.syncml\.dmtnds\+/i.test(meta.type ?? '')) return 415;
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
