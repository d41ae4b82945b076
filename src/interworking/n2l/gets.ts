import type { Item, ItemCommand } from '../../dm1/message.ts';
import type { ServerCommandAnswer } from '../../dm1/session/client.ts';
import { writeTnds } from '../../dm1/tnds/write.ts';
import { type MoNode, walk } from '../../mo/node.ts';
import { encodeSegment, formatTreePath, type TreePath } from '../../mo/treePath.ts';
import { ownerOf } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm1 } from '../status.ts';
import { writeLeaf } from '../values.ts';
import type { Dm2Device } from './device.ts';
import { addressOf, type ItemAddress } from './targets.ts';
import { readTree } from './virtualTree.ts';

/** What one Get Item asks for (1x§7.4). */
type Question =
  | { readonly kind: 'node' | 'struct' | 'structData'; readonly at: ItemAddress }
  | { readonly kind: 'tnds'; readonly at: ItemAddress; readonly selection: string }
  | { readonly kind: 'prop'; readonly at: ItemAddress; readonly name: string }
  | { readonly kind: 'refused'; readonly uri: string; readonly code: number };

type Answered = { readonly uri: string; readonly code: number; readonly results: readonly Item[] };

/** Answers consecutive Gets of a legacy server from what the client gives, read in one batch (IW-RD-1, IW-RD-2). */
export function* runGets(
  s: Session,
  device: Dm2Device,
  commands: readonly ItemCommand[],
): Script<ServerCommandAnswer[]> {
  const questions = commands.map((command) => command.items.map(questionOf));
  const flat = questions.flat();
  const readable = flat.filter((q) => q.kind !== 'refused');
  const trees = yield* readTree(
    s,
    device,
    readable.map((q) => q.at.path),
  );
  const form = s.context.backend.encoding;
  let at = 0;
  return questions.map((asked): ServerCommandAnswer => {
    const answered = asked.map((question): Answered => {
      if (question.kind === 'refused') return { ...question, results: [] };
      const tree = trees[at++]!;
      const { uri } = question.at;
      if (!tree.ok) return { uri, code: statusToDm1(tree.sc), results: [] };
      const results = resultsOf(s, question, tree.node, form);
      return results ? { uri, code: 200, results } : { uri, code: 406, results: [] };
    });
    if (answered.length === 0) return { code: 400 };
    const failed = answered.find(({ code }) => code !== 200);
    return {
      code: failed?.code ?? 200,
      items: answered.map(({ uri, code }) => ({ uri, code })),
      results: answered.flatMap(({ results }) => results),
    };
  });
}

function questionOf(item: Item): Question {
  const at = addressOf(item);
  if (!at) return { kind: 'refused', uri: item.target?.uri ?? '', code: 404 };
  const { query } = at;
  if (query === undefined) return { kind: 'node', at };
  const [name, value = ''] = query.split('=', 2) as [string, string?];
  if (name === 'list' && value === 'Struct') return { kind: 'struct', at };
  if (name === 'list' && value === 'StructData') return { kind: 'structData', at };
  if (name === 'list' && /^TNDS(?:[+-]|$)/.test(value))
    return { kind: 'tnds', at, selection: value.slice(4) };
  if (name === 'prop') return { kind: 'prop', at, name: value };
  return { kind: 'refused', uri: at.uri, code: 406 };
}

function resultsOf(
  s: Session,
  question: Exclude<Question, { kind: 'refused' }>,
  node: MoNode,
  form: 'xml' | 'wbxml',
): Item[] | undefined {
  const { at } = question;
  switch (question.kind) {
    case 'node':
      return [nodeItem(at.uri, node, form)];
    case 'struct':
    case 'structData':
      return [...walk(typed(s, node, at.path))].map(({ path, node: each }) =>
        listItem(formatTreePath([...at.path, ...path]), each, form, question.kind === 'structData'),
      );
    case 'tnds':
      return [
        {
          source: { uri: formatTreePath(at.path) },
          meta: { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' },
          data: writeTnds(typed(s, node, at.path), at.path.slice(0, -1), question.selection),
        },
      ];
    case 'prop': {
      const value = property(s, question.name, node, at.path);
      return value === undefined ? undefined : [{ source: { uri: at.uri }, data: value }];
    }
  }
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

/** Every MO root in the subtree bears its MOID as Type (IW-INV-4). */
function typed(s: Session, node: MoNode, path: TreePath): MoNode {
  if (node.children === undefined) return node;
  const moid = moidAt(s, path);
  const children = node.children.map((child) => typed(s, child, [...path, child.name]));
  return { ...node, children, ...(moid !== undefined && { type: moid }) };
}

function moidAt(s: Session, path: TreePath): string | undefined {
  const owner = ownerOf(s, path);
  return owner?.path.length === 0 ? owner.mapping.mount.moid : undefined;
}

/** Properties from what is known; the run-time ones that 2.0 does not have are 406 (IW-RD-2). */
function property(s: Session, name: string, node: MoNode, path: TreePath): string | undefined {
  switch (name) {
    case 'Format':
      return node.children ? 'node' : (node.format ?? 'chr');
    case 'Name':
      return path.at(-1) ?? '.';
    case 'Type':
      return node.children ? (moidAt(s, path) ?? '') : (node.type ?? 'text/plain');
    case 'Size':
      return node.children ? undefined : String(sizeOf(node));
    case 'ACL':
      // The gateway's policy: this server manages all that it sees; the root tells it, the rest inherits.
      return path.length === 0
        ? ['Add', 'Copy', 'Delete', 'Exec', 'Get', 'Replace']
            .map((c) => `${c}=${s.context.backend.serverId}`)
            .join('&')
        : '';
    default:
      return undefined;
  }
}

/** Unencoded bytes (1x§7.3). */
function sizeOf(node: MoNode): number {
  const value = node.value ?? '';
  return typeof value === 'string' ? new TextEncoder().encode(value).length : value.length;
}
