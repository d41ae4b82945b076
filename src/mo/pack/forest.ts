import type { Format } from '../format.ts';
import type { MoNode, Value } from '../node.ts';

/** A tree under construction. `whole` is a subtree taken over as it is, unfolded only if something joins it. */
export interface Twig {
  readonly name: string;
  format?: Format | undefined;
  type?: string | undefined;
  value?: Value | undefined;
  children?: Map<string, Twig> | undefined;
  whole?: MoNode | undefined;
}

/** Nodes placed one by one by path, missing parents implied, into one tree. */
export class Forest {
  private readonly root: Twig = { name: '' };

  /** The place at `path`; `make` creates what is missing on the way as interior nodes. */
  at(path: readonly string[], make = false): Twig | undefined {
    let twig = this.root;
    if (path.length === 0 && !make && isBare(twig)) return undefined;
    for (const name of path) {
      let children = childrenOf(twig);
      if (children === undefined) {
        if (!make) return undefined;
        children = new Map();
        twig.children = children;
        twig.value = undefined;
        twig.format = 'node';
      }
      let next = children.get(name);
      if (next === undefined) {
        if (!make) return undefined;
        next = { name };
        children.set(name, next);
      }
      twig = next;
    }
    return twig;
  }

  /** Puts `node` and all below it at `path`; a subtree that is there already is joined. */
  putWhole(path: readonly string[], node: MoNode): void {
    const twig = this.at(path, true)!;
    if (isBare(twig)) {
      twig.whole = node;
      return;
    }
    this.putNode(path, node);
    for (const child of node.children ?? []) this.putWhole([...path, child.name], child);
  }

  /** Puts `node` without what is below it at `path`. */
  putNode(path: readonly string[], node: MoNode): void {
    const twig = this.at(path, true)!;
    if (node.children !== undefined) twig.children = childrenOf(twig) ?? new Map();
    else if (twig.children === undefined) twig.value = node.value;
    twig.format = node.format;
    twig.type = node.type;
  }

  /** The finished subtree at `path`, called by the last name of it. */
  grown(path: readonly string[], name: string): MoNode | undefined {
    const twig = this.at(path);
    return twig && grow(twig, name);
  }
}

function isBare(twig: Twig): boolean {
  return (
    twig.children === undefined &&
    twig.whole === undefined &&
    twig.value === undefined &&
    twig.format === undefined &&
    twig.type === undefined
  );
}

/** The children of a twig, taken out of `whole` when they are asked for. */
export function childrenOf(twig: Twig): Map<string, Twig> | undefined {
  const { whole } = twig;
  if (whole !== undefined) {
    twig.whole = undefined;
    twig.format = whole.format;
    twig.type = whole.type;
    twig.value = whole.value;
    twig.children =
      whole.children && new Map(whole.children.map((c) => [c.name, { name: c.name, whole: c }]));
  }
  return twig.children;
}

function grow(twig: Twig, name: string): MoNode {
  if (twig.whole !== undefined) return twig.whole.name === name ? twig.whole : { ...twig.whole, name };
  return {
    name,
    ...(twig.format !== undefined && { format: twig.format }),
    ...(twig.type !== undefined && { type: twig.type }),
    ...(twig.value !== undefined && { value: twig.value }),
    ...(twig.children && {
      children: Array.from(twig.children.values(), (child) => grow(child, child.name)),
    }),
  };
}
