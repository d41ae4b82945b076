import type { Item } from '../../dm1/message.ts';
import { parseFormat } from '../../mo/format.ts';
import { addMounts } from '../../mo/inventory.ts';
import type { RootPattern } from '../../mo/mapping.ts';
import { isMoid } from '../../mo/moid.ts';
import { descendant, type MoNode, walk } from '../../mo/node.ts';
import { decodeSegment, formatTreePath, parseTreePath, samePath, type TreePath } from '../../mo/treePath.ts';
import { ownerOf } from '../addresses.ts';
import { URI_LIMITS } from '../limits.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { succeeded } from '../status.ts';
import { childNames, readLeaf } from '../values.ts';
import type { LegacyDevice } from './device.ts';
import { listRefused } from './lists.ts';
import { treeOfList } from './listTree.ts';
import { get } from './readRequest.ts';

interface Found {
  readonly moid: string;
  readonly root: TreePath;
}

/** Nodes whose change says that the device's software, and so perhaps its objects, changed (IW-INV-2). */
const VERSION_NODES = ['FwV', 'SwV'] as const;

/** DevInfo under 2.0 names from the Replace of Package 1, and from whatever else a session reads of it. */
export function devInfoOf(s: Session, items: readonly Item[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const item of items) {
    const uri = item.source?.uri ?? item.target?.uri;
    const path = uri !== undefined ? parseTreePath(uri) : undefined;
    if (!path || item.data === undefined) continue;
    const owner = ownerOf(s, path);
    const name = owner ? owner.path.join('/') : path.slice(1).join('/');
    const { value, format } = readLeaf(item);
    if (format !== 'node' && typeof value === 'string' && name !== '') values[name] = value;
  }
  return values;
}

/**
 * Makes sure that the session knows which objects the device has and where (IW-INV-2): nothing is asked
 * when an earlier session found them; otherwise by `?list=StructData`, else `?list=Struct`, else
 * `?prop=Type` on the roots that the packs expect, else plain Gets.
 */
export function* takeInventory(s: Session, device: LegacyDevice): Script<void> {
  if (!s.context.device.firstSession && s.mounts.some((known) => !isAssumed(s, known.root))) {
    watchVersions(s, device);
    return;
  }
  yield* discover(s, device);
  if (VERSION_NODES.every((name) => s.devInfo[name] === undefined)) watchVersions(s, device);
}

/** Device capability: it has neither FwV nor SwV to watch. */
const NO_VERSIONS = 'noVersionNodes';

/**
 * Reads FwV and SwV along with the session's first commands; a change has the device looked at again.
 * `also` names further nodes of DevDetail to learn.
 */
function watchVersions(s: Session, device: LegacyDevice, also: readonly string[] = []): void {
  const versions = s.capability(NO_VERSIONS) ? [] : VERSION_NODES;
  const names = [...versions, ...also];
  if (names.length === 0) return;
  device.askAlong(
    names.map((name) => get(`./DevDetail/${name}`)),
    (answers) => {
      const values = names.map((_, i) => {
        const answer = answers[i]!;
        const item = succeeded(answer.code) ? answer.results[0] : undefined;
        const value = item && readLeaf(item).value;
        return typeof value === 'string' && value !== '' ? value : undefined;
      });
      const known = values.slice(0, versions.length);
      if (versions.length > 0 && !known.some(Boolean) && answers.every(({ answered }) => answered)) {
        s.learn(NO_VERSIONS, true);
      }
      s.softwareChanged ||= known.some((value, i) => value && (s.devInfo[names[i]!] ?? value) !== value);
      const told = values.flatMap((value, i) => (value === undefined ? [] : [[names[i]!, value] as const]));
      if (told.length > 0) s.learnDevInfo(Object.fromEntries(told));
    },
  );
}

/** Looks again at the whole device, or at one MOID whose address was not found. */
export function* discover(s: Session, device: LegacyDevice, moid?: string): Script<void> {
  let found = yield* byList(s, device);
  if (!found) {
    // A list tells versions and limits; without one they are asked along with the candidates.
    if (moid === undefined) watchVersions(s, device, URI_LIMITS);
    found = yield* byCandidates(s, device, moid);
  }
  if (device.ended) return;
  found = withoutOtherNames(s, found);
  const roots = moid === undefined ? [...assumed(s), ...found] : found;
  mount(s, roots);
  if (moid === undefined) {
    s.unmount(s.mounts.filter((known) => !roots.some((root) => samePath(root.root, known.root))));
  }
  yield* s.note('IW-INV-2', `Found ${s.mounts.length} management objects on the device.`);
}

/** Without what stands at another name of a root that was found as well: one instance is shown once. */
function withoutOtherNames(s: Session, found: readonly Found[]): Found[] {
  const others = s.context.mappings.rootPatterns().filter(({ sameAs }) => sameAs !== undefined);
  const isAt = (path: TreePath) => (known: Found) => samePath(known.root, path);
  return found.filter(
    ({ root }) => !others.some(({ path, sameAs }) => samePath(path, root) && found.some(isAt(sameAs!))),
  );
}

/** Adds instances under MIIDs that stay theirs, also when they had vanished meanwhile (IW-INV-3). */
export function mount(s: Session, found: readonly Found[]): void {
  const sameObject = (a: string, b: string): boolean => s.context.mappings.sameObject(a, b);
  const mounts = addMounts(s.everMounted, found, sameObject).map((known) => {
    if (!known.absent || !found.some(({ root }) => samePath(root, known.root))) return known;
    const { absent: _, ...present } = known;
    return present;
  });
  s.setMounts(mounts);
}

/** Objects that every 1.x device has, at a place that is fixed (1x§13.9). */
function assumed(s: Session): Found[] {
  return s.context.mappings
    .rootPatterns()
    .filter((pattern) => isAssumed(s, pattern.path))
    .map(({ moid, path }) => ({ moid, root: path }));
}

function isAssumed(s: Session, root: TreePath): boolean {
  return (
    root.length === 1 &&
    (root[0] === 'DevInfo' || root[0] === 'DevDetail') &&
    s.context.mappings.rootPatterns().some((pattern) => samePath(pattern.path, root))
  );
}

/** The mounts that a session starts with before any discovery. */
export function assumedMounts(s: Session): void {
  if (s.mounts.length === 0) mount(s, assumed(s));
}

function* byList(s: Session, device: LegacyDevice): Script<Found[] | undefined> {
  for (const form of ['StructData', 'Struct'] as const) {
    const capability = `list${form}`;
    if (s.capability(capability) === false) continue;
    const [answer] = yield* device.run([get(`.?list=${form}`)]);
    if (!answer?.answered) return [];
    const tree = succeeded(answer.code) ? treeOfList([], answer.results, s.context.limits.depth) : undefined;
    if (!tree) {
      if (succeeded(answer.code) || listRefused(answer.code)) s.learn(capability, false);
      continue;
    }
    s.learn(capability, true);
    learnVersions(s, tree);
    return foundIn(s, tree);
  }
  return undefined;
}

function learnVersions(s: Session, tree: MoNode): void {
  const values = [...VERSION_NODES, ...URI_LIMITS].flatMap((name) => {
    const value = descendant(tree, ['DevDetail', ...name.split('/')])?.value;
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  if (values.length > 0) s.learnDevInfo(Object.fromEntries(values));
}

/** Roots in a tree that tells the Type of its interior nodes, or that stand where a pack expects them. */
function foundIn(s: Session, tree: MoNode): Found[] {
  const patterns = s.context.mappings.rootPatterns();
  const found: Found[] = [];
  for (const { path, node } of walk(tree)) {
    if (path.length === 0 || node.children === undefined) continue;
    const moid = moidOf(s, node.type) ?? expectedAt(patterns, path);
    if (moid !== undefined) found.push({ moid, root: path });
  }
  return found;
}

/** A Type that is a MOID, or an id that a pack knows. */
function moidOf(s: Session, type: string | undefined): string | undefined {
  if (type === undefined || type === '') return undefined;
  const moid = s.context.mappings.canonical(type);
  if (s.context.mappings.rootPatterns().some((pattern) => pattern.moid === moid)) return moid;
  return isMoid(type) ? moid : undefined;
}

function expectedAt(patterns: readonly RootPattern[], path: TreePath): string | undefined {
  return patterns.find(
    (pattern) =>
      pattern.path.length === path.length &&
      pattern.path.every((segment, i) => segment === '<x>' || segment === path[i]),
  )?.moid;
}

/** Asks the places that the packs name: `?prop=Type` first, a plain Get where that is refused. */
function* byCandidates(s: Session, device: LegacyDevice, moid: string | undefined): Script<Found[]> {
  const patterns = s.context.mappings
    .rootPatterns()
    .filter((pattern) => moid === undefined || s.context.mappings.sameObject(pattern.moid, moid));
  const candidates = yield* expand(device, patterns);
  const typed =
    s.capability('prop') === false
      ? candidates.map(() => undefined)
      : yield* device.run(candidates.map(({ root }) => get(`${formatTreePath(root)}?prop=Type`)));
  if (typed.some((answer) => answer && succeeded(answer.code))) s.learn('prop', true);
  else if (
    candidates.length > 0 &&
    typed.every((answer) => answer && [405, 406, 501].includes(answer.code))
  ) {
    s.learn('prop', false);
  }
  const found: Found[] = [];
  const unsure: Found[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const answer = typed[i];
    const value =
      answer && succeeded(answer.code) ? answer.results[0] && readLeaf(answer.results[0]).value : undefined;
    const type = typeof value === 'string' ? moidOf(s, value.trim()) : undefined;
    if (type !== undefined) found.push({ moid: type, root: candidate.root });
    else unsure.push(candidate);
  }
  const plain = yield* device.run(unsure.map(({ root }) => get(formatTreePath(root))));
  for (const [i, candidate] of unsure.entries()) {
    if (succeeded(plain[i]!.code)) found.push(candidate);
  }
  return found;
}

/** Replaces each `<x>` of the patterns by the names that the device has there. */
function* expand(device: LegacyDevice, patterns: readonly RootPattern[]): Script<Found[]> {
  let open: { pattern: RootPattern; root: string[] }[] = patterns.map((pattern) => ({ pattern, root: [] }));
  const done: Found[] = [];
  while (open.length > 0) {
    const asked: { pattern: RootPattern; root: string[] }[] = [];
    for (const { pattern, root } of open) {
      let at = root.length;
      const path = [...root];
      while (at < pattern.path.length && pattern.path[at] !== '<x>') path.push(pattern.path[at++]!);
      if (path.length === pattern.path.length) done.push({ moid: pattern.moid, root: path });
      else asked.push({ pattern, root: path });
    }
    const parents = [...new Set(asked.map(({ root }) => formatTreePath(root)))];
    const answers = yield* device.run(parents.map(get));
    open = asked.flatMap(({ pattern, root }) => {
      const answer = answers[parents.indexOf(formatTreePath(root))]!;
      const item = succeeded(answer.code) ? answer.results[0] : undefined;
      if (parseFormat(item?.meta?.format) !== 'node') return [];
      return childNames(item?.data).map((name) => ({
        pattern,
        root: [...root, decodeSegment(name) ?? name],
      }));
    });
  }
  return done;
}
