import { parseClientUri } from '../../dm2/clientUri.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { writeSerialization } from '../../dm2/serialization.ts';
import type { MountMapping } from '../../mo/mapping.ts';
import type { MoNode } from '../../mo/node.ts';
import { isStored } from '../../mo/stored.ts';
import type { TreePath } from '../../mo/treePath.ts';
import { own } from '../access/rights.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import { type Content, withStored } from '../content.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import type { Dm2Device } from './device.ts';
import { applyEdit, type Edit } from './edit.ts';
import { readFromClient } from './read.ts';

/** Where the Status of one written Item is put; 0 until it is known. */
export interface EditSlot {
  readonly uri: string;
  code: number;
}

/** Edits of one MO instance that belong together. */
export interface ObjectEdits {
  readonly mapping: MountMapping;
  readonly root: TreePath;
  /** The instance does not exist yet; the client will name it (20§3.1). */
  readonly creating: boolean;
  readonly edits: { readonly edit: Edit; readonly slot: EditSlot }[];
}

/** Reads what is there, checks each edit's precondition, and has the client fetch the result: two packages in all. */
export function* storeObjects(s: Session, device: Dm2Device, objects: readonly ObjectEdits[]): Script<void> {
  if (objects.length === 0) return;
  const bases = objects.map((object) =>
    object.creating ? [] : commonPath(object.edits.map(({ edit }) => edit.path)),
  );
  const known = objects.flatMap(({ creating, mapping }, i) =>
    creating ? [] : [{ address: { mapping, path: bases[i]! } }],
  );
  const reads = yield* readFromClient(s, device, known);
  let at = 0;
  const sent: { object: ObjectEdits; command: Dm2Command; done: EditSlot[] }[] = [];
  for (const [i, object] of objects.entries()) {
    const read = object.creating ? undefined : reads[at++]!;
    if (read && !read.ok && read.sc !== 404) {
      for (const { slot } of object.edits) slot.code = statusToDm1(read.sc);
      continue;
    }
    const base = bases[i]!;
    const { node, done } = edited(object, base, read?.ok ? read.node : undefined);
    if (!node || done.length === 0) continue;
    const [only] = object.edits;
    const raw = object.edits.length === 1 && only ? rawBody(only.edit) : undefined;
    const command = yield* offer(s, device, object, base, node, raw);
    sent.push({ object, command, done });
  }
  const items = yield* device.run(sent.map(({ command }) => command));
  for (const [i, { object, done }] of sent.entries()) {
    const item = items[i]!;
    for (const slot of done) slot.code = statusToDm1(item.sc);
    if (object.creating && item.sc === 200) adopt(s, object, item);
  }
}

function edited(
  object: ObjectEdits,
  base: readonly string[],
  before: MoNode | undefined,
): { node: MoNode | undefined; done: EditSlot[] } {
  const name = base.at(-1) ?? object.mapping.rootName;
  let node = before;
  const done: EditSlot[] = [];
  for (const { edit, slot } of object.edits) {
    const result = applyEdit(node, name, { ...edit, path: edit.path.slice(base.length) });
    slot.code = result.code;
    if (result.code !== 200) continue;
    node = result.node;
    done.push(slot);
  }
  return { node, done };
}

/** The longest path that all targets share: what the HGET replaces, so what must be read before. */
function commonPath(paths: readonly (readonly string[])[]): readonly string[] {
  let common = paths[0] ?? [];
  for (const path of paths) {
    let n = 0;
    while (n < common.length && n < path.length && common[n] === path[n]) n++;
    common = common.slice(0, n);
  }
  return common;
}

/** Binary of a MIME type of its own travels as it is, not inside JSON (IW-VAL-3). */
function rawBody(edit: Edit): Document | undefined {
  const { value, type } = edit;
  if (type === undefined || value === undefined || typeof value === 'string') return undefined;
  if (!isStored(value)) return { body: value, contentType: type };
  return { body: [{ stored: value, coding: value.text ? 'base64' : 'raw' }], contentType: type };
}

function* offer(
  s: Session,
  device: Dm2Device,
  object: ObjectEdits,
  base: readonly string[],
  node: MoNode,
  raw: Document | undefined,
): Script<Dm2Command> {
  const address = { mapping: object.mapping, path: base };
  const clientUriText = clientUri(object.mapping.mount, base);
  const document = raw ?? (yield* serialized(s, device, address, node));
  const { url } = yield* s.perform({ kind: 'repository.offer', ...document });
  return { verb: 'HGET', serverUri: url, ...(!object.creating && { clientUri: clientUriText }) };
}

interface Document {
  readonly body: Content;
  readonly contentType: string;
}

/** The document in the client's own dialect. */
function* serialized(
  s: Session,
  device: Dm2Device,
  { mapping, path }: MoAddress,
  node: MoNode,
): Script<Document> {
  const uri = clientUri(mapping.mount, path);
  const items = writeSerialization([{ uri, rootName: mapping.rootName, node }], {
    values: s.context.backend.values,
  });
  const { body, lost } = device.dialect.writeDocument({ items });
  for (const text of lost) yield* s.note('IW-WR-1', text);
  return { body: withStored(body), contentType: device.dialect.mediaTypes.document };
}

/** The HGET that makes the client's subtree equal to `node`. */
export function* offerDocument(
  s: Session,
  device: Dm2Device,
  address: MoAddress,
  node: MoNode,
): Script<Dm2Command> {
  const document = yield* serialized(s, device, address, node);
  const { url } = yield* s.perform({ kind: 'repository.offer', ...document });
  return { verb: 'HGET', serverUri: url, clientUri: clientUri(address.mapping.mount, address.path) };
}

/** The client named the new instance; it stays where the legacy server put it (IW-INV-4). */
function adopt(s: Session, object: ObjectEdits, item: StatusItem): void {
  const [text] = item.URI ?? [];
  const uri = text === undefined ? undefined : parseClientUri(text, { bareInstance: true });
  if (!uri || 'error' in uri || uri.instance.kind !== 'named') return;
  const { moid } = object.mapping.mount;
  const made = { moid, miid: uri.instance.name, root: object.root };
  s.setMounts([...s.everMounted, made]);
  own(s, made);
}
