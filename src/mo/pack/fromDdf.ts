import { Document, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { DragomanError } from '../../support/errors.ts';
import type { Format } from '../format.ts';
import type { Access } from '../mapping.ts';
import { rootNameOf } from '../moid.ts';
import { encodeSegment } from '../treePath.ts';
import type { NodeEntry } from './schema.ts';

/** One node of a device description (DDF, 1x§11.4). */
export interface DdfNode {
  /** Absent for a node whose instances are named at run time, `<x>`. */
  readonly name?: string;
  /** `line:column` in the file. */
  readonly at: string;
  readonly title?: string;
  readonly description?: string;
  readonly format?: Format;
  /** Commands that the node allows; absent where the description does not say. */
  readonly access?: readonly Access[];
  /** `One`, `ZeroOrOne`, `ZeroOrMore`, `OneOrMore`, `ZeroOr5`, `OneOr5`. */
  readonly occurrence: string;
  readonly scope: 'Permanent' | 'Dynamic';
  /** MIME types of a leaf. */
  readonly mime: readonly string[];
  /** MOID of an interior node. */
  readonly ddfName?: string;
  readonly caseSense: 'CS' | 'CIS';
  readonly defaultValue?: string;
  /** Value that instances begin with. */
  readonly value?: string;
  /** Run-time properties that the device says it supports; the four obligatory ones where it says nothing. */
  readonly properties: readonly string[];
  readonly children: readonly DdfNode[];
}

/** A device description. */
export interface DdfDocument {
  readonly file: string;
  readonly verDTD?: string;
  readonly man?: string;
  readonly mod?: string;
  /** The tops of the description; `below` are the segments above them, from the root of the device's tree. */
  readonly tops: readonly { readonly below: readonly string[]; readonly node: DdfNode }[];
}

export interface PackFromDdfOptions {
  /** Where legacy devices hold the object, `./FUMO/<x>`, when the description does not tell or tells otherwise. */
  readonly root?: string;
  /** MOID, when the description has several objects or tells none. */
  readonly moid?: string;
}

/** A management object in a description: the topmost nodes that have a MOID. */
export interface DescribedObject {
  readonly moid: string;
  /** Address with `<x>` for unnamed nodes; absent where the description does not place it. */
  readonly root?: string;
  readonly node: DdfNode;
}

/** The management objects that a description holds. */
export function objectsOf(ddf: DdfDocument): readonly DescribedObject[] {
  const found: DescribedObject[] = [];
  const visit = (node: DdfNode, above: readonly string[], placed: boolean): void => {
    // A description of a whole device begins with the root itself.
    const segments = node.name === '.' ? above : [...above, segmentOf(node, above)];
    const root = placed ? { root: `./${segments.join('/')}` } : {};
    if (node.ddfName !== undefined) found.push({ moid: node.ddfName, ...root, node });
    else for (const child of node.children) visit(child, segments, placed);
  };
  // A lone unnamed top without Path is the object as such, wherever a device may have it.
  for (const { below, node } of ddf.tops)
    visit(node, below.map(encodeSegment), node.name !== undefined || below.length > 0);
  return found;
}

/**
 * A mapping pack for one management object of a device description: formats, types, access types,
 * occurrence and permanence of every node. Names are the same on both sides; renames are the operator's to
 * add.
 *
 * @throws DragomanError `mapping` with file, place and reason
 */
export function packFromDdf(ddf: DdfDocument, options: PackFromDdfOptions = {}): string {
  const object = chosen(ddf, options);
  const moid = options.moid ?? object.moid;
  const root = options.root ?? object.root;
  const nodes = new Map<string, NodeEntry>();
  describe(ddf, object.node, [], nodes);
  const document = new Document({
    title: oneLine(object.node.title) ?? rootNameOf(moid),
    moid,
    ...(root !== undefined && { roots: [root] }),
    ...(nodes.size > 0 && { nodes: Object.fromEntries(nodes) }),
  });
  document.commentBefore = ` From ${oneLine(ddf.file) ?? 'a DDF'}${of(ddf)}.`;
  const map = document.get('nodes') as YAMLMap<Scalar, YAMLMap> | undefined;
  for (const item of (map?.items ?? []) as readonly Pair<Scalar, YAMLMap>[]) {
    if (item.value !== null) item.value.flow = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function of({ man, mod }: DdfDocument): string {
  const model = [oneLine(man), oneLine(mod)].filter((text) => text !== undefined).join(' ');
  return model === '' ? '' : ` of ${model}`;
}

function chosen(ddf: DdfDocument, { root, moid }: PackFromDdfOptions): DescribedObject {
  const objects = objectsOf(ddf);
  const matching = objects.filter(
    (object) => (moid === undefined || object.moid === moid) && (root === undefined || object.root === root),
  );
  if (matching.length === 1) return matching[0]!;
  if (objects.length === 1 && matching.length === 0) return objects[0]!;
  const top = ddf.tops[0];
  if (objects.length === 0 && top !== undefined && moid !== undefined && ddf.tops.length === 1) {
    const placed = top.node.name === undefined && top.below.length === 0;
    const place = [...top.below.map(encodeSegment), segmentOf(top.node, top.below)].join('/');
    return { moid, node: top.node, ...(!placed && { root: `./${place}` }) };
  }
  const names = objects.map((object) => `${object.moid} at ${object.root ?? 'no place'}`).join(', ');
  throw wrong(
    ddf,
    '',
    objects.length === 0
      ? 'no node has a DDFName; say which MOID the object has'
      : `${matching.length === 0 ? 'no object fits' : 'several objects fit'}; say which MOID and root of ${names}`,
  );
}

function describe(
  ddf: DdfDocument,
  parent: DdfNode,
  above: readonly string[],
  nodes: Map<string, NodeEntry>,
): void {
  for (const child of parent.children) {
    const path = [...above, segmentOf(child, above)];
    const key = path.join('/');
    const entry = entryOf(ddf, child, key);
    const other = nodes.get(key);
    // Several unnamed children are alternatives for one place: what they do not agree on is left open.
    if (other !== undefined && child.name !== undefined)
      throw wrong(ddf, key, `is described twice, the second time at ${child.at}`);
    nodes.set(key, other === undefined ? entry : common(other, entry));
    if (other === undefined) describe(ddf, child, path, nodes);
    else describeAlternative(ddf, child, path, nodes);
  }
}

function describeAlternative(
  ddf: DdfDocument,
  node: DdfNode,
  path: readonly string[],
  nodes: Map<string, NodeEntry>,
): void {
  const own = new Map<string, NodeEntry>();
  describe(ddf, node, path, own);
  for (const [key, entry] of own) {
    const other = nodes.get(key);
    nodes.set(key, other === undefined ? entry : common(other, entry));
  }
}

function common(a: NodeEntry, b: NodeEntry): NodeEntry {
  const same = Object.entries(a).filter(
    ([key, value]) => JSON.stringify(value) === JSON.stringify(b[key as keyof NodeEntry]),
  );
  return { ...Object.fromEntries(same), ...((a.secret || b.secret) && { secret: true }) };
}

/** Names of nodes that hold secrets; they only count where the node cannot be read (1x§13.3). */
const SECRET = /secret|passw|passphrase|pin$|pw$|nonce|authdata|(?:private|shared)key/i;

function entryOf(ddf: DdfDocument, node: DdfNode, key: string): NodeEntry {
  const format = node.format ?? (node.children.length > 0 ? 'node' : undefined);
  if (format !== undefined && format !== 'node' && node.children.length > 0)
    throw wrong(ddf, key, `has DFFormat ${format} and child nodes (${node.at})`);
  const leaf = format !== 'node';
  const type = leaf ? node.mime[0] : undefined;
  if (type !== undefined && type.length > 512)
    throw wrong(ddf, key, `has a MIME type of ${type.length} characters`);
  return {
    ...(format !== undefined && { format }),
    ...(type !== undefined && format !== 'null' && { type }),
    ...(node.access !== undefined && { access: node.access }),
    occurs: node.occurrence,
    ...(node.scope === 'Permanent' && { permanent: true }),
    ...(leaf && node.access?.includes('Get') !== true && SECRET.test(node.name ?? '') && { secret: true }),
  };
}

const LETTERS = ['x', 'y', 'z'];

/** A node's segment in a declared path; unnamed ones are told apart by a letter each. */
function segmentOf(node: DdfNode, above: readonly string[]): string {
  if (node.name !== undefined) return encodeSegment(node.name);
  const unnamed = above.filter((segment) => /^<.*>$/.test(segment)).length;
  return `<${LETTERS[unnamed] ?? `x${unnamed + 1}`}>`;
}

function oneLine(text: string | undefined): string | undefined {
  const line = text
    ?.replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, 200);
  return line === '' ? undefined : line;
}

function wrong({ file }: DdfDocument, path: string, reason: string): DragomanError {
  return new DragomanError('mapping', `${file}: ${path === '' ? '' : `${path}: `}${reason}.`);
}
