import { DEFAULT_LIMITS } from '../../dm1/codec/limits.ts';
import { isTnds, readTnds } from '../../dm1/tnds/read.ts';
import { clientUriOf, namedPath, parseClientUri } from '../../dm2/clientUri.ts';
import { isMoDocument, readMoDocument } from '../../dm2/documents.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import type { ReadItem, ReadTarget } from '../../dm2/serialization.ts';
import type { TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { isDelegation, namesDelegation } from '../access/delegation.ts';
import { runOnDelegation } from '../access/delegationCommands.ts';
import { own } from '../access/rights.ts';
import { clientUri } from '../addresses.ts';
import { backendDialect } from '../dialects.ts';
import type { KnownDocument } from '../kept.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import type { Fetched } from '../transfer.ts';
import { fetchIfChanged, rememberDocument } from './conditional.ts';
import type { LegacyDevice } from './device.ts';
import type { Change } from './diff.ts';
import { loaded, writeOpaque } from './hgetOpaque.ts';
import { jsonContent, planObject } from './hgetPlan.ts';
import { mount } from './inventory.ts';
import { type Place, placeFor } from './resolve.ts';
import { write } from './write.ts';

type Hget = Extract<Dm2Command, { verb: 'HGET' }>;
type Document = Extract<Fetched, { ok: true }>;
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
  if (!fetched) return { sc: 413 };
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
