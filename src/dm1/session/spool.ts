import { isBinary, parseFormat } from '../../mo/format.ts';
import type { BodyElement, Item, Meta, SyncMLMessage } from '../message.ts';
import { type StoredChunk, withChunk } from '../storedData.ts';
import type { Machine } from '../turn.ts';
import { arrivedBytes, continuesObject } from './largeObject.ts';
import { store } from './turns.ts';

/** Chunked objects up to this size are put together in memory, larger ones in the store. */
const IN_MEMORY = 256 * 1024;

interface Open {
  readonly first: Item;
  /** How text in it is meant: in XML as base64, in WBXML as bytes that happen to be text. */
  readonly coding: 'base64' | 'raw';
  /** What of it was stored last. */
  chunk?: StoredChunk;
  /** Bytes of Data so far. */
  arrived: number;
  /** Text, or small; or beyond the limit: whoever puts the object together refuses that. */
  inMemory: boolean;
}

/**
 * Takes the Data out of chunks as they arrive and puts it in the store, so that a session holds no large
 * object, however many chunks it comes in (1x§8). Text stays: only binary values are known to be needed
 * as bytes alone.
 */
export class Spool {
  readonly #limit: number;
  #open: Open | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The message with references in place of what was stored. Chunks that are stored already stay as they are. */
  *absorb(message: SyncMLMessage): Machine<SyncMLMessage> {
    if (!this.#open && !message.body.some(hasChunk)) return message;
    let absorbed = message;
    for (const [element, each] of message.body.entries()) {
      if (!('items' in each) || each.kind === 'Status' || each.kind === 'Alert') continue;
      for (const [at, item] of each.items.entries()) {
        const open = this.#next(item, each.meta);
        if (!open) continue;
        const { data = '' } = item;
        const coding = typeof data === 'string' ? open.coding : 'raw';
        const last = item.moreData !== true;
        const place = { message: absorbed, element, item: at };
        const after = open.chunk && { after: open.chunk };
        open.chunk =
          (item.stored as StoredChunk | undefined) ?? (yield* store({ data, coding, last, ...after, place }));
        absorbed = withChunk(place, open.chunk);
      }
    }
    return absorbed;
  }

  /** The open object goes on no more; the next chunk begins one. */
  interrupt(): void {
    this.#open = undefined;
  }

  /** The object that this Item brings a chunk of, if it is one to be stored. */
  #next(item: Item, inherited: Meta | undefined): Open | undefined {
    if (this.#open && !continuesObject(this.#open.first, item)) this.#open = undefined;
    if (!this.#open && item.moreData) this.#open = opened(item, inherited, this.#limit);
    const open = this.#open;
    if (!open) return undefined;
    if (!item.moreData) this.#open = undefined;
    open.arrived += arrivedBytes(item);
    open.inMemory ||= open.arrived > this.#limit;
    return open.inMemory ? undefined : open;
  }
}

/** It holds a chunk that is not the last of its object. */
export function hasChunk(element: BodyElement): boolean {
  return 'items' in element && element.items.some((item) => item.moreData);
}

/** An object begins with this chunk: to be stored when it is binary, and large or of unknown size. */
function opened(item: Item, inherited: Meta | undefined, limit: number): Open {
  const meta = { ...inherited, ...item.meta };
  const size = meta.size ?? Number.POSITIVE_INFINITY;
  const inMemory =
    !isBinary(parseFormat(meta.format)) || size <= IN_MEMORY || (meta.size !== undefined && size > limit);
  const stored = item.stored as StoredChunk | undefined;
  const isText = stored ? stored.rest !== undefined : typeof item.data === 'string';
  return { first: item, coding: isText ? 'base64' : 'raw', arrived: 0, inMemory };
}
