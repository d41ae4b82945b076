import { isBinary, parseFormat } from '../../mo/format.ts';
import type { Encoding, Item } from '../message.ts';

/** Data of an Item in the form and Format that its chunks travel in (1x§7.3, §8). */
export function transmitted(item: Item, encoding: Encoding): Item {
  if (item.data === undefined || typeof item.data === 'string' || encoding.form === 'wbxml') return item;
  return { ...item, meta: { ...item.meta, format: 'b64' }, data: Buffer.from(item.data).toString('base64') };
}

export function dataBytes(data: string | Uint8Array | undefined): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : data.byteLength;
}

/** The longest start of `data` from `at` with at most `bytes` bytes, never cutting a character in two. */
export function sliceData(data: string | Uint8Array, at: number, bytes: number): string | Uint8Array {
  if (typeof data !== 'string') return data.subarray(at, at + bytes);
  let end = at;
  let used = 0;
  while (end < data.length) {
    const point = data.codePointAt(end) ?? 0;
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (used + size > bytes) break;
    used += size;
    end += point < 0x10000 ? 1 : 2;
  }
  return data.slice(at, end);
}

export interface Chunk {
  readonly item: Item;
  /** Where the next chunk begins. */
  readonly end: number;
  readonly last: boolean;
}

/**
 * The chunk of an Item's data that begins at `at` and fits. Size stands in the first one only, MoreData
 * in all but the last (1x§8). `undefined`: no object to be chunked, larger than `maxObject`, or no room.
 */
export function chunkOf(
  item: Item,
  at: number,
  maxObject: number | undefined,
  fits: (part: Item) => boolean,
  room: number,
): Chunk | undefined {
  const { data } = item;
  if (data === undefined) return undefined;
  const total = dataBytes(data);
  if (maxObject !== undefined && total > maxObject) return undefined;
  const { size: _, ...meta } = item.meta ?? {};
  const part = (text: string | Uint8Array, last: boolean): Item => ({
    ...item,
    meta: at === 0 ? { ...meta, size: total } : meta,
    data: text,
    ...(!last && { moreData: true }),
  });
  for (let bytes = Math.min(room, total); bytes >= 1; bytes = Math.floor(bytes * 0.9)) {
    const slice = sliceData(data, at, bytes);
    if (slice.length === 0) return undefined;
    const last = at + slice.length >= data.length;
    const chunk = part(slice, last);
    if (fits(chunk)) return { item: chunk, end: at + slice.length, last };
  }
  return undefined;
}

/** Puts the chunks of one object together (1x§8). */
export class ObjectBuffer {
  readonly first: Item;
  readonly #parts: (string | Uint8Array)[] = [];
  #bytes = 0;

  constructor(first: Item) {
    this.first = first;
    this.add(first);
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(item: Item): void {
    if (item.data === undefined) return;
    this.#parts.push(item.data);
    this.#bytes += dataBytes(item.data);
  }

  /** The same object goes on: same addresses, or none given. */
  continues(item: Item): boolean {
    const same = (a: string | undefined, b: string | undefined): boolean => b === undefined || a === b;
    return same(this.first.target?.uri, item.target?.uri) && same(this.first.source?.uri, item.source?.uri);
  }

  /** 424 when it has not the size that was announced (1x§8), else the whole Item. */
  complete(): Item | 424 {
    const announced = this.first.meta?.size;
    if (announced !== undefined && announced !== this.#bytes) return 424;
    const { moreData: _, ...item } = this.first;
    return { ...item, data: this.#join() };
  }

  #join(): string | Uint8Array {
    if (this.#parts.every((part) => typeof part === 'string')) return this.#parts.join('');
    const bytes = Buffer.concat(this.#parts.map((p) => (typeof p === 'string' ? Buffer.from(p, 'utf8') : p)));
    if (isBinary(parseFormat(this.first.meta?.format))) return bytes;
    // A text cut inside a character arrives as bytes; whole again it is text.
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return bytes;
    }
  }
}
