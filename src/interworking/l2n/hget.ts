import { DEFAULT_LIMITS } from '../../dm1/codec/limits.ts';
import { isTnds, readTnds } from '../../dm1/tnds/read.ts';
import { clientUriOf, namedPath, parseClientUri } from '../../dm2/clientUri.ts';
import { isMoDocument, readMoDocument } from '../../dm2/documents.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { type JsonNode, type ReadItem, type ReadTarget, toNode } from '../../dm2/serialization.ts';
import { isBinary } from '../../mo/format.ts';
import { xmlIllegal } from '../../mo/lexical.ts';
import type { MountMapping } from '../../mo/mapping.ts';
import { descendant, type MoNode } from '../../mo/node.ts';
import { samePath, type TreePath } from '../../mo/treePath.ts';
import { validatorOf } from '../../mo/validator.ts';
import { DragomanError } from '../../support/errors.ts';
import { isDelegation, namesDelegation } from '../access/delegation.ts';
import { runOnDelegation } from '../access/delegationCommands.ts';
import { own } from '../access/rights.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import { backendDialect } from '../dialects.ts';
import type { KnownDocument } from '../kept.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import type { Fetched } from '../transfer.ts';
import { fetchIfChanged, rememberDocument } from './conditional.ts';
import type { LegacyDevice } from './device.ts';
import { type Change, changes } from './diff.ts';
import { mount } from './inventory.ts';
import { type ObjectRead, readObjects } from './objects.ts';
import { type Place, placeFor, resolveOnDevice } from './resolve.ts';
import { write } from './write.ts';

type Hget = Extract<Dm2Command, { verb: 'HGET' }>;
type Document = Extract<Fetched, { ok: true }>;
type Planned =
  | {
      readonly ok: true;
      readonly changes: readonly Change[];
      /** Of what stands there afterwards, as far as can be told. */
      readonly validator: string;
    }
  | { readonly ok: false; readonly sc: number };

/**
 * HGET: fetch, compare with what the device has, write the difference, all or nothing (IW-HGET-1 to -4).
 * `standard` says where the data of a document belongs that does not say so itself.
 */
export function* runHget(
  s: Session,
  device: LegacyDevice,
  command: Hget,
  standard?: string,
): Script<StatusItem> {
  if (command.clientUri !== undefined && namesDelegation(s, command.clientUri)) {
    return yield* runOnDelegation(s, command);
  }
  const answer = yield* fetchIfChanged(s, device, command);
  if ('unchanged' in answer) return written(s, command, answer.unchanged);
  if (!answer.ok) return { sc: answer.sc };
  const tnds = isTnds(answer.contentType);
  if (!tnds && !isMoDocument(answer.contentType)) return yield* writeOpaque(s, device, command, answer);
  const fetched = yield* loaded(s, answer);
  if (tnds) return yield* writeTree(s, device, command, fetched);
  let items: readonly ReadItem[];
  try {
    items = readMoDocument(fetched, readTarget(s, command.clientUri ?? standard));
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-HGET-1', `The document at the ServerURI is no MO serialization: ${error.detail}`);
    return { sc: 415 };
  }
  return yield* writeDocument(s, device, { command, standard, etag: fetched.etag }, items);
}

/** The document with its body in memory, where it has to be read. */
function* loaded(s: Session, document: Document): Script<Document> {
  const { stored } = document;
  if (!stored) return document;
  const { body } = yield* s.perform({ kind: 'object.load', stored });
  return { ...document, body };
}

/** Tells the reader how the addressed node may be named in the document (IW-VAL-5). */
function readTarget(s: Session, text: string | undefined): ReadTarget {
  const uri = text === undefined ? undefined : parseClientUri(text);
  const path = uri && !('error' in uri) ? namedPath(uri) : undefined;
  return {
    rootName: (moid) => s.context.mappings.forMount({ moid, miid: '', root: [] }).rootName,
    ...(uri && !('error' in uri) && { moid: uri.moid }),
    ...(path && { path }),
  };
}

/** A client says where things are that it placed itself (20§3.1); early ones always do. */
function written(s: Session, { clientUri: given }: Hget, places: KnownDocument['places']): StatusItem {
  const { locationAlwaysReported } = backendDialect(s.context).capabilities;
  const report = locationAlwaysReported || given === undefined;
  return { sc: 200, ...(report && { URI: places.map(({ uri }) => uri) }) };
}

interface Origin {
  readonly command: Hget;
  readonly standard: string | undefined;
  readonly etag: string | undefined;
}

function* writeDocument(
  s: Session,
  device: LegacyDevice,
  { command, standard, etag }: Origin,
  items: readonly ReadItem[],
): Script<StatusItem> {
  if (command.clientUri !== undefined && items.length !== 1) {
    yield* s.note(
      'IW-HGET-1',
      `The document holds ${items.length} objects, but the ClientURI has room for one.`,
    );
    return { sc: 400 };
  }
  const planned: Change[] = [];
  const created: Place[] = [];
  const places: { uri: string; validator: string }[] = [];
  for (const item of items) {
    const text = command.clientUri ?? item.uri ?? standard;
    if (text === undefined) {
      yield* s.note('IW-HGET-1', 'Neither the command nor the document says where the data belongs.');
      return { sc: 400 };
    }
    const place = yield* placeFor(s, device, text, item.node.name, command.clientUri === undefined);
    if (!place.ok) return { sc: place.sc };
    if (isDelegation(place.address)) return { sc: 405 };
    const plan = yield* planObject(s, device, place, jsonContent(place, item.node));
    if (!plan.ok) return { sc: plan.sc };
    planned.push(...plan.changes);
    if (place.fresh) created.push(place);
    const { mapping, path } = place.address;
    places.push({ uri: clientUri(mapping.mount, path, place.moid), validator: plan.validator });
  }
  return yield* writeAll(s, device, command, { planned, created, places, etag });
}

/** What one HGET comes to on the device. */
interface Work {
  readonly planned: readonly Change[];
  /** New instances. */
  readonly created: readonly Place[];
  readonly places: KnownDocument['places'];
  /** Of the document. */
  readonly etag: string | undefined;
}

function* writeAll(
  s: Session,
  device: LegacyDevice,
  command: Hget,
  { planned, created, places, etag }: Work,
): Script<StatusItem> {
  const { code } = yield* write(s, device, planned);
  if (code !== 200) return { sc: statusToDm2(code) };
  if (created.length > 0) {
    const found = created.map(({ address: { mapping } }) => ({
      moid: mapping.mount.moid,
      root: mapping.mount.root,
    }));
    mount(s, found);
    for (const { address } of created) own(s, address.mapping.mount);
  }
  yield* rememberDocument(s, command, etag, places);
  return written(s, command, places);
}

/** A TNDS body is unfolded at the ClientURI, else where the MOID of its first node belongs (IW-HGET-4). */
function* writeTree(
  s: Session,
  device: LegacyDevice,
  command: Hget,
  { body, etag }: Document,
): Script<StatusItem> {
  let text = command.clientUri;
  try {
    const read = (target?: TreePath) =>
      readTnds(body, { limits: { ...DEFAULT_LIMITS, bytes: body.length }, ...(target && { target }) });
    const [first] = read().nodes;
    text ??= first?.node.type && clientUriOf(first.node.type, undefined, []);
    if (text === undefined) {
      yield* s.note('IW-HGET-4', 'Neither the command nor a MOID in the tree says where the tree belongs.');
      return { sc: 400 };
    }
    const place = yield* placeFor(s, device, text, first?.node.name ?? '', command.clientUri === undefined);
    if (!place.ok) return { sc: place.sc };
    if (isDelegation(place.address)) return { sc: 405 };
    const { mapping, path } = place.address;
    const target = mapping.legacy(path);
    const [root, ...others] = (command.clientUri === undefined ? read() : read(target)).nodes;
    if (!root || others.length > 0 || root.below !== 'target') {
      yield* s.note('IW-HGET-4', 'The tree is none at the addressed node, but stands below it in parts.');
      return { sc: 400 };
    }
    const node = { ...root.node, name: target.at(-1) ?? root.node.name };
    const wanted = mapping.toDm2(path, [{ source: { legacy: target, path }, node }]);
    if (!wanted) return { sc: 405 };
    const plan = yield* planObject(s, device, place, {
      leaf: wanted.children === undefined,
      wanted: () => wanted,
    });
    if (!plan.ok) return { sc: plan.sc };
    return yield* writeAll(s, device, command, {
      planned: plan.changes,
      created: place.fresh ? [place] : [],
      places: [{ uri: clientUri(mapping.mount, path, place.moid), validator: plan.validator }],
      etag,
    });
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    yield* s.note('IW-HGET-4', `The TNDS document cannot be unfolded: ${error.detail}`);
    return { sc: error.row.dm2 };
  }
}

/** What a document wants at a place, given what stands there. */
interface Content {
  readonly leaf: boolean;
  wanted(existing: MoNode | undefined): ReturnType<typeof toNode>;
}

function jsonContent({ address: { mapping, path } }: Place, json: JsonNode): Content {
  return {
    leaf: !('children' in json),
    wanted: (existing) =>
      toNode({ ...json, name: path.at(-1) ?? mapping.rootName }, (below) => {
        const known = existing && descendant(existing, below)?.format;
        return known ?? mapping.definition([...path, ...below])?.format;
      }),
  };
}

/** The difference between what stands at a place and what the document wants there. */
function* planObject(s: Session, device: LegacyDevice, place: Place, content: Content): Script<Planned> {
  const { mapping, path } = place.address;
  const definition = mapping.definition(path);
  const { leaf } = content;
  // A leaf of known format is simply written: its Replace says the same as a read and a Replace would.
  const plain = samePath(mapping.sources(path)[0]?.path ?? [], path);
  const blind = leaf && plain && definition?.format !== undefined && definition.format !== 'node';
  let existing: MoNode | undefined;
  let known: ObjectRead['found'] = [];
  if (!place.fresh && !blind) {
    const [result] = yield* readObjects(s, device, [{ address: place.address }]);
    known = result!.found;
    if (result!.ok) existing = result!.node;
    else if (device.ended) return { ok: false, sc: 500 };
  }
  const wanted = content.wanted(existing);
  if ('error' in wanted) {
    yield* s.note('IW-VAL-2', `${[...path, ...wanted.path].join('/') || 'The value'}: ${wanted.detail}`);
    return { ok: false, sc: 415 };
  }
  if (blind) {
    const [target] = mapping.toLegacy(path, wanted);
    if (!target) return { ok: false, sc: 405 };
    const change: Change = { op: 'Replace', path: target.legacy, node: target.node, before: undefined };
    return { ok: true, changes: [change], validator: validatorOf(wanted) };
  }
  const planned = legacyChanges(mapping, path, existing, wanted, known);
  const after = planned.length === 0 && existing ? existing : wanted;
  return { ok: true, changes: planned, validator: validatorOf(after) };
}

/** Compares in legacy terms, place by place: a joined object is written where its parts live (IW-ADDR-3). */
function legacyChanges(
  mapping: MountMapping,
  path: readonly string[],
  existing: MoNode | undefined,
  wanted: MoNode,
  known: ObjectRead['found'],
): Change[] {
  const before = existing ? mapping.toLegacy(path, existing, known) : [];
  const after = mapping.toLegacy(path, wanted, known);
  const at = (list: typeof before, legacy: TreePath) =>
    list.find((part) => samePath(part.legacy, legacy))?.node;
  const stays = (legacy: TreePath): boolean => {
    const definition = mapping.definition(mapping.fromLegacy(legacy) ?? []);
    return definition?.permanent === true || definition?.occurs === 'One';
  };
  return after.flatMap((part) => changes(part.legacy, at(before, part.legacy), part.node, stays));
}

/** A body that is no serialization goes to the addressed leaf as it is, with its MIME type (IW-HGET-4). */
function* writeOpaque(
  s: Session,
  device: LegacyDevice,
  command: Hget,
  document: Document,
): Script<StatusItem> {
  if (command.clientUri === undefined) {
    yield* s.note(
      'IW-HGET-4',
      `A body of type ${document.contentType ?? 'unknown'} needs a ClientURI that says where.`,
    );
    return { sc: 415 };
  }
  const resolved = yield* resolveOnDevice(s, device, command.clientUri, 'write');
  if (!resolved.ok) return { sc: resolved.sc };
  const [address, ...others] = resolved.targets;
  if (!address || others.length > 0) return { sc: 404 };
  const node = isText(address, document)
    ? textNode(address, yield* loaded(s, document))
    : bytesNode(address, document);
  if (!node) {
    yield* s.note('IW-VAL-4', 'The text holds characters that a legacy device cannot be sent.');
    return { sc: 415 };
  }
  const [target] = address.mapping.toLegacy(address.path, node);
  if (!target) return { sc: 405 };
  const { code } = yield* write(s, device, [
    { op: 'Replace', path: target.legacy, node: target.node, before: undefined },
  ]);
  return { sc: statusToDm2(code) };
}

/** By the format of its node where that is known, else by its own type. */
function isText({ mapping, path }: MoAddress, { contentType }: Document): boolean {
  const format = mapping.definition(path)?.format;
  if (format !== undefined) return !isBinary(format);
  return /^text\/|[/+](?:xml|json)$/.test(essence(contentType) ?? '');
}

function bytesNode({ mapping, path }: MoAddress, { contentType, body, stored }: Document): MoNode {
  const name = path.at(-1) ?? mapping.rootName;
  const type = essence(contentType) ?? 'application/octet-stream';
  return { name, format: mapping.definition(path)?.format ?? 'bin', type, value: stored ?? body };
}

/** `undefined` for what is no text, or none that XML can carry. */
function textNode({ mapping, path }: MoAddress, { contentType, body }: Document): MoNode | undefined {
  const name = path.at(-1) ?? mapping.rootName;
  const type = essence(contentType) ?? 'application/octet-stream';
  try {
    const value = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (xmlIllegal(value) >= 0) return undefined;
    return { name, format: mapping.definition(path)?.format ?? 'chr', type, value };
  } catch {
    return undefined;
  }
}
