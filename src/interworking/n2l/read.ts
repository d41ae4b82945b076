import { readMoDocument } from '../../dm2/documents.ts';
import type { SerializationItem, StatusItem } from '../../dm2/packages.ts';
import { type ReadItem, readSerialization, toNode } from '../../dm2/serialization.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import type { Script, Upload } from '../script.ts';
import type { Session } from '../session.ts';
import type { Dm2Device } from './device.ts';
import { DEVINFO } from './mounts.ts';

/** A read node in 2.0 terms; on failure the client's `sc`. */
export type Dm2Read =
  | { readonly ok: true; readonly node: MoNode; readonly cv?: string }
  | { readonly ok: false; readonly sc: number };

export interface Dm2ReadRequest {
  readonly address: MoAddress;
  /** Validator of what is known; the client may answer 304 (20§11). */
  readonly cv?: string;
}

/**
 * Reads nodes of a 2.0 client, all in one package (IW-RD-1): each is posted to a one-time URL of the
 * gateway's own repository, which every client can do, or comes with GET where the client is known to
 * answer it with data. A client that does not know HPOST after all is asked with GET once, and what came
 * of that is remembered. One ClientURI per command, so that each has its own status (20§15 Q9).
 */
export function* readFromClient(
  s: Session,
  device: Dm2Device,
  requests: readonly Dm2ReadRequest[],
): Script<readonly Dm2Read[]> {
  const known = requests.map(({ address }) => withoutAsking(s, address));
  const results = yield* ask(
    s,
    device,
    requests.filter((_, i) => known[i] === undefined),
  );
  let at = 0;
  return known.map((read) => read ?? results[at++]!);
}

/** What needs no client: an object that only the gateway shows, and DevInfo where the first message held it. */
function withoutAsking(s: Session, { mapping, path }: MoAddress): Dm2Read | undefined {
  if (s.isSynthesised(mapping.mount)) {
    const node = mapping.synthesised?.(path);
    return node ? { ok: true, node } : { ok: false, sc: 404 };
  }
  const { opening } = s.context;
  if (opening.protocol !== 'dm2' || opening.devInfo === undefined) return undefined;
  if (!s.context.mappings.sameObject(mapping.mount.moid, DEVINFO)) return undefined;
  const children = Object.entries(opening.devInfo).map(
    ([name, value]): MoNode => ({ name, format: mapping.definition([name])?.format ?? 'chr', value }),
  );
  const node = descendant({ name: mapping.rootName, format: 'node', children }, path);
  return node && { ok: true, node };
}

function* ask(
  s: Session,
  device: Dm2Device,
  requests: readonly Dm2ReadRequest[],
): Script<readonly Dm2Read[]> {
  if (requests.length === 0) return [];
  const { cacheValidators } = device.dialect.capabilities;
  const uris = requests.map(({ address, cv }) => {
    const uri = clientUri(address.mapping.mount, address.path);
    return cv === undefined || !cacheValidators ? uri : `${uri}?cv=${encodeURIComponent(cv)}`;
  });
  if (s.capability('get') === true) return yield* askWithGet(s, device, requests, uris);
  const urls: string[] = [];
  for (let i = 0; i < uris.length; i++) urls.push((yield* s.perform({ kind: 'repository.expect' })).url);
  const items = yield* device.run(
    uris.map((uri, i) => ({ verb: 'HPOST', serverUri: urls[i]!, clientUris: [uri] })),
  );
  const { uploads } = yield* s.perform({ kind: 'repository.collect', urls });
  const unknown = items.every(({ sc }) => sc === 501);
  if (!unknown || device.gone || s.capability('get') === false) {
    return yield* parseAll(s, requests, items, uploads);
  }
  yield* s.note('IW-RD-1', 'The client does not know HPOST, which is mandatory; it is asked with GET.');
  const results = yield* askWithGet(s, device, requests, uris);
  if (results.some(({ ok }) => ok)) s.learn('get', true);
  else if (results.every((result) => !result.ok && result.sc === 501)) s.learn('get', false);
  return results;
}

function* askWithGet(
  s: Session,
  device: Dm2Device,
  requests: readonly Dm2ReadRequest[],
  uris: readonly string[],
): Script<readonly Dm2Read[]> {
  const items = yield* device.run(uris.map((uri) => ({ verb: 'GET', clientUris: [uri] })));
  return yield* parseAll(
    s,
    requests,
    items,
    items.map((item) => item.MO),
  );
}

function* parseAll(
  s: Session,
  requests: readonly Dm2ReadRequest[],
  items: readonly StatusItem[],
  documents: readonly (readonly SerializationItem[] | Upload | null | undefined)[],
): Script<readonly Dm2Read[]> {
  const results: Dm2Read[] = [];
  for (const [i, { address }] of requests.entries()) {
    const { sc } = items[i]!;
    if (sc !== 200) {
      // 204: the node exists and has no value (20§8).
      results.push(sc === 204 ? { ok: true, node: emptyLeaf(address) } : { ok: false, sc });
      continue;
    }
    const document = documents[i];
    if (!document) {
      yield* s.note(
        'IW-RD-1',
        `The client reported 200 for ${address.path.join('/') || 'an object'} but sent no data.`,
      );
      results.push({ ok: false, sc: 500 });
      continue;
    }
    results.push(yield* parse(s, address, document));
  }
  return results;
}

function emptyLeaf(address: MoAddress): MoNode {
  const { path, mapping } = address;
  return {
    name: path.at(-1) ?? mapping.rootName,
    format: mapping.definition(path)?.format ?? 'chr',
    value: '',
  };
}

function* parse(
  s: Session,
  address: MoAddress,
  document: readonly SerializationItem[] | Upload,
): Script<Dm2Read> {
  const { mapping, path } = address;
  const target = { rootName: () => mapping.rootName, moid: mapping.mount.moid, path };
  try {
    const items: readonly ReadItem[] = Array.isArray(document)
      ? readSerialization(document, target)
      : readMoDocument(document as Upload, target);
    const [item] = items;
    if (!item) return { ok: false, sc: 404 };
    const node = toNode(
      { ...item.node, name: path.at(-1) ?? mapping.rootName },
      (below) => mapping.definition([...path, ...below])?.format,
    );
    if (!('error' in node)) return { ok: true, node, ...(item.cv !== undefined && { cv: item.cv }) };
    yield* s.note('IW-VAL-2', `${node.path.join('/')}: ${node.detail}`);
    return { ok: false, sc: 500 };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-RD-1', `The client's document cannot be read: ${error.detail}`);
    return { ok: false, sc: 500 };
  }
}
