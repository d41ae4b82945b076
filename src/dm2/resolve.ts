import { DragomanError } from '../support/errors.ts';
import type { ClientUri, NameValue, Segment } from './clientUri.ts';

/** Something the resolver must know of one node; `path` is below the root of that instance. */
export interface NodeQuery {
  readonly miid: string;
  readonly path: readonly string[];
  readonly want: 'children' | 'value' | 'exists';
}

/** Answer to a query. Of a node that is not there, or may not be read, `exists` is false. */
export interface NodeAnswer {
  readonly exists: boolean;
  /** Names of the children, for `children`; absent for a leaf. */
  readonly children?: readonly string[];
  /** Lexical form, for `value`; absent for an interior node. */
  readonly value?: string;
}

export interface NodeTarget {
  readonly miid: string;
  readonly path: readonly string[];
}

export type Resolution =
  | { readonly kind: 'resolved'; readonly targets: readonly NodeTarget[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous' };

export interface ResolveOptions {
  /**
   * Whether targets whose last segments are plain names are looked up. `wildcard` (the default): only
   * behind a `*`, where a place without such a node is no match; a single target's absence shows when
   * it is used, and HGET may be about to create it. `always`: every target. `never`: none.
   */
  readonly verify?: 'always' | 'wildcard' | 'never';
  /** Most queries in all (session limit); default 10,000. */
  readonly nodes?: number;
}

type Ask = Generator<readonly NodeQuery[], readonly NodeAnswer[], readonly NodeAnswer[]>;
type Resolve<T> = Generator<readonly NodeQuery[], T, readonly NodeAnswer[]>;

const NONE: Resolution = Object.freeze({ kind: 'none' });
const AMBIGUOUS: Resolution = Object.freeze({ kind: 'ambiguous' });

/**
 * Finds the nodes that a ClientURI names on one device (20§4.2, IW-ADDR-2). Lazy: a batch of queries is
 * yielded only where names alone do not decide, and every batch asks only about places still in
 * question. `instances` are the MIIDs of that MOID. Wildcards may give many targets; a variable or an
 * empty MIID must match one node only (each below its own parent, where wildcards stand before it).
 * Throws DragomanError `too-large` past the limit of queries.
 */
export function* resolve(
  uri: ClientUri,
  instances: readonly string[],
  options: ResolveOptions = {},
): Resolve<Resolution> {
  const ask = asker(options.nodes ?? 10_000);
  const roots = yield* candidates(uri, instances, ask);
  if (roots === undefined) return AMBIGUOUS;
  let places = roots;
  let unproven = false;
  for (const segment of uri.path) {
    if (places.length === 0) return NONE;
    if (segment.kind === 'named') {
      places = places.map(({ miid, path }) => ({ miid, path: [...path, segment.name] }));
      unproven = true;
      continue;
    }
    const next = yield* expand(places, segment, uri.nv, ask);
    if (next === undefined) return AMBIGUOUS;
    places = next;
    unproven = false;
  }
  const verify = options.verify ?? 'wildcard';
  if (unproven && (verify === 'always' || (verify === 'wildcard' && hasWildcard(uri)))) {
    places = yield* existing(places, ask);
  }
  return places.length === 0 ? NONE : { kind: 'resolved', targets: places };
}

function hasWildcard(uri: ClientUri): boolean {
  return uri.instance.kind === 'any' || uri.path.some((segment) => segment.kind === 'any');
}

/**
 * Asks one batch, within the limit over all batches. What an earlier batch has told is not asked again:
 * two variables may read one leaf, and a leaf that was read proves the nodes above it.
 */
function asker(limit: number): (queries: readonly NodeQuery[]) => Ask {
  const known = new Map<string, NodeAnswer>();
  let left = limit;
  return function* ask(queries) {
    const open = queries.filter((query) => !known.has(keyOf(query)));
    left -= open.length;
    if (left < 0) {
      throw new DragomanError('too-large', `Resolving the address would read more than ${limit} nodes.`);
    }
    const answers = open.length === 0 ? [] : yield open;
    open.forEach((query, i) => {
      const answer = answers[i] ?? ABSENT;
      known.set(keyOf(query), answer);
      for (let n = answer.exists ? query.path.length : -1; n >= 0; n--) {
        known.set(keyOf({ miid: query.miid, path: query.path.slice(0, n), want: 'exists' }), PRESENT);
      }
    });
    return queries.map((query) => known.get(keyOf(query)) ?? ABSENT);
  };
}

const ABSENT: NodeAnswer = Object.freeze({ exists: false });
const PRESENT: NodeAnswer = Object.freeze({ exists: true });

function keyOf({ miid, path, want }: NodeQuery): string {
  return JSON.stringify([want, miid, ...path]);
}

type Asker = ReturnType<typeof asker>;

/** The instances that the address may mean; `undefined` when it must mean one and fits several. */
function* candidates(
  uri: ClientUri,
  instances: readonly string[],
  ask: Asker,
): Resolve<readonly NodeTarget[] | undefined> {
  const { instance } = uri;
  const all = instances.map((miid) => ({ miid, path: [] }));
  switch (instance.kind) {
    case 'named':
      return all.filter(({ miid }) => miid === instance.name);
    case 'any':
      return all;
    case 'empty':
      return all.length > 1 ? undefined : all;
    case 'variable': {
      const matches = yield* matching(all, instance.variable, uri.nv, ask);
      return matches.length > 1 ? undefined : matches;
    }
  }
}

/** The children that `segment` stands for; `undefined` when a variable fits several of one parent. */
function* expand(
  places: readonly NodeTarget[],
  segment: Exclude<Segment, { kind: 'named' }>,
  nv: readonly NameValue[],
  ask: Asker,
): Resolve<readonly NodeTarget[] | undefined> {
  const listed = yield* ask(places.map(({ miid, path }) => ({ miid, path, want: 'children' })));
  const parentOf = new Map<NodeTarget, NodeTarget>();
  places.forEach((parent, i) => {
    const answer = listed[i];
    for (const name of answer?.exists ? (answer.children ?? []) : []) {
      parentOf.set({ miid: parent.miid, path: [...parent.path, name] }, parent);
    }
  });
  const children = [...parentOf.keys()];
  if (segment.kind === 'any') return children;
  const matches = yield* matching(children, segment.variable, nv, ask);
  const parents = new Set(matches.map((match) => parentOf.get(match)));
  return parents.size < matches.length ? undefined : matches;
}

/** Keeps the nodes for which every nv of that letter holds; one nv at a time, for each spares reads to the next. */
function* matching(
  nodes: readonly NodeTarget[],
  variable: string,
  nv: readonly NameValue[],
  ask: Asker,
): Resolve<readonly NodeTarget[]> {
  const conditions = conditionsOn(variable, nv);
  if (conditions === undefined) return [];
  let left = nodes;
  for (const condition of conditions) {
    if (left.length === 0) return left;
    const answers = yield* ask(
      left.map(({ miid, path }) => ({ miid, path: [...path, ...condition.path], want: 'value' })),
    );
    left = left.filter((_, i) => answers[i]?.exists && answers[i].value === condition.value);
  }
  return left;
}

/** The nv of one letter, each leaf once; `undefined` when one leaf would need two values at a time. */
function conditionsOn(variable: string, nv: readonly NameValue[]): readonly NameValue[] | undefined {
  const byLeaf = new Map<string, NameValue>();
  for (const condition of nv) {
    if (condition.variable !== variable) continue;
    const leaf = JSON.stringify(condition.path);
    const same = byLeaf.get(leaf);
    if (same !== undefined && same.value !== condition.value) return undefined;
    byLeaf.set(leaf, condition);
  }
  return [...byLeaf.values()];
}

function* existing(places: readonly NodeTarget[], ask: Asker): Resolve<readonly NodeTarget[]> {
  if (places.length === 0) return places;
  const answers = yield* ask(places.map(({ miid, path }) => ({ miid, path, want: 'exists' })));
  return places.filter((_, i) => answers[i]?.exists);
}
