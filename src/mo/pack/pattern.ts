import { decodeSegment } from '../treePath.ts';

/**
 * A segment of a declared path: a name, `<x>` for any one name (numbered from the left, so that both
 * generations' paths name the same one), or `<x=1>` for any one name that only the legacy tree has, called
 * `1` where Dragoman makes it.
 */
export type Segment =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'any'; readonly capture: number }
  | { readonly kind: 'pick'; readonly name: string };

const WILDCARD = /^<[A-Za-z0-9]+(?:=([^<>=/]+))?>$/;

/** Reads declared segments, or says why they cannot be read. */
export function parseSegments(text: string): readonly Segment[] | string {
  const segments: Segment[] = [];
  let captures = 0;
  for (const raw of text.split('/')) {
    if (raw === '' || raw === '.' || raw === '..') return `"${text}" has an empty segment, "." or ".."`;
    const wildcard = WILDCARD.exec(raw);
    if (wildcard) {
      if (wildcard[1] === undefined) segments.push({ kind: 'any', capture: captures++ });
      else segments.push({ kind: 'pick', name: wildcard[1] });
      continue;
    }
    if (/[<>]/.test(raw)) return `"${raw}" is neither a name, <x> nor <x=name>`;
    const name = decodeSegment(raw);
    if (name === undefined) return `"${raw}" has a broken percent escape`;
    segments.push({ kind: 'name', name });
  }
  return segments;
}

/** How two declared paths are compared: wildcards are equal whatever they are called. */
export function shapeOf(segments: readonly Segment[]): string {
  return JSON.stringify(segments.map((s) => (s.kind === 'name' ? s.name : 0)));
}

/** The captured names when `path` begins with `segments`, else `undefined`. */
export function matchStart(
  segments: readonly Segment[],
  path: readonly string[],
): readonly string[] | undefined {
  if (path.length < segments.length) return undefined;
  const captured: string[] = [];
  for (const [i, segment] of segments.entries()) {
    const name = path[i]!;
    if (segment.kind === 'name' ? segment.name !== name : segment.kind === 'pick') return undefined;
    if (segment.kind === 'any') captured.push(name);
  }
  return captured;
}

/** Names for segments; stops before the first that `captured` does not know or, with `picks` off, at a pick. */
export function instantiate(
  segments: readonly Segment[],
  captured: readonly string[],
  picks = true,
): readonly string[] {
  const names: string[] = [];
  for (const segment of segments) {
    const name = segment.kind === 'any' ? captured[segment.capture] : segment.name;
    if (name === undefined || (segment.kind === 'pick' && !picks)) break;
    names.push(name);
  }
  return names;
}
