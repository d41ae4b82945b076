import type { Item } from '../../dm1/message.ts';
import type { CommandAnswer, PlannedCommand } from '../../dm1/session/server.ts';
import { type Format, parseFormat } from '../../mo/format.ts';
import type { MoNode, Value } from '../../mo/node.ts';
import {
  decodeSegment,
  formatTreePath,
  isWithin,
  parseTreePath,
  samePath,
  type TreePath,
} from '../../mo/treePath.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { childNames, inheritedMeta, readLeaf } from '../values.ts';
import type { LegacyDevice } from './device.ts';

/** What to read: a legacy node and how many levels below it (absent: all). */
export interface ReadRequest {
  readonly legacy: TreePath;
  readonly levels?: number;
  /** Known to be a leaf: a plain Get gives it without asking for a list. */
  readonly leaf?: boolean;
  /** Of the last level only the names are wanted, which stand in the node above. */
  readonly names?: boolean;
}

export type ReadResult =
  | { readonly ok: true; readonly node: MoNode }
  | { readonly ok: false; readonly code: number };

/** A device that lacks a list form answers with one of these; a 404 may also mean that the node is missing. */
const LIST_REFUSED: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 500, 501]);

export function get(uri: string): PlannedCommand {
  return { kind: 'Get', items: [{ target: { uri } }] };
}

/**
 * Reads subtrees of a legacy device (IW-GET-1): a whole subtree by `?list=StructData` where the device
 * has it, else level by level, all requests of a round in one batch. Results are in request order.
 */
export function* readSubtrees(
  s: Session,
  device: LegacyDevice,
  requests: readonly ReadRequest[],
): Script<readonly ReadResult[]> {
  const results = new Array<ReadResult | undefined>(requests.length).fill(undefined);
  const listed = s.capability('listStructData') !== false;
  const byList = requests.map((request) => listed && !request.leaf && request.levels === undefined);
  if (byList.includes(true)) {
    const asked = requests.flatMap((request, i) => (byList[i] ? [{ request, i }] : []));
    const answers = yield* device.run(
      asked.map(({ request }) => get(`${formatTreePath(request.legacy)}?list=StructData`)),
    );
    for (const [at, { request, i }] of asked.entries()) {
      const answer = answers[at]!;
      if (!answer.answered) results[i] = { ok: false, code: answer.code };
      else if (succeeded(answer.code)) {
        const node = treeOfList(request.legacy, answer.results);
        if (node) {
          s.learn('listStructData', true);
          results[i] = { ok: true, node };
        }
      } else if (!LIST_REFUSED.has(answer.code)) results[i] = { ok: false, code: answer.code };
    }
  }
  const left = requests.flatMap((request, i) => (results[i] ? [] : [{ request, i }]));
  if (left.length > 0) {
    const plain = yield* readByLevels(
      s,
      device,
      left.map(({ request }) => request),
    );
    for (const [at, { i }] of left.entries()) {
      const result = plain[at]!;
      results[i] = result;
      // The node is there and yet its list was refused: the device has no such list.
      if (byList[i] && result.ok && result.node.children !== undefined) s.learn('listStructData', false);
    }
  }
  return results.map((result) => result ?? { ok: false, code: 500 });
}

/** A node while its level is being read. */
interface Open {
  readonly path: TreePath;
  readonly depth: number;
  readonly levels: number;
  readonly names: boolean;
  readonly parent: Draft | undefined;
  readonly root: number;
}

interface Draft {
  name: string;
  format?: Format;
  type?: string;
  value?: Value;
  children?: Draft[];
}

function* readByLevels(
  s: Session,
  device: LegacyDevice,
  requests: readonly ReadRequest[],
): Script<ReadResult[]> {
  const roots = new Array<{ draft?: Draft; code: number }>(requests.length);
  let round: Open[] = requests.map((request, root) => ({
    path: request.legacy,
    depth: 0,
    levels: request.levels ?? s.context.limits.depth,
    names: request.names === true,
    parent: undefined,
    root,
  }));
  let seen = 0;
  while (round.length > 0) {
    seen += round.length;
    if (seen > s.context.limits.nodes) {
      yield* s.note(
        'IW-GET-1',
        `The subtree has more than ${s.context.limits.nodes} nodes; reading it was given up.`,
      );
      for (const open of round) roots[open.root] = { code: 413 };
      break;
    }
    const answers = yield* device.run(round.map((open) => get(formatTreePath(open.path))));
    const next: Open[] = [];
    for (const [i, open] of round.entries()) {
      const answer = answers[i]!;
      const item = succeeded(answer.code) ? itemFor(open.path, answer) : undefined;
      if (!item) {
        // A child that may not be read is left out, as in a list (1x§7.4); the node asked for fails.
        const code = succeeded(answer.code) ? 500 : answer.code;
        if (!open.parent) roots[open.root] = { code };
        else
          yield* s.note(
            'IW-GET-1',
            `${formatTreePath(open.path)} was left out: the device answered ${code}.`,
          );
        continue;
      }
      const draft = yield* draftOf(s, open, item.item, item.inherited);
      if (open.parent) open.parent.children!.push(draft);
      else roots[open.root] = { draft, code: 200 };
      if (!draft.children || open.depth >= open.levels) continue;
      for (const name of childNames(item.item.data)) {
        const segment = decodeSegment(name) ?? name;
        if (open.names && open.depth + 1 === open.levels) draft.children.push({ name: segment });
        else next.push({ ...open, path: [...open.path, segment], depth: open.depth + 1, parent: draft });
      }
    }
    round = next;
  }
  return roots.map(({ draft, code }) => (draft ? { ok: true, node: draft } : { ok: false, code }));
}

function itemFor(path: TreePath, answer: CommandAnswer): { item: Item; inherited: Item['meta'] } | undefined {
  const exact = answer.results.find((item) => {
    const at = item.source && parseTreePath(item.source.uri);
    return at !== undefined && samePath(at, path);
  });
  const item = exact ?? (answer.results.length === 1 ? answer.results[0] : undefined);
  return item && { item, inherited: undefined };
}

function* draftOf(s: Session, open: Open, item: Item, inherited: Item['meta']): Script<Draft> {
  const name = open.path.at(-1) ?? '.';
  const meta = inheritedMeta(inherited, item.meta);
  if (parseFormat(meta.format) === 'node') {
    return { name, format: 'node', ...typeOf(meta.type), children: [] };
  }
  const leaf = readLeaf(item, inherited);
  if (leaf.removed > 0) {
    yield* s.note(
      'IW-VAL-4',
      `${leaf.removed} character(s) that XML cannot carry were taken out of ${formatTreePath(open.path)}.`,
    );
  }
  return {
    name,
    format: leaf.format,
    ...(leaf.type !== undefined && { type: leaf.type }),
    value: leaf.value,
  };
}

/** The Type of an interior node is its MOID or nothing; some devices say `text/plain` (1x§7.4). */
function typeOf(type: string | undefined): { type?: string } {
  const text = type?.trim();
  return text && text !== 'text/plain' ? { type: text } : {};
}

/** Builds the subtree of `?list=StructData` or `?list=Struct` Results: one Item per node, in any order (1x§7.4). */
export function treeOfList(root: TreePath, items: readonly Item[]): MoNode | undefined {
  const drafts = new Map<string, Draft>();
  const rootKey = keyOf(root);
  const placed = items
    .map((item) => ({ item, path: item.source && parseTreePath(item.source.uri.replace(/\?list=.*$/, '')) }))
    .filter(
      (row): row is { item: Item; path: TreePath } => row.path !== undefined && isWithin(root, row.path),
    )
    .sort((a, b) => a.path.length - b.path.length);
  for (const { item, path } of placed) {
    const key = keyOf(path);
    const known = drafts.get(key);
    const draft: Draft = known ?? { name: path.at(-1) ?? '.' };
    const format = parseFormat(item.meta?.format);
    if (format === 'node') {
      Object.assign(draft, { format, ...typeOf(item.meta?.type) });
      draft.children ??= [];
    } else {
      const leaf = readLeaf(item);
      if (item.data !== undefined || format !== undefined || item.meta !== undefined) {
        draft.format = leaf.format;
        if (leaf.type !== undefined) draft.type = leaf.type;
      }
      draft.value = leaf.value;
    }
    if (known) continue;
    drafts.set(key, draft);
    if (path.length > root.length) attach(drafts, root, path, draft);
  }
  return drafts.get(rootKey);
}

/** Hangs a node below its parent, making interior nodes that the list left out. */
function attach(drafts: Map<string, Draft>, root: TreePath, path: TreePath, draft: Draft): void {
  const above = path.slice(0, -1);
  const key = keyOf(above);
  let parent = drafts.get(key);
  if (!parent) {
    parent = { name: above.at(-1) ?? '.', format: 'node', children: [] };
    drafts.set(key, parent);
    if (above.length > root.length) attach(drafts, root, above, parent);
  }
  // A plain text leaf has no Meta at all, so a node with children was mistaken for one (1x§7.4).
  if (!parent.children) {
    parent.children = [];
    parent.format = 'node';
    delete parent.value;
  }
  parent.children.push(draft);
}

/** Segments are decoded and may hold a `/`, so it cannot part them here. */
function keyOf(path: TreePath): string {
  return path.join('\0');
}
