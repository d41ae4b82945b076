import { DragomanError } from '../../../support/errors.ts';
import * as token from '../../wbxml/header.ts';
import { hasForbidden, isXmlChar } from '../../xml/characters.ts';
import {
  type Characteristic,
  DocumentBuilder,
  PROVISIONING_LIMITS,
  type ProvisioningDocument,
} from './document.ts';
import { START_OF, START_TOKENS, TAGS, VALUE_OF, VALUE_TOKENS } from './tokens.ts';

/** `-//WAPFORUM//DTD PROV 1.0//EN`. */
const PUBLIC_ID = 0x0b;
const WBXML_1_3 = 0x03;
const UTF_8 = 0x6a;
const HAS_CONTENT = 0x40;
const HAS_ATTRIBUTES = 0x80;

/**
 * A provisioning document as WBXML (`application/vnd.wap.connectivity-wbxml`): strings inline, no string
 * table, the tokens that other writers choose, so that a MAC over the bytes means the same to all.
 *
 * @throws DragomanError `bad-value` for text that a string cannot carry
 */
export function writeProvisioningWbxml({ version, characteristics }: ProvisioningDocument): Uint8Array {
  const writer = new Writer();
  writer.tag('wap-provisioningdoc', characteristics.length > 0);
  if (version !== undefined) writer.attribute('version', version);
  writer.close(version !== undefined);
  for (const characteristic of characteristics) writer.characteristic(characteristic);
  if (characteristics.length > 0) writer.close(true);
  if (version === undefined) writer.dropAttributeFlag();
  return Uint8Array.from([WBXML_1_3, PUBLIC_ID, UTF_8, 0, ...writer.bytes]);
}

class Writer {
  readonly bytes: number[] = [];
  private page = 0;

  tag(name: keyof typeof TAGS, content: boolean): void {
    this.bytes.push(TAGS[name] | HAS_ATTRIBUTES | (content ? HAS_CONTENT : 0));
  }

  close(really: boolean): void {
    if (really) this.bytes.push(token.END_TOKEN);
  }

  /** For a root without any attribute, whose tag is the first byte. */
  dropAttributeFlag(): void {
    this.bytes[0] = this.bytes[0]! & ~HAS_ATTRIBUTES;
  }

  characteristic({ type, parms, characteristics }: Characteristic): void {
    const content = parms.length + characteristics.length > 0;
    this.tag('characteristic', content);
    this.attribute('type', type);
    this.close(true);
    for (const { name, value } of parms) {
      this.tag('parm', false);
      this.attribute('name', name);
      if (value !== undefined) this.attribute('value', value);
      this.close(true);
    }
    for (const child of characteristics) this.characteristic(child);
    this.close(content);
  }

  attribute(name: string, value: string): void {
    const whole = START_TOKENS.get(`${name}=${value}`);
    if (whole !== undefined) {
      this.onPage(whole);
      return;
    }
    this.onPage(START_TOKENS.get(name)!);
    const known = VALUE_TOKENS.get(value);
    if (known !== undefined) this.onPage(known);
    else if (value !== '') this.string(value);
  }

  private string(value: string): void {
    if (hasForbidden(value))
      throw new DragomanError(
        'bad-value',
        'A parameter holds a control character, which no document can carry.',
      );
    this.bytes.push(token.STR_I, ...Buffer.from(value, 'utf8'), 0);
  }

  private onPage(code: number): void {
    const page = code >> 8;
    if (page !== this.page) {
      this.bytes.push(token.SWITCH_PAGE, page);
      this.page = page;
    }
    this.bytes.push(code & 0xff);
  }
}

/**
 * Reads a WBXML provisioning document, string table and unknown public id included.
 *
 * @throws DragomanError `malformed` with the byte offset, `too-large`
 */
export function readProvisioningWbxml(bytes: Uint8Array): ProvisioningDocument {
  if (bytes.length > PROVISIONING_LIMITS.bytes) {
    throw new DragomanError(
      'too-large',
      `The document has ${bytes.length} bytes; the limit is ${PROVISIONING_LIMITS.bytes}.`,
    );
  }
  const header = token.readHeader(bytes);
  const known = [PUBLIC_ID, 1, '-//WAPFORUM//DTD PROV 1.0//EN'];
  if (!known.includes(header.publicId))
    throw token.malformedAt(1, 'the public id names no provisioning document');
  return new Reader(bytes, header).read();
}

const TAG_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TAGS).map(([name, code]) => [code, name]),
);
/** Text that references to the string table may add up to; they are cheap to write. */
const MAX_TABLE_TEXT = PROVISIONING_LIMITS.bytes * 4;

class Reader {
  private readonly bytes: Uint8Array;
  private readonly header: token.WbxmlHeader;
  private at: number;
  private page = 0;
  private tableText = 0;
  private readonly builder: DocumentBuilder;

  constructor(bytes: Uint8Array, header: token.WbxmlHeader) {
    this.bytes = bytes;
    this.header = header;
    this.at = header.tableEnd;
    this.builder = new DocumentBuilder((reason) => this.fail(reason));
  }

  read(): ProvisioningDocument {
    let begun = false;
    while (!begun || this.builder.depth > 0) {
      const byte = this.byte();
      if (byte === token.SWITCH_PAGE) {
        // Tags are the same on both pages.
        if (this.byte() > 1) this.fail('a tag page is none of 0 and 1');
      } else if (byte === token.END_TOKEN) {
        if (!begun) this.fail('the document begins with the end of an element');
        this.builder.end();
      } else if (byte === token.STR_I || byte === token.STR_T || byte === token.ENTITY) {
        if (this.string(byte).trim() !== '') this.fail('text stands between elements');
      } else {
        this.element(byte);
        begun = true;
      }
    }
    if (this.at < this.bytes.length) this.fail('something follows the end of the root element');
    return this.builder.document();
  }

  private element(byte: number): void {
    const name = TAG_NAMES.get(byte & 0x3f);
    if (name === undefined) this.fail('the element is none of a provisioning document');
    this.builder.start(name, (byte & HAS_ATTRIBUTES) === 0 ? new Map() : this.attributes());
    if ((byte & HAS_CONTENT) === 0) this.builder.end();
  }

  private attributes(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    let name: string | undefined;
    for (;;) {
      const byte = this.byte();
      if (byte === token.END_TOKEN) return found;
      if (byte === token.SWITCH_PAGE) {
        this.page = this.byte();
        continue;
      }
      const start = byte < 0x80 && byte > token.LITERAL ? START_OF.get((this.page << 8) | byte) : undefined;
      if (start !== undefined) {
        name = start.name;
        if (found.has(name)) this.fail(`attribute ${name} occurs twice`);
        // Without a value the attribute is there all the same: INIT with value="".
        found.set(name, start.value ?? '');
      } else {
        const piece = this.piece(byte);
        if (name === undefined) this.fail('a value stands before any attribute');
        found.set(name, found.get(name)! + piece);
      }
    }
  }

  private piece(byte: number): string {
    if (byte === token.STR_I || byte === token.STR_T || byte === token.ENTITY) return this.string(byte);
    const value = byte >= 0x80 ? VALUE_OF.get((this.page << 8) | byte) : undefined;
    if (value === undefined)
      this.fail(`token 0x${byte.toString(16)} is unknown on attribute page ${this.page}`);
    return value;
  }

  private string(kind: number): string {
    if (kind === token.ENTITY) {
      const code = this.number();
      if (!isXmlChar(code)) this.fail('a character entity is not allowed');
      return String.fromCodePoint(code);
    }
    if (kind === token.STR_I) {
      const [text, end] = this.terminated(this.at, this.bytes.length);
      this.at = end;
      return text;
    }
    const from = this.header.tableStart + this.number();
    if (from >= this.header.tableEnd) this.fail('a string reference points past the string table');
    const [text] = this.terminated(from, this.header.tableEnd);
    this.tableText += text.length;
    if (this.tableText > MAX_TABLE_TEXT)
      throw new DragomanError(
        'too-large',
        `The document's strings exceed the limit of ${MAX_TABLE_TEXT} characters.`,
      );
    return text;
  }

  private terminated(from: number, limit: number): readonly [text: string, end: number] {
    const nul = this.bytes.indexOf(0, from);
    if (nul < 0 || nul >= limit) this.fail('a string does not end');
    const text = this.decode(this.bytes.subarray(from, nul));
    if (hasForbidden(text)) this.fail('a string holds a control character');
    return [text, nul + 1];
  }

  private decode(bytes: Uint8Array): string {
    const label = this.header.charset === 'utf-8' ? 'utf-8' : 'latin1';
    if (label === 'latin1') return Buffer.from(bytes).toString('latin1');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      this.fail('a string is not UTF-8');
    }
  }

  private number(): number {
    const { value, end } = token.readMultiByte(this.bytes, this.at);
    this.at = end;
    return value;
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) this.fail('the document ends inside an element');
    this.at += 1;
    return byte;
  }

  private fail(reason: string): never {
    throw token.malformedAt(this.at, reason);
  }
}
