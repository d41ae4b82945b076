import { clientUriOf, parseClientUri } from '../../dm2/clientUri.ts';
import { isMoDocument, readMoDocument } from '../../dm2/documents.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import { type ReadItem, toNode } from '../../dm2/serialization.ts';
import { isBinary } from '../../mo/format.ts';
import { type MoNode, sameValue } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import type { SimTree } from '../tree.ts';
import { type Objects, type Place, pathOf } from './objects.ts';

export interface WriteOutcome {
  readonly code: number;
  /** Where the client put things, when it chose the place (20§3.1). */
  readonly uris?: readonly string[];
}

/** Stores the body of an HGET, all or nothing: at `clientUri`, or where the document says. */
export function store(
  objects: Objects,
  body: Uint8Array,
  contentType: string | undefined,
  clientUri: string | undefined,
): WriteOutcome {
  const before = objects.tree.snapshot();
  const outcome = storeBody(objects, body, contentType, clientUri);
  if (outcome.code >= 300) objects.tree.restore(before);
  return outcome;
}

function storeBody(
  objects: Objects,
  body: Uint8Array,
  contentType: string | undefined,
  clientUri: string | undefined,
): WriteOutcome {
  const place = clientUri === undefined ? undefined : target(objects, clientUri);
  if (place && 'code' in place) return place;
  if (!isMoDocument(contentType)) {
    return place ? { code: writeRaw(objects.tree, place, body, contentType) } : { code: 415 };
  }
  let items: ReadItem[];
  try {
    items = readMoDocument(
      { contentType, body },
      {
        rootName: (moid) => objects.rootName(moid),
        ...(place ? { moid: place.moid, path: place.path } : {}),
      },
    );
  } catch (error) {
    return { code: error instanceof DragomanError ? error.row.dm2 : 400 };
  }
  if (place) {
    const [item] = items;
    return item && items.length === 1 ? { code: writeItem(objects, place, item) } : { code: 400 };
  }
  const uris: string[] = [];
  for (const item of items) {
    const chosen = placeFor(objects, item);
    if ('code' in chosen) return chosen;
    const code = writeItem(objects, chosen, item);
    if (code >= 300) return { code };
    uris.push(clientUriOf(chosen.moid, chosen.miid, chosen.path));
  }
  return { code: 200, uris };
}

/** The one node that an address names, or a place that may be made. */
function target(objects: Objects, text: string): Place | { readonly code: number } {
  const found = objects.places(text, false);
  if ('code' in found) {
    const parsed = parseClientUri(text);
    // A named instance that does not exist yet may be created.
    if (found.code === 404 && !('error' in parsed) && parsed.instance.kind === 'named') {
      return parsed.path.every((segment) => segment.kind === 'named')
        ? {
            moid: parsed.moid,
            miid: parsed.instance.name,
            path: parsed.path.map((s) => (s.kind === 'named' ? s.name : '')),
          }
        : found;
    }
    return found;
  }
  return found.places.length === 1 ? found.places[0]! : { code: 404 };
}

function placeFor(objects: Objects, item: ReadItem): Place | { readonly code: number } {
  if (item.uri === undefined) return { code: 400 };
  const parsed = parseClientUri(item.uri, { bareInstance: true });
  if ('error' in parsed) return { code: 400 };
  if (parsed.instance.kind === 'empty' && parsed.path.length === 0) {
    return { moid: parsed.moid, miid: objects.newInstance(parsed.moid), path: [] };
  }
  return target(objects, item.uri);
}

function writeItem(objects: Objects, place: Place, item: ReadItem): number {
  const path = pathOf(place);
  const { tree } = objects;
  const node = toNode(item.node, (below) => tree.find([...path, ...below])?.format);
  return 'error' in node ? 415 : write(tree, path, node);
}

/** Makes the subtree at `path` equal to `node`; what may not be deleted stays (IW-HGET-2). */
function write(tree: SimTree, path: readonly string[], node: MoNode): number {
  const existing = tree.find(path);
  const content = {
    ...(node.format === undefined ? {} : { format: node.format }),
    ...(node.type === undefined ? {} : { type: node.type }),
    ...(node.value === undefined ? {} : { value: node.value }),
  };
  if (node.children === undefined) {
    if (!existing) return tree.add(path, content);
    if (existing.children) return 405;
    return sameValue(existing.value ?? '', node.value ?? '') ? 200 : tree.replace(path, content);
  }
  if (existing && !existing.children) return 405;
  if (!existing) {
    const code = tree.add(path, { format: 'node' });
    if (code !== 200) return code;
  }
  const wanted = new Set(node.children.map(({ name }) => name));
  for (const name of [...(existing?.children?.keys() ?? [])]) {
    if (!wanted.has(name)) tree.delete([...path, name]);
  }
  for (const child of node.children) {
    const code = write(tree, [...path, child.name], child);
    if (code !== 200) return code;
  }
  return 200;
}

/** A body that is no serialization becomes the value of one leaf, with its MIME type (IW-HGET-4). */
function writeRaw(tree: SimTree, place: Place, body: Uint8Array, contentType: string | undefined): number {
  const path = pathOf(place);
  const existing = tree.find(path);
  const type = essence(contentType) ?? 'application/octet-stream';
  const format = existing?.format ?? (type.startsWith('text/') ? 'chr' : 'bin');
  const value = isBinary(format) ? body : Buffer.from(body).toString('utf8');
  const content = { format, type, value };
  return existing ? tree.replace(path, content) : tree.add(path, content);
}
