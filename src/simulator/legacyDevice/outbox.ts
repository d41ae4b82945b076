import type { SyncMLMessage } from '../../dm1/message.ts';
import { cut, pieceLength } from '../chunks.ts';
import { dataSize, type Outgoing, type OutResults } from '../syncml.ts';

/** Encodes a message with these elements; used to measure before sending. */
export type Assemble = (elements: readonly Outgoing[], final: boolean) => Assembled;

export interface Assembled {
  readonly message: SyncMLMessage;
  readonly bytes: Uint8Array;
  /** What the body was made of, in its order. */
  readonly elements: readonly Outgoing[];
}

export interface Packed extends Assembled {
  /** Everything has been said; the package is complete. */
  readonly emptied: boolean;
}

/**
 * What a device still has to say in this package. It fills messages up to the server's MaxMsgSize and
 * cuts Results that are larger than a message into chunks (1x§8).
 */
export class Outbox {
  #waiting: Outgoing[] = [];
  /** Rest of Results being chunked. */
  #object: { readonly results: OutResults; rest: string | Uint8Array; first: boolean } | undefined;

  add(...elements: readonly Outgoing[]): void {
    this.#waiting.push(...elements);
  }

  clear(): void {
    this.#waiting = [];
    this.#object = undefined;
  }

  get empty(): boolean {
    return this.#waiting.length === 0 && !this.#object;
  }

  /** Whether a large object is under way, so that Status 213 for Results is expected. */
  get chunking(): boolean {
    return this.#object !== undefined;
  }

  /** Builds the next message; `head` must go in first (Status of the SyncHdr and such), `tail` last. */
  pack(
    head: readonly Outgoing[],
    max: number | undefined,
    mayEnd: boolean,
    chunks: boolean,
    assemble: Assemble,
    tail: readonly Outgoing[] = [],
  ): Packed {
    if (this.#object) return this.#chunk(head, max!, mayEnd, assemble);
    const all = this.#waiting;
    const whole = assemble([...head, ...all, ...(mayEnd ? [] : tail)], mayEnd);
    if (max === undefined || whole.bytes.length <= max) {
      this.#waiting = [];
      return { ...whole, emptied: true };
    }
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (assemble([...head, ...all.slice(0, middle), ...tail], false).bytes.length <= max) low = middle;
      else high = middle - 1;
    }
    const next = all[low];
    if (low === 0 && next?.kind === 'Results') {
      this.#waiting = all.slice(1);
      if (chunks) {
        this.#object = { results: next, rest: next.items[0]?.data ?? '', first: true };
        return this.#chunk(head, max, mayEnd, assemble);
      }
      // Without large objects the value cannot be given at all; the Get's Status has gone out already.
      return this.pack(head, max, mayEnd, chunks, assemble, tail);
    }
    this.#waiting = all.slice(Math.max(low, 1));
    return { ...assemble([...head, ...all.slice(0, Math.max(low, 1)), ...tail], false), emptied: false };
  }

  #chunk(head: readonly Outgoing[], max: number, mayEnd: boolean, assemble: Assemble): Packed {
    const object = this.#object!;
    const [item] = object.results.items;
    const element = (data: string | Uint8Array, more: boolean): OutResults => ({
      ...object.results,
      meta: { ...object.results.meta, ...(object.first ? { size: dataSize(object.rest) } : {}) },
      items: [{ ...item, data, ...(more ? { moreData: true } : {}) }],
    });
    const last = mayEnd && this.#waiting.length === 0;
    const whole = assemble([...head, element(object.rest, false)], last);
    if (whole.bytes.length <= max) {
      this.#object = undefined;
      return { ...whole, emptied: this.#waiting.length === 0 };
    }
    const take = pieceLength(
      object.rest,
      max,
      (piece) => assemble([...head, element(piece, true)], false).bytes.length,
    );
    const packed = assemble([...head, element(cut(object.rest, 0, take), true)], false);
    object.rest = cut(object.rest, take);
    object.first = false;
    return { ...packed, emptied: false };
  }
}
