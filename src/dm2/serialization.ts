import type { Format } from '../mo/format.ts';
import type { MoNode } from '../mo/node.ts';
import { DragomanError } from '../support/errors.ts';
import { type ClientUri, namedPath, parseClientUri } from './clientUri.ts';
import { JSON_LIMITS, type JsonLimits, readJson } from './json.ts';
import { LexicalNumber, setMember } from './jsonParser.ts';
import type { SerializationItem } from './packages.ts';
import { BARE_VALUE, isTree, NO_CLIENT_URI, toItems } from './serializationItem.ts';
import { fromJson, isXmlText, type JsonLeaf, toJson, type ValueMode } from './values.ts';

export { type JsonLeaf, toJson, type ValueMode } from './values.ts';

/** A tree as a serialization brings it, before formats are known. */
export type JsonNode =
  | {
      readonly name: string;
      readonly value: JsonLeaf;
      /** Text of a number that a double would change; see `LexicalNumber`. */
      readonly lexical?: string;
    }
  | { readonly name: string; readonly children: readonly JsonNode[] };

export interface WriteItem {
  /** ClientURI of the node, as the item shall carry it. */
  readonly uri: string;
  /** Key under `MOData` when the node is an MO root; any other node goes by its own name. */
  readonly rootName: string;
  readonly node: MoNode;
  readonly cv?: string;
  readonly ddf?: string;
}

/** Writes an MO serialization, each item rooted at the addressed node (IW-VAL-5, 20§15 Q27). */
export function writeSerialization(
  items: readonly WriteItem[],
  options: { readonly values: ValueMode },
): SerializationItem[] {
  return items.map(({ uri, rootName, node, cv, ddf }) => {
    const parsed = parseClientUri(uri, { bareInstance: true });
    const isRoot = !('error' in parsed) && parsed.path.length === 0;
    const data: Record<string, unknown> = {};
    setMember(data, isRoot ? rootName : node.name, writeNode(node, options.values));
    return {
      ...(ddf === undefined ? {} : { DDF: ddf }),
      ClientURI: uri,
      ...(cv === undefined ? {} : { CV: cv }),
      MOData: data,
    };
  });
}

function writeNode(node: MoNode, mode: ValueMode): unknown {
  if (node.children === undefined && node.format !== 'node') return toJson(node.value, node.format, mode);
  const object: Record<string, unknown> = {};
  for (const child of node.children ?? []) setMember(object, child.name, writeNode(child, mode));
  return object;
}

/** Where a document belongs that does not say so itself. */
export interface ReadTarget {
  /** Name of the root of an object (IW-VAL-5). */
  rootName(moid: string): string | undefined;
  readonly moid?: string;
  /** Names from the MO root to the addressed node. */
  readonly path?: readonly string[];
}

export interface ReadItem {
  readonly uri?: string;
  readonly cv?: string;
  readonly ddf?: string;
  /** The addressed node. */
  readonly node: JsonNode;
}

/** Reads the bytes of a serialization, numbers letter by letter. Throws as {@link readSerialization}. */
export function readSerializationBody(
  body: Uint8Array,
  target?: ReadTarget,
  limits: JsonLimits = JSON_LIMITS,
): ReadItem[] {
  return readSerialization(readJson(body, limits, 'lexical'), target);
}

/**
 * Reads a parsed serialization in any of the shapes that peers send (IW-VAL-5, 20§6.1): array or single
 * item, with and without the item around the tree, rooted at the target or at the MO, or a leaf's bare
 * value. The node is always the addressed one. Throws DragomanError `malformed` when the document holds
 * no node where its address points, or an array where a node belongs.
 */
export function readSerialization(json: unknown, target?: ReadTarget): ReadItem[] {
  return toItems(json).map((item) => {
    const uri = item.ClientURI === NO_CLIENT_URI ? undefined : item.ClientURI;
    return {
      ...(uri === undefined ? {} : { uri }),
      ...(item.CV === undefined ? {} : { cv: item.CV }),
      ...(item.DDF === undefined ? {} : { ddf: item.DDF }),
      node: addressedNode(item.MOData, placeOf(uri, target)),
    };
  });
}

interface Place {
  readonly rootName: string | undefined;
  /** `undefined`: unknown, or it holds wildcards. */
  readonly path: readonly string[] | undefined;
}

function placeOf(uri: string | undefined, target: ReadTarget | undefined): Place {
  const parsed = uri === undefined ? undefined : asClientUri(uri);
  const moid = parsed?.moid ?? target?.moid;
  const path = (parsed && namedPath(parsed)) ?? target?.path;
  return { rootName: moid === undefined ? undefined : target?.rootName(moid), path };
}

function asClientUri(uri: string): ClientUri {
  const parsed = parseClientUri(uri, { bareInstance: true });
  if ('error' in parsed) throw new DragomanError('malformed', `An item's address is wrong. ${parsed.detail}`);
  return parsed;
}

/**
 * Finds the addressed node in MOData. A single key that is the target's own name is the written form;
 * otherwise the path may start below the root's key, at the top (the key left out), or MOData may be
 * the target's content.
 */
function addressedNode(data: Readonly<Record<string, unknown>>, { rootName, path }: Place): JsonNode {
  const keys = Object.keys(data);
  const [key] = keys;
  const single = keys.length === 1 && key !== undefined;
  const ownName = path?.at(-1) ?? rootName;
  if (key === BARE_VALUE && single) return toNodeTree(ownName ?? '', data[key]);
  if (path === undefined) return single ? toNodeTree(key, data[key]) : toNodeTree(rootName ?? '', data);
  if (path.length === 0) {
    return single && (key === rootName || rootName === undefined || isTree(data[key]))
      ? toNodeTree(rootName ?? key, data[key])
      : toNodeTree(rootName ?? '', data);
  }
  const name = ownName ?? '';
  if (single && key === name) {
    // Where the root bears the target's name, only a path that leads on tells one from the other.
    const below = key === rootName ? descend(data[key], path) : undefined;
    return toNodeTree(name, below !== undefined && path.length > 1 ? below : data[key]);
  }
  const found = (single ? descend(data[key], path) : undefined) ?? descend(data, path);
  if (found !== undefined) return toNodeTree(name, found);
  if (single && key === rootName) {
    throw new DragomanError(
      'malformed',
      `MOData starts at ${key} but does not hold the addressed node ${name}.`,
    );
  }
  return toNodeTree(name, data);
}

function descend(from: unknown, path: readonly string[]): unknown {
  let at = from;
  for (const name of path) {
    if (!isTree(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

function toNodeTree(name: string, json: unknown): JsonNode {
  if (json instanceof LexicalNumber) return { name, value: Number(json.lexical), lexical: json.lexical };
  if (isTree(json)) {
    return { name, children: Object.keys(json).map((child) => toNodeTree(child, json[child])) };
  }
  if (Array.isArray(json)) {
    throw new DragomanError(
      'malformed',
      `The node ${name} is given as a JSON array; it must be an object or a value.`,
    );
  }
  return { name, value: json as JsonLeaf };
}

export interface ValueError {
  readonly error: 'bad-value';
  /** Names below the node given. */
  readonly path: readonly string[];
  readonly detail: string;
}

/**
 * Gives every leaf its format and value (IW-VAL-2). `format` answers for a path below the node given
 * (`[]` is that node) or `undefined`, in which case the JSON type decides.
 */
export function toNode(
  json: JsonNode,
  format: (path: readonly string[]) => Format | undefined,
): MoNode | ValueError {
  return convert(json, format, []);
}

function convert(
  json: JsonNode,
  format: (path: readonly string[]) => Format | undefined,
  path: readonly string[],
): MoNode | ValueError {
  const known = format(path);
  const where = path.length === 0 ? json.name : path.join('/');
  if ('children' in json) {
    // An operation holds nothing; clients write it as a node without children.
    if (known === 'null' && json.children.length === 0) return { name: json.name, format: known, value: '' };
    if (known !== undefined && known !== 'node') {
      return { error: 'bad-value', path, detail: `${where} is a leaf of format ${known}, not an object.` };
    }
    const children: MoNode[] = [];
    for (const child of json.children) {
      const childPath = [...path, child.name];
      if (!isNodeName(child.name)) {
        return {
          error: 'bad-value',
          path: childPath,
          detail: `A child of ${where} has a name that no node can have.`,
        };
      }
      const converted = convert(child, format, childPath);
      if ('error' in converted) return converted;
      children.push(converted);
    }
    return { name: json.name, format: 'node', children };
  }
  const leaf = fromJson(json.value, known, json.lexical);
  return 'error' in leaf
    ? { error: 'bad-value', path, detail: `The value of ${where} is refused: ${leaf.detail}.` }
    : { name: json.name, format: leaf.format, value: leaf.value };
}

function isNodeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && isXmlText(name);
}
