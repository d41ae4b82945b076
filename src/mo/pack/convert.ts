import { isBinary } from '../format.ts';
import type { MoNode } from '../node.ts';
import { isWithin, type TreePath } from '../treePath.ts';
import { childrenOf, Forest, type Twig } from './forest.ts';
import type { Rule, Step } from './layout.ts';
import { instantiate } from './pattern.ts';
import { dm2Place } from './walkPath.ts';

/** One direction of a conversion: where a rule's nodes go and what becomes of their values. */
interface Direction {
  /** `drop`: nowhere; `stay`: where its parent's place puts it. */
  place(rule: Rule, seen: readonly string[], node: MoNode): TreePath | 'drop' | 'stay';
  value(rule: Rule, text: string): string;
  /** Whether an interior node that stood only on the way, and is empty now, has a name worth keeping. */
  keepsName(rules: readonly Rule[], name: string): boolean;
}

/**
 * Carries `node` and all below it into `forest`; where nothing is declared any more, whole subtrees at once.
 * `base` is where the node goes by its parent's place; absent above joined nodes, where nothing but these
 * belongs to the object.
 */
function carry(
  forest: Forest,
  direction: Direction,
  step: Step | undefined,
  node: MoNode,
  seen: readonly string[],
  base: TreePath | undefined,
): void {
  const rule = step?.rule;
  let place = base;
  let ruled = node;
  if (rule !== undefined) {
    const to = direction.place(rule, seen, node);
    if (to === 'drop') return;
    if (to !== 'stay') {
      place = to;
      ruled = applyRule(direction, rule, node);
    }
  }
  const declared = step !== undefined && (step.names.size > 0 || step.any !== undefined);
  if (!declared || node.children === undefined) {
    if (place) forest.putWhole(place, ruled);
    return;
  }
  if (rule !== undefined && place) forest.putNode(place, ruled);
  for (const child of node.children) {
    const named = step.names.get(child.name);
    const below = named ?? step.any;
    const names = named === undefined && below !== undefined ? [...seen, child.name] : seen;
    carry(forest, direction, below, child, names, place && [...place, child.name]);
  }
  if (rule !== undefined || !place) return;
  const emptied = node.children.length > 0 && forest.at(place) === undefined;
  if (!emptied || direction.keepsName(rulesBelow(step), node.name)) forest.putNode(place, node);
}

function rulesBelow(step: Step): readonly Rule[] {
  return [...step.names.values(), ...(step.any ? [step.any] : [])].flatMap((s) => (s.rule ? [s.rule] : []));
}

function applyRule(direction: Direction, rule: Rule, node: MoNode): MoNode {
  const { transform, definition } = rule;
  const format = node.format ?? impliedFormat(rule, node);
  const type = node.type ?? (node.children === undefined ? definition.type : undefined);
  const value = transform && typeof node.value === 'string' ? direction.value(rule, node.value) : node.value;
  if (format === node.format && type === node.type && value === node.value) return node;
  return {
    ...node,
    ...(format !== undefined && { format }),
    ...(type !== undefined && { type }),
    ...(value !== undefined && { value }),
  };
}

/** The declared format, where the node tells none and can be of it (IW-VAL-2). */
function impliedFormat(rule: Rule, node: MoNode) {
  const { format } = rule.definition;
  if (format === undefined || (format === 'node') !== (node.children !== undefined)) return undefined;
  if (format === 'node') return format;
  if (node.value === undefined) return undefined;
  return isBinary(format) === (typeof node.value !== 'string') ? format : undefined;
}

/** Carries legacy subtrees into 2.0 names. */
export class ToDm2 {
  readonly forest = new Forest();
  private readonly filled = new Set<string>();
  private readonly direction: Direction = {
    place: (rule, seen, node) => {
      if (rule.legacyOnly && node.value === rule.default) return 'drop';
      const place = dm2Place(rule, seen);
      if (!rule.pick) return place;
      // Of several nodes that could be the one, the first is; the others keep their places.
      const key = JSON.stringify(place);
      if (this.filled.has(key)) return 'stay';
      this.filled.add(key);
      return place;
    },
    value: (rule, text) => rule.transform!.toDm2(text),
    keepsName: (rules, name) =>
      !rules.some((rule) => rule.pick && rule.legacy.some((s) => s.kind === 'pick' && s.name === name)) &&
      rules.some((rule) => rule.pick),
  };

  add(step: Step | undefined, seen: readonly string[], node: MoNode, base: TreePath | undefined): void {
    carry(this.forest, this.direction, step, node, seen, base);
  }
}

interface Picked {
  readonly rule: Rule;
  readonly captured: readonly string[];
  readonly node: MoNode;
}

/** Carries a 2.0 subtree into absolute legacy places. */
export class ToLegacy {
  readonly forest = new Forest();
  /** Where something was put outside `own`. */
  readonly elsewhere: TreePath[] = [];
  private readonly root: TreePath;
  private readonly own: TreePath;
  private readonly known: Forest | undefined;
  private readonly picked: Picked[] = [];
  private readonly direction: Direction = {
    place: (rule, seen, node) => {
      if (rule.pick) {
        this.picked.push({ rule, captured: seen, node: applyRule(this.direction, rule, node) });
        return 'drop';
      }
      return this.noted(legacyPlace(this.root, rule, seen));
    },
    value: (rule, text) => rule.transform!.toLegacy(text),
    keepsName: () => false,
  };

  /** `root` is the object's, `own` the place of the subtree to carry, `known` what the legacy tree holds. */
  constructor(root: TreePath, own: TreePath, known?: Forest) {
    this.root = root;
    this.own = own;
    this.known = known;
  }

  add(step: Step | undefined, seen: readonly string[], node: MoNode): void {
    // An object exists by its root, whatever becomes of its nodes.
    if (this.own.length === this.root.length && step?.rule === undefined) this.forest.putNode(this.own, node);
    carry(this.forest, this.direction, step, node, seen, this.own);
    for (const { rule, captured, node: leaf } of this.picked)
      this.forest.putWhole(this.noted(this.pick(rule, captured)), leaf);
  }

  private noted(place: TreePath): TreePath {
    const last = this.elsewhere.at(-1);
    if (!isWithin(this.own, place) && !(last && isWithin(last, place))) this.elsewhere.push(place);
    return place;
  }

  /** The place of a rule with `<x=name>`: what is there already decides the name. */
  pick(rule: Rule, captured: readonly string[]): TreePath {
    const place: string[] = rule.absolute ? [] : [...this.root];
    for (const [i, segment] of rule.legacy.entries()) {
      if (segment.kind !== 'pick') {
        place.push(segment.kind === 'name' ? segment.name : captured[segment.capture]!);
        continue;
      }
      const next = rule.legacy[i + 1];
      const known = this.known?.at(place);
      const here = this.forest.at(place);
      const leaf = next?.kind === 'name' ? next.name : undefined;
      place.push((known && holder(known, leaf)) ?? (here && vacancy(here, leaf)) ?? segment.name);
    }
    return place;
  }

  /** Adds declared defaults that the subtree lacks; those of joined places only with the whole object. */
  fill(defaults: readonly Rule[], whole: boolean): void {
    for (const rule of defaults)
      if (!rule.absolute || whole) this.fillFrom(rule, rule.absolute ? [] : this.root, 0);
  }

  private fillFrom(rule: Rule, path: TreePath, index: number): void {
    const segment = rule.legacy[index];
    if (segment === undefined) {
      const outside = !rule.absolute && !isWithin(this.own, path);
      if (outside || this.forest.at(path) !== undefined) return;
      const { format, type } = rule.definition;
      this.forest.putNode(this.noted(path), {
        name: path.at(-1)!,
        ...(format && { format }),
        ...(type && { type }),
        value: rule.default!,
      });
    } else if (segment.kind !== 'any') this.fillFrom(rule, [...path, segment.name], index + 1);
    else {
      const twig = this.forest.at(path);
      for (const name of twig ? (childrenOf(twig)?.keys() ?? []) : [])
        this.fillFrom(rule, [...path, name], index + 1);
    }
  }
}

function legacyPlace(root: TreePath, rule: Rule, captured: readonly string[]): TreePath {
  const place = instantiate(rule.legacy, captured);
  return rule.absolute ? place : [...root, ...place];
}

/** The child that has the leaf already. */
function holder(twig: Twig, leaf: string | undefined): string | undefined {
  for (const child of childrenOf(twig)?.values() ?? [])
    if (leaf === undefined || childrenOf(child)?.has(leaf)) return child.name;
  return undefined;
}

/** The child that the leaf was most likely taken from: an empty one, else the first without the leaf. */
function vacancy(twig: Twig, leaf: string | undefined): string | undefined {
  let first: string | undefined;
  for (const child of childrenOf(twig)?.values() ?? []) {
    const below = childrenOf(child);
    if (below === undefined || (leaf !== undefined && below.has(leaf))) continue;
    if (below.size === 0) return child.name;
    first ??= child.name;
  }
  return first;
}
