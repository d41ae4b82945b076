import { normaliseMoid, rootNameOf } from '../moid.ts';
import type { PackError, ReadPack } from './document.ts';
import { compileLayout, type Layout } from './layout.ts';
import { parseSegments, type Segment, shapeOf } from './pattern.ts';

/** A layout of one pack file and the places where it applies. */
export interface PlacedLayout {
  readonly pack: ReadPack;
  readonly layout: Layout;
  readonly roots: readonly (readonly Segment[])[];
}

/** A management object: its names, its own layout and the other legacy layouts of it. */
export interface PackObject extends PlacedLayout {
  readonly moid: string;
  readonly aliases: readonly string[];
  readonly rootName: string;
  readonly virtual?: readonly Segment[];
  readonly create?: readonly string[];
  readonly synthesise: boolean;
  readonly layouts: PlacedLayout[];
}

/** Compiles what a file says of a management object; `undefined` when it says nothing of one. */
export function compilePlaced(pack: ReadPack, errors: PackError[]): PlacedLayout | undefined {
  const { document } = pack;
  if (document.moid === undefined && document.layoutOf === undefined) return undefined;
  const complain = (path: readonly string[], reason: string) => errors.push(pack.error(path, reason));
  const roots: (readonly Segment[])[] = [];
  for (const [i, root] of (document.roots ?? []).entries()) {
    const segments = absolute(root);
    if (typeof segments === 'string') complain(['roots', String(i)], segments);
    else if (roots.some((other) => shapeOf(other) === shapeOf(segments)))
      complain(['roots', String(i)], `"${root}" is listed twice`);
    else roots.push(segments);
  }
  for (const [name, root] of Object.entries(document.sameAs ?? {})) {
    const unknown = [name, root].find((text) => !document.roots?.includes(text));
    if (unknown !== undefined) complain(['sameAs', name], `"${unknown}" is none of the roots`);
    else if (document.sameAs?.[root] !== undefined)
      complain(['sameAs', name], `"${root}" is itself the other name of a root`);
  }
  return { pack, roots, layout: compileLayout(document, complain) };
}

export function compileObject(placed: PlacedLayout, errors: PackError[]): PackObject {
  const { pack } = placed;
  const { document } = pack;
  const moid = normaliseMoid(document.moid!);
  let virtual: readonly Segment[] | undefined;
  if (document.virtual !== undefined) {
    const segments = absolute(document.virtual);
    if (typeof segments === 'string') errors.push(pack.error(['virtual'], segments));
    else if (segments.filter((s) => s.kind === 'any').length > 1)
      errors.push(pack.error(['virtual'], 'has more than one <x>; the MIID can stand only once'));
    else virtual = segments;
  }
  let create: readonly string[] | undefined;
  if (document.create !== undefined) {
    const segments = document.create === '.' ? [] : absolute(document.create);
    if (typeof segments === 'string') errors.push(pack.error(['create'], segments));
    else if (segments.some((s) => s.kind !== 'name'))
      errors.push(pack.error(['create'], 'must be one place, without <x>'));
    else create = segments.flatMap((s) => (s.kind === 'name' ? [s.name] : []));
  }
  if (document.synthesise && virtual?.some((s) => s.kind !== 'name'))
    errors.push(pack.error(['synthesise'], 'needs a virtual place without <x>'));
  return {
    ...placed,
    moid,
    aliases: (document.aliases ?? []).map(normaliseMoid),
    rootName: document.root ?? rootNameOf(moid),
    ...(virtual && { virtual }),
    ...(create && { create }),
    synthesise: document.synthesise ?? false,
    layouts: [],
  };
}

function absolute(path: string): readonly Segment[] | string {
  if (!path.startsWith('./')) return `"${path}" must begin with ./`;
  const segments = parseSegments(path.slice(2));
  if (typeof segments !== 'string' && segments.some((s) => s.kind === 'pick'))
    return `"${path}": <x=name> is for legacy places of nodes`;
  return segments;
}
