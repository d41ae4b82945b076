import type { Item } from '../../dm1/message.ts';
import { plainValue } from '../../mo/node.ts';
import { encodeSegment, formatTreePath, parseTreePath, type TreePath } from '../../mo/treePath.ts';
import { wireValue } from '../syncml.ts';
import { readable, type SimNode, type SimTree } from '../tree.ts';
import type { LegacyCapability } from './options.ts';
import { writeTnds } from './tnds.ts';

export interface ReadRules {
  readonly form: 'xml' | 'wbxml';
  readonly missing: ReadonlySet<LegacyCapability>;
  readonly nulTerminated: boolean;
  readonly noListAtRoot: boolean;
  readonly subject?: string;
}

export type ReadOutcome = { readonly code: 200; readonly items: readonly Item[] } | { readonly code: number };

/** Answers one Get address, with `?prop=` and `?list=` (1x§7.4, §7.5). */
export function readUri(tree: SimTree, uri: string, rules: ReadRules): ReadOutcome {
  const [address = '', query] = splitQuery(uri);
  const path = parseTreePath(address);
  if (!path) return { code: 404 };
  if (tree.tooLong(path)) return { code: 414 };
  const node = tree.find(path);
  if (!node) return { code: 404 };
  if (query?.startsWith('prop=')) return property(node, uri, query.slice(5), rules);
  const permitted = tree.permits(path, 'Get', rules.subject);
  if (permitted !== 200) return { code: permitted };
  if (query?.startsWith('list=')) return list(node, path, address, query.slice(5), rules);
  if (query !== undefined) return { code: 406 };
  return { code: 200, items: [valueItem(node, uri, rules)] };
}

export function splitQuery(uri: string): [string, string | undefined] {
  const mark = uri.indexOf('?');
  return mark < 0 ? [uri, undefined] : [uri.slice(0, mark), uri.slice(mark + 1)];
}

function valueItem(node: SimNode, uri: string, rules: ReadRules): Item {
  if (!node.children) {
    return { source: { uri }, ...wireValue(node.format, node.type, node.value ?? '', rules.form) };
  }
  const names = [...node.children.values()].filter(readable).map((child) => encodeSegment(child.name));
  // A NUL cannot stand in XML 1.0; clients that end lists with one send it all the same in WBXML.
  const end = rules.nulTerminated && rules.form === 'wbxml' ? '\0' : '';
  return { source: { uri }, meta: { format: 'node', type: 'text/plain' }, data: names.join('/') + end };
}

function property(node: SimNode, uri: string, name: string, rules: ReadRules): ReadOutcome {
  if (rules.missing.has('prop')) return { code: 406 };
  const value = propertyValue(node, name);
  return value === undefined ? { code: 406 } : { code: 200, items: [{ source: { uri }, data: value }] };
}

/** `undefined` for a property that the device does not keep. */
function propertyValue(node: SimNode, name: string): string | undefined {
  switch (name) {
    case 'ACL':
      return node.acl ?? '';
    case 'Format':
      return node.format;
    case 'Name':
      return node.name;
    case 'Type':
      return node.type ?? '';
    case 'Title':
      return node.title ?? '';
    case 'VerNo':
      return String(node.verNo);
    case 'Size':
      return node.children ? undefined : String(Buffer.byteLength(plainValue(node.value ?? '')));
    default:
      return undefined;
  }
}

function list(node: SimNode, path: TreePath, address: string, kind: string, rules: ReadRules): ReadOutcome {
  const { missing } = rules;
  const tnds = /^TNDS([+-].*)?$/.exec(kind);
  const feature = tnds ? 'listTnds' : kind === 'Struct' ? 'listStruct' : 'listStructData';
  if (missing.has('list') || missing.has(feature)) return { code: 406 };
  if (rules.noListAtRoot && path.length === 0) return { code: 406 };
  if (tnds) return { code: 200, items: [tndsItem(node, address, tnds[1] ?? '')] };
  if (kind !== 'Struct' && kind !== 'StructData') return { code: 406 };
  const items: Item[] = [];
  const visit = (at: SimNode, place: TreePath) => {
    items.push(structItem(at, formatTreePath(place), kind === 'StructData', rules));
    for (const child of at.children?.values() ?? []) {
      if (readable(child)) visit(child, [...place, child.name]);
    }
  };
  visit(node, path);
  return { code: 200, items };
}

function structItem(node: SimNode, uri: string, withData: boolean, rules: ReadRules): Item {
  if (node.children) {
    return { source: { uri }, meta: { format: 'node', ...(node.type ? { type: node.type } : {}) } };
  }
  const { meta, data } = wireValue(node.format, node.type, node.value ?? '', rules.form);
  return { source: { uri }, ...(meta ? { meta } : {}), ...(withData ? { data } : {}) };
}

function tndsItem(node: SimNode, uri: string, selection: string): Item {
  const names = new Set(selection.split(/[+-]/).filter((name) => name !== ''));
  const only = selection.startsWith('+') ? names : undefined;
  return {
    source: { uri },
    meta: { format: 'xml', type: 'application/vnd.syncml.dmtnds+xml' },
    data: writeTnds(node, only ? new Set() : names, only),
  };
}
