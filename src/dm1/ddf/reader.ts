import { FORMATS, type Format } from '../../mo/format.ts';
import type { Access } from '../../mo/mapping.ts';
import { decodeSegment, parseTreePath } from '../../mo/treePath.ts';
import { DragomanError } from '../../support/errors.ts';
import { END } from '../tables/pages.ts';
import type { XmlCursor } from '../xml/cursor.ts';
import type { DraftNode } from './assemble.ts';

const ACCESS: readonly Access[] = ['Add', 'Copy', 'Delete', 'Exec', 'Get', 'Replace'];
/** Formats are told by an empty element of that name; `Format` in DDF is case-sensitive (1x§12.5). */
const FORMAT_NAMES: ReadonlySet<string> = new Set(FORMATS);
const OCCURRENCES: ReadonlySet<string> = new Set(['One', 'ZeroOrOne', 'ZeroOrMore', 'OneOrMore']);
const MAX_OCCURRENCE = 65_536;

/** Reads Nodes with their DFProperties; `assemble` puts those with a Path in their place. */
export class DdfReader {
  private readonly cursor: XmlCursor;
  private readonly text: string;
  /** Names of the nodes that the reader is in. */
  private readonly names: string[] = [];
  private line = 1;
  private lineStart = 0;

  constructor(cursor: XmlCursor, text: string) {
    this.cursor = cursor;
    this.text = text;
  }

  document(): { verDTD?: string; man?: string; mod?: string; nodes: readonly DraftNode[] } {
    const { cursor } = this;
    cursor.root();
    if (cursor.name() !== 'MgmtTree' || this.foreign()) cursor.fail('the root element is not MgmtTree');
    const head: { verDTD?: string; man?: string; mod?: string } = {};
    const nodes: DraftNode[] = [];
    this.children((name) => {
      if (name === 'VerDTD') head.verDTD = cursor.text().trim();
      else if (name === 'Man') head.man = cursor.text().trim();
      else if (name === 'Mod') head.mod = cursor.text().trim();
      else if (name === 'Node') nodes.push(this.node(true));
      else return false;
      return true;
    });
    if (nodes.length === 0) cursor.fail('the description has no Node');
    return { ...head, nodes };
  }

  private node(top: boolean): DraftNode {
    const { cursor } = this;
    const node: DraftNode = {
      below: [],
      at: '',
      occurrence: 'One',
      scope: 'Dynamic',
      mime: [],
      caseSense: 'CS',
      properties: ['ACL', 'Format', 'Name', 'Type'],
      children: [],
    };
    this.names.push('');
    this.children((name) => {
      if (name === 'NodeName') this.nodeName(node);
      else if (name === 'Path') this.path(node, top);
      else if (name === 'RTProperties') node.properties = this.emptyNames();
      else if (name === 'DFProperties') this.properties(node);
      else if (name === 'Value') node.value = cursor.text();
      else if (name === 'Node') node.children.push(this.node(false));
      else return false;
      return true;
    });
    this.names.pop();
    return node;
  }

  private nodeName(node: DraftNode): void {
    const text = this.cursor.text().trim();
    node.at = this.position();
    // Unnamed nodes are empty by rule; tools also write <x> or *.
    if (text === '' || text === '*' || /^<[^<>]*>$/.test(text)) {
      this.names[this.names.length - 1] = '<x>';
      return;
    }
    const name = text.includes('/') ? undefined : decodeSegment(text);
    if (name === undefined)
      this.fail(
        `NodeName "${text.slice(0, 80)}" is not one segment of an address; escape "/" as %2F, "%" as %25`,
      );
    node.name = name;
    this.names[this.names.length - 1] = text;
  }

  private path(node: DraftNode, top: boolean): void {
    const text = this.cursor.text().trim();
    if (text === '') return;
    if (!top)
      this.fail(
        'a Node inside another one cannot have a Path; leave it out, the Node stands where it stands',
      );
    const path = parseTreePath(text);
    if (path === undefined) this.fail(`Path "${text.slice(0, 80)}" is no place in a tree; write it as ./A/B`);
    node.below = path;
  }

  private properties(node: DraftNode): void {
    const { cursor } = this;
    this.children((name) => {
      switch (name) {
        case 'AccessType':
          node.access = this.access();
          return true;
        case 'DefaultValue':
          node.defaultValue = cursor.text();
          return true;
        case 'Description':
          node.description = cursor.text().trim();
          return true;
        case 'DFTitle':
          node.title = cursor.text().trim();
          return true;
        case 'DFFormat':
          node.format = this.format();
          return true;
        case 'Occurrence':
          node.occurrence = this.occurrence();
          return true;
        case 'Scope':
          node.scope = this.oneOf('Scope', ['Permanent', 'Dynamic'] as const);
          return true;
        case 'CaseSense':
          node.caseSense = this.oneOf('CaseSense', ['CS', 'CIS'] as const);
          return true;
        case 'DFType':
          this.type(node);
          return true;
        default:
          return false;
      }
    });
  }

  private access(): readonly Access[] {
    const names = this.emptyNames();
    const unknown = names.find((name) => !ACCESS.some((access) => access === name));
    if (unknown !== undefined)
      this.fail(`AccessType holds ${unknown}, which is none of ${ACCESS.join(', ')}`);
    return ACCESS.filter((access) => names.includes(access));
  }

  private format(): Format {
    const names = this.emptyNames();
    const name = names[0];
    if (names.length !== 1 || name === undefined || !FORMAT_NAMES.has(name))
      this.fail(`DFFormat holds ${names.join(', ') || 'nothing'}, not one of ${FORMATS.join(', ')}`);
    return name as Format;
  }

  private oneOf<T extends string>(element: string, allowed: readonly T[]): T {
    const names = this.emptyNames();
    const found = allowed.find((name) => name === names[0]);
    if (names.length !== 1 || found === undefined)
      this.fail(`${element} holds ${names.join(', ') || 'nothing'}, not one of ${allowed.join(', ')}`);
    return found;
  }

  private occurrence(): string {
    let found: string | undefined;
    this.children((name) => {
      if (found !== undefined) this.fail(`Occurrence holds both ${found} and ${name}; leave one of them`);
      const text = this.cursor.text().trim();
      if (OCCURRENCES.has(name)) found = name;
      else if (name === 'ZeroOrN' || name === 'OneOrN') {
        const n = /^\d{1,6}$/.test(text) ? Number(text) : 0;
        if (n < 2 || n > MAX_OCCURRENCE)
          this.fail(`${name} holds "${text.slice(0, 20)}", not a number from 2 to ${MAX_OCCURRENCE}`);
        found = `${name.slice(0, -1)}${n}`;
      } else
        this.fail(`Occurrence holds ${name}, not one of ${[...OCCURRENCES].join(', ')}, ZeroOrN, OneOrN`);
      return true;
    });
    return found ?? 'One';
  }

  private type(node: DraftNode): void {
    const { cursor } = this;
    this.children((name) => {
      if (name === 'MIME') {
        const text = cursor.text().trim();
        if (text !== '') node.mime.push(text);
      } else if (name === 'DDFName') {
        const text = cursor.text().trim();
        if (text !== '') node.ddfName = text;
      } else return false;
      return true;
    });
  }

  /** Names of the child elements; what they hold does not count. */
  private emptyNames(): string[] {
    const names: string[] = [];
    this.children((name) => {
      names.push(name);
      this.cursor.skip();
      return true;
    });
    return names;
  }

  private children(take: (name: string) => boolean): void {
    const { cursor } = this;
    for (;;) {
      cursor.stray = '';
      if (cursor.next() === END) break;
      if (this.foreign() || !take(cursor.name())) cursor.skip();
    }
    cursor.stray = '';
  }

  /** Namespaces that DDF files declare vary; only vendors' prefixes name another vocabulary. */
  private foreign(): boolean {
    return !/^(?:syncml:dmddf.*)?$/i.test(this.cursor.namespace());
  }

  /** `line:column` of the content consumed last; positions only grow, so lines are counted once. */
  private position(): string {
    const at = this.cursor.contentStart;
    for (;;) {
      const end = this.text.indexOf('\n', this.lineStart);
      if (end < 0 || end >= at) break;
      this.line += 1;
      this.lineStart = end + 1;
    }
    return `${this.line}:${at - this.lineStart + 1}`;
  }

  private fail(reason: string): never {
    const path = this.names.filter((name) => name !== '').join('/');
    throw new DragomanError(
      'malformed',
      `${this.position()}: ${path === '' ? 'a top node' : path}: ${reason}.`,
    );
  }
}
