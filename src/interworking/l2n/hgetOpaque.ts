import { essence } from '../../dm2/mediaTypes.ts';
import type { Dm2Command, StatusItem } from '../../dm2/packages.ts';
import { isBinary } from '../../mo/format.ts';
import { xmlIllegal } from '../../mo/lexical.ts';
import type { MoNode } from '../../mo/node.ts';
import { MOST_TEXT } from '../../mo/stored.ts';
import type { MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import type { Fetched } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { resolveOnDevice } from './resolve.ts';
import { write } from './write.ts';

type Hget = Extract<Dm2Command, { verb: 'HGET' }>;
type Document = Extract<Fetched, { ok: true }>;

/** The document with its body in memory, where it has to be read; `undefined` where it is too large for that. */
export function* loaded(s: Session, document: Document): Script<Document | undefined> {
  const { stored } = document;
  if (!stored) return document;
  if (stored.bytes > MOST_TEXT) {
    yield* s.note('IW-HGET-4', `A text of ${stored.bytes} bytes; what is no binary may have ${MOST_TEXT}.`);
    return undefined;
  }
  const { body } = yield* s.perform({ kind: 'object.load', stored });
  return { ...document, body };
}

/** A body that is no serialization goes to the addressed leaf as it is, with its MIME type (IW-HGET-4). */
export function* writeOpaque(
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
  const text = isText(address, document);
  const whole = text ? yield* loaded(s, document) : document;
  if (!whole) return { sc: 413 };
  const node = text ? textNode(address, whole) : bytesNode(address, whole);
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
