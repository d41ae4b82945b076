import { MOST_TEXT } from '../../mo/stored.ts';
import type { Item } from '../message.ts';
import type { StoredChunk } from '../storedData.ts';
import { arrivedBytes, ObjectBuffer } from './largeObject.ts';

export type Reception =
  /** An Item that is whole, at once or now. */
  | { readonly kind: 'whole'; readonly item: Item }
  /** Answer with this code: 213 more to come, 411, 413, 415 or 424 refused. */
  | { readonly kind: 'status'; readonly code: 213 | 411 | 413 | 415 | 424 };

/** Takes Items as they come and puts chunked ones together (1x§8). */
export class ObjectReceiver {
  /** The Item of an object that was broken off by another one: to be told by Alert 1225. */
  broken: Item | undefined;
  readonly #limit: number;
  readonly #sizeRequired: boolean;
  #buffer: ObjectBuffer | undefined;
  /** The open object was refused with this code; the rest of its chunks is swallowed. */
  #refused: 411 | 413 | 415 | undefined;

  constructor(limit: number, sizeRequired: boolean) {
    this.#limit = limit;
    this.#sizeRequired = sizeRequired;
  }

  get open(): boolean {
    return this.#buffer !== undefined;
  }

  /** Something came that does not continue the open object. */
  interrupt(): void {
    if (this.#buffer) this.broken = withoutData(this.#buffer.first);
    this.#buffer = undefined;
    this.#refused = undefined;
  }

  continues(item: Item): boolean {
    return this.#buffer?.continues(item) ?? false;
  }

  take(item: Item): Reception {
    if (this.#buffer && !this.#buffer.continues(item)) this.interrupt();
    if (!this.#buffer) {
      if (!item.moreData) return { kind: 'whole', item };
      this.#buffer = new ObjectBuffer(this.#acceptable(item) ? item : withoutData(item));
    } else if (this.#refused === undefined) {
      if (this.#buffer.bytes + arrivedBytes(item) > this.#most(item)) this.#refused = 413;
      else this.#buffer.add(item);
    }
    if ((item.stored as StoredChunk | undefined)?.invalid) this.#refused ??= 415;
    const refused = this.#refused;
    if (item.moreData) return { kind: 'status', code: refused ?? 213 };
    const whole = this.#buffer.complete();
    this.#buffer = undefined;
    this.#refused = undefined;
    if (refused !== undefined) return { kind: 'status', code: refused };
    return whole === 424 ? { kind: 'status', code: 424 } : { kind: 'whole', item: whole };
  }

  /** Bytes are stored as they come; only a text is put together in memory. */
  #most(item: Item): number {
    return item.stored ? this.#limit : Math.min(this.#limit, MOST_TEXT);
  }

  #acceptable(first: Item): boolean {
    const size = first.meta?.size;
    if (size === undefined && this.#sizeRequired) this.#refused = 411;
    else if (Math.max(size ?? 0, arrivedBytes(first)) > this.#most(first)) this.#refused = 413;
    return this.#refused === undefined;
  }
}

function withoutData(item: Item): Item {
  const { data: _data, stored: _stored, moreData: _more, ...rest } = item;
  return rest;
}
