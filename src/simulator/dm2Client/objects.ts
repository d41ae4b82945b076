import { createHash } from 'node:crypto';
import { type ClientUri, clientUriOf, parseClientUri, withUrn } from '../../dm2/clientUri.ts';
import type { MoItem } from '../../dm2/packages.ts';
import { type NodeTarget, resolve } from '../../dm2/resolve.ts';
import type { WriteItem } from '../../dm2/serialization.ts';
import type { MoNode } from '../../mo/node.ts';
import { interior, readable, SimTree, toMoNode } from '../tree.ts';
import { type MoInstance, rootNameOf } from '../treeFile.ts';
import type { Dm2Capability } from './options.ts';

/** A node on this device. */
export interface Place {
  readonly moid: string;
  readonly miid: string;
  readonly path: readonly string[];
}

/** A ClientURI that could not be turned into places: the status to answer. */
export interface Unresolved {
  readonly code: 400 | 404 | 501;
}

/**
 * The management objects of a 2.0 device. They hang in one tree as `moid/miid/…`, so the rules of
 * `SimTree` hold; the device itself has no such tree (20§10.5).
 */
export class Objects {
  readonly tree = new SimTree(interior('.'));
  readonly #rootNames = new Map<string, string>();
  readonly #ddf = new Map<string, string>();
  readonly #missing: ReadonlySet<Dm2Capability>;
  #created = 0;

  constructor(instances: readonly MoInstance[], missing: ReadonlySet<Dm2Capability>) {
    this.#missing = missing;
    for (const { moid, miid, node, ddf } of instances) {
      this.tree.graft([moid, miid], node);
      this.#rootNames.set(moid, node.name);
      if (ddf !== undefined) this.#ddf.set(moid, ddf);
    }
  }

  rootName(moid: string): string {
    return this.#rootNames.get(moid) ?? rootNameOf(moid);
  }

  instances(moid: string): string[] {
    return [...(this.tree.find([moid])?.children?.keys() ?? [])];
  }

  /** The MOS of Package#1. */
  list(): MoItem[] {
    return [...this.tree.root.children!.keys()].map((moid) => {
      const ddf = this.#ddf.get(moid);
      return { ...(ddf === undefined ? {} : { DDF: ddf }), MOID: moid, MIID: this.instances(moid) };
    });
  }

  /** A name for a new instance of `moid` that no instance has. */
  newInstance(moid: string): string {
    const taken = new Set(this.instances(moid));
    let miid: string;
    do {
      this.#created += 1;
      miid = `${this.rootName(moid)}-${this.#created}`;
    } while (taken.has(miid));
    return miid;
  }

  /** The nodes that `text` names (20§4.2); `existing: false` also takes a place that is yet to be made. */
  places(
    text: string,
    existing = true,
  ): { readonly uri: ClientUri; readonly places: readonly Place[] } | Unresolved {
    const uri = parseClientUri(text);
    if ('error' in uri) return { code: 400 };
    if (this.#refuses(uri)) return { code: 501 };
    const moid = this.#ownName(uri.moid);
    const run = resolve(uri, this.instances(moid), { verify: existing ? 'always' : 'wildcard' });
    let step = run.next();
    while (!step.done) step = run.next(step.value.map((query) => this.#answer(moid, query)));
    if (step.value.kind !== 'resolved') return { code: 404 };
    return { uri, places: step.value.targets.map((target: NodeTarget) => ({ moid, ...target })) };
  }

  /** The id under which this device has the object that a peer calls `moid`. */
  #ownName(moid: string): string {
    return [...this.tree.root.children!.keys()].find((own) => withUrn(own) === withUrn(moid)) ?? moid;
  }

  #refuses(uri: ClientUri): boolean {
    const segments = [uri.instance, ...uri.path];
    return (
      (this.#missing.has('xname') && segments.some(({ kind }) => kind === 'variable')) ||
      (this.#missing.has('wildcard') && segments.some(({ kind }) => kind === 'any')) ||
      (this.#missing.has('query') && (uri.nv.length > 0 || uri.cv !== undefined || uri.levels !== undefined))
    );
  }

  #answer(moid: string, query: { miid: string; path: readonly string[]; want: string }) {
    const node = this.tree.find([moid, query.miid, ...query.path]);
    if (!node) return { exists: false };
    if (query.want === 'children' && node.children)
      return { exists: true, children: [...node.children.keys()] };
    if (query.want === 'value' && !node.children) return { exists: true, value: String(node.value ?? '') };
    return { exists: true };
  }

  find(place: Place) {
    return this.tree.find(pathOf(place));
  }

  /** Validator of the instance: it changes with every change of its content. */
  validator({ moid, miid }: Place): string {
    const node = this.tree.find([moid, miid]);
    const content = JSON.stringify(node ? withDigests(toMoNode(node)) : null);
    return createHash('sha256').update(content).digest('hex').slice(0, 16);
  }

  /** The serialization items of one ClientURI, or the code of a read that gives no data. */
  read(text: string): { readonly items: readonly WriteItem[] } | { readonly code: number } {
    const found = this.places(text);
    if ('code' in found) return found;
    const items: WriteItem[] = [];
    for (const place of found.places) {
      const node = this.find(place);
      if (!node) return { code: 404 };
      if (!readable(node)) return { code: 405 };
      const cv = this.#missing.has('cv') ? undefined : this.validator(place);
      if (cv !== undefined && found.uri.cv === cv) continue;
      items.push(this.#item(place, toMoNode(node, found.uri.levels), cv));
    }
    if (items.length === 0) return { code: found.places.length === 0 ? 404 : 304 };
    return { items };
  }

  #item({ moid, miid, path }: Place, node: MoNode, cv: string | undefined): WriteItem {
    const ddf = this.#ddf.get(moid);
    return {
      uri: clientUriOf(moid, miid, path),
      rootName: this.rootName(moid),
      node,
      ...(cv === undefined || path.length > 0 ? {} : { cv }),
      ...(ddf === undefined ? {} : { ddf }),
    };
  }
}

/** For JSON, which would write a number and a name for each byte of a value. */
function withDigests({ value, children, ...node }: MoNode): object {
  const brief = value instanceof Uint8Array ? createHash('sha256').update(value).digest('hex') : value;
  return { ...node, value: brief, children: children?.map(withDigests) };
}

export function pathOf({ moid, miid, path }: Place): string[] {
  return [moid, miid, ...path];
}

/** Leaves of the device's DevInfo by their names. */
export function devInfoOf(objects: Objects): Record<string, string> {
  const item = objects.list().find(({ MOID }) => MOID.includes('devinfo'));
  const root = item && objects.tree.find([item.MOID, item.MIID[0] ?? '']);
  const leaves = [...(root?.children ?? [])].flatMap(([name, node]) =>
    typeof node.value === 'string' ? [[name, node.value] as const] : [],
  );
  return Object.fromEntries(leaves);
}
