import type { Item } from '../../dm1/message.ts';
import type { TndsNode } from '../../dm1/tnds/node.ts';
import { isTnds } from '../../dm1/tnds/read.ts';
import type { DeviceCapability } from '../../mo/deviceCapabilities.ts';
import { type MoNode, walk } from '../../mo/node.ts';
import { formatTreePath, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { readTreeDocument } from '../treeDocument.ts';
import type { LegacyDevice } from './device.ts';
import { readByLevels } from './levels.ts';
import { treeOfList } from './listTree.ts';
import { get, type ReadResult } from './readRequest.ts';

/** What a device answered to a list of `root`; no Items where it refused. */
interface Told {
  readonly root: TreePath;
  readonly items: readonly Item[];
}

/** A way in which a device may tell a whole subtree at once (1x§7.4). */
interface List {
  readonly query: 'StructData' | 'TNDS' | 'Struct';
  readonly capability: DeviceCapability;
  /** The subtrees told, `undefined` for what is no such list. */
  trees(s: Session, device: LegacyDevice, told: readonly Told[]): Script<readonly (MoNode | undefined)[]>;
}

/**
 * The cheapest first: StructData comes in one exchange and in as many messages as it needs, TNDS in one
 * exchange as a single value, Struct needs a second exchange for the values.
 */
const LISTS: readonly List[] = [
  { query: 'StructData', capability: 'listStructData', trees: structData },
  { query: 'TNDS', capability: 'listTnds', trees: tnds },
  { query: 'Struct', capability: 'listStruct', trees: struct },
];

/** A device that lacks a list answers with one of these; a 404 may also mean that the node is missing. */
const REFUSED: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 500, 501]);
/** The list is too large for the device, which says nothing of another one. */
const TOO_LARGE = 413;

export function listRefused(code: number): boolean {
  return REFUSED.has(code);
}

/** What the lists of one subtree came to. */
export interface Listed {
  /** Absent: no list told it, so its nodes have to be asked one by one. */
  readonly result?: ReadResult;
  /** Refused, by a device that has them all the same if the node is not there. */
  readonly refused: readonly DeviceCapability[];
}

/**
 * Reads whole subtrees by the cheapest list that the device is not known to lack (IW-GET-1). One that it
 * refuses is followed by the next, in the same batch for all subtrees; 404 ends that, as nothing else may
 * be there either.
 */
export function* readByLists(
  s: Session,
  device: LegacyDevice,
  roots: readonly TreePath[],
): Script<readonly Listed[]> {
  const all = roots.map((root) => ({
    root,
    result: undefined as ReadResult | undefined,
    refused: [] as DeviceCapability[],
    missing: false,
  }));
  for (const list of LISTS) {
    const asked = all.filter(({ result, missing }) => !result && !missing);
    if (asked.length === 0 || s.capability(list.capability) === false) continue;
    const answers = yield* device.run(
      asked.map(({ root }) => get(`${formatTreePath(root)}?list=${list.query}`)),
    );
    const told = asked.map(({ root }, i): Told => {
      const { code, results } = answers[i]!;
      return { root, items: succeeded(code) ? results : [] };
    });
    const trees = yield* list.trees(s, device, told);
    for (const [i, attempt] of asked.entries()) {
      const { code, answered } = answers[i]!;
      const node = trees[i];
      if (node) {
        attempt.result = { ok: true, node };
        if (node.children) s.learn(list.capability, true);
        learnRefused(s, attempt.refused, node);
      } else if (!answered) attempt.result = { ok: false, code };
      else if (succeeded(code) || REFUSED.has(code)) {
        attempt.refused.push(list.capability);
        attempt.missing = code === 404;
      } else if (code !== TOO_LARGE) attempt.result = { ok: false, code };
    }
  }
  return all.map(({ result, refused }) => ({ refused, ...(result && { result }) }));
}

/** The node is there and yet its list was refused: the device has no such list. */
export function learnRefused(s: Session, refused: readonly DeviceCapability[], node: MoNode): void {
  if (node.children === undefined) return;
  for (const capability of refused) s.learn(capability, false);
}

function* structData(
  s: Session,
  _device: LegacyDevice,
  told: readonly Told[],
): Script<readonly (MoNode | undefined)[]> {
  const { depth } = s.context.limits;
  return told.map(({ root, items }) => {
    const tree = treeOfList(root, items, depth);
    return tree && withEmptyValues(tree);
  });
}

/** A list of names, formats and types; the values are asked for, those of all subtrees in one batch. */
function* struct(
  s: Session,
  device: LegacyDevice,
  told: readonly Told[],
): Script<readonly (MoNode | undefined)[]> {
  const { depth } = s.context.limits;
  const trees = told.map(({ root, items }) => ({ root, tree: treeOfList(root, items, depth) }));
  const leaves = trees.flatMap(({ root, tree }) =>
    tree ? [...walk(tree)].filter(isUnknown).map(({ path }) => [...root, ...path]) : [],
  );
  // Reading them node by node says so too, and why.
  if (leaves.length > s.context.limits.nodes) return told.map(() => undefined);
  const read = yield* readByLevels(
    s,
    device,
    leaves.map((legacy) => ({ legacy })),
  );
  const nodes = new Map<string, MoNode | undefined>();
  for (const [i, path] of leaves.entries()) {
    const result = read[i]!;
    const uri = formatTreePath(path);
    nodes.set(uri, result.ok ? result.node : undefined);
    if (!result.ok) yield* s.note('IW-GET-1', `${uri} was left out: the device answered ${result.code}.`);
  }
  return trees.map(({ root, tree }) => tree && completed(root, tree, nodes));
}

function isUnknown({ node }: { readonly node: MoNode }): boolean {
  return node.children === undefined && node.value === undefined;
}

function completed(
  path: TreePath,
  node: MoNode,
  nodes: ReadonlyMap<string, MoNode | undefined>,
): MoNode | undefined {
  if (isUnknown({ node })) return nodes.get(formatTreePath(path));
  if (node.children === undefined) return node;
  const children = node.children.flatMap((child) => completed([...path, child.name], child, nodes) ?? []);
  return { ...node, children };
}

function* tnds(
  s: Session,
  _device: LegacyDevice,
  told: readonly Told[],
): Script<readonly (MoNode | undefined)[]> {
  const trees: (MoNode | undefined)[] = [];
  for (const { root, items } of told) trees.push(yield* treeIn(s, root, items));
  return trees;
}

function* treeIn(s: Session, root: TreePath, items: readonly Item[]): Script<MoNode | undefined> {
  const item = items.find(({ meta }) => isTnds(meta?.type)) ?? (items.length === 1 ? items[0] : undefined);
  // A device that ignores the query answers with the names of the children.
  if (!item || item.meta?.format?.trim() === 'node') return undefined;
  const uri = formatTreePath(root);
  try {
    const { nodes } = yield* readTreeDocument(s, item, item.meta, root);
    const [only, ...others] = nodes;
    if (only?.below === 'target' && others.length === 0) return withEmptyValues(plain(only.node));
    yield* s.note('IW-GET-1', `The tree that came as ${uri}?list=TNDS is not that of the node.`);
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-GET-1', `The tree that came as ${uri}?list=TNDS cannot be read: ${error.detail}`);
  }
  return undefined;
}

/** Without the properties that DM 2.0 has no place for. */
function plain({ name, format, type, value, children }: TndsNode): MoNode {
  return {
    name,
    ...(format !== undefined && { format }),
    ...(type !== undefined && { type }),
    ...(value !== undefined && { value }),
    ...(children && { children: children.map(plain) }),
  };
}

/** In a list with values, a leaf without one is empty. */
function withEmptyValues(node: MoNode): MoNode {
  if (node.children) return { ...node, children: node.children.map(withEmptyValues) };
  return node.value === undefined ? { ...node, value: '' } : node;
}
