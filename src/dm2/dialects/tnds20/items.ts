import { rootNameOf } from '../../../mo/moid.ts';
import { DragomanError } from '../../../support/errors.ts';
import { clientUriOf, namedPath, parseClientUri, withUrn } from '../../clientUri.ts';
import { LexicalNumber, setMember } from '../../jsonParser.ts';
import type { SerializationItem } from '../../packages.ts';
import { BARE_VALUE, isTree } from '../../serializationItem.ts';
import { bareMoid, ONLY_INSTANCE, readPath, writePath } from '../text/address.ts';
import { PairObject, type PairValue } from './pairs.ts';

type Pair = readonly [name: string, value: PairValue];

/**
 * Data items of TNDS20 (20§6.3): `MOID` and `Path`, perhaps `CV` and `DDF`, then the content of the node
 * they address. In one object a further MOID begins the next item.
 */
export function readItems(object: PairObject): SerializationItem[] {
  const items: SerializationItem[] = [];
  let from = 0;
  object.pairs.forEach(([name], at) => {
    if (name !== 'MOID' || at === 0) return;
    // Whatever stands before the first MOID belongs to its item.
    if (object.pairs.slice(from, at).some(([earlier]) => earlier === 'MOID')) {
      items.push(readItem(object.pairs.slice(from, at)));
      from = at;
    }
  });
  items.push(readItem(object.pairs.slice(from)));
  return items;
}

const HEADER = ['MOID', 'Path', 'CV', 'DDF'] as const;
type Header = (typeof HEADER)[number];

function isHeader(name: string): name is Header {
  return (HEADER as readonly string[]).includes(name);
}

function readItem(pairs: readonly Pair[]): SerializationItem {
  const header: Partial<Record<Header, string>> = {};
  const content: Pair[] = [];
  for (const pair of pairs) {
    const [name, value] = pair;
    // A node may bear one of these names too: CV and DDF count only ahead of the content.
    const open = content.length === 0 || name === 'MOID' || name === 'Path';
    if (isHeader(name) && open && header[name] === undefined && typeof value === 'string') {
      header[name] = value;
    } else {
      content.push(pair);
    }
  }
  const { MOID, Path = '/', CV, DDF } = header;
  if (MOID === undefined || MOID.trim() === '') {
    throw new DragomanError('malformed', 'An item of TNDS20 has no MOID.');
  }
  const moid = withUrn(MOID.trim());
  const { miid, below } = readPath(Path);
  return {
    ...(DDF === undefined ? {} : { DDF }),
    ClientURI: clientUriOf(moid, miid, below),
    ...(CV === undefined ? {} : { CV }),
    MOData: readContent(content, moid, below),
  };
}

function readContent(
  content: readonly Pair[],
  moid: string,
  below: readonly string[],
): Record<string, unknown> {
  const name = below.at(-1);
  const data: Record<string, unknown> = {};
  const [only] = content;
  if (name !== undefined && content.length === 1 && only?.[0] === name && !isObject(only[1])) {
    setMember(data, name, toJson(only[1]));
  } else {
    setMember(data, name ?? rootNameOf(moid), toJson(new PairObject(content)));
  }
  return data;
}

function isObject(value: PairValue): value is PairObject {
  return value instanceof PairObject;
}

/** The value as `readJson` would give it; a name that stands twice in one node is `malformed`. */
export function toJson(value: PairValue): unknown {
  if (isObject(value)) {
    const object: Record<string, unknown> = {};
    for (const [name, inner] of value.pairs) {
      if (Object.hasOwn(object, name)) {
        throw new DragomanError('malformed', `The node ${JSON.stringify(name)} stands twice in one place.`);
      }
      setMember(object, name, toJson(inner));
    }
    return object;
  }
  return Array.isArray(value) ? value.map((inner: PairValue) => toJson(inner)) : value;
}

function fromJson(value: unknown): PairValue {
  if (value instanceof LexicalNumber) return value.lexical;
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value === 'object' && value !== null) {
    return new PairObject(Object.entries(value).map(([name, inner]) => [name, fromJson(inner)]));
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** One item; `undefined` where its address names no single node, which TNDS20 has no way to say. */
export function writeItem(item: SerializationItem, cacheValidators: boolean): PairObject | undefined {
  const uri = parseClientUri(item.ClientURI, { bareInstance: true });
  if ('error' in uri || uri.instance.kind === 'any' || uri.instance.kind === 'variable') return undefined;
  const below = namedPath(uri);
  if (below === undefined) return undefined;
  const miid = uri.instance.kind === 'named' ? uri.instance.name : undefined;
  return new PairObject([
    ['MOID', bareMoid(uri.moid)],
    ['Path', writePath(miid, below)],
    ...(cacheValidators && item.CV !== undefined ? [['CV', item.CV] as const] : []),
    ...writeContent(item.MOData, below.at(-1)),
  ]);
}

/** Below the root's or node's own name, which Path already tells. */
function writeContent(data: Readonly<Record<string, unknown>>, name: string | undefined): Pair[] {
  const keys = Object.keys(data);
  const [key] = keys;
  const value = key === undefined ? undefined : data[key];
  if (keys.length === 1 && key === BARE_VALUE && name !== undefined) return [[name, fromJson(value)]];
  const wrapped = keys.length === 1 && isTree(value) && (name === undefined || key === name);
  return Object.entries(wrapped ? value : data).map(([child, inner]) => [child, fromJson(inner)]);
}

/** MIID of an instance in the supported list, from its Path. */
export function miidOf(path: string): string {
  return readPath(path).miid ?? ONLY_INSTANCE;
}
