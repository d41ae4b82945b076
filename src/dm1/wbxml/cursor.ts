import { isUtf8 } from 'node:buffer';
import { DragomanError } from '../../support/errors.ts';
import type { ElementCursor } from '../codec/cursor.ts';
import type { CodecLimits } from '../codec/limits.ts';
import { DMDDF_NAMES, SYNCML_NAMES } from '../tables/names.ts';
import { END, NAME_OF, UNKNOWN } from '../tables/pages.ts';
import { hasForbidden, isXmlChar, withoutForbidden } from '../xml/characters.ts';
import * as token from './header.ts';
import { inlineMarkup } from './markup.ts';

/** Reads a WBXML body of pages 0 to 2 (1x§12). The page is kept across END. */
export class WbxmlCursor implements ElementCursor {
  contentStart = 0;
  contentEnd = 0;
  stray = '';
  stripped = 0;
  pieces = 1;
  readonly header: token.WbxmlHeader;
  readonly limits: CodecLimits;
  private readonly b: Buffer;
  /** The bytes as one string, so that ASCII texts are cut out and not decoded one by one. */
  private readonly latin: string;
  private readonly n: number;
  private p: number;
  private page = 0;
  private depth = 0;
  private depthLimit: number;
  private elements = 0;
  private empty = false;
  /** Characters taken from the string table so far: references are cheap to write, texts are not. */
  private tableText = 0;
  private literal = '';
  private id = 0;
  /** For translation to XML: opaque bytes that are no text come as base64 instead of being refused. */
  private readonly binaryAsBase64: boolean;

  constructor(bytes: Uint8Array, limits: CodecLimits, binaryAsBase64 = false) {
    this.binaryAsBase64 = binaryAsBase64;
    this.b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.limits = limits;
    this.header = token.readHeader(bytes);
    this.latin = this.b.toString('latin1');
    this.n = bytes.length;
    this.p = this.header.tableEnd;
    this.depthLimit = limits.depth;
  }

  /** Enters the root element. */
  root(): number {
    this.depth = 1;
    const id = this.next();
    if (id === END) this.fail('the document has no root element');
    if (this.stray !== '') this.fail('text stands before the root element');
    this.depth = 1;
    return id;
  }

  finish(): void {
    if (this.p < this.n) this.fail('something follows the end of the root element');
  }

  get position(): number {
    return this.p;
  }

  name(): string {
    return this.id === UNKNOWN ? this.literal : NAME_OF[this.id]!;
  }

  next(): number {
    if (this.empty) {
      this.leave();
      return END;
    }
    const b = this.b;
    for (;;) {
      if (this.p >= this.n) this.fail('the document ends inside an element');
      const t = b[this.p++]!;
      if ((t & 0x3f) > 3) return this.enter(t);
      switch (t) {
        case token.END_TOKEN:
          this.depth--;
          return END;
        case token.SWITCH_PAGE:
          this.switchPage();
          break;
        default:
          this.stray = this.bounded(this.stray + this.piece(t, false));
      }
    }
  }

  text(): string {
    const content = this.content();
    return typeof content === 'string' ? content : this.decodeStrict(this.contentStart, this.contentEnd);
  }

  textOrBytes(): string | Uint8Array {
    return this.content() ?? this.opaque(this.contentStart, this.contentEnd);
  }

  /** Text to the element's end; undefined for a lone opaque. Elements inside are read over. */
  private content(): string | undefined {
    const b = this.b;
    this.contentStart = this.p;
    this.contentEnd = this.p;
    if (this.empty) {
      this.leave();
      return '';
    }
    // One inline string and END: nearly every leaf.
    if (b[this.p] === token.STR_I) {
      const at = this.p++;
      const text = this.inline(false);
      if (b[this.p] === token.END_TOKEN) {
        this.p++;
        this.depth--;
        this.pieces = 1;
        return text;
      }
      this.p = at;
    }
    let text = '';
    let pieces = 0;
    let lone: readonly [number, number] | undefined;
    for (;;) {
      if (this.p >= this.n) this.fail('the document ends inside an element');
      const t = b[this.p++]!;
      if ((t & 0x3f) > 3) {
        this.enter(t);
        this.skip();
        pieces += 2;
      } else if (t === token.END_TOKEN) {
        this.depth--;
        this.pieces = pieces;
        return lone === undefined ? text : undefined;
      } else if (t === token.SWITCH_PAGE) {
        this.switchPage();
      } else if (t === token.OPAQUE && pieces === 0) {
        lone = this.opaqueRange();
        pieces = 1;
      } else {
        if (lone !== undefined) text = this.decodeStrict(lone[0], lone[1]);
        lone = undefined;
        pieces += t === token.ENTITY ? 2 : 1;
        text = this.bounded(text + this.piece(t, false));
      }
    }
  }

  data(): string | undefined {
    const b = this.b;
    this.contentStart = this.p;
    this.contentEnd = this.p;
    if (this.empty) {
      this.leave();
      return '';
    }
    let text = '';
    let lone: readonly [number, number] | undefined;
    for (let pieces = 0; ; pieces++) {
      if (this.p >= this.n) this.fail('the document ends inside an element');
      const at = this.p;
      const t = b[this.p++]!;
      if (t === token.END_TOKEN) {
        this.depth--;
        return lone === undefined ? text : undefined;
      }
      if (t === token.OPAQUE && pieces === 0) {
        lone = this.opaqueRange();
        continue;
      }
      if (lone !== undefined) {
        text = this.decodeStrict(lone[0], lone[1]);
        lone = undefined;
      }
      if ((t & 0x3f) > 3 || t === token.SWITCH_PAGE) {
        this.p = at;
        return this.markup(text);
      }
      text = this.bounded(text + this.piece(t, true));
    }
  }

  /** Inline elements (a TNDS on page 2) as the XML text that they stand for. */
  private markup(text: string): string {
    const limit = this.depthLimit;
    this.depthLimit = this.limits.totalDepth;
    const xml = inlineMarkup(this, text);
    this.depthLimit = limit;
    return xml;
  }

  skip(): void {
    const outer = this.depth - 1;
    const stray = this.stray;
    while (this.depth > outer) this.next();
    this.stray = stray;
  }

  opaque(start: number, end: number): Uint8Array {
    return this.b.subarray(start, end);
  }

  /** A tag byte: its name, attributes and whether content follows. */
  private enter(t: number): number {
    if (this.depth >= this.depthLimit) this.tooLarge('nesting of elements', this.depthLimit);
    if (++this.elements > this.limits.elements) this.tooLarge('number of elements', this.limits.elements);
    let id = (this.page << 6) | (t & 0x3f);
    if ((t & 0x3f) === token.LITERAL) {
      id = this.literalTag();
    } else if (NAME_OF[id] === '') {
      this.p--;
      this.fail(`page ${this.page} has no element 0x${(t & 0x3f).toString(16)}`);
    }
    this.id = id;
    this.depth++;
    if ((t & 0x80) !== 0) this.attributes();
    this.empty = (t & 0x40) === 0;
    return id;
  }

  private literalTag(): number {
    const name = this.table(this.number());
    this.literal = name;
    const id = (this.page === 2 ? DMDDF_NAMES : SYNCML_NAMES).find(name, 0, name.length);
    return id < 0 ? UNKNOWN : id;
  }

  /** Attributes mean nothing in SyncML; a Nokia client sends xmlns as one (1x§12.2). */
  private attributes(): void {
    for (let count = 0; ; count++) {
      if (count > this.limits.attributes * 8) this.tooLarge('number of attributes', this.limits.attributes);
      if (this.p >= this.n) this.fail('the document ends inside attributes');
      const t = this.b[this.p++]!;
      switch (t) {
        case token.END_TOKEN:
          return;
        case token.SWITCH_PAGE:
          this.p++;
          break;
        case token.STR_I:
        case 0x40:
        case 0x41:
        case 0x42:
          this.inline(true);
          break;
        case token.OPAQUE:
          this.opaqueRange();
          break;
        case token.ENTITY:
        case token.LITERAL:
        case token.STR_T:
        case 0x80:
        case 0x81:
        case 0x82:
          this.number();
          break;
        case token.PI:
          this.fail('processing instructions are not accepted');
      }
    }
  }

  /** One piece of character content, its token already read. */
  private piece(t: number, inData: boolean): string {
    switch (t) {
      case token.STR_I:
        return this.inline(inData);
      case token.STR_T: {
        const text = this.table(this.number());
        if (!hasForbidden(text)) return text;
        return inData ? this.strip(text) : this.fail('a text holds a control character');
      }
      case token.OPAQUE: {
        const [start, end] = this.opaqueRange();
        return this.binaryAsBase64 ? this.textOrBase64(start, end) : this.decodeStrict(start, end);
      }
      case token.ENTITY: {
        const code = this.number();
        if (!isXmlChar(code)) this.fail('an entity refers to a character that is not allowed');
        return String.fromCodePoint(code);
      }
      // Extension tokens have no meaning in SyncML.
      case 0x40:
      case 0x41:
      case 0x42:
        this.inline(true);
        return '';
      case 0x80:
      case 0x81:
      case 0x82:
        this.number();
        return '';
      case 0xc0:
      case 0xc1:
      case 0xc2:
        return '';
      default:
        this.p--;
        return this.fail(
          t === token.PI
            ? 'processing instructions are not accepted'
            : `token 0x${t.toString(16)} is unknown`,
        );
    }
  }

  /** STR_I content up to its NUL. */
  private inline(inData: boolean): string {
    const { b, n } = this;
    const start = this.p;
    let p = start;
    let bits = 0;
    let control = false;
    while (p < n) {
      const c = b[p]!;
      if (c < 32) {
        if (c === 0) break;
        if (c !== 9 && c !== 10 && c !== 13) control = true;
      }
      bits |= c;
      p++;
    }
    if (p >= n) this.fail('an inline string does not end');
    this.contentStart = start;
    this.contentEnd = p;
    this.p = p + 1;
    if (control && !inData) this.fail('a text holds a control character');
    const text = bits < 128 ? this.latin.slice(start, p) : this.decode(start, p, inData);
    return control ? this.strip(text) : text;
  }

  private table(index: number): string {
    const { tableStart, tableEnd } = this.header;
    const start = tableStart + index;
    if (start >= tableEnd) this.fail('a reference points past the string table');
    let end = this.b.indexOf(0, start);
    if (end < 0 || end > tableEnd) end = tableEnd;
    this.tableText += end - start;
    if (this.tableText > this.limits.text) this.tooLarge('text from the string table', this.limits.text);
    this.contentStart = start;
    this.contentEnd = end;
    return this.decode(start, end, true);
  }

  private opaqueRange(): readonly [number, number] {
    const length = this.number();
    const start = this.p;
    const end = start + length;
    if (end > this.n) this.fail('an opaque reaches past the end');
    this.p = end;
    this.contentStart = start;
    this.contentEnd = end;
    return [start, end];
  }

  private number(): number {
    const { value, end } = token.readMultiByte(this.b, this.p);
    this.p = end;
    return value;
  }

  private switchPage(): void {
    const page = this.b[this.p++];
    if (page === undefined || page > 2) {
      this.p--;
      this.fail(`code page ${page ?? 'missing'} is unknown`);
    }
    this.page = page!;
  }

  private decodeStrict(start: number, end: number): string {
    const text = this.decode(start, end, false);
    return hasForbidden(text) ? this.fail('a text holds a control character') : text;
  }

  private decode(start: number, end: number, inData: boolean): string {
    if (this.header.charset === 'iso-8859-1') return this.latin.slice(start, end);
    const bytes = this.b.subarray(start, end);
    if (!isUtf8(bytes)) this.fail('a text is not valid UTF-8');
    const text = this.b.toString('utf8', start, end);
    if (this.header.charset === 'us-ascii' && text.length !== end - start) {
      this.fail('the document says it is US-ASCII but holds bytes beyond it');
    }
    return inData || !hasForbidden(text) ? text : this.fail('a text holds a control character');
  }

  private textOrBase64(start: number, end: number): string {
    const bytes = this.b.subarray(start, end);
    // Whether a nonce is base64 text already or raw cannot be told from one that is text (1x§12.2).
    if (isUtf8(bytes)) {
      const text = this.b.toString('utf8', start, end);
      if (!hasForbidden(text)) return text;
    }
    return bytes.toString('base64');
  }

  private strip(text: string): string {
    const clean = withoutForbidden(text);
    this.stripped += text.length - clean.length;
    return clean;
  }

  private bounded(text: string): string {
    return text.length > this.limits.text ? this.tooLarge('text', this.limits.text) : text;
  }

  private leave(): void {
    this.empty = false;
    this.depth--;
  }

  fail(detail: string): never {
    throw token.malformedAt(this.p, detail);
  }

  private tooLarge(what: string, limit: number): never {
    throw new DragomanError('too-large', `byte ${this.p}: the ${what} exceeds the limit of ${limit}.`);
  }
}
