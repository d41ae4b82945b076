import { readMoDocument } from '../../dm2/documents.ts';
import type { SerializationItem, StatusItem } from '../../dm2/packages.ts';
import { type ReadItem, readSerialization, toNode } from '../../dm2/serialization.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import { delegationNode, isDelegation } from '../access/delegation.ts';
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
  const results = yield* revalidate(
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
    const node = isDelegation({ mapping }) ? delegationNode(s, path) : mapping.synthesised?.(path);
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

/** Capability of a client: it knows the `cv` field of a ClientURI. */
const KNOWS_CV = 'cv';

/**
 * Asks with the validators that are known (20§11, IW-GET-3). 304 gives what was read before; one for a read
 * without validator is a lie. A client that refuses the field is asked without, and not with it again.
 */
function* revalidate(
  s: Session,
  device: Dm2Device,
  requests: readonly Dm2ReadRequest[],
): Script<readonly Dm2Read[]> {
  const knows = device.dialect.capabilities.cacheValidators && s.capability(KNOWS_CV) !== false;
  const sent = requests.map((request): Dm2ReadRequest => {
    const { address } = request;
    const cv = knows ? (request.cv ?? device.instances.validator(address)) : undefined;
    return cv === undefined ? { address } : { address, cv };
  });
  const results = [...(yield* ask(s, device, sent))];
  const refused = [...results.keys()].filter((i) => {
    const result = results[i]!;
    return sent[i]!.cv !== undefined && !result.ok && (result.sc === 400 || result.sc === 501);
  });
  if (refused.length > 0 && !device.gone) {
    const again = yield* ask(
      s,
      device,
      refused.map((i) => ({ address: sent[i]!.address })),
    );
    if (again.some(({ ok }) => ok)) {
      s.learn(KNOWS_CV, false);
      yield* s.note('IW-GET-3', 'The client refuses validators; it is read without from now on.');
    }
    refused.forEach((i, at) => {
      results[i] = again[at]!;
    });
  }
  for (const [i, result] of results.entries()) results[i] = yield* settled(s, device, sent[i]!, result);
  return results;
}

function* settled(
  s: Session,
  device: Dm2Device,
  { address, cv }: Dm2ReadRequest,
  result: Dm2Read,
): Script<Dm2Read> {
  if (result.ok) {
    device.instances.learn(address, result.node, result.cv);
    return result;
  }
  if (result.sc !== 304) return result;
  if (cv === undefined) {
    yield* s.note('IW-GET-3', 'The client answered 304 to a read without validator; reported as 500.');
    return { ok: false, sc: 500 };
  }
  const node = device.instances.node(address);
  return node ? { ok: true, node, cv } : result;
}

function* ask(
  s: Session,
  device: Dm2Device,
  requests: readonly Dm2ReadRequest[],
): Script<readonly Dm2Read[]> {
  if (requests.length === 0) return [];
  const uris = requests.map(({ address, cv }) => {
    const uri = clientUri(address.mapping.mount, address.path);
    return cv === undefined ? uri : `${uri}?cv=${encodeURIComponent(cv)}`;
  });
  if (s.capability('get') === true) return yield* askWithGet(s, device, requests, uris);
  const urls: string[] = [];
  for (let i = 0; i < uris.length; i++) urls.push((yield* s.perform({ kind: 'repository.expect' })).url);
  const items = yield* device.run(
    uris.map((uri, i) => ({ verb: 'HPOST', serverUri: urls[i]!, clientUris: [uri] })),
  );
  const { uploads } = yield* s.perform({ kind: 'repository.collect', urls });
  const unknown = items.every(({ sc }, i) => sc === 501 && requests[i]!.cv === undefined);
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
    if (!('error' in node)) return { ok: true, node, ...(isValidator(item.cv) && { cv: item.cv }) };
    yield* s.note('IW-VAL-2', `${node.path.join('/')}: ${node.detail}`);
    return { ok: false, sc: 500 };
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-RD-1', `The client's document cannot be read: ${error.detail}`);
    return { ok: false, sc: 500 };
  }
}

/** Whether a validator can be sent back: a client chooses its own, but it has to fit into an address. */
function isValidator(cv: string | undefined): cv is string {
  return cv !== undefined && cv !== '' && cv.length <= 256 && !/[\p{Cc}\p{Cs}]/u.test(cv);
}
