import type { Item, ItemCommand } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import type { TndsNode } from '../../dm1/tnds/node.ts';
import { parseSelection, type TndsSelection } from '../../dm1/tnds/selection.ts';
import { writeTnds } from '../../dm1/tnds/write.ts';
import { type MoNode, walk } from '../../mo/node.ts';
import { encodeSegment, formatTreePath, type TreePath } from '../../mo/treePath.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import { writeLeaf } from '../values.ts';
import type { Dm2Device } from './device.ts';
import { isInInbox } from './inbox.ts';
import { inMemory } from './inMemory.ts';
import { MISSING_PROPERTIES, moidAt, readProperty } from './properties.ts';
import { addressOf, type ItemAddress } from './targets.ts';
import { readTree, type TreeRead } from './virtualTree.ts';

/** What one Get Item asks for (1x§7.4). */
type Question =
  | { readonly kind: 'node' | 'struct' | 'structData'; readonly at: ItemAddress }
  | { readonly kind: 'tnds'; readonly at: ItemAddress; readonly selection: TndsSelection }
  | { readonly kind: 'prop'; readonly at: ItemAddress; readonly name: string }
  | { readonly kind: 'refused'; readonly uri: string; readonly code: number };

type Answered = { readonly uri: string; readonly code: number; readonly results: readonly Item[] };

/** Answers consecutive Gets of a legacy server from what the client gives, read in one batch (IW-RD-1, IW-RD-2). */
export function* runGets(
  s: Session,
  device: Dm2Device,
  commands: readonly ItemCommand[],
): Script<ServerCommandAnswer[]> {
  const questions = commands.map((command) => command.items.map((item) => questionOf(s, item)));
  const flat = questions.flat();
  const readable = flat.filter((q) => q.kind !== 'refused');
  const trees = yield* readTree(
    s,
    device,
    readable.map(({ kind, at: { path } }) => ({ path, names: kind === 'node' || kind === 'prop' })),
  );
  let at = 0;
  const answers: ServerCommandAnswer[] = [];
  for (const asked of questions) {
    const answered: Answered[] = [];
    for (const question of asked) {
      answered.push(
        question.kind === 'refused'
          ? { uri: question.uri, code: question.code, results: [] }
          : yield* answerTo(s, question, trees[at++]!),
      );
    }
    const failed = answered.find(({ code }) => code !== 200);
    answers.push({
      code: answered.length === 0 ? 400 : (failed?.code ?? 200),
      items: answered.map(({ uri, code }) => ({ uri, code })),
      results: answered.flatMap(({ results }) => results),
    });
  }
  return answers;
}

type Asked = Exclude<Question, { kind: 'refused' }>;

function* answerTo(s: Session, question: Asked, tree: TreeRead): Script<Answered> {
  const { uri } = question.at;
  if (!tree.ok) return { uri, code: statusToDm1(tree.sc), results: [] };
  const results = yield* resultsOf(s, question, tree.node);
  return typeof results === 'number' ? { uri, code: results, results: [] } : { uri, code: 200, results };
}

function questionOf(s: Session, item: Item): Question {
  const at = addressOf(item);
  if (!at) return { kind: 'refused', uri: item.target?.uri ?? '', code: 404 };
  // Nothing can be read in the Inbox (1x§11.2).
  if (isInInbox(s, at.path)) return { kind: 'refused', uri: at.uri, code: 405 };
  const { query } = at;
  if (query === undefined) return { kind: 'node', at };
  const [name, value = ''] = query.split('=', 2) as [string, string?];
  if (name === 'list' && value === 'Struct') return { kind: 'struct', at };
  if (name === 'list' && value === 'StructData') return { kind: 'structData', at };
  const selection =
    name === 'list' && value.startsWith('TNDS')
      ? parseSelection(value.slice(4), MISSING_PROPERTIES)
      : undefined;
  if (selection) return { kind: 'tnds', at, selection };
  if (name === 'prop') return { kind: 'prop', at, name: value };
  return { kind: 'refused', uri: at.uri, code: 406 };
}

/** The Items of the Results, or why there are none. */
function* resultsOf(s: Session, question: Asked, node: MoNode): Script<Item[] | 406 | 413> {
  const { at } = question;
  const form = s.context.backend.encoding;
  switch (question.kind) {
    case 'node':
      return [nodeItem(at.uri, node, form)];
    case 'struct':
    case 'structData':
      return [...walk(typed(s, node, at.path))].map(({ path, node: each }) =>
        listItem(formatTreePath([...at.path, ...path]), each, form, question.kind === 'structData'),
      );
    case 'tnds':
      return yield* treeItems(s, question, node);
    case 'prop': {
      const value = readProperty(s, question.name, node, at.path);
      return value === undefined ? 406 : [{ source: { uri: at.uri }, data: value }];
    }
  }
}

/** A TNDS of which the first node stands at the address, so that no Path is needed (1x§11.2). */
function* treeItems(
  s: Session,
  { at, selection }: Extract<Asked, { kind: 'tnds' }>,
  node: MoNode,
): Script<Item[] | 413> {
  const wanted = selection.has('Value') ? yield* inMemory(s, node) : node;
  if (!wanted) return 413;
  const tree = described(s, wanted, at.path);
  const named = at.path.length === 0 ? { ...tree, name: '' } : tree;
  return [
    {
      source: { uri: formatTreePath(at.path) },
      meta: { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' },
      data: writeTnds(named, undefined, selection),
    },
  ];
}

/** A leaf with its value; an interior node with the names of its children (1x§7.4). */
function nodeItem(uri: string, node: MoNode, form: 'xml' | 'wbxml'): Item {
  const source = { uri };
  if (node.children) {
    const names = node.children.map((child) => encodeSegment(child.name)).join('/');
    return { source, meta: { format: 'node', type: 'text/plain' }, data: names };
  }
  return { source, ...writeLeaf(form, node.value ?? '', node.format, node.type) };
}

function listItem(uri: string, node: MoNode, form: 'xml' | 'wbxml', withData: boolean): Item {
  const source = { uri };
  if (node.children)
    return { source, meta: { format: 'node', ...(node.type !== undefined && { type: node.type }) } };
  const { meta, data } = writeLeaf(form, node.value ?? '', node.format, node.type);
  return { source, ...(meta && { meta }), ...(withData && data !== undefined && { data }) };
}

/** With all properties that a TNDS tells of a node. */
function described(s: Session, node: MoNode, path: TreePath): TndsNode {
  const children = node.children?.map((child) => described(s, child, [...path, child.name]));
  const acl = readProperty(s, 'ACL', node, path);
  const size = readProperty(s, 'Size', node, path);
  const moid = children && moidAt(s, path);
  const { children: _, ...own } = node;
  return {
    ...own,
    ...(children && { children }),
    ...(moid !== undefined && { type: moid }),
    ...(acl && { acl }),
    ...(size !== undefined && { size }),
  };
}

/** Every MO root in the subtree bears its MOID as Type (IW-INV-4). */
function typed(s: Session, node: MoNode, path: TreePath): MoNode {
  if (node.children === undefined) return node;
  const moid = moidAt(s, path);
  const children = node.children.map((child) => typed(s, child, [...path, child.name]));
  return { ...node, children, ...(moid !== undefined && { type: moid }) };
}
