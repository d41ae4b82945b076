import type { Format } from '../mo/format.ts';
import type { Access } from '../mo/mapping.ts';
import type { MoNode, Value } from '../mo/node.ts';
import type { TreePath } from '../mo/treePath.ts';
import { aclAllows, effectiveAcl } from './acl.ts';

/** A node of a simulated device's tree: what `MoNode` says, and what limits commands on it. */
export interface SimNode {
  name: string;
  format: Format;
  type?: string;
  value?: Value;
  /** Present exactly on interior nodes. */
  children?: Map<string, SimNode>;
  permanent: boolean;
  /** Commands that the node takes (Add: below it); absent: all but Exec. */
  access?: ReadonlySet<Access>;
  acl?: string;
  title?: string;
  verNo: number;
}

/** What an Add or Replace brings. */
export interface NodeContent {
  readonly format?: Format;
  readonly type?: string;
  readonly value?: Value;
}

/** Outcome of one tree operation: the DM 1.x status of 1x§3.1; 2.0 clients map what differs. */
export type TreeStatus = 200 | 403 | 404 | 405 | 413 | 414 | 415 | 418 | 425;

const LEXICAL: Partial<Record<Format, RegExp>> = {
  int: /^[+-]?\d{1,10}$/,
  bool: /^(true|false)$/i,
  float: /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/,
};

/** Limits of `./DevDetail/URI` (1x§7.1); 0 means none. */
export interface UriLimits {
  readonly maxDepth: number;
  readonly maxTotLen: number;
  readonly maxSegLen: number;
}

/** A mutable management tree with the rules of 1x§3.2 and 1x§7.2; it knows no protocol messages. */
export class SimTree {
  #root: SimNode;
  readonly limits: UriLimits;
  /** Counts every change; a cheap validator for caches. */
  revision = 0;

  constructor(root: SimNode, limits: UriLimits = { maxDepth: 0, maxTotLen: 0, maxSegLen: 0 }) {
    this.#root = root;
    this.limits = limits;
  }

  get root(): SimNode {
    return this.#root;
  }

  find(path: TreePath): SimNode | undefined {
    let node: SimNode | undefined = this.#root;
    for (const segment of path) node = node?.children?.get(segment);
    return node;
  }

  /** Whether `path` breaks the device's limits on addresses (414). */
  tooLong(path: TreePath): boolean {
    const { maxDepth, maxTotLen, maxSegLen } = this.limits;
    const total = path.reduce((sum, segment) => sum + segment.length + 1, 1);
    return (
      (maxDepth > 0 && path.length > maxDepth) ||
      (maxTotLen > 0 && total > maxTotLen) ||
      (maxSegLen > 0 && path.some((segment) => segment.length > maxSegLen))
    );
  }

  /** Whether the server may use `command` on `path`: access type first (405), then ACL (425). */
  permits(path: TreePath, command: Access, subject?: string): 200 | 405 | 425 {
    const node = this.find(path);
    if (node?.access ? !node.access.has(command) : command === 'Exec') return 405;
    if (subject !== undefined && !aclAllows(effectiveAcl(this.#root, path), command, subject)) return 425;
    return 200;
  }

  /** Creates a node and, where they are missing, its parents. */
  add(path: TreePath, content: NodeContent, subject?: string): TreeStatus {
    if (this.tooLong(path)) return 414;
    if (this.find(path)) return 418;
    let parent = this.#root;
    let depth = 0;
    for (; depth < path.length - 1; depth += 1) {
      const next = parent.children?.get(path[depth]!);
      if (!next) break;
      parent = next;
    }
    if (!parent.children) return 405;
    const permitted = this.permits(path.slice(0, depth), 'Add', subject);
    if (permitted !== 200) return permitted;
    if (!fits(content)) return 415;
    for (; depth < path.length - 1; depth += 1) {
      const made = interior(path[depth]!);
      parent.children!.set(made.name, made);
      parent = made;
    }
    parent.children!.set(path.at(-1)!, created(path.at(-1)!, content));
    this.#changed(parent);
    return 200;
  }

  /** Overwrites a leaf; never creates one. An interior node is refused (405). */
  replace(path: TreePath, content: NodeContent, subject?: string): TreeStatus {
    if (this.tooLong(path)) return 414;
    const node = this.find(path);
    if (!node) return 404;
    const permitted = this.permits(path, 'Replace', subject);
    if (permitted !== 200) return permitted;
    if (node.children) return 405;
    const format = content.format ?? node.format;
    if (!sameKind(node.format, format) || !fits({ ...content, format: node.format })) return 415;
    node.value = content.value ?? '';
    if (content.type !== undefined && content.type !== '') node.type = content.type;
    this.#changed(node);
    return 200;
  }

  delete(path: TreePath, subject?: string): TreeStatus {
    const node = this.find(path);
    if (!node) return 404;
    if (path.length === 0 || node.permanent) return 405;
    const permitted = this.permits(path, 'Delete', subject);
    if (permitted !== 200) return permitted;
    const parent = this.find(path.slice(0, -1))!;
    parent.children!.delete(path.at(-1)!);
    this.#changed(parent);
    return 200;
  }

  /** Leaf to leaf; creates the target or overwrites its value. */
  copy(from: TreePath, to: TreePath, subject?: string): TreeStatus {
    const source = this.find(from);
    if (!source) return 404;
    if (source.children) return 405;
    const readable = this.permits(from, 'Get', subject);
    if (readable !== 200) return readable;
    const content = contentOf(source);
    return this.find(to) ? this.replace(to, content, subject) : this.add(to, content, subject);
  }

  rename(path: TreePath, name: string, subject?: string): TreeStatus {
    const node = this.find(path);
    if (!node) return 404;
    if (path.length === 0 || node.permanent) return 405;
    const permitted = this.permits(path, 'Replace', subject);
    if (permitted !== 200) return permitted;
    const parent = this.find(path.slice(0, -1))!;
    if (parent.children!.has(name)) return 418;
    parent.children!.delete(path.at(-1)!);
    node.name = name;
    parent.children!.set(name, node);
    this.#changed(parent);
    return 200;
  }

  /** Puts a whole subtree in place, whatever stood there (TNDS Replace, HGET). */
  graft(path: TreePath, node: SimNode): void {
    if (path.length === 0) {
      this.#root = node;
    } else {
      let parent = this.#root;
      for (const segment of path.slice(0, -1)) {
        let next = parent.children!.get(segment);
        if (!next) {
          next = interior(segment);
          parent.children!.set(segment, next);
        }
        parent = next;
      }
      parent.children!.set(path.at(-1)!, node);
    }
    this.revision += 1;
  }

  /** A copy of the whole tree to go back to: what Atomic and all-or-nothing writes need. */
  snapshot(): SimNode {
    return cloneNode(this.#root);
  }

  restore(snapshot: SimNode): void {
    this.#root = snapshot;
    this.revision += 1;
  }

  #changed(node: SimNode): void {
    node.verNo = (node.verNo + 1) & 0xffff;
    this.revision += 1;
  }
}

export function interior(name: string, type?: string): SimNode {
  return {
    name,
    format: 'node',
    children: new Map(),
    permanent: false,
    verNo: 0,
    ...(type === undefined ? {} : { type }),
  };
}

function created(name: string, content: NodeContent): SimNode {
  if (content.format === 'node') return interior(name, content.type);
  return {
    name,
    format: content.format ?? 'chr',
    type: content.type ?? 'text/plain',
    value: content.value ?? '',
    permanent: false,
    verNo: 0,
  };
}

function contentOf(node: SimNode): NodeContent {
  return {
    format: node.format,
    ...(node.type === undefined ? {} : { type: node.type }),
    ...(node.value === undefined ? {} : { value: node.value }),
  };
}

/** `bin` travels as `b64` over XML (1x§7.3), so the two are one kind. */
function sameKind(a: Format, b: Format): boolean {
  const kind = (format: Format) => (format === 'b64' ? 'bin' : format);
  return kind(a) === kind(b);
}

function fits(content: NodeContent): boolean {
  const pattern = content.format && LEXICAL[content.format];
  return pattern === undefined || (typeof content.value === 'string' && pattern.test(content.value));
}

function cloneNode(node: SimNode): SimNode {
  const copy: SimNode = { ...node };
  if (node.children) {
    copy.children = new Map();
    for (const [name, child] of node.children) copy.children.set(name, cloneNode(child));
  }
  return copy;
}

/** The plain management-object view of a node, without nodes that refuse Get. */
export function toMoNode(node: SimNode, depth = Number.POSITIVE_INFINITY): MoNode {
  const base = {
    name: node.name,
    format: node.format,
    ...(node.type === undefined ? {} : { type: node.type }),
  };
  if (!node.children) return { ...base, value: node.value ?? '' };
  if (depth <= 0) return { ...base, children: [] };
  return {
    ...base,
    children: [...node.children.values()]
      .filter((child) => readable(child))
      .map((child) => toMoNode(child, depth - 1)),
  };
}

export function readable(node: SimNode): boolean {
  return node.access === undefined || node.access.has('Get');
}

export function fromMoNode(node: MoNode): SimNode {
  if (node.children === undefined) {
    return created(node.name, {
      format: node.format ?? 'chr',
      ...(node.type === undefined ? {} : { type: node.type }),
      value: node.value ?? '',
    });
  }
  const made = interior(node.name, node.type);
  for (const child of node.children) made.children!.set(child.name, fromMoNode(child));
  return made;
}
