import type { ElementSink } from '../codec/writer.ts';
import { SYNCML_NAMES } from '../tables/names.ts';
import { CMD_ID, DATA } from '../tables/pages.ts';
import { END_TOKEN, LITERAL, OPAQUE, STR_I, SWITCH_PAGE } from './header.ts';

const HAS_CONTENT = 0x40;
const ALL_SHORT = 48;

/** Writes a WBXML body: opaque for an Item's Data, inline strings elsewhere, pages switched when needed. */
export class WbxmlSink implements ElementSink {
  readonly binary = true;
  /** Page in force behind what was written last. */
  page = 0;
  private buffer: Buffer;
  private at = 0;
  /** Offset of each literal name in the string table. */
  private readonly literals = new Map<string, number>();
  private tableLength: number;

  constructor(tableStart = 0, capacity = 2048) {
    this.buffer = Buffer.allocUnsafe(capacity);
    this.tableLength = tableStart;
  }

  get length(): number {
    return this.at;
  }

  /** The bytes written so far. */
  body(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  /** Names that tags refer to in the string table, each ending in NUL. */
  table(): Buffer {
    return Buffer.from([...this.literals.keys()].map((name) => `${name}\0`).join(''), 'utf8');
  }

  open(id: number): void {
    this.tag(id, HAS_CONTENT);
  }

  close(): void {
    this.reserve(1);
    this.buffer[this.at++] = END_TOKEN;
  }

  leaf(id: number, text: string): void {
    if (text === '') {
      this.tag(id, 0);
      return;
    }
    this.tag(id, HAS_CONTENT);
    this.text(text);
    this.close();
  }

  flag(id: number): void {
    this.tag(id, 0);
  }

  data(text: string): void {
    if (text === '') {
      this.tag(DATA, 0);
      return;
    }
    this.tag(DATA, HAS_CONTENT);
    this.opaqueText(text);
    this.close();
  }

  bytes(bytes: Uint8Array): void {
    this.tag(DATA, HAS_CONTENT);
    this.opaque(bytes);
    this.close();
  }

  opaque(bytes: Uint8Array): void {
    this.reserve(bytes.length + 6);
    this.buffer[this.at++] = OPAQUE;
    this.multiByte(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** STR_I, or opaque where the text holds a NUL. */
  text(text: string): void {
    if (text.includes('\0')) {
      this.opaqueText(text);
      return;
    }
    this.reserve(text.length * 3 + 2);
    this.buffer[this.at++] = STR_I;
    this.at += this.put(text);
    this.buffer[this.at++] = 0;
  }

  opaqueText(text: string): void {
    const length = text.length;
    this.reserve(length * 3 + 6);
    this.buffer[this.at++] = OPAQUE;
    // The length comes first: guess that the text is ASCII and make room if it was not.
    const start = this.at;
    this.multiByte(length);
    const guess = this.at;
    const size = this.put(text);
    if (size !== length) {
      const room = multiByteLength(size) - (guess - start);
      if (room > 0) this.buffer.copyWithin(guess + room, guess, guess + size);
      this.at = start;
      this.multiByte(size);
    }
    this.at += size;
  }

  foreign(name: string, cmdId: string): void {
    const id = SYNCML_NAMES.find(name, 0, name.length);
    if (id >= 0) this.tag(id, HAS_CONTENT);
    else this.literal(name, HAS_CONTENT);
    this.leaf(CMD_ID, cmdId);
    this.close();
  }

  /** A tag without id, named through the string table. */
  literal(name: string, flags: number): void {
    let offset = this.literals.get(name);
    if (offset === undefined) {
      offset = this.tableLength;
      this.literals.set(name, offset);
      this.tableLength += Buffer.byteLength(name) + 1;
    }
    this.reserve(6);
    this.buffer[this.at++] = LITERAL | flags;
    this.multiByte(offset);
  }

  tag(id: number, flags: number): void {
    this.reserve(3);
    const page = id >> 6;
    if (page !== this.page) {
      this.buffer[this.at++] = SWITCH_PAGE;
      this.buffer[this.at++] = page;
      this.page = page;
    }
    this.buffer[this.at++] = (id & 0x3f) | flags;
  }

  /** Turns an element that turned out to be without content into an empty tag. */
  emptyAt(position: number): void {
    this.buffer[position] = this.buffer[position]! & ~HAS_CONTENT;
  }

  private put(text: string): number {
    const { buffer, at } = this;
    if (text.length > ALL_SHORT) return buffer.write(text, at, 'utf8');
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c > 127) return buffer.write(text, at, 'utf8');
      buffer[at + i] = c;
    }
    return text.length;
  }

  private multiByte(value: number): void {
    this.at = putMultiByte(this.buffer, this.at, value);
  }

  private reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

export function multiByteLength(value: number): number {
  let length = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes an mb_u_int32 and returns the position behind it. */
export function putMultiByte(bytes: Uint8Array, at: number, value: number): number {
  const length = multiByteLength(value);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[at + i] = (rest % 128) | (i === length - 1 ? 0 : 0x80);
    rest = Math.floor(rest / 128);
  }
  return at + length;
}
