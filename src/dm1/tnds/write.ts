import { isBinary } from '../../mo/format.ts';
import { encodeBase64 } from '../../mo/lexical.ts';
import type { MoNode } from '../../mo/node.ts';
import { encodeSegment, formatTreePath, type TreePath } from '../../mo/treePath.ts';
import { escapeText } from '../xml/escape.ts';

/** Properties that can be told of a node here; ACL, TStamp and VerNo have no value to tell (1x§11.1). */
type Selection = { readonly value: boolean; readonly format: boolean; readonly type: boolean };

/**
 * A subtree as a TNDS document, nested (1x§11.2). `parent` is the place of its root's parent;
 * `selection` is what stands behind `?list=TNDS`: `+Value+Format` only these, `-Value` all but it.
 */
export function writeTnds(node: MoNode, parent: TreePath, selection = ''): string {
  const selected = parseSelection(selection);
  return `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>${write(node, selected, formatTreePath(parent))}</MgmtTree>`;
}

function parseSelection(text: string): Selection {
  const names = new Set(text.split(/[+-]/).filter((name) => name !== ''));
  const has = (name: string): boolean => (text.startsWith('+') ? names.has(name) : !names.has(name));
  return { value: has('Value'), format: has('Format'), type: has('Type') };
}

function write(node: MoNode, selected: Selection, path?: string): string {
  const name = `<NodeName>${escapeText(encodeSegment(node.name))}</NodeName>`;
  const place = path === undefined ? '' : `<Path>${escapeText(path)}</Path>`;
  const properties = `<RTProperties>${format(node, selected)}${type(node, selected)}</RTProperties>`;
  const content = node.children
    ? node.children.map((child) => write(child, selected)).join('')
    : value(node, selected);
  return `<Node>${name}${place}${properties}${content}</Node>`;
}

function format(node: MoNode, selected: Selection): string {
  if (!selected.format) return '';
  const name = node.children ? 'node' : isBinary(node.format) ? 'b64' : (node.format ?? 'chr');
  return `<Format><${name}/></Format>`;
}

/** Type is always told: it is how a reader finds the object (1x§11.1). */
function type(node: MoNode, selected: Selection): string {
  if (node.children) return `<Type><DDFName>${escapeText(node.type ?? '')}</DDFName></Type>`;
  return selected.type ? `<Type><MIME>${escapeText(node.type ?? 'text/plain')}</MIME></Type>` : '';
}

function value(node: MoNode, selected: Selection): string {
  if (!selected.value || node.value === undefined) return '';
  const text = typeof node.value === 'string' ? node.value : encodeBase64(node.value);
  return `<Value>${escapeText(text)}</Value>`;
}
