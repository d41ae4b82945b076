import { isBinary, parseFormat } from '../../mo/format.ts';
import type { BodyElement, Item, Meta, SyncMLMessage } from '../message.ts';
import type { Machine, OpenObject } from '../turn.ts';
import { arrivedBytes, continuesObject, dataBytes, type StoredChunk } from './largeObject.ts';
import { store } from './turns.ts';

/** Chunked objects up to this size are put together in memory, larger ones in the store. */
const IN_MEMORY = 256 * 1024;

interface Open {
  readonly first: Item;
  /** How text in it is meant: in XML as base64, in WBXML as bytes that happen to be text. */
  readonly coding: 'base64' | 'raw';
  to?: OpenObject;
  /** Bytes of Data so far. */
  arrived: number;
  /** Beyond the limit: whoever puts the object together refuses it, so nothing more is stored. */
  refused: boolean;
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

  /** The message with references in place of what was stored. */
  *absorb(message: SyncMLMessage): Machine<SyncMLMessage> {
    if (!this.#open && !message.body.some(hasChunk)) return message;
    const body: BodyElement[] = [];
    for (const element of message.body) {
      if (!('items' in element) || element.kind === 'Status' || element.kind === 'Alert') {
        body.push(element);
        continue;
      }
      const items: Item[] = [];
      for (const item of element.items) items.push(yield* this.#take(item, element.meta));
      body.push({ ...element, items });
    }
    return { ...message, body };
  }

  *#take(item: Item, inherited: Meta | undefined): Machine<Item> {
    if (this.#open && !continuesObject(this.#open.first, item)) this.#open = undefined;
    this.#open ??= item.moreData ? opened(item, inherited, this.#limit) : undefined;
    const open = this.#open;
    if (!open) return item;
    const last = item.moreData !== true;
    if (last) this.#open = undefined;
    const { data = '', ...rest } = item;
    open.arrived += arrivedBytes(item);
    open.refused ||= open.arrived > this.#limit;
    if (open.refused) return item;
    const coding = typeof data === 'string' ? open.coding : 'raw';
    const before = open.to;
    const after = yield* store({ data, coding, last, ...(before && { to: before }) });
    open.to = after;
    const from = before?.bytes ?? 0;
    const stored: StoredChunk = {
      object: after.object,
      from,
      bytes: after.bytes - from,
      arrived: dataBytes(data),
      ...(after.invalid && { invalid: true }),
    };
    return { ...rest, stored };
  }
}

function hasChunk(element: BodyElement): boolean {
  return 'items' in element && element.items.some((item) => item.moreData);
}

/** An object to be stored begins with this chunk: a binary one, large or of unknown size. */
function opened(item: Item, inherited: Meta | undefined, limit: number): Open | undefined {
  const meta = { ...inherited, ...item.meta };
  const format = parseFormat(meta.format);
  const size = meta.size ?? Number.POSITIVE_INFINITY;
  if (!isBinary(format) || size <= IN_MEMORY) return undefined;
  const refused = meta.size !== undefined && meta.size > limit;
  return { first: item, coding: typeof item.data === 'string' ? 'base64' : 'raw', arrived: 0, refused };
}
