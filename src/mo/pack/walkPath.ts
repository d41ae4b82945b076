import type { Rule, Step } from './layout.ts';
import { instantiate } from './pattern.ts';

/** Where a path leads in a tree of declared paths. */
export interface Found {
  /** The step of the whole path, if all of it is declared. */
  readonly step: Step | undefined;
  /** The deepest rule on the way. */
  readonly rule: Rule | undefined;
  /** How many segments the rule covers; the rest of the path is not declared. */
  readonly depth: number;
  /** All names that stood for wildcards, in order. */
  readonly seen: readonly string[];
}

/** Walks `path`, in the terms of `side`, down from `root`. */
export function walkPath(root: Step, path: readonly string[], side: 'dm2' | 'legacy'): Found {
  let step: Step | undefined = root;
  let rule: Rule | undefined;
  let depth = 0;
  const seen: string[] = [];
  for (const [i, name] of path.entries()) {
    const next: Step | undefined = step.names.get(name);
    if (next === undefined) {
      if (step.any === undefined) return { step: undefined, rule, depth, seen };
      seen.push(name);
    }
    step = next ?? step.any!;
    if (step.rule !== undefined && (side === 'dm2' || isPicked(step.rule, path))) {
      rule = step.rule;
      depth = i + 1;
    }
  }
  return { step, rule, depth, seen };
}

/** A rule for any one legacy name speaks, address by address, only for the name that Dragoman gives. */
function isPicked(rule: Rule, path: readonly string[]): boolean {
  return !rule.pick || rule.legacy.every((s, i) => s.kind !== 'pick' || path[i] === s.name);
}

/** The names that a rule's numbered wildcards stand for, from all wildcards seen on a legacy path. */
function capturesOf(rule: Rule, seen: readonly string[]): readonly string[] {
  return rule.seen.map((position) => seen[position]!);
}

export function dm2Place(rule: Rule, seen: readonly string[]): readonly string[] {
  return instantiate(rule.dm2, capturesOf(rule, seen));
}
