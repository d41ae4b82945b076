import { parseFormat } from '../../mo/format.ts';
import { parseTreePath, type TreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import type { ElementCursor } from '../codec/cursor.ts';
import { type CodecLimits, DEFAULT_LIMITS } from '../codec/limits.ts';
import { END } from '../tables/pages.ts';
import { WbxmlCursor } from '../wbxml/cursor.ts';
import { openText } from '../xml/charset.ts';
import { XmlCursor } from '../xml/cursor.ts';
import type { TndsDocument } from './node.ts';
import { place } from './place.ts';
import type { ReadNode } from './readNode.ts';

/** Whether a media type is that of a TNDS document, in either encoding (1x§1.5). */
export function isTnds(type: string | undefined): boolean {
  return /^\s*application\/vnd\.syncml\.dmtnds\+(?:wb)?xml\s*(?:;|$)/i.test(type ?? '');
}

export interface ReadTndsOptions {
  /** The command's target; without it the first node is taken to stand there. */
  readonly target?: TreePath;
  readonly limits?: CodecLimits;
}

/**
 * Reads a TNDS document: XML (text or bytes) or WBXML, nested or flat, and places its nodes relative to the
 * command's target (1x§11.2).
 *
 * @throws DragomanError `malformed` (no such tree, duplicate names, value beside children), `bad-address`
 * (Path), `bad-value` (format; a value that contradicts it), `too-large`
 */
export function readTnds(document: string | Uint8Array, options: ReadTndsOptions = {}): TndsDocument {
  const limits = options.limits ?? DEFAULT_LIMITS;
  if (document.length > limits.bytes) {
    throw new DragomanError(
      'too-large',
      `The tree has a length of ${document.length}; the limit is ${limits.bytes}.`,
    );
  }
  const { cursor, foreign } = open(document, { ...limits, depth: limits.totalDepth });
  const { man, mod, nodes } = new TreeReader(cursor, foreign).mgmtTree();
  cursor.finish();
  return {
    ...(man !== undefined && { man }),
    ...(mod !== undefined && { mod }),
    nodes: place(nodes, options.target),
  };
}

interface DocumentCursor extends ElementCursor {
  finish(): void;
}

/** A cursor inside MgmtTree, and whether the element entered last is of another vocabulary. */
function open(
  document: string | Uint8Array,
  limits: CodecLimits,
): { readonly cursor: DocumentCursor; readonly foreign: () => boolean } {
  const first = document[0];
  if (typeof first === 'number' && first >= 1 && first <= 3) {
    const cursor = new WbxmlCursor(document as Uint8Array, limits);
    cursor.root();
    demandMgmtTree(cursor);
    return { cursor, foreign: () => false };
  }
  const { text, start } = openText(document);
  const cursor = new XmlCursor(text, start, limits);
  cursor.root();
  const foreign = () => !/^(?:syncml:dmddf.*)?$/i.test(cursor.namespace());
  if (foreign()) cursor.fail('the root element is of another namespace than syncml:dmddf1.2');
  demandMgmtTree(cursor);
  return { cursor, foreign };
}

function demandMgmtTree(cursor: DocumentCursor): void {
  if (cursor.name() !== 'MgmtTree') cursor.fail('the root element is not MgmtTree');
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Writable<ReadNode>, 'children'> & { readonly children: ReadNode[] };

/**
 * Goes by names, not by ids: a tree without namespace is a tree all the same. Unknown elements are read
 * over, text between elements is refused.
 */
class TreeReader {
  private readonly cursor: DocumentCursor;
  private readonly foreign: () => boolean;

  constructor(cursor: DocumentCursor, foreign: () => boolean) {
    this.cursor = cursor;
    this.foreign = foreign;
  }

  mgmtTree(): { man?: string; mod?: string; nodes: readonly ReadNode[] } {
    const found: { man?: string; mod?: string; nodes: ReadNode[] } = { nodes: [] };
    this.children((name) => {
      switch (name) {
        case 'Man':
          found.man = this.cursor.text();
          return true;
        case 'Mod':
          found.mod = this.cursor.text();
          return true;
        case 'Node':
          found.nodes.push(this.node(undefined));
          return true;
        default:
          return false;
      }
    });
    if (found.nodes.length === 0) this.cursor.fail('the tree has no Node');
    return found;
  }

  private node(parent: string | undefined): ReadNode {
    const node: Draft = { children: [] };
    this.children((name) => {
      switch (name) {
        case 'NodeName':
          this.name(node);
          return true;
        case 'Path':
          node.path = this.cursor.text().trim();
          return true;
        case 'RTProperties':
          this.properties(node);
          return true;
        case 'Value':
          node.value = this.value();
          return true;
        case 'Node':
          node.children.push(this.node(node.name ?? ''));
          return true;
        default:
          return false;
      }
    });
    const label = node.name || 'without NodeName';
    if (parent !== undefined && !node.name) this.cursor.fail(`a Node below Node ${parent} has no NodeName`);
    if (node.children.length > 0 && node.value !== undefined && node.value.length > 0)
      this.cursor.fail(`Node ${label} has both a Value and child Nodes`);
    return node;
  }

  /** A NodeName is one segment of an address, its reserved characters escaped (1x§7.1); `.` is the whole tree. */
  private name(node: Draft): void {
    const text = this.cursor.text().trim();
    if (text === '' || text === '.') return;
    const path = text.includes('/') ? undefined : parseTreePath(`./${text}`);
    const name = path?.[0];
    if (name === undefined || name === '') {
      throw new DragomanError('bad-address', `"${text.slice(0, 80)}" is no NodeName; escape "/" as %2F.`);
    }
    node.name = name;
  }

  private value(): string | Uint8Array {
    const { cursor } = this;
    return cursor.data() ?? cursor.opaque(cursor.contentStart, cursor.contentEnd);
  }

  private properties(node: Draft): void {
    this.children((name) => {
      switch (name) {
        case 'ACL':
          node.acl = this.cursor.text().trim();
          return true;
        case 'Title':
          node.title = this.cursor.text();
          return true;
        case 'TStamp':
          node.tstamp = this.cursor.text().trim();
          return true;
        case 'VerNo':
          node.verNo = this.cursor.text().trim();
          return true;
        case 'Size':
          node.size = this.cursor.text().trim();
          return true;
        case 'Format':
          this.format(node);
          return true;
        case 'Type':
          this.type(node);
          return true;
        default:
          return false;
      }
    });
  }

  private format(node: Draft): void {
    const names: string[] = [];
    const stray = this.children((name) => {
      names.push(name);
      this.cursor.skip();
      return true;
    }, 'text');
    // `<Format>chr</Format>`, as Meta has it, is what some clients write.
    if (names.length === 0 && stray !== '') names.push(stray);
    if (names.length === 0) return;
    const format = names.length === 1 ? parseFormat(names[0]) : undefined;
    if (format === undefined) {
      throw new DragomanError(
        'bad-value',
        `Node ${node.name || 'without NodeName'}: its Format "${names.join(' ').slice(0, 40)}" is none that is known.`,
      );
    }
    node.format = format;
  }

  private type(node: Draft): void {
    const stray = this.children((name) => {
      if (name !== 'MIME' && name !== 'DDFName') return false;
      const text = this.cursor.text().trim();
      node.typeKind = name;
      if (text !== '') node.type = text;
      return true;
    }, 'text');
    if (stray !== '') node.type ??= stray;
  }

  /**
   * Walks over the children of the element entered last; `take` consumes those it knows. Returns the
   * text between them, which only `mixed` content may have.
   */
  private children(take: (name: string) => boolean, mixed?: 'text'): string {
    const { cursor } = this;
    cursor.stray = '';
    let stray = '';
    for (;;) {
      const id = cursor.next();
      stray += cursor.stray;
      cursor.stray = '';
      if (id === END) break;
      if (this.foreign() || !take(cursor.name())) cursor.skip();
      cursor.stray = '';
    }
    const text = stray.trim();
    if (text !== '' && mixed === undefined) cursor.fail('text stands between elements of the tree');
    return text;
  }
}
