import { Document, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { DragomanError } from '../../support/errors.ts';
import type { Format } from '../format.ts';
import type { Access } from '../mapping.ts';
import { isMoid, rootNameOf } from '../moid.ts';
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
    const moid = moidOf(node);
    if (moid !== undefined) found.push({ moid, ...root, node });
    else for (const child of node.children) visit(child, segments, placed);
  };
  // A lone unnamed top without Path is the object as such, wherever a device may have it.
  for (const { below, node } of ddf.tops)
    visit(node, below.map(encodeSegment), node.name !== undefined || below.length > 0);
  return found;
}

/** DDFName; Microsoft's descriptions write the MOID of an interior node as its MIME. */
function moidOf({ ddfName, mime, format }: DdfNode): string | undefined {
  return ddfName ?? (format === 'node' ? mime.find(isMoid) : undefined);
}

/**
 * A mapping pack for one management object of a device description: formats, types, access types,
 * occurrence and permanence of every node. An object that stands at several places, as for the device and for its
 * user, has all of them; what these do not agree on is left open. Names are the same on both sides; renames are the
 * operator's to add.
 *
 * @throws DragomanError `mapping` with file, place and reason
 */
export function packFromDdf(ddf: DdfDocument, options: PackFromDdfOptions = {}): string {
  const [object, ...others] = chosen(ddf, options);
  const moid = options.moid ?? object.moid;
  const roots = options.root !== undefined ? [options.root] : rootsOf([object, ...others]);
  const create = parentOfNew(object.node, roots);
  const nodes = new Map<string, NodeEntry>();
  describe(ddf, object.node, [], nodes);
  for (const { node } of others) describeAlternative(ddf, node, [], nodes);
  const document = new Document({
    title: oneLine(object.node.title) ?? rootNameOf(moid),
    moid,
    ...(roots.length > 0 && { roots }),
    ...(create !== undefined && { create }),
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

function rootsOf(objects: readonly DescribedObject[]): string[] {
  return [...new Set(objects.flatMap(({ root }) => root ?? []))];
}

/** Where a new instance is made: right above the root, where its name is free and a server may add it. */
function parentOfNew(node: DdfNode, roots: readonly string[]): string | undefined {
  if (node.access?.includes('Add') !== true) return undefined;
  return roots
    .map((root) => /^(\.(?:\/[^<>/]+)+)\/<x>$/.exec(root)?.[1])
    .find((parent) => parent !== undefined);
}

type OneOrMore<T> = readonly [T, ...T[]];

/** The object that the operator means, once for each of its places. */
function chosen(ddf: DdfDocument, { root, moid }: PackFromDdfOptions): OneOrMore<DescribedObject> {
  const described = objectsOf(ddf);
  const objects = described.length > 0 || moid === undefined ? described : unnamedObjects(ddf, moid);
  const fitting = objects.filter(
    (object) => (moid === undefined || object.moid === moid) && (root === undefined || object.root === root),
  );
  const [first, ...others] = objects.length === 1 ? objects : fitting;
  if (first && others.every((object) => sameObject(first, object))) return [first, ...others];
  const names = objects.map((object) => `${object.moid} at ${object.root ?? 'no place'}`).join(', ');
  throw wrong(
    ddf,
    undefined,
    '',
    objects.length === 0
      ? 'no node has a DDFName that is a MOID; say with --moid which object it is'
      : `${first ? 'several objects fit' : 'no object fits'}; say with --moid and --root which of ${names}`,
  );
}

function sameObject(a: DescribedObject, b: DescribedObject): boolean {
  return a.moid === b.moid && a.node.name === b.node.name;
}

/** Where no node has a MOID, the tops are what there is. */
function unnamedObjects(ddf: DdfDocument, moid: string): readonly DescribedObject[] {
  return ddf.tops.map(({ below, node }) => {
    const placed = node.name !== undefined || below.length > 0;
    const place = [...below.map(encodeSegment), segmentOf(node, below)].join('/');
    return { moid, node, ...(placed && { root: `./${place}` }) };
  });
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
      throw wrong(ddf, child.at, key, 'is described twice; leave one of the two out');
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
    throw wrong(ddf, node.at, key, `has DFFormat ${format} and child nodes; only DFFormat node has children`);
  const leaf = format !== 'node';
  const type = leaf ? node.mime[0] : undefined;
  if (type !== undefined && type.length > 512)
    throw wrong(ddf, node.at, key, `has a MIME type of ${type.length} characters; 512 are allowed`);
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

function wrong({ file }: DdfDocument, at: string | undefined, path: string, reason: string): DragomanError {
  const place = at === undefined || at === '' ? file : `${file}:${at}`;
  return new DragomanError('mapping', `${place}: ${path === '' ? '' : `${path}: `}${reason}.`);
}
