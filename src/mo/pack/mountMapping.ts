import type { Mount, MountMapping, NodeDefinition, Source } from '../mapping.ts';
import type { MoNode } from '../node.ts';
import { isWithin, type TreePath } from '../treePath.ts';
import { ToDm2, ToLegacy } from './convert.ts';
import { Forest } from './forest.ts';
import type { Layout } from './layout.ts';
import { instantiate, type Segment } from './pattern.ts';
import { dm2Place, type Found, walkPath } from './walkPath.ts';

type Path = readonly string[];

/** A management object of one device, in the layout that the packs give it. */
export class PackMapping implements MountMapping {
  readonly mount: Mount;
  readonly rootName: string;
  readonly shownByName: boolean;
  private readonly layout: Layout;
  /** Places below this root that other objects have taken over. */
  private readonly taken: readonly (readonly Segment[])[];

  constructor(mount: Mount, rootName: string, layout: Layout, taken: readonly (readonly Segment[])[]) {
    this.mount = mount;
    this.rootName = rootName;
    this.layout = layout;
    this.shownByName = !layout.rules.some(({ legacyOnly, pick }) => legacyOnly || pick);
    this.taken = taken;
  }

  definition(path: Path): NodeDefinition | undefined {
    return walkPath(this.layout.dm2, path, 'dm2').step?.rule?.definition;
  }

  legacy(path: Path): TreePath {
    return this.legacyOf(path, walkPath(this.layout.dm2, path, 'dm2'), true);
  }

  fromLegacy(legacy: TreePath): Path | undefined {
    const joined = walkPath(this.layout.absolute, legacy, 'legacy');
    if (joined.rule) return [...dm2Place(joined.rule, joined.seen), ...legacy.slice(joined.depth)];
    const { root } = this.mount;
    if (!isWithin(root, legacy) || this.taken.some((segments) => startsWith(segments, legacy)))
      return undefined;
    const path = legacy.slice(root.length);
    const { rule, depth, seen } = walkPath(this.layout.legacy, path, 'legacy');
    return rule ? [...dm2Place(rule, seen), ...path.slice(depth)] : path;
  }

  sources(path: Path): readonly Source[] {
    const found = walkPath(this.layout.dm2, path, 'dm2');
    const legacy = this.legacyOf(path, found, false);
    const sources: Source[] = [{ legacy, path: found.rule?.pick ? this.verbatim(legacy) : path }];
    if (found.step === undefined) return sources;
    for (const rule of this.layout.moved) {
      if (rule.dm2.length <= path.length) continue;
      const captured = covers(rule.dm2, path);
      if (captured === undefined) continue;
      const place = instantiate(rule.legacy, captured, false);
      const there = rule.absolute ? place : [...this.mount.root, ...place];
      if (sources.some((source) => isWithin(source.legacy, there))) continue;
      sources.push({
        legacy: there,
        path: rule.pick ? this.verbatim(there) : instantiate(rule.dm2, captured),
      });
    }
    return sources;
  }

  holders(legacy: TreePath): readonly Path[] {
    const own = this.fromLegacy(legacy);
    const holders: Path[] = own ? [own] : [];
    for (const rule of this.layout.moved) {
      const { length } = rule.absolute ? [] : this.mount.root;
      if (!rule.absolute && !isWithin(this.mount.root, legacy)) continue;
      const below = legacy.slice(length);
      if (rule.legacy.length <= below.length) continue;
      const captured = covers(rule.legacy, below);
      if (captured === undefined) continue;
      const path = instantiate(rule.dm2, captured);
      if (!holders.some((holder) => isWithin(holder, path))) holders.push(path);
    }
    return holders;
  }

  /** The 2.0 path of an interior node above a name that only the legacy tree has: it is read, not shown. */
  private verbatim(legacy: TreePath): Path {
    return this.fromLegacy(legacy) ?? [];
  }

  toDm2(path: Path, found: readonly { source: Source; node: MoNode | undefined }[]): MoNode | undefined {
    const work = new ToDm2();
    for (const { source, node } of found) {
      if (node === undefined) continue;
      const joined = walkPath(this.layout.absolute, source.legacy, 'legacy');
      if (joined.rule) {
        work.add(joined.step, joined.seen, node, [
          ...dm2Place(joined.rule, joined.seen),
          ...source.legacy.slice(joined.depth),
        ]);
        continue;
      }
      if (!isWithin(this.mount.root, source.legacy)) {
        work.add(joined.step, joined.seen, node, undefined);
        continue;
      }
      const below = source.legacy.slice(this.mount.root.length);
      const own = walkPath(this.layout.legacy, below, 'legacy');
      const base = own.rule ? [...dm2Place(own.rule, own.seen), ...below.slice(own.depth)] : below;
      work.add(own.step, own.seen, node, base);
    }
    return work.forest.grown(path, path.at(-1) ?? this.rootName);
  }

  toLegacy(
    path: Path,
    node: MoNode,
    known: readonly { source: Source; node: MoNode | undefined }[] = [],
  ): readonly { legacy: TreePath; node: MoNode }[] {
    const at = walkPath(this.layout.dm2, path, 'dm2');
    const own = this.legacyOf(path, at, true);
    const work = new ToLegacy(this.mount.root, own, forestOf(known));
    work.add(at.step, at.seen, node);
    work.fill(this.layout.defaults, path.length === 0);
    return [own, ...work.elsewhere].flatMap((legacy) => {
      const grown = work.forest.grown(legacy, legacy.at(-1) ?? '.');
      return grown ? [{ legacy, node: grown }] : [];
    });
  }

  synthesised(path: Path): MoNode | undefined {
    const forest = new Forest();
    for (const { dm2, definition, default: value, transform } of this.layout.defaults) {
      if (dm2.some((s) => s.kind !== 'name')) continue;
      const place = instantiate(dm2, []);
      if (!isWithin(path, place)) continue;
      const { format, type } = definition;
      forest.putNode(place, {
        name: place.at(-1)!,
        ...(format && { format }),
        ...(type && { type }),
        value: transform ? transform.toDm2(value!) : value!,
      });
    }
    const grown = forest.grown(path, path.at(-1) ?? this.rootName);
    return path.length === 0 && grown?.children?.length === 0 ? undefined : grown;
  }

  private legacyOf(path: Path, { rule, depth, seen }: Found, picks: boolean): TreePath {
    if (rule === undefined) return [...this.mount.root, ...path];
    const place = instantiate(rule.legacy, seen, picks);
    const legacy = rule.absolute ? place : [...this.mount.root, ...place];
    return place.length < rule.legacy.length ? legacy : [...legacy, ...path.slice(depth)];
  }
}

function forestOf(known: readonly { source: Source; node: MoNode | undefined }[]): Forest | undefined {
  if (known.length === 0) return undefined;
  const forest = new Forest();
  for (const { source, node } of known) if (node) forest.putWhole(source.legacy, node);
  return forest;
}

/** What the wildcards of `segments` stand for in `path`, which is shorter; `undefined` when it leads elsewhere. */
function covers(segments: readonly Segment[], path: Path): readonly string[] | undefined {
  const captured: string[] = [];
  for (const [i, name] of path.entries()) {
    const segment = segments[i]!;
    if (segment.kind !== 'any' && segment.name !== name) return undefined;
    if (segment.kind === 'any') captured.push(name);
  }
  return captured;
}

function startsWith(segments: readonly Segment[], path: TreePath): boolean {
  return segments.length <= path.length && segments.every((s, i) => s.kind !== 'name' || s.name === path[i]);
}
