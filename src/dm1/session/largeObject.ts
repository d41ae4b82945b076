import { isBinary, parseFormat } from '../../mo/format.ts';
import { type StoredBytes, sliceStored } from '../../mo/stored.ts';
import type { Encoding, Item } from '../message.ts';
import { isSentAsBase64, type StoredChunk, storedItemBytes } from '../storedData.ts';

/** Data of an Item in the form and Format that its chunks travel in (1x§7.3, §8). */
export function transmitted(item: Item, encoding: Encoding): Item {
  if (encoding.form === 'wbxml') return item;
  if (item.stored) return item.stored.text ? item : { ...item, meta: { ...item.meta, format: 'b64' } };
  if (item.data === undefined || typeof item.data === 'string') return item;
  return { ...item, meta: { ...item.meta, format: 'b64' }, data: Buffer.from(item.data).toString('base64') };
}

export function dataBytes(data: string | Uint8Array | undefined): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : data.byteLength;
}

/** Bytes that an Item's Data takes, stored or not. */
export function itemBytes(item: Item): number {
  return item.stored ? storedItemBytes(item) : dataBytes(item.data);
}

/** The longest start of `data` from `at` with at most `bytes` bytes, never cutting a character in two. */
function sliceData(data: string | Uint8Array, at: number, bytes: number): string | Uint8Array {
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
  const { data, stored } = item;
  const length = stored ? stored.bytes : data?.length;
  if (length === undefined) return undefined;
  const total = itemBytes(item);
  if (maxObject !== undefined && total > maxObject) return undefined;
  const { size: _, ...meta } = item.meta ?? {};
  for (let bytes = Math.min(room, total); bytes >= 1; bytes = Math.floor(bytes * 0.9)) {
    const slice = stored ? storedSlice(item, stored, at, bytes) : dataSlice(data!, at, bytes);
    if (slice.length === 0) return undefined;
    const last = at + slice.length >= length;
    const chunk: Item = {
      ...item,
      meta: at === 0 ? { ...meta, size: total } : meta,
      ...slice.part,
      ...(!last && { moreData: true }),
    };
    if (fits(chunk)) return { item: chunk, end: at + slice.length, last };
  }
  return undefined;
}

interface Slice {
  readonly length: number;
  readonly part: Pick<Item, 'data' | 'stored'>;
}

function dataSlice(data: string | Uint8Array, at: number, bytes: number): Slice {
  const slice = sliceData(data, at, bytes);
  return { length: slice.length, part: { data: slice } };
}

/** Most stored bytes that one message brings, also where the peer names no size. */
const MOST_STORED = 256 * 1024;

/** Of stored bytes that travel as base64 only whole groups of three, so that the texts join. */
function storedSlice(item: Item, stored: StoredBytes, at: number, room: number): Slice {
  const most = Math.min(room, MOST_STORED);
  const slice = sliceStored(stored, at, isSentAsBase64(item) ? Math.floor(most / 4) * 3 : most);
  return { length: slice.bytes, part: { stored: slice } };
}

/** Whether an Item may be the next chunk of the object that `first` began: same addresses, or none given. */
export function continuesObject(first: Item, item: Item): boolean {
  const same = (a: string | undefined, b: string | undefined): boolean => b === undefined || a === b;
  return same(first.target?.uri, item.target?.uri) && same(first.source?.uri, item.source?.uri);
}

/** Bytes that the Data of a chunk took in its message. */
export function arrivedBytes({ data, stored }: Item): number {
  return stored ? (stored as StoredChunk).arrived : dataBytes(data);
}

/** Puts the chunks of one object together (1x§8). */
export class ObjectBuffer {
  readonly first: Item;
  readonly #parts: (string | Uint8Array)[] = [];
  #stored: StoredBytes | undefined;
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
    const { data, stored } = item;
    this.#bytes += arrivedBytes(item);
    if (stored) {
      this.#stored = this.#stored
        ? { ...this.#stored, bytes: this.#stored.bytes + stored.bytes }
        : { object: stored.object, from: stored.from, bytes: stored.bytes };
    } else if (data !== undefined) this.#parts.push(data);
  }

  /** The same object goes on: same addresses, or none given. */
  continues(item: Item): boolean {
    return continuesObject(this.first, item);
  }

  /** 424 when it has not the size that was announced (1x§8), else the whole Item. */
  complete(): Item | 424 {
    const announced = this.first.meta?.size;
    if (announced !== undefined && announced !== this.#bytes) return 424;
    const { moreData: _, stored: __, ...item } = this.first;
    return this.#stored ? { ...item, stored: this.#stored } : { ...item, data: this.#join() };
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
