import { isMoDocument, readMoItems } from '../../dm2/documents.ts';
import type { Dm2Command, SerializationItem, StatusItem } from '../../dm2/packages.ts';
import { NO_CLIENT_URI } from '../../dm2/serializationItem.ts';
import { pruned } from '../../mo/node.ts';
import { DragomanError, ERRORS } from '../../support/errors.ts';
import { isAddressAllowed } from '../access/commands.ts';
import { clientUri, type MoAddress, toLegacyUri } from '../addresses.ts';
import { readItem } from '../l2n/documents.ts';
import { asksForList, listObjects } from '../listing.ts';
import type { Dm2Device } from '../n2l/device.ts';
import { readFromClient } from '../n2l/read.ts';
import { completedAlert } from '../reports.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { expandFor, fetchDocument, type RawUpload, sendDocument } from '../transfer.ts';
import { resolveOnClient } from './targets.ts';

type Of<V extends Dm2Command['verb']> = Extract<Dm2Command, { verb: V }>;

/**
 * GET, HPUT and HPOST for a client that cannot carry them out as they are: the gateway reads what is
 * asked for and sends it in the backend's dialect. 200 only if every address was read, else its first
 * failing code.
 */
export function* readOnBehalf(
  s: Session,
  device: Dm2Device,
  command: Of<'GET' | 'HPUT' | 'HPOST'>,
  accept: string | undefined,
): Script<StatusItem> {
  if (asksForList(command)) return yield* listObjects(s, command, accept);
  const plans: { address: MoAddress; moid: string; cv?: string; levels?: number }[] = [];
  for (const text of command.clientUris) {
    const resolved = yield* resolveOnClient(s, device, text);
    if (!resolved.ok) return { sc: resolved.sc };
    const { moid, cv, levels } = resolved.uri;
    const fields = { moid, ...(cv !== undefined && { cv }), ...(levels !== undefined && { levels }) };
    plans.push(...resolved.targets.map((address) => ({ address, ...fields })));
  }
  const reads = yield* readFromClient(s, device, plans);
  const items: SerializationItem[] = [];
  let only: RawUpload | undefined;
  for (const [i, { address, moid, cv, levels }] of plans.entries()) {
    const read = reads[i]!;
    if (!read.ok) {
      if (read.sc === 304) continue;
      return { sc: read.sc };
    }
    const { validator, item, leaf } = readItem(s, moid, address, pruned(read.node, levels));
    only = leaf;
    // A client without validators gets one of its content (IW-GET-3).
    if (cv === undefined || cv !== validator) items.push(item);
  }
  if (items.length === 0) return { sc: plans.length > 0 ? 304 : 404 };
  if (command.verb === 'GET') return { sc: 200, MO: items };
  const method = command.verb === 'HPUT' ? 'PUT' : 'POST';
  const leaf = items.length === 1 ? only : undefined;
  return { sc: yield* sendDocument(s, method, command.serverUri, { items, leaf }, accept) };
}

/** HGET of a document that the client cannot read: the gateway fetches it and offers it in the client's dialect. */
export function* hgetOnBehalf(s: Session, device: Dm2Device, command: Of<'HGET'>): Script<StatusItem> {
  let { clientUri: place } = command;
  if (place !== undefined) {
    const resolved = yield* resolveOnClient(s, device, place);
    if (!resolved.ok) return { sc: resolved.sc };
    const [address, ...others] = resolved.targets;
    if (!address || others.length > 0) return { sc: 404 };
    place = named(address);
  }
  const from = yield* expandFor(s, command.serverUri);
  if (from === undefined) return { sc: 400 };
  const fetched = yield* fetchDocument(s, from);
  if (!fetched.ok) return { sc: fetched.sc };
  const { contentType = 'application/octet-stream', body } = fetched;
  let offered = { contentType, body };
  if (isMoDocument(contentType)) {
    try {
      const { items } = readMoItems(fetched);
      const given = items.flatMap(({ ClientURI }) => (ClientURI === NO_CLIENT_URI ? [] : [ClientURI]));
      if (place === undefined && !given.every((text) => isAddressAllowed(s, text, 'write'))) {
        yield* s.note('20§10.3', `${s.actor} has no right to write all that the document holds.`);
        return { sc: 403 };
      }
      const { body: written, lost } = device.dialect.writeDocument({
        items: items.map((item) =>
          item.ClientURI === NO_CLIENT_URI && place !== undefined ? { ...item, ClientURI: place } : item,
        ),
      });
      for (const text of lost) yield* s.note('IW-HGET-1', text);
      offered = { contentType: device.dialect.mediaTypes.document, body: written };
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      yield* s.note('IW-HGET-1', `The document at the ServerURI cannot be read: ${error.detail}`);
      return { sc: 415 };
    }
  }
  const { url } = yield* s.perform({ kind: 'repository.offer', ...offered });
  const [item] = yield* device.run([
    { verb: 'HGET', serverUri: url, ...(place !== undefined && { clientUri: place }) },
  ]);
  return item!;
}

/** DELETE of every node that the address names, deepest first (IW-DEL-1). */
export function* deleteOnBehalf(s: Session, device: Dm2Device, command: Of<'DELETE'>): Script<StatusItem> {
  const resolved = yield* resolveOnClient(s, device, command.clientUri);
  if (!resolved.ok) return { sc: resolved.sc };
  const targets = [...resolved.targets].sort((a, b) => b.path.length - a.path.length);
  const items = yield* device.run(targets.map((address) => ({ verb: 'DELETE', clientUri: named(address) })));
  return items.find(({ sc }) => sc >= 300) ?? { sc: 200 };
}

/**
 * EXEC whose address the client cannot resolve, or whose report it would send in words that ServerURI does
 * not know: the gateway promises the report and has the client tell it (IW-EXEC-2).
 */
export function* execOnBehalf(
  s: Session,
  device: Dm2Device,
  { clientUri: text, serverUri }: Of<'EXEC'>,
  crosses: boolean,
): Script<StatusItem> {
  const resolved = yield* resolveOnClient(s, device, text);
  if (!resolved.ok) return { sc: resolved.sc };
  const [address, ...others] = resolved.targets;
  if (!address || others.length > 0) {
    yield* s.note('IW-EXEC-1', `EXEC of ${text} was refused: it names ${resolved.targets.length} nodes.`);
    return { sc: address ? 405 : 404 };
  }
  const node = named(address);
  if (serverUri === undefined || !crosses) {
    const own = serverUri === undefined ? {} : { serverUri };
    const [item] = yield* device.run([{ verb: 'EXEC', clientUri: node, ...own }]);
    return item!;
  }
  const url = yield* expandFor(s, serverUri);
  if (url === undefined) return { sc: 400 };
  const n = s.number();
  const promised = yield* s.perform({
    kind: 'report.promise',
    n,
    serverUri: url,
    uri: toLegacyUri(address),
    clientUri: node,
  });
  if ('refused' in promised) {
    yield* s.note(
      'IW-EXEC-2',
      `EXEC was refused, as nothing may be sent to its ServerURI: ${promised.detail}`,
    );
    return { sc: ERRORS[promised.refused].dm2 };
  }
  const [item] = yield* device.run([{ verb: 'EXEC', clientUri: node }]);
  const { sc } = item!;
  if (sc === 202) return { sc };
  const done = sc >= 200 && sc < 300;
  yield* s.perform({ kind: 'report.close', n, ...(done && { alert: completedAlert(node, sc) }) });
  return { sc: done ? 202 : sc };
}

function named({ mapping: { mount }, path }: MoAddress): string {
  return clientUri(mount, path);
}
