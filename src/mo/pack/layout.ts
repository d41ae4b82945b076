import type { NodeDefinition } from '../mapping.ts';
import { parseSegments, type Segment, shapeOf } from './pattern.ts';
import type { NodeEntry, PackDocument } from './schema.ts';
import { compileTransform, type Transform } from './transform.ts';

/** One declared node in both generations' terms. */
export interface Rule {
  readonly definition: NodeDefinition;
  readonly dm2: readonly Segment[];
  readonly legacy: readonly Segment[];
  /** `legacy` starts at the root of the device tree, not at the root of the object. */
  readonly absolute: boolean;
  /** Position among all wildcards of `legacy` of each numbered one. */
  readonly seen: readonly number[];
  readonly pick: boolean;
  readonly transform?: Transform;
  /** Legacy value that stands in when 2.0 has none. */
  readonly default?: string;
  /** Not told to 2.0 while it has its default. */
  readonly legacyOnly: boolean;
}

/** Declared paths as a tree; a step without rule stands only on the way to others. */
export interface Step {
  readonly names: Map<string, Step>;
  any?: Step;
  rule?: Rule;
}

/** The nodes of one object in one legacy layout. */
export interface Layout {
  readonly rules: readonly Rule[];
  readonly dm2: Step;
  /** By place below the root of the object. */
  readonly legacy: Step;
  /** By place below the root of the device tree: what is joined from elsewhere. */
  readonly absolute: Step;
  /** Rules whose legacy place is not their parent's place and one name. */
  readonly moved: readonly Rule[];
  readonly defaults: readonly Rule[];
}

/** Tells what is wrong at a path within the file. */
export type Complain = (path: readonly string[], reason: string) => void;

interface Place {
  readonly absolute: boolean;
  readonly segments: readonly Segment[];
}

export function compileLayout(document: PackDocument, complain: Complain): Layout {
  const transforms = new Map<string, Transform>();
  for (const [name, entry] of Object.entries(document.transforms ?? {})) {
    const transform = compileTransform(entry);
    if (typeof transform === 'string') complain(['transforms', name], transform);
    else transforms.set(name, transform);
  }
  const layout = {
    rules: [] as Rule[],
    dm2: newStep(),
    legacy: newStep(),
    absolute: newStep(),
    moved: [] as Rule[],
    defaults: [] as Rule[],
  };
  const entries = readEntries(document.nodes ?? {}, complain);
  const places = new Map<string, Place>();
  const owners = new Map<string, string>();
  for (const { key, segments, entry } of entries) {
    const at = ['nodes', key];
    const shape = shapeOf(segments);
    if (places.has(shape)) complain(at, 'is declared twice');
    const place = placeOf(segments, entry, places, (reason) => complain([...at, 'legacy'], reason));
    if (place === undefined) continue;
    places.set(shape, place);
    const where = `${place.absolute}${shapeOf(place.segments)}`;
    const owner = owners.get(where);
    if (owner !== undefined) complain([...at, 'legacy'], `is the legacy place of "${owner}" too`);
    owners.set(where, key);
    const captures = segments.filter((s) => s.kind === 'any').length;
    if (place.segments.filter((s) => s.kind === 'any').length !== captures)
      complain([...at, 'legacy'], `must have as many <x> as "${key}", which has ${captures}`);
    const transform = entry.transform === undefined ? undefined : transforms.get(entry.transform);
    if (entry.transform !== undefined && !Object.hasOwn(document.transforms ?? {}, entry.transform))
      complain([...at, 'transform'], `no transform is called "${entry.transform}"`);
    if (entry.only !== undefined && entry.default === undefined)
      complain([...at, 'only'], 'needs a default, from which the node comes back');
    const rule = newRule(segments, place, entry, transform);
    layout.rules.push(rule);
    insert(layout.dm2, rule.dm2, rule);
    insert(rule.absolute ? layout.absolute : layout.legacy, rule.legacy, rule);
    if (isMoved(segments, place, places)) layout.moved.push(rule);
    if (rule.default !== undefined) layout.defaults.push(rule);
  }
  return layout;
}

function readEntries(nodes: Readonly<Record<string, NodeEntry>>, complain: Complain) {
  const entries: { key: string; segments: readonly Segment[]; entry: NodeEntry }[] = [];
  for (const [key, entry] of Object.entries(nodes)) {
    const segments = parseSegments(key);
    if (typeof segments === 'string') complain(['nodes', key], segments);
    else if (segments.some((s) => s.kind === 'pick'))
      complain(['nodes', key], '<x=name> is for legacy places');
    else entries.push({ key, segments, entry });
  }
  // Parents first: a child stands in its parent's legacy place.
  return entries.sort((a, b) => a.segments.length - b.segments.length);
}

function placeOf(
  segments: readonly Segment[],
  entry: NodeEntry,
  places: ReadonlyMap<string, Place>,
  complain: (reason: string) => void,
): Place | undefined {
  const parent = inherited(segments.slice(0, -1), places);
  if (entry.legacy === undefined) {
    if (parent.segments.some((s) => s.kind === 'pick'))
      complain('a node below <x=name> needs a place of its own');
    return { absolute: parent.absolute, segments: [...parent.segments, segments.at(-1)!] };
  }
  const absolute = entry.legacy.startsWith('./');
  const path = entry.legacy.replace(/^\.?\//, '');
  const own = parseSegments(path);
  if (typeof own === 'string') {
    complain(own);
    return undefined;
  }
  if (absolute || entry.legacy.includes('/')) return { absolute, segments: own };
  return { absolute: parent.absolute, segments: renumber([...parent.segments, ...own]) };
}

function renumber(segments: readonly Segment[]): readonly Segment[] {
  let capture = 0;
  return segments.map((s) => (s.kind === 'any' ? { kind: 'any', capture: capture++ } : s));
}

/** Where a node stands that declares no place: below its nearest declared ancestor. */
function inherited(segments: readonly Segment[], places: ReadonlyMap<string, Place>): Place {
  for (let n = segments.length; n > 0; n -= 1) {
    const place = places.get(shapeOf(segments.slice(0, n)));
    if (place) return { absolute: place.absolute, segments: [...place.segments, ...segments.slice(n)] };
  }
  return { absolute: false, segments };
}

function isMoved(segments: readonly Segment[], place: Place, places: ReadonlyMap<string, Place>): boolean {
  const parent = inherited(segments.slice(0, -1), places);
  return (
    parent.absolute !== place.absolute ||
    shapeOf(parent.segments) !== shapeOf(place.segments.slice(0, -1)) ||
    place.segments.some((s) => s.kind === 'pick')
  );
}

function newRule(
  dm2: readonly Segment[],
  place: Place,
  entry: NodeEntry,
  transform: Transform | undefined,
): Rule {
  const wild = place.segments.filter((s) => s.kind !== 'name');
  const { legacy: _, transform: __, default: value, only, ...rest } = entry;
  const path = dm2.map((s) => (s.kind === 'name' ? s.name : '<x>'));
  return Object.freeze({
    definition: Object.freeze({ path, ...rest }),
    dm2,
    legacy: place.segments,
    absolute: place.absolute,
    seen: wild.flatMap((s, i) => (s.kind === 'any' ? [i] : [])),
    pick: wild.some((s) => s.kind === 'pick'),
    ...(transform && { transform }),
    ...(value !== undefined && { default: value }),
    legacyOnly: only === 'legacy',
  });
}

export function newStep(): Step {
  return { names: new Map() };
}

function insert(root: Step, segments: readonly Segment[], rule: Rule): void {
  let at = root;
  for (const segment of segments) {
    const next = segment.kind === 'name' ? at.names.get(segment.name) : at.any;
    const step = next ?? newStep();
    if (segment.kind === 'name') at.names.set(segment.name, step);
    else at.any = step;
    at = step;
  }
  at.rule = rule;
}
