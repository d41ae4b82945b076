import type { ClientUri } from '../../dm2/clientUri.ts';
import type { SerializationItem } from '../../dm2/packages.ts';
import { writeSerialization } from '../../dm2/serialization.ts';
import { isBinary } from '../../mo/format.ts';
import type { MoNode } from '../../mo/node.ts';
import { isStored } from '../../mo/stored.ts';
import { validatorOf } from '../../mo/validator.ts';
import { clientUri, type MoAddress } from '../addresses.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { statusToDm2 } from '../status.ts';
import type { RawUpload } from '../transfer.ts';
import type { LegacyDevice } from './device.ts';
import { type ObjectRead, readObjects } from './objects.ts';
import { resolveOnDevice } from './resolve.ts';

/** One node that a ClientURI named, as read. */
interface Target {
  readonly address: MoAddress;
  readonly result: ObjectRead;
}

/** What a ClientURI names on the device, or the `sc` of the command that asked. */
export type Content =
  | { readonly ok: true; readonly uri: ClientUri; readonly items: readonly ReadItem[] }
  | { readonly ok: false; readonly sc: number };

export interface ReadItem {
  /** Of the node's content (IW-GET-3). */
  readonly validator: string;
  readonly item: SerializationItem;
  /** The value as it is, of a leaf (IW-VAL-3). */
  readonly leaf?: RawUpload;
}

/**
 * Reads what several lists of ClientURIs name, all in one batch, as reads commute (IW-GET-1). Of each list
 * the first address that cannot be resolved ends it: there is nothing to read for the others.
 */
export function* readContents(
  s: Session,
  device: LegacyDevice,
  lists: readonly (readonly string[])[],
): Script<readonly (readonly Content[])[]> {
  const plans: (
    | { readonly uri: ClientUri; readonly first: number; readonly count: number }
    | { sc: number }
  )[][] = [];
  const targets: { address: MoAddress; levels?: number }[] = [];
  for (const list of lists) {
    const plan: (typeof plans)[number] = [];
    plans.push(plan);
    const before = targets.length;
    for (const text of list) {
      const resolved = yield* resolveOnDevice(s, device, text, 'read');
      if (!resolved.ok) {
        plan.splice(0, plan.length, { sc: resolved.sc });
        targets.length = before;
        break;
      }
      const { uri } = resolved;
      plan.push({ uri, first: targets.length, count: resolved.targets.length });
      const levels = uri.levels === undefined ? {} : { levels: uri.levels };
      for (const address of resolved.targets) targets.push({ address, ...levels });
    }
  }
  const results = yield* readObjects(s, device, targets);
  return plans.map((plan) =>
    plan.map((part): Content => {
      if ('sc' in part) return { ok: false, sc: part.sc };
      const { uri, first, count } = part;
      const read = results
        .slice(first, first + count)
        .map((result, i): Target => ({ address: targets[first + i]!.address, result }));
      return contentOf(s, uri, read);
    }),
  );
}

function contentOf(s: Session, uri: ClientUri, read: readonly Target[]): Content {
  const items: ReadItem[] = [];
  for (const { address, result } of read) {
    if (!result.ok) return { ok: false, sc: statusToDm2(result.code) };
    items.push(readItem(s, uri.moid, address, result.node));
  }
  return { ok: true, uri, items };
}

/** A node as a document holds it; `moid` is the id that the peer used (IW-ADDR-4). */
export function readItem(s: Session, moid: string, { mapping, path }: MoAddress, node: MoNode): ReadItem {
  const validator = validatorOf(node);
  const { ddf } = mapping.mount;
  const [item] = writeSerialization(
    [
      {
        uri: clientUri(mapping.mount, path, moid),
        rootName: path.length === 0 ? mapping.rootName : path.at(-1)!,
        node,
        ...(path.length === 0 && { cv: validator }),
        ...(ddf !== undefined && { ddf }),
      },
    ],
    { values: s.context.backend.values },
  );
  const leaf = leafOf(node);
  return { validator, item: item!, ...(leaf && { leaf }) };
}

function leafOf({ children, value, type, format }: MoNode): RawUpload | undefined {
  if (children !== undefined || value === undefined) return undefined;
  const body =
    typeof value === 'string'
      ? new TextEncoder().encode(value)
      : isStored(value)
        ? [{ stored: value, coding: value.text ? ('base64' as const) : ('raw' as const) }]
        : value;
  const binary = isBinary(format) || typeof value !== 'string';
  return { contentType: type ?? (binary ? 'application/octet-stream' : 'text/plain'), body };
}
