import { XMLParser } from 'fast-xml-parser';
import { isBinary, parseFormat } from '../../mo/format.ts';
import type { MoNode } from '../../mo/node.ts';

interface XmlNode {
  NodeName?: string;
  Path?: string;
  RTProperties?: { Format?: Record<string, unknown>; Type?: { DDFName?: string; MIME?: string } };
  Node?: XmlNode[];
  Value?: string;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  removeNSPrefix: true,
  isArray: (name) => name === 'Node',
});

/**
 * Reads a TNDS document, nested or flat with Path (1x§11.2), into the subtree that stands at the
 * command's target; `undefined` when it is none.
 */
export function readTnds(xml: string, rootName: string): MoNode | undefined {
  let parsed: { MgmtTree?: { Node?: XmlNode[] } };
  try {
    parsed = parser.parse(xml) as typeof parsed;
  } catch {
    return undefined;
  }
  const [first, ...rest] = parsed.MgmtTree?.Node ?? [];
  if (!first) return undefined;
  const root = convert(first, rootName);
  for (const node of rest) {
    // Paths are relative to the target; the first segments may repeat the root's own name.
    const path = (node.Path ?? '').split('/').filter((name) => name !== '' && name !== '.');
    if (path[0] === root.name) path.shift();
    if (!insert(root, path, convert(node, ''))) return undefined;
  }
  return root;
}

interface Building {
  name: string;
  format?: MoNode['format'];
  type?: string;
  value?: MoNode['value'];
  children?: Building[];
}

function convert(node: XmlNode, fallbackName: string): MoNode & Building {
  const name = node.NodeName?.trim() || fallbackName;
  const properties = node.RTProperties;
  const format = parseFormat(Object.keys(properties?.Format ?? {}).find((key) => !key.startsWith('#')));
  const type = properties?.Type?.DDFName ?? properties?.Type?.MIME;
  const base = { name, ...(type ? { type } : {}) };
  const leaf = node.Value !== undefined || (format !== undefined && format !== 'node' && !node.Node);
  if (leaf) {
    const text = typeof node.Value === 'string' ? node.Value : '';
    const kind = format ?? 'chr';
    return {
      ...base,
      format: kind,
      value: isBinary(kind) ? new Uint8Array(Buffer.from(text, 'base64')) : text,
    };
  }
  return { ...base, format: 'node', children: (node.Node ?? []).map((child) => convert(child, '')) };
}

function insert(root: Building, path: readonly string[], node: Building): boolean {
  let at: Building | undefined = root;
  for (const name of path) at = at?.children?.find((child) => child.name === name);
  if (!at?.children) return false;
  at.children.push(node);
  return true;
}
