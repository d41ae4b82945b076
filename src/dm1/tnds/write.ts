import { isBinary } from '../../mo/format.ts';
import { encodeBase64 } from '../../mo/lexical.ts';
import { mimeType, plainValue } from '../../mo/node.ts';
import { encodeSegment, formatTreePath, type TreePath } from '../../mo/treePath.ts';
import type { TndsNode } from './node.ts';
import { parseSelection, type TndsProperty, type TndsSelection } from './selection.ts';
import { type TreeSink, WbxmlTreeSink, XmlTreeSink } from './sink.ts';

/** How the nodes of a document stand: in one another, or side by side, each with its Path (1x§11.2). */
export type TndsStyle = 'nested' | 'flat';

/**
 * A subtree as a TNDS document (1x§11.2). `parent` is the place of its root's parent, written as its Path;
 * without it the root stands at the command's target. `selection` is what stands behind `?list=TNDS`; one
 * that cannot be read counts as none.
 *
 * @throws DragomanError `bad-value` for text that XML cannot carry (IW-VAL-4)
 */
export function writeTnds(
  node: TndsNode,
  parent?: TreePath,
  selection: string | TndsSelection = '',
  style: TndsStyle = 'nested',
): string {
  const sink = new XmlTreeSink();
  new TreeWriter(sink, selectionOf(selection)).document(node, parent, style);
  return sink.xml;
}

/** The same as a WBXML document of its own (`application/vnd.syncml.dmtnds+wbxml`, 1x§12.1). */
export function writeTndsWbxml(
  node: TndsNode,
  parent?: TreePath,
  selection: string | TndsSelection = '',
  style: TndsStyle = 'nested',
): Uint8Array {
  const sink = new WbxmlTreeSink();
  new TreeWriter(sink, selectionOf(selection)).document(node, parent, style);
  return sink.document();
}

const ALL = parseSelection('')!;

function selectionOf(selection: string | TndsSelection): TndsSelection {
  return typeof selection === 'string' ? (parseSelection(selection) ?? ALL) : selection;
}

/** The root of the whole tree has no name of its own. */
function nameOf({ name }: TndsNode): string {
  return name === '' ? '.' : encodeSegment(name);
}

class TreeWriter {
  private readonly sink: TreeSink;
  private readonly selected: TndsSelection;

  constructor(sink: TreeSink, selected: TndsSelection) {
    this.sink = sink;
    this.selected = selected;
  }

  document(node: TndsNode, parent: TreePath | undefined, style: TndsStyle): void {
    this.sink.open('MgmtTree');
    this.sink.leaf('VerDTD', '1.2');
    if (style === 'nested') this.nested(node, parent && formatTreePath(parent));
    else if (parent === undefined) this.flat(node, undefined, '');
    else this.flat(node, formatTreePath(parent), parent.length === 0 ? './' : `${formatTreePath(parent)}/`);
    this.sink.close('MgmtTree');
  }

  private nested(node: TndsNode, path?: string): void {
    this.begin(node, path);
    if (node.children === undefined) this.value(node);
    else for (const child of node.children) this.nested(child);
    this.sink.close('Node');
  }

  /** `before` is what stands before the node's name in the Path of its children. */
  private flat(node: TndsNode, path: string | undefined, before: string): void {
    this.begin(node, path);
    if (node.children === undefined) this.value(node);
    this.sink.close('Node');
    const below = before + nameOf(node);
    for (const child of node.children ?? []) this.flat(child, below, `${below}/`);
  }

  private begin(node: TndsNode, path: string | undefined): void {
    const { sink } = this;
    const name = nameOf(node);
    sink.open('Node');
    sink.leaf('NodeName', name);
    if (path !== undefined) sink.leaf('Path', path);
    sink.open('RTProperties');
    // In DTD order (1x§11.1); what is not known is left out.
    this.property('ACL', node.acl);
    if (this.selected.has('Format')) this.format(node);
    this.property('Name', name);
    this.property('Size', node.size);
    this.property('Title', node.title);
    this.property('TStamp', node.tstamp);
    this.type(node);
    this.property('VerNo', node.verNo);
    sink.close('RTProperties');
  }

  private property(name: TndsProperty, text: string | undefined): void {
    if (text !== undefined && this.selected.has(name)) this.sink.leaf(name, text);
  }

  private format(node: TndsNode): void {
    const name = node.children ? 'node' : isBinary(node.format) ? 'b64' : (node.format ?? 'chr');
    this.sink.open('Format');
    this.sink.leaf(name, '');
    this.sink.close('Format');
  }

  /** The Type of an interior node is always told: it is how a reader finds the object (1x§11.1). */
  private type(node: TndsNode): void {
    if (node.children === undefined && !this.selected.has('Type')) return;
    this.sink.open('Type');
    if (node.children) this.sink.leaf('DDFName', node.type ?? '');
    else this.sink.leaf('MIME', mimeType(node));
    this.sink.close('Type');
  }

  private value(node: TndsNode): void {
    if (!this.selected.has('Value') || node.value === undefined) return;
    const value = plainValue(node.value);
    this.sink.leaf('Value', typeof value === 'string' ? value : encodeBase64(value));
  }
}
