import { Buffer } from 'node:buffer';
import { DragomanError } from '../../../support/errors.ts';
import { withUrn } from '../../clientUri.ts';
import { toPackage1 } from '../../codec.ts';
import type { Alert, MoItem, SerializationItem } from '../../packages.ts';
import type { ReadLimits, Tolerated } from '../dialect.ts';
import { bareMoid, writePath } from '../text/address.ts';
import { type LineCursor, openDocument, skipLengthLine } from '../text/lines.ts';
import { miidOf, readItems, toJson, writeItem } from './items.ts';
import { PairObject, type PairValue, parsePairsDocument, writePairs } from './pairs.ts';

/** A TNDS20 document in the approved model (20§6.3). */
export interface Tnds20 {
  readonly items: readonly SerializationItem[];
  /** Absent where the document has no `MO`. */
  readonly mos?: readonly MoItem[];
  readonly alerts?: readonly Alert[];
}

/** Reads the bytes of a document. Throws `malformed` and `too-large`. */
export function readTnds20(body: Uint8Array, limits: ReadLimits): Tnds20 & Tolerated {
  const cursor: LineCursor = openDocument(body, limits);
  skipLengthLine(cursor);
  const document = toTnds20(parsePairsDocument(cursor.text.slice(cursor.at), limits.json));
  return { ...document, tolerated: [...cursor.tolerated] };
}

/** As {@link readTnds20}, from JSON that was read with its repeated names. A bare array is one of items. */
export function toTnds20(json: PairValue): Tnds20 {
  if (isArray(json)) return { items: json.flatMap((item) => readItems(objectOf(item, 'An item'))) };
  const top = objectOf(json, 'The document');
  const mos: MoItem[] = [];
  const items: SerializationItem[] = [];
  const alerts: PairValue[] = [];
  let listed = false;
  for (const [name, value] of top.pairs) {
    if (value === null) continue;
    if (name === 'MO') {
      listed = true;
      for (const entry of elements(value)) mos.push(...readSupported(objectOf(entry, 'An entry of MO')));
    } else if (name === 'TNDS20') {
      for (const entry of elements(value)) items.push(...readItems(objectOf(entry, 'An item of TNDS20')));
    } else if (name === 'Alert' || name === 'Alerts') {
      alerts.push(...elements(value));
    } else if (name === 'MOID' && top.pairs[0]?.[0] === 'MOID') {
      // A single item without the document around it.
      return { items: readItems(top) };
    }
  }
  const { Alert } = toPackage1({ Alert: alerts.map(toJson) });
  return {
    items,
    ...(listed ? { mos: joined(mos) } : {}),
    ...(alerts.length === 0 || Alert === undefined ? {} : { alerts: Alert }),
  };
}

function isArray(value: PairValue): value is readonly PairValue[] {
  return Array.isArray(value);
}

function elements(value: PairValue): readonly PairValue[] {
  return isArray(value) ? value : [value];
}

function objectOf(value: PairValue, what: string): PairObject {
  if (value instanceof PairObject) return value;
  throw new DragomanError('malformed', `${what} of the TNDS20 document is no JSON object.`);
}

/**
 * Supported objects; the example of the first draft holds them all in one JSON object, so a further MOID
 * begins the next. No Path: no instance. DDF stands behind the MOID that it describes.
 */
function readSupported({ pairs }: PairObject): MoItem[] {
  const found: { MOID: string; DDF?: string; MIID: string[] }[] = [];
  for (const [name, value] of pairs) {
    if (name !== 'MOID' && name !== 'DDF' && name !== 'Path') continue;
    if (name === 'MOID') {
      if (typeof value !== 'string' || value.trim() === '') {
        throw new DragomanError('malformed', 'A MOID of the list of supported objects is no text.');
      }
      found.push({ MOID: withUrn(value.trim()), MIID: [] });
      continue;
    }
    const current = found.at(-1);
    if (current === undefined) {
      throw new DragomanError('malformed', `${name} stands ahead of the MOID that it belongs to.`);
    }
    for (const text of elements(value)) {
      if (typeof text !== 'string') continue;
      if (name === 'DDF') current.DDF ??= text;
      else current.MIID.push(miidOf(text));
    }
  }
  return found;
}

/** One entry per MOID; a MOID that stands twice has the instances of both. */
function joined(mos: readonly MoItem[]): MoItem[] {
  const byMoid = new Map<string, { readonly MOID: string; DDF?: string; readonly miids: Set<string> }>();
  for (const { MOID, DDF, MIID } of mos) {
    const same = byMoid.get(MOID) ?? { MOID, miids: new Set() };
    byMoid.set(MOID, same);
    if (DDF !== undefined) same.DDF ??= DDF;
    for (const miid of MIID) same.miids.add(miid);
  }
  return [...byMoid.values()].map(({ miids, ...item }) => ({ ...item, MIID: [...miids] }));
}

/** What a document is written with. */
export interface Tnds20Style {
  readonly cacheValidators: boolean;
}

/** The JSON of a document, in the form of the first draft's example. */
export function fromTnds20(
  { items, mos, alerts }: Tnds20,
  style: Tnds20Style,
): { readonly json: PairObject; readonly lost: readonly string[] } {
  const lost: string[] = [];
  const data: PairObject[] = [];
  for (const item of items) {
    const written = writeItem(item, style.cacheValidators);
    if (written === undefined) {
      lost.push(
        `Data of ${JSON.stringify(item.ClientURI)} is left out: TNDS20 needs the address of one node.`,
      );
    } else {
      data.push(written);
    }
    if (item.CV !== undefined && !style.cacheValidators) {
      lost.push(`The validator of ${item.ClientURI} has no place in this dialect.`);
    }
  }
  const pairs: [string, PairValue][] = [];
  if (mos !== undefined) pairs.push(['MO', mos.length === 0 ? [] : [new PairObject(mos.flatMap(supported))]]);
  pairs.push(['TNDS20', data]);
  if (alerts !== undefined && alerts.length > 0) {
    pairs.push(['Alert', parsed(JSON.stringify(alerts))]);
  }
  return { json: new PairObject(pairs), lost };
}

function supported({ MOID, DDF, MIID }: MoItem): [string, PairValue][] {
  return [
    ['MOID', bareMoid(MOID)],
    ...(DDF === undefined ? [] : [['DDF', DDF] satisfies [string, PairValue]]),
    ...MIID.map((miid): [string, PairValue] => ['Path', writePath(miid, [])]),
  ];
}

/** Our own text; its bounds were checked where it came from. */
function parsed(text: string): PairValue {
  return parsePairsDocument(text, {
    bytes: Number.POSITIVE_INFINITY,
    depth: 1_000,
    members: Number.POSITIVE_INFINITY,
  });
}

export function writeTnds20(
  document: Tnds20,
  style: Tnds20Style,
): { readonly body: Uint8Array; readonly lost: readonly string[] } {
  const { json, lost } = fromTnds20(document, style);
  return { body: Buffer.from(writePairs(json), 'utf8'), lost };
}
