import { DragomanError } from '../../support/errors.ts';
import type { ElementCursor } from '../codec/cursor.ts';
import type { CodecLimits } from '../codec/limits.ts';
import { DMDDF_NAMES, SYNCML_NAMES } from '../tables/names.ts';
import { END, UNKNOWN } from '../tables/pages.ts';
import {
  AMP,
  BANG,
  BRACKET,
  COLON,
  GT,
  isNCName,
  isSpace,
  isXmlChar,
  LT,
  NAME,
  PLAIN,
  QUESTION,
  SLASH,
} from './characters.ts';
import { Namespaces } from './namespaces.ts';
import { lineAndColumn } from './position.ts';
import { readProlog } from './prolog.ts';

/** What a text may hold: Data loses control characters (IW-VAL-4), everything else refuses them. */
type TextMode = 'strict' | 'data';

/**
 * Strict XML reader for SyncML: no internal DTD subset, no entities beyond the five, no processing
 * instructions; depth and sizes bounded. Scans code units and cuts out only the texts asked for.
 */
export class XmlCursor implements ElementCursor {
  contentStart = 0;
  contentEnd = 0;
  stray = '';
  stripped = 0;
  readonly pieces = 1;
  private readonly s: string;
  private p: number;
  private depth = 0;
  private elements = 0;
  private selfClosed = false;
  /** Nesting allowed right now: deeper inside Data. */
  private depthLimit: number;
  private readonly limits: CodecLimits;
  private readonly nameStarts: number[] = [];
  private readonly nameEnds: number[] = [];
  private readonly namespaces: Namespaces;
  private localStart = 0;

  constructor(text: string, start: number, limits: CodecLimits) {
    this.s = text;
    this.limits = limits;
    this.depthLimit = limits.depth;
    this.namespaces = new Namespaces(limits.attributes);
    this.p = start;
  }

  /** Reads the prolog and enters the root element. */
  root(): number {
    this.p = readProlog(this.s, this.p);
    return this.startTag();
  }

  /** Demands that nothing but comments and white space follows the root. */
  finish(): void {
    const s = this.s;
    while (this.p < s.length) {
      if (isSpace(s.charCodeAt(this.p))) this.p++;
      else if (s.startsWith('<!--', this.p)) this.comment();
      else this.fail('something follows the end of the root element');
    }
  }

  /** Namespace name of the element entered last. */
  namespace(): string {
    return this.namespaces.uri;
  }

  get position(): number {
    return this.p;
  }

  name(): string {
    return this.s.slice(this.localStart, this.nameEnds[this.depth - 1]!);
  }

  opaque(): Uint8Array {
    return new Uint8Array(0);
  }

  next(): number {
    if (this.selfClosed) {
      this.leave();
      return END;
    }
    const s = this.s;
    for (;;) {
      const c = s.charCodeAt(this.p);
      if (c === LT) {
        const d = s.charCodeAt(this.p + 1);
        if (d === SLASH) {
          this.endTag();
          return END;
        }
        if (d !== BANG) return this.startTag();
        if (s.startsWith('<![CDATA[', this.p)) this.collectStray();
        else this.comment();
      } else if (isSpace(c)) {
        this.p++;
      } else {
        this.collectStray();
      }
    }
  }

  private collectStray(): void {
    const text = this.run('', 'strict', false);
    if (this.stray.length + text.length > this.limits.text) this.tooLarge('text', this.limits.text);
    this.stray += text;
  }

  text(): string {
    return this.content('strict');
  }

  textOrBytes(): string {
    return this.content('strict');
  }

  data(): string {
    const start = this.p;
    if (this.selfClosed) return this.content('data');
    const stripped = this.stripped;
    const text = this.content('data');
    if (!this.sawMarkup) return text;
    // Markup inside Data (a raw MgmtTree): check it as markup and hand out its source.
    this.stripped = stripped;
    this.p = start;
    this.depthLimit = this.limits.totalDepth;
    this.skip();
    this.depthLimit = this.limits.depth;
    this.contentStart = start;
    return this.s.slice(start, this.contentEnd);
  }

  skip(): void {
    const outer = this.depth - 1;
    const stray = this.stray;
    while (this.depth > outer) this.next();
    this.stray = stray;
  }

  /** Set by `content` in data mode when it met an element and stopped there. */
  private sawMarkup = false;

  private content(mode: TextMode): string {
    this.sawMarkup = false;
    this.contentStart = this.p;
    if (this.selfClosed) {
      this.contentEnd = this.p;
      this.leave();
      return '';
    }
    const s = this.s;
    const start = this.p;
    let p = start;
    let c = s.charCodeAt(p);
    while (c < 128 ? PLAIN[c] === 1 : c < 0xfffe) c = s.charCodeAt(++p);
    if (c === LT && s.charCodeAt(p + 1) === SLASH) {
      if (p - start > this.limits.text) this.tooLarge('text', this.limits.text);
      this.p = p;
      this.endTag();
      return p === start ? '' : s.slice(start, p);
    }
    this.p = start;
    let text = '';
    for (;;) {
      text = this.run(text, mode, true);
      if (text.length > this.limits.text) this.tooLarge('text', this.limits.text);
      if (s.charCodeAt(this.p + 1) === SLASH) {
        this.endTag();
        this.contentStart = start;
        return text;
      }
      if (mode === 'data') {
        this.sawMarkup = true;
        return '';
      }
      this.startTag();
      this.skip();
    }
  }

  /**
   * Character data from `p` to the next tag, appended to `text`. With `markup` comments and CDATA
   * sections are part of the run; without, the run ends before a comment.
   */
  private run(text: string, mode: TextMode, markup: boolean): string {
    const s = this.s;
    let out = text;
    let p = this.p;
    let from = p;
    for (;;) {
      const c = s.charCodeAt(p);
      if (c < 128 ? PLAIN[c] === 1 : c < 0xfffe) {
        p++;
        continue;
      }
      out += s.slice(from, p);
      this.p = p;
      if (c === LT) {
        if (s.startsWith('<![CDATA[', p)) {
          out += this.cdata(mode);
        } else if (markup && s.startsWith('<!--', p)) {
          this.comment();
        } else {
          return out;
        }
        p = this.p;
      } else if (c === AMP) {
        out += this.reference();
        p = this.p;
      } else if (c === 13) {
        out += '\n';
        p += s.charCodeAt(p + 1) === 10 ? 2 : 1;
      } else if (c === BRACKET) {
        if (s.startsWith(']]>', p)) this.fail('"]]>" stands in character data');
        out += ']';
        p++;
      } else {
        this.control(c, mode);
        p++;
      }
      from = p;
    }
  }

  /** A character that XML does not allow, or the end of input. */
  private control(c: number, mode: TextMode): void {
    if (Number.isNaN(c)) this.fail('the document ends inside an element');
    if (mode === 'strict') this.fail(`character U+${hex(c)} is not allowed`);
    this.stripped++;
  }

  private cdata(mode: TextMode): string {
    const s = this.s;
    const start = this.p + 9;
    const end = s.indexOf(']]>', start);
    if (end < 0) this.fail('a CDATA section does not end');
    let out = '';
    let from = start;
    for (let p = start; p < end; p++) {
      const c = s.charCodeAt(p);
      if (c >= 32 ? c < 0xfffe : c === 9 || c === 10) continue;
      out += s.slice(from, p);
      if (c === 13) {
        if (s.charCodeAt(p + 1) !== 10) out += '\n';
      } else {
        this.p = p;
        this.control(c, mode);
      }
      from = p + 1;
    }
    this.p = end + 3;
    return from === start ? s.slice(start, end) : out + s.slice(from, end);
  }

  private reference(): string {
    const s = this.s;
    const end = s.indexOf(';', this.p);
    if (end < 0 || end - this.p > 12) this.fail('"&" begins no entity; write it as "&amp;"');
    const name = s.slice(this.p + 1, end);
    let out: string;
    switch (name) {
      case 'amp':
        out = '&';
        break;
      case 'lt':
        out = '<';
        break;
      case 'gt':
        out = '>';
        break;
      case 'quot':
        out = '"';
        break;
      case 'apos':
        out = "'";
        break;
      default:
        out = this.characterReference(name);
    }
    this.p = end + 1;
    return out;
  }

  private characterReference(name: string): string {
    const match = /^#(?:x([0-9A-Fa-f]+)|([0-9]+))$/.exec(name);
    if (match === null) this.fail(`entity "&${name};" is not defined`);
    const hexadecimal = match[1];
    const code =
      hexadecimal === undefined ? Number.parseInt(match[2]!, 10) : Number.parseInt(hexadecimal, 16);
    if (!isXmlChar(code)) this.fail(`"&${name};" refers to a character that is not allowed`);
    return String.fromCodePoint(code);
  }

  private comment(): void {
    const s = this.s;
    if (!s.startsWith('<!--', this.p)) this.fail('a declaration stands where none may');
    const end = s.indexOf('--', this.p + 4);
    if (end < 0 || s.charCodeAt(end + 2) !== GT) this.fail('a comment does not end, or holds "--"');
    for (let p = this.p + 4; p < end; p++) {
      const c = s.charCodeAt(p);
      if (c < 32 ? !isSpace(c) : c >= 0xfffe) this.fail(`character U+${hex(c)} is not allowed`);
    }
    this.p = end + 3;
  }

  private startTag(): number {
    const s = this.s;
    const start = this.p + 1;
    const end = this.scanName(start);
    const depth = this.depth;
    if (depth >= this.depthLimit) this.tooLarge('nesting of elements', this.depthLimit);
    if (++this.elements > this.limits.elements) this.tooLarge('number of elements', this.limits.elements);
    this.nameStarts[depth] = start;
    this.nameEnds[depth] = end;
    this.depth = depth + 1;
    const namespaces = this.namespaces;
    let p = end;
    let c = s.charCodeAt(p);
    if (c !== GT) {
      if (c !== SLASH) {
        p = namespaces.readAttributes(s, p, depth + 1, this);
        c = s.charCodeAt(p);
      }
      if (c === SLASH) {
        if (s.charCodeAt(p + 1) !== GT) this.failAt(p, '"/" is not followed by ">"');
        this.selfClosed = true;
        p++;
      }
    }
    this.p = p + 1;
    const colon = this.colon;
    this.localStart = colon < 0 ? start : colon + 1;
    const kind = colon < 0 ? namespaces.useDefault() : namespaces.use(s.slice(start, colon), this);
    if (kind === 'foreign') return UNKNOWN;
    const id = (kind === 'dmddf' ? DMDDF_NAMES : SYNCML_NAMES).find(s, this.localStart, end);
    return id < 0 ? UNKNOWN : id;
  }

  /** Position of the colon in the name scanned last, or -1. */
  private colon = -1;

  private scanName(start: number): number {
    const s = this.s;
    let p = start;
    let c = s.charCodeAt(p);
    this.colon = -1;
    if (c < 128 && NAME[c] !== 2) {
      this.fail(c === QUESTION ? 'processing instructions are not accepted' : '"<" begins no tag');
    }
    while (c < 128 && NAME[c]! !== 0) {
      if (c === COLON) {
        if (this.colon >= 0 || p === start) this.fail('a name has a misplaced colon');
        this.colon = p;
      }
      c = s.charCodeAt(++p);
    }
    if (c >= 128 || Number.isNaN(c) || p === start) return this.scanWideName(start);
    if (this.colon >= 0 && (this.colon === p - 1 || NAME[s.charCodeAt(this.colon + 1)] !== 2)) {
      this.fail('a name has a misplaced colon');
    }
    return p;
  }

  private scanWideName(start: number): number {
    const s = this.s;
    let p = start;
    for (let c = s.charCodeAt(p); c >= 128 || (c < 128 && NAME[c]! !== 0); c = s.charCodeAt(p)) p++;
    if (p >= s.length) this.fail('the document ends inside a tag');
    const parts = s.slice(start, p).split(':');
    if (parts.length > 2 || !parts.every(isNCName)) this.fail('a tag has no proper name');
    this.colon = parts.length === 2 ? start + parts[0]!.length : -1;
    return p;
  }

  private endTag(): void {
    const s = this.s;
    const tag = this.p;
    const top = this.depth - 1;
    const start = this.nameStarts[top]!;
    const length = this.nameEnds[top]! - start;
    let p = tag + 2;
    for (let i = 0; i < length; i++, p++) {
      if (s.charCodeAt(start + i) !== s.charCodeAt(p)) {
        this.fail(`element ${s.slice(start, start + Math.min(length, 40))} is not closed by its own end tag`);
      }
    }
    while (isSpace(s.charCodeAt(p))) p++;
    if (s.charCodeAt(p) !== GT) {
      this.fail(`element ${s.slice(start, start + Math.min(length, 40))} is not closed by its own end tag`);
    }
    this.contentEnd = tag;
    this.p = p + 1;
    this.leave();
  }

  private leave(): void {
    this.selfClosed = false;
    this.namespaces.leave(this.depth);
    this.depth--;
  }

  fail(detail: string): never {
    return this.failAt(this.p, detail);
  }

  failAt(position: number, detail: string): never {
    throw new DragomanError('malformed', `${lineAndColumn(this.s, position)}: ${detail}.`);
  }

  private tooLarge(what: string, limit: number): never {
    throw new DragomanError(
      'too-large',
      `${lineAndColumn(this.s, this.p)}: the ${what} exceeds the limit of ${limit}.`,
    );
  }
}

function hex(c: number): string {
  return c.toString(16).toUpperCase().padStart(4, '0');
}
