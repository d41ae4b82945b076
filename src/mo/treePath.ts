/**
 * A place in a device's management tree as decoded segments below the root: `./A/B%2FC` is
 * `['A', 'B/C']`, the root is `[]`.
 */
export type TreePath = readonly string[];

/**
 * Reads a legacy node address: with and without `./`, absolute, with a trailing `/` (IW-ADDR-5).
 * Returns `undefined` for an empty segment, a `..`, a `.` past the start or a broken percent escape.
 */
export function parseTreePath(uri: string): TreePath | undefined {
  let rest = uri.trim();
  if (rest === '.' || rest === './' || rest === '/') return [];
  if (rest.startsWith('./')) rest = rest.slice(2);
  else if (rest.startsWith('/')) rest = rest.slice(1);
  if (rest.endsWith('/')) rest = rest.slice(0, -1);
  const segments: string[] = [];
  for (const raw of rest.split('/')) {
    if (raw === '' || raw === '.' || raw === '..') return undefined;
    const name = decodeSegment(raw);
    if (name === undefined) return undefined;
    segments.push(name);
  }
  return segments;
}

/** Writes a path as a legacy address, `./A/B`; the root is `.`. */
export function formatTreePath(path: TreePath): string {
  return path.length === 0 ? '.' : `./${path.map(encodeSegment).join('/')}`;
}

/** Whether `path` is `root` or lies below it. */
export function isWithin(root: TreePath, path: TreePath): boolean {
  return root.length <= path.length && root.every((segment, i) => segment === path[i]);
}

export function samePath(a: TreePath, b: TreePath): boolean {
  return a.length === b.length && isWithin(a, b);
}

/**
 * Escapes what may not stand in a node name on the wire; keeps `:`, `@` and the like, which real names hold.
 * A name of dots only came in escaped and goes out escaped: bare it would climb the peer's tree.
 */
export function encodeSegment(name: string): string {
  if (name === '.' || name === '..') return name.replaceAll('.', '%2E');
  return name.replace(/[%/?#\s"<>\\^`{|}\p{Cc}]/gu, (c) =>
    Array.from(new TextEncoder().encode(c), (b) => `%${b.toString(16).toUpperCase().padStart(2, '0')}`).join(
      '',
    ),
  );
}

export function decodeSegment(raw: string): string | undefined {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}
