import { Buffer } from 'node:buffer';
import { DragomanError } from '../support/errors.ts';
import { JSON_LIMITS, type JsonLimits, readJson } from './json.ts';
import {
  type Alert,
  MARKS,
  type MoItem,
  type Package1,
  type Package2,
  type Package3,
  type StatusItem,
} from './packages.ts';
import { checkPackage } from './schema.ts';
import { toItems } from './serializationItem.ts';

export interface ReadOptions {
  readonly limits?: JsonLimits;
}

export interface WriteOptions {
  /** Member of a Status item that carries GET data (20§15 Q1); default `MO`. */
  readonly getMember?: string;
}

/** Package#1. Throws DragomanError `malformed` or `too-large`. */
export function readPackage1(body: Uint8Array, options: ReadOptions = {}): Package1 {
  return toPackage1(readJson(body, options.limits ?? JSON_LIMITS));
}

/** Package#2; the commands are left to `parseCommand`, for one bad command fails alone. */
export function readPackage2(body: Uint8Array, options: ReadOptions = {}): Package2 {
  return toPackage2(readJson(body, options.limits ?? JSON_LIMITS));
}

/** Package#3, GET data under whatever member it came brought to `MO` (20§15 Q1). */
export function readPackage3(body: Uint8Array, options: ReadOptions = {}): Package3 {
  return toPackage3(readJson(body, options.limits ?? JSON_LIMITS));
}

/** As {@link readPackage1}, from parsed JSON. */
export function toPackage1(json: unknown): Package1 {
  const { MOS, Alert } = members(json, 'Package#1');
  return checkPackage('Package1', {
    ...(MOS === undefined ? {} : { MOS: mapArray(MOS, moItem) }),
    ...(Alert === undefined ? {} : { Alert: mapArray(unwrapped(Alert), alert) }),
  });
}

/** As {@link readPackage2}, from parsed JSON. */
export function toPackage2(json: unknown): Package2 {
  const { CMD } = members(json, 'Package#2', 'CMD');
  return checkPackage('Package2', { ...(CMD === undefined ? {} : { CMD }) });
}

/** As {@link readPackage3}, from parsed JSON. */
export function toPackage3(json: unknown): Package3 {
  const { Status, Alert } = members(json, 'Package#3', 'Status');
  return checkPackage('Package3', {
    ...(Status === undefined ? {} : { Status: mapArray(Status, statusItem) }),
    ...(Alert === undefined ? {} : { Alert: mapArray(unwrapped(Alert), alert) }),
  });
}

/** The UTF-8 JSON of a package. */
export function writePackage(pkg: Package1 | Package2 | Package3, options: WriteOptions = {}): Uint8Array {
  const member = options.getMember ?? 'MO';
  const value = 'Status' in pkg && member !== 'MO' ? { ...pkg, Status: renamed(pkg.Status, member) } : pkg;
  return Buffer.from(JSON.stringify(value), 'utf8');
}

function renamed(items: readonly StatusItem[], member: string): readonly object[] {
  return items.map((item) => {
    if (item.MO === undefined) return item;
    const { MO, ...rest } = item;
    return { ...rest, [member]: MO };
  });
}

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Top members, null ones absent (20§15 Q29). A client with an empty queue sends `"Status": null`
 * (20§2.3): a null `list` is an empty one, while a missing one is refused.
 */
function members(json: unknown, what: string, list?: string): Members {
  if (!isObject(json)) throw new DragomanError('malformed', `${what} is malformed: it is no JSON object.`);
  const found = withoutNulls(json);
  return list !== undefined && json[list] === null ? { ...found, [list]: [] } : found;
}

function withoutNulls(object: Members): Members {
  for (const name in object) {
    if (object[name] === null) {
      return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
    }
  }
  return object;
}

function mapArray<T>(value: unknown, read: (item: Members) => T): unknown {
  return Array.isArray(value)
    ? value.map((item) => (isObject(item) ? read(withoutNulls(item)) : item))
    : value;
}

/** Clients exist that leave MIID out for an object without instance; a lone string is one instance. */
function moItem(item: Members): Partial<MoItem> | Members {
  if (item['MIID'] === undefined) return { ...item, MIID: [] };
  return typeof item['MIID'] === 'string' ? { ...item, MIID: [item['MIID']] } : item;
}

/** The TS's schema wraps the array in an object of the same name, its examples do not (20§1.2 C14). */
function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Array.isArray(value['Alert']) ? value['Alert'] : [value];
}

const marks: ReadonlySet<unknown> = new Set(MARKS);

/** An unknown Mark means the default, a bare value in Data is the 1.x value (20§7). */
function alert(item: Members): Partial<Alert> | Members {
  const { Mark, Data } = item;
  const goodMark = Mark === undefined || marks.has(Mark);
  const goodData = Data === undefined || isObject(Data);
  if (goodMark && goodData) return item;
  const { Mark: _, ...rest } = item;
  const lower = typeof Mark === 'string' ? Mark.trim().toLowerCase() : undefined;
  return {
    ...rest,
    ...(marks.has(lower) ? { Mark: lower } : {}),
    ...(goodData ? {} : { Data: { DM1x: Data } }),
  };
}

/** Members in which GET data has been seen, best first (20§15 Q1). */
const GET_MEMBERS = ['MO', 'MOS', 'MOData', 'Data'] as const;

function statusItem(item: Members): Members {
  const { sc, URI } = item;
  const data = getData(item);
  return {
    sc: typeof sc === 'string' && /^\s*\d{3}\s*$/.test(sc) ? Number(sc) : sc,
    ...(URI === undefined ? {} : { URI: typeof URI === 'string' ? [URI] : URI }),
    ...(data === undefined ? {} : { MO: toItems(data) }),
  };
}

function getData(item: Members): unknown {
  for (const name of GET_MEMBERS) {
    if (item[name] !== undefined) return item[name];
  }
  let data: unknown;
  for (const name in item) {
    if (name === 'sc' || name === 'URI' || typeof item[name] !== 'object') continue;
    if (data !== undefined) return undefined;
    data = item[name];
  }
  return data;
}

export { type CommandError, type CommandOptions, formatCommand, parseCommand } from './command.ts';
