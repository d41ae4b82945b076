import { type Format, isBinary } from '../../mo/format.ts';
import { decodeBase64 } from '../../mo/lexical.ts';
import type { Value } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import type { TndsNode } from './node.ts';
import type { ReadNode, Spot } from './readNode.ts';
import { readTimeStamp } from './timeStamp.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The subtree at a spot; its formats are settled now that all children are known. */
export function settle(spot: Spot): TndsNode {
  const read = spot.node;
  const children = [...spot.children.values()].map(settle);
  const format = formatOf(read, children.length > 0);
  if (format !== 'node' && children.length > 0) {
    throw new DragomanError(
      'bad-value',
      `Node ${spot.name} has Format ${format} and child Nodes; only Format node has children.`,
    );
  }
  const node: Writable<TndsNode> = { name: spot.name, format };
  if (format === 'node') {
    if (read?.value !== undefined && read.value.length > 0) {
      throw new DragomanError('bad-value', `Node ${spot.name} is an interior node and cannot have a Value.`);
    }
    node.children = children;
  } else if (read?.value !== undefined) {
    node.value = settledValue(spot.name, format, read.value);
  }
  // Some clients give every node a MIME type, interior ones too (1x§16.1).
  if (read?.type !== undefined && !(format === 'node' && read.typeKind === 'MIME')) node.type = read.type;
  if (read?.acl !== undefined) node.acl = read.acl;
  if (read?.size !== undefined) node.size = read.size;
  if (read?.title !== undefined) node.title = read.title;
  if (read?.tstamp !== undefined) node.tstamp = readTimeStamp(read.tstamp);
  if (read?.verNo !== undefined) node.verNo = read.verNo;
  return node;
}

/** A missing Format is `node` where children exist or a DDFName stands without Value, else `chr` (1x§11.2). */
function formatOf(read: ReadNode | undefined, parent: boolean): Format {
  if (read?.format !== undefined) return read.format;
  if (parent || read === undefined) return 'node';
  return read.typeKind === 'DDFName' && read.value === undefined ? 'node' : 'chr';
}

function settledValue(name: string, format: Format, value: string | Uint8Array): Value {
  if (typeof value !== 'string') return isBinary(format) ? Uint8Array.from(value) : textOf(name, value);
  if (!isBinary(format)) return value;
  const bytes = decodeBase64(value);
  if (bytes === undefined)
    throw new DragomanError('bad-value', `Node ${name} has Format ${format}, but its Value is not base64.`);
  return bytes;
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DragomanError(
      'bad-value',
      `Node ${name} has a Value that is no UTF-8; its Format must be bin.`,
    );
  }
}
