import {
  APOSTROPHE,
  EQUALS,
  GT,
  isNCName,
  isSpace,
  isXmlChar,
  LT,
  NAME,
  QUOTE,
  SLASH,
} from './characters.ts';

/** Which names an element's namespace allows: SyncML and MetInf, TNDS, or none of ours. */
export type NamespaceKind = 'syncml' | 'dmddf' | 'foreign';

/** How a failure is reported; the position is an index into the document. */
export interface Failing {
  failAt(position: number, detail: string): never;
}

const MAX_IN_SCOPE = 64;
const XML_URI = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_URI = 'http://www.w3.org/2000/xmlns/';

/**
 * The namespaces in scope. Real peers mix `syncml:metinf`, `syncml:metinfo` and none at all
 * (1x§15.5), so every `syncml:` name counts as ours and only the TNDS one is told apart.
 */
export class Namespaces {
  /** Namespace name of the element entered last; `''` for none. */
  uri = '';
  private kind: NamespaceKind = 'syncml';
  private readonly limit: number;
  /** Declarations in scope, innermost last: prefix, name, depth of the element that declares. */
  private readonly prefixes: string[] = [];
  private readonly uris: string[] = [];
  private readonly depths: number[] = [];
  private declared = 0;
  private defaultUri = '';

  constructor(limit: number) {
    this.limit = limit;
  }

  useDefault(): NamespaceKind {
    if (this.uri !== this.defaultUri) {
      this.uri = this.defaultUri;
      this.kind = kindOf(this.uri);
    }
    return this.kind;
  }

  use(prefix: string, failing: Failing & { readonly contentStart: number }): NamespaceKind {
    const uri = this.lookup(prefix);
    if (uri === undefined || prefix === 'xmlns') {
      return failing.failAt(this.position, `prefix "${prefix.slice(0, 40)}" is not bound to a namespace`);
    }
    this.uri = uri;
    this.kind = kindOf(uri);
    return this.kind;
  }

  leave(depth: number): void {
    let top = this.declared;
    if (top === 0 || this.depths[top - 1] !== depth) return;
    while (top > 0 && this.depths[top - 1] === depth) top--;
    this.declared = top;
    this.defaultUri = this.lookup('') ?? '';
  }

  private lookup(prefix: string): string | undefined {
    if (prefix === 'xml') return XML_URI;
    for (let i = this.declared - 1; i >= 0; i--) if (this.prefixes[i] === prefix) return this.uris[i];
    return undefined;
  }

  private declare(prefix: string, uri: string, depth: number, failing: Failing): void {
    // Every prefixed name searches the scope, so its size must not be the peer's choice.
    if (this.declared === MAX_IN_SCOPE) {
      failing.failAt(this.position, `more than ${MAX_IN_SCOPE} namespace declarations are in scope`);
    }
    const top = this.declared++;
    this.prefixes[top] = prefix;
    this.uris[top] = uri;
    this.depths[top] = depth;
    if (prefix === '') this.defaultUri = uri;
  }

  /** Where the tag read last stands, for errors. */
  private position = 0;

  /** Reads attributes from behind the element's name to the `>` or `/` that ends the tag. */
  readAttributes(s: string, from: number, depth: number, failing: Failing): number {
    this.position = from;
    let p = from;
    let count = 0;
    let names: string[] | undefined;
    for (;;) {
      const before = p;
      while (isSpace(s.charCodeAt(p))) p++;
      const c = s.charCodeAt(p);
      if (c === GT || c === SLASH) break;
      if (p === before) failing.failAt(p, 'a tag does not end properly');
      if (++count > this.limit) failing.failAt(p, `an element has more than ${this.limit} attributes`);
      const nameStart = p;
      let colon = -1;
      for (let d = s.charCodeAt(p); d >= 128 || (d < 128 && NAME[d]! !== 0); d = s.charCodeAt(++p)) {
        if (d === 58) colon = colon < 0 ? p : failing.failAt(p, 'a name has two colons');
      }
      const name = s.slice(nameStart, p);
      while (isSpace(s.charCodeAt(p))) p++;
      if (s.charCodeAt(p) !== EQUALS) failing.failAt(p, 'an attribute has no "="');
      p++;
      while (isSpace(s.charCodeAt(p))) p++;
      const valueStart = p + 1;
      p = attributeValue(s, p, failing);
      if (name === 'xmlns') {
        if (names?.includes(name)) failing.failAt(nameStart, 'an attribute occurs twice');
        this.declare('', namespaceName(s, valueStart, p - 1, failing), depth, failing);
      } else {
        this.attribute(name, colon - nameStart, names, s, valueStart, p - 1, depth, failing);
      }
      if (names === undefined) names = [name];
      else names.push(name);
    }
    if (names !== undefined && (names.length > 1 || names[0]!.includes(':'))) {
      this.checkPrefixes(names, failing);
    }
    return p;
  }

  private attribute(
    name: string,
    colon: number,
    names: readonly string[] | undefined,
    s: string,
    valueStart: number,
    valueEnd: number,
    depth: number,
    failing: Failing,
  ): void {
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    const local = colon < 0 ? name : name.slice(colon + 1);
    if (!isNCName(local) || (colon >= 0 && !isNCName(prefix))) {
      failing.failAt(this.position, 'an attribute has no proper name');
    }
    if (names?.includes(name)) failing.failAt(valueStart, 'an attribute occurs twice');
    if (prefix !== 'xmlns') return;
    const uri = namespaceName(s, valueStart, valueEnd, failing);
    if (uri === '' || local === 'xmlns' || uri === XMLNS_URI || (local === 'xml') !== (uri === XML_URI)) {
      failing.failAt(valueStart, 'a namespace declaration is not allowed');
    }
    this.declare(local, uri, depth, failing);
  }

  /** Prefixes must be bound, and no two attributes may have the same expanded name. */
  private checkPrefixes(names: readonly string[], failing: Failing): void {
    let expanded: Set<string> | undefined;
    for (const name of names) {
      const colon = name.indexOf(':');
      if (colon < 0) continue;
      const prefix = name.slice(0, colon);
      if (prefix === 'xmlns') continue;
      const uri = this.lookup(prefix);
      if (uri === undefined) {
        failing.failAt(this.position, `prefix "${prefix.slice(0, 40)}" is not bound to a namespace`);
      }
      expanded ??= new Set();
      const key = `{${uri}}${name.slice(colon + 1)}`;
      if (expanded.has(key)) failing.failAt(this.position, 'an attribute occurs twice');
      expanded.add(key);
    }
  }
}

/** Position behind the closing quote of the value that begins at `p`. */
function attributeValue(s: string, p: number, failing: Failing): number {
  const quote = s.charCodeAt(p);
  if (quote !== QUOTE && quote !== APOSTROPHE) failing.failAt(p, 'an attribute value is not quoted');
  for (let q = p + 1; ; q++) {
    const c = s.charCodeAt(q);
    if (c === quote) return q + 1;
    if (c === 38) {
      const end = s.indexOf(';', q);
      if (end < 0 || end - q > 12) failing.failAt(q, 'an attribute value holds "&" that begins no entity');
      expand(s.slice(q, end + 1), q, failing);
      q = end;
    } else if (c === LT || !(c >= 32 || isSpace(c)) || c >= 0xfffe) {
      failing.failAt(q, 'an attribute value holds a character that is not allowed, or does not end');
    }
  }
}

const REFERENCE = /&([^;]*);/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The namespace name that `s[start, end)` spells. */
function namespaceName(s: string, start: number, end: number, failing: Failing): string {
  // White space in an attribute's value counts as a blank (XML 1.0, 3.3.3); what entities give stays.
  const raw = s.slice(start, end).replace(/\r\n|[\t\n\r]/g, ' ');
  const value = raw.includes('&') ? expand(raw, start, failing) : raw;
  if (value === XMLNS_URI) failing.failAt(start, 'a namespace declaration is not allowed');
  return value.trim();
}

function expand(raw: string, position: number, failing: Failing): string {
  return raw.replace(REFERENCE, (_, name: string) => {
    if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!;
    const match = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
    const code =
      match === null ? -1 : Number.parseInt(match[1] ?? match[2]!, match[1] === undefined ? 10 : 16);
    if (!isXmlChar(code)) failing.failAt(position, 'an attribute value refers to an unknown entity');
    return String.fromCodePoint(code);
  });
}

function kindOf(uri: string): NamespaceKind {
  switch (uri) {
    case '':
    case 'SYNCML:SYNCML1.2':
    case 'SYNCML:SYNCML1.1':
    case 'syncml:metinf':
      return 'syncml';
    case 'syncml:dmddf1.2':
      return 'dmddf';
  }
  const lower = uri.slice(0, 12).toLowerCase();
  if (lower === 'syncml:dmddf') return 'dmddf';
  return lower.startsWith('syncml:') ? 'syncml' : 'foreign';
}
