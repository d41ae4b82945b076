import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { FORMATS, type Format, isBinary } from '../mo/format.ts';
import type { Access } from '../mo/mapping.ts';
import type { MoNode } from '../mo/node.ts';
import { DragomanError } from '../support/errors.ts';
import { fromMoNode, interior, type SimNode } from './tree.ts';

/**
 * Short notation of a tree, as it stands in `fixtures/trees/*.yaml`. A scalar is a leaf (text `chr`,
 * whole number `int`, boolean `bool`), an object an interior node; members that begin with `$` speak
 * of the node itself:
 *
 * ```yaml
 * FUMO:
 *   fw: { $type: "urn:oma:mo:oma-fumo:1.0", State: 10, Update: { $access: [Exec, Get] } }
 *   img: { $format: bin, $value: "AAEC" }    # bytes are written as base64
 * ```
 */
export type TreeNotation = { readonly [name: string]: unknown };

/** One management object of a 2.0 device. */
export interface MoInstance {
  readonly moid: string;
  readonly miid: string;
  readonly node: SimNode;
  readonly ddf?: string;
}

/** Reads the short notation below a node called `name`; permanence and access are inherited downwards. */
export function readNotation(name: string, notation: unknown, permanent = false): SimNode {
  if (typeof notation !== 'object' || notation === null || Array.isArray(notation)) {
    return { ...leafOf(name, notation), permanent };
  }
  const own = notation as TreeNotation;
  const lasting = typeof own['$permanent'] === 'boolean' ? own['$permanent'] : permanent;
  const node: SimNode = '$value' in own ? valueLeaf(name, own) : interior(name);
  node.permanent = lasting;
  if (typeof own['$type'] === 'string') node.type = own['$type'];
  if (typeof own['$acl'] === 'string') node.acl = own['$acl'];
  if (typeof own['$title'] === 'string') node.title = own['$title'];
  if (Array.isArray(own['$access'])) node.access = new Set(own['$access'] as Access[]);
  if (node.children) {
    for (const [key, value] of Object.entries(own)) {
      if (!key.startsWith('$')) node.children.set(key, readNotation(key, value, lasting));
    }
  }
  return node;
}

function leafOf(name: string, value: unknown): SimNode {
  const format: Format =
    typeof value === 'boolean'
      ? 'bool'
      : Number.isSafeInteger(value)
        ? 'int'
        : value === null
          ? 'null'
          : 'chr';
  const text = value === null ? '' : String(value);
  return { name, format, type: 'text/plain', value: text, permanent: false, verNo: 0 };
}

function valueLeaf(name: string, own: TreeNotation): SimNode {
  const node = leafOf(name, own['$value']);
  if (own['$format'] !== undefined) {
    if (!FORMATS.includes(own['$format'] as Format)) {
      throw new DragomanError(
        'configuration',
        `Node ${name}: $format ${String(own['$format'])} is no node format.`,
      );
    }
    node.format = own['$format'] as Format;
    if (isBinary(node.format)) {
      node.value = new Uint8Array(Buffer.from(String(own['$value']), 'base64'));
      node.type = 'application/octet-stream';
    }
  }
  return node;
}

/** Reads a whole device tree: short notation, or the JSON of a root `MoNode`. */
export function readTree(source: unknown): SimNode {
  return isMoNode(source) ? fromMoNode(source) : readNotation('.', source);
}

/** Reads a list of `{moid, miid, root?, ddf?, tree}` (short notation) or `{moid, miid, node, ddf?}`. */
export function readInstances(source: unknown): MoInstance[] {
  if (!Array.isArray(source)) {
    throw new DragomanError(
      'configuration',
      'A 2.0 device file is a list of objects with moid, miid and tree.',
    );
  }
  return source.map((entry: Record<string, unknown>) => {
    const { moid, miid, ddf } = entry;
    if (typeof moid !== 'string' || typeof miid !== 'string') {
      throw new DragomanError(
        'configuration',
        'Each object of a 2.0 device file needs moid and miid as text.',
      );
    }
    const node = isMoNode(entry['node'])
      ? fromMoNode(entry['node'])
      : readNotation(
          typeof entry['root'] === 'string' ? entry['root'] : rootNameOf(moid),
          entry['tree'] ?? {},
        );
    if (node.children) node.type = moid;
    return { moid, miid, node, ...(typeof ddf === 'string' ? { ddf } : {}) };
  });
}

/** Root name of an unnamed object: the id's piece after `urn:oma:mo:oma-` up to the next colon (20§6.1). */
export function rootNameOf(moid: string): string {
  return /^(?:urn:)?oma:mo:oma-([^:]+)/.exec(moid)?.[1] ?? moid.replace(/^.*[/:]/, '');
}

/** Parses a JSON or YAML file (YAML reads both). */
export function readFileNotation(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new DragomanError('configuration', `Cannot read the tree file ${file}.`, { cause });
  }
}

function isMoNode(value: unknown): value is MoNode {
  if (typeof value !== 'object' || value === null) return false;
  const node = value as Record<string, unknown>;
  return typeof node['name'] === 'string' && Array.isArray(node['children']);
}
