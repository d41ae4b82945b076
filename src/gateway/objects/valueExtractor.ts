import { MOST_TEXT, type StoredBytes, storedMark } from '../../mo/stored.ts';
import { Kept, tooMuch } from './kept.ts';
import { decodePiece, type ObjectWriter } from './objects.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
/** A JSON string of more bytes than this that is base64 is a value to be stored. */
const LONG = 64 * 1024;

/** What the extractor needs of the store. */
export interface ObjectPlaces {
  writer(): ObjectWriter;
  read(stored: StoredBytes): Promise<Uint8Array>;
}

/**
 * Takes the large binary values out of a JSON document while it arrives: each becomes an object, its mark
 * stays in the document. It looks for strings only; whether the document is JSON at all is for its reader.
 */
export class ValueExtractor {
  readonly #places: ObjectPlaces;
  readonly #document = new Kept();
  #state: 'outside' | 'string' | 'escape' = 'outside';
  /** The open string, as long as it stays in memory. */
  readonly #text = new Kept();
  /** It is long and yet no base64. */
  #plain = false;
  #value: { readonly writer: ObjectWriter; rest: string } | undefined;

  constructor(places: ObjectPlaces) {
    this.#places = places;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let at = 0;
    let quote = -2;
    while (at < chunk.length) {
      if (this.#state === 'outside') {
        quote = chunk.indexOf(QUOTE, at);
        const end = quote < 0 ? chunk.length : quote + 1;
        this.#document.push(chunk.subarray(at, end));
        if (quote >= 0) this.#state = 'string';
        at = end;
      } else if (this.#state === 'escape') {
        await this.#escaped(chunk[at]!);
        this.#state = 'string';
        at += 1;
      } else {
        if (quote < at && quote !== -1) quote = chunk.indexOf(QUOTE, at);
        const { piece, end } = untilEscape(chunk, at, quote < 0 ? chunk.length : quote, !!this.#value);
        await this.#take(piece);
        at = end + 1;
        if (chunk[end] === QUOTE) await this.#close();
        else if (chunk[end] === BACKSLASH) this.#state = 'escape';
      }
    }
  }

  /** The document, with marks in place of what was stored. */
  async end(): Promise<Uint8Array> {
    if (this.#value) await this.#giveBack(this.#value);
    this.#document.push(this.#text.take());
    return this.#document.take();
  }

  async #escaped(byte: number): Promise<void> {
    if (this.#value && byte === SLASH) await this.#take(Uint8Array.of(SLASH));
    else {
      if (this.#value) await this.#giveBack(this.#value);
      this.#text.push(Uint8Array.of(BACKSLASH, byte));
    }
  }

  async #take(piece: Uint8Array): Promise<void> {
    if (piece.length === 0) return;
    if (this.#value) {
      await this.#store(this.#value, piece);
      return;
    }
    this.#text.push(piece);
    if (this.#text.bytes <= LONG || this.#plain) return;
    const kept = this.#text.take();
    const text = Buffer.from(kept).toString('latin1').replaceAll('\\/', '/');
    this.#plain = decodePiece('', text, false) === undefined;
    if (this.#plain) {
      this.#text.push(kept);
      return;
    }
    this.#value = { writer: this.#places.writer(), rest: '' };
    await this.#store(this.#value, Buffer.from(text, 'latin1'));
  }

  async #store(value: { writer: ObjectWriter; rest: string }, piece: Uint8Array): Promise<void> {
    const decoded = decodePiece(value.rest, piece, false);
    if (!decoded) {
      await this.#giveBack(value);
      this.#text.push(piece);
      return;
    }
    value.rest = decoded.rest;
    await value.writer.write(decoded.bytes);
  }

  /** It turned out to be no base64, so it stays in the document as it came. */
  async #giveBack({ writer, rest }: { writer: ObjectWriter; rest: string }): Promise<void> {
    const stored = await writer.end();
    if (stored.bytes > MOST_TEXT) throw tooMuch();
    const bytes = await this.#places.read(stored);
    this.#value = undefined;
    this.#plain = true;
    this.#text.push(Buffer.from(Buffer.from(bytes).toString('base64') + rest, 'latin1'));
  }

  async #close(): Promise<void> {
    const value = this.#value;
    const tail = value && decodePiece(value.rest, '', true);
    if (value && tail) {
      await value.writer.write(tail.bytes);
      this.#text.push(Buffer.from(storedMark(await value.writer.end()), 'latin1'));
    } else if (value) await this.#giveBack(value);
    this.#document.push(this.#text.take());
    this.#document.push(Uint8Array.of(QUOTE));
    this.#plain = false;
    this.#value = undefined;
    this.#state = 'outside';
  }
}

/**
 * The text from `at` to the first escape, to `end` where there is none. Some writers escape the slash,
 * which is base64 too: in a value it is no escape.
 */
function untilEscape(
  chunk: Uint8Array,
  at: number,
  end: number,
  slashes: boolean,
): { readonly piece: Uint8Array; readonly end: number } {
  const parts: Uint8Array[] = [];
  const text = chunk.subarray(0, end);
  let from = at;
  let backslash = text.indexOf(BACKSLASH, from);
  while (slashes && backslash >= 0 && text[backslash + 1] === SLASH) {
    parts.push(text.subarray(from, backslash));
    from = backslash + 1;
    backslash = text.indexOf(BACKSLASH, from);
  }
  const stop = backslash < 0 ? end : backslash;
  parts.push(text.subarray(from, stop));
  return { piece: parts.length === 1 ? parts[0]! : Buffer.concat(parts), end: stop };
}
