import fc from 'fast-check';
import { type ClientUri, parseClientUri } from '../../src/dm2/clientUri.ts';

export type Tree = string | { [name: string]: Tree };
export type Device = { [miid: string]: Tree };

export const M = 'urn:oma:mo:moid:1.0';

export function uriOf(tail: string): ClientUri {
  const uri = parseClientUri(M + tail);
  if ('error' in uri) throw new Error(uri.detail);
  return uri;
}

export function at(device: Device, miid: string, path: readonly string[]): Tree | undefined {
  let node: Tree | undefined = Object.hasOwn(device, miid) ? device[miid] : undefined;
  for (const name of path)
    node = typeof node === 'object' && Object.hasOwn(node, name) ? node[name] : undefined;
  return node;
}

const name = fc.constantFrom('A', 'B', 'C');
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('1', '2'),
    fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
  ),
}));
/** Devices of a few instances and names, so that addresses often meet something. */
export const devices = fc.dictionary(fc.constantFrom('i', 'j', 'k'), fc.dictionary(name, tree), {
  maxKeys: 3,
});
const segment = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 2, arbitrary: fc.constant('(?)') },
);
const nvPath = fc.array(name, { minLength: 1, maxLength: 2 });
/** Addresses behind the MOID, with wildcards, variables and their conditions. */
export const tails = fc
  .tuple(
    fc.constantFrom('', 'i', '*', '(?)'),
    fc.array(segment, { maxLength: 3 }),
    fc.array(fc.tuple(nvPath, fc.constantFrom('1', '2')), { minLength: 8, maxLength: 8 }),
    fc.boolean(),
  )
  .map(([instance, segments, pairs, twice]) => {
    const fields: string[] = [];
    const used = [...'abcd'];
    const place = [instance, ...segments].map((piece) => {
      const letter = piece === '(?)' ? used.shift() : undefined;
      if (letter === undefined) return piece;
      for (const [path, value] of pairs.splice(0, twice ? 2 : 1))
        fields.push(`nv=(${letter})/${path.join('/')}:${value}`);
      return `(${letter})`;
    });
    const tail = segments.length === 0 ? `/${place[0]}/` : `/${place.join('/')}`;
    return fields.length === 0 ? tail : `${tail}?${fields.join('&')}`;
  });

/**
 * The meaning of 20§4.2 spelt out over all nodes: level by level, the nodes whose names fit; a level of
 * a variable where one parent keeps several children, or an empty MIID with several instances, is
 * ambiguous.
 */
export function search(device: Device, uri: ClientUri): string[] | string {
  const every: string[][] = [];
  const collect = (path: string[], node: Tree): void => {
    every.push(path);
    if (typeof node === 'object')
      for (const [name, child] of Object.entries(node)) collect([...path, name], child);
  };
  for (const [miid, root] of Object.entries(device)) collect([miid], root);
  const holds = (path: string[], letter: string): boolean =>
    uri.nv.every(
      (nv) =>
        nv.variable !== letter || at(device, path[0] ?? '', [...path.slice(1), ...nv.path]) === nv.value,
    );
  const levels = [uri.instance, ...uri.path];
  let fitting = every.filter((path) => path.length === 1);
  for (const [depth, segment] of levels.entries()) {
    const parents = new Set(fitting.map((path) => path.slice(0, depth).join('/')));
    const level = every.filter(
      (path) =>
        path.length === depth + 1 &&
        parents.has(path.slice(0, depth).join('/')) &&
        (segment.kind === 'named' ? path[depth] === segment.name : true) &&
        (segment.kind === 'variable' ? holds(path, segment.variable) : true),
    );
    if (segment.kind === 'variable' || segment.kind === 'empty') {
      const owners = level.map((path) => path.slice(0, depth).join('/'));
      if (new Set(owners).size < owners.length) return 'ambiguous';
    }
    fitting = level.flatMap((path) =>
      depth + 1 < levels.length ? every.filter((below) => isChild(path, below)) : [path],
    );
  }
  return fitting.length === 0 ? 'none' : fitting.map((path) => path.join('/')).sort();
}

function isChild(parent: string[], path: string[]): boolean {
  return path.length === parent.length + 1 && parent.every((name, i) => name === path[i]);
}
