import { dataBytes } from '../../dm1/session/largeObject.ts';
import type { StoredChunk } from '../../dm1/storedData.ts';
import type { StorePiece } from '../../dm1/turn.ts';
import type { ContentPart } from '../../interworking/content.ts';
import { type StoredBytes, sliceStored } from '../../mo/stored.ts';
import type { Also } from '../../store/engine.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { newId } from '../../support/ids.ts';

/** Bytes that are in memory at a time of what is read or written. */
const PIECE = 48 * 1024;

interface Piece {
  readonly start: number;
  readonly ends: number;
  readonly body: Uint8Array;
}

type NewPiece = [
  object: string,
  start: number,
  session_id: string,
  ends: number,
  body: Uint8Array,
  created_at: number,
];

/**
 * Values too large for memory (IW-WR-5): each an id and its bytes in pieces, in the store, where every node finds
 * them after any restart. They live as long as the session that brought them.
 */
export class ObjectStore {
  readonly #store: Store;
  readonly #now: Clock;
  /** Sessions with objects. */
  readonly #holding = new Set<string>();
  readonly #within: (object: string, to: number, from: number) => Promise<Piece[]>;
  readonly #insert: (also: Also | undefined, ...row: NewPiece) => Promise<unknown> | undefined;

  constructor(store: Store, now: Clock = systemClock) {
    this.#store = store;
    this.#now = now;
    this.#within = store.prepare<[string, number, number], Piece>((slot) =>
      store.db
        .selectFrom('objects')
        .select(['start', 'ends', 'body'])
        .where('object', '=', slot<string>(0))
        .where('start', '<', slot<number>(1))
        .where('ends', '>', slot<number>(2))
        .orderBy('start')
        .compile(),
    );
    this.#insert = store.prepareAlso<NewPiece>((slot) => {
      const row = { ends: slot<number>(3), body: slot<Uint8Array>(4), created_at: slot<number>(5) };
      return store.db
        .insertInto('objects')
        .values({ object: slot<string>(0), start: slot<number>(1), session_id: slot<string>(2), ...row })
        .onConflict((conflict) => conflict.columns(['object', 'start']).doUpdateSet(row))
        .compile();
    });
  }

  /**
   * Performs `object.append`: the piece becomes durable with what the session writes next. The same piece
   * again, after a crash, takes the place of the first.
   */
  async append(
    { sessionId, also }: { readonly sessionId: string; readonly also?: Also },
    { data, coding, last, after }: StorePiece,
  ): Promise<{ readonly at: number; readonly chunk: StoredChunk }> {
    const at = this.#now();
    const from = after ? after.from + after.bytes : 0;
    const place = { object: after?.object ?? newId('obj'), from, arrived: dataBytes(data) };
    const text = coding === 'base64' ? { rest: after?.rest ?? '' } : undefined;
    const piece = text ? decodePiece(text.rest, data, last) : rawPiece(data);
    if (!piece || after?.invalid) return { at, chunk: { ...place, bytes: 0, ...text, invalid: true } };
    await this.#put(sessionId, place.object, from, piece.bytes, also);
    return { at, chunk: { ...place, bytes: piece.bytes.length, ...(text && { rest: piece.rest }) } };
  }

  /** Begins an object whose bytes come one after another. */
  writer(sessionId: string): ObjectWriter {
    return new ObjectWriter((object, start, bytes) => this.#put(sessionId, object, start, bytes));
  }

  /** @throws DragomanError `internal` when these bytes are not there */
  async read({ object, from, bytes }: StoredBytes): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array();
    const pieces = await this.#within(object, from + bytes, from);
    const parts = pieces.map(({ start, body }) =>
      body.subarray(Math.max(0, from - Number(start)), Math.max(0, from + bytes - Number(start))),
    );
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (whole.length !== bytes)
      throw new DragomanError('internal', `The object ${object} is not in the store.`);
    return whole;
  }

  /** A document piece by piece; base64 is made on the way. */
  async *stream(parts: readonly ContentPart[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      if (part instanceof Uint8Array) {
        yield part;
        continue;
      }
      const { stored, coding } = part;
      for (let at = 0; at < stored.bytes; at += PIECE) {
        const bytes = await this.read(sliceStored(stored, at, PIECE));
        yield coding === 'raw' ? bytes : Buffer.from(asBuffer(bytes).toString('base64'), 'latin1');
      }
    }
  }

  /** Deletes what a session kept, when it kept something in this process. */
  async release(sessionId: string): Promise<void> {
    if (!this.#holding.delete(sessionId)) return;
    await this.#store.db.deleteFrom('objects').where('session_id', '=', sessionId).execute();
  }

  /** Deletes what sessions left behind that a process did not bring to their end; resolves to how many pieces that were. */
  async prune(before: number): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('objects')
      .where('created_at', '<', before)
      .where('session_id', 'not in', (of) =>
        of.selectFrom('sessions').select('id').where('state', '=', 'live'),
      )
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #put(
    sessionId: string,
    object: string,
    start: number,
    bytes: Uint8Array,
    also?: Also,
  ): Promise<void> {
    if (bytes.length === 0) return;
    this.#holding.add(sessionId);
    await this.#insert(also, object, start, sessionId, start + bytes.length, asBuffer(bytes), this.#now());
  }
}

/** Bytes on their way to the store, in pieces of even size. */
export class ObjectWriter {
  readonly #object = newId('obj');
  readonly #put: (object: string, start: number, bytes: Uint8Array) => Promise<void>;
  #waiting: Uint8Array[] = [];
  #held = 0;
  #written = 0;

  constructor(put: (object: string, start: number, bytes: Uint8Array) => Promise<void>) {
    this.#put = put;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#held += bytes.length;
    if (this.#held >= PIECE) await this.#flush();
  }

  async end(): Promise<StoredBytes> {
    await this.#flush();
    return { object: this.#object, from: 0, bytes: this.#written };
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting, this.#held);
    this.#waiting = [];
    this.#held = 0;
    await this.#put(this.#object, this.#written, bytes);
    this.#written += bytes.length;
  }
}

function rawPiece(data: string | Uint8Array): { bytes: Uint8Array; rest: string } {
  return { bytes: typeof data === 'string' ? Buffer.from(data, 'utf8') : data, rest: '' };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** What can be decoded so far, wherever the text was cut; `undefined` where it is no base64 (RFC 4648 §4). */
export function decodePiece(
  rest: string,
  data: string | Uint8Array,
  last: boolean,
): { bytes: Uint8Array; rest: string } | undefined {
  const text =
    rest + (typeof data === 'string' ? data : asBuffer(data).toString('latin1')).replace(/\s+/g, '');
  if (!BASE64.test(text)) return undefined;
  const end = text.length - (text.length % 4);
  if (last && end !== text.length) return undefined;
  // Padding ends the text: what is padded waits, so that more behind it is found out.
  const padded = text.endsWith('=') && !last;
  const usable = padded ? Math.max(0, end - 4) : end;
  return { bytes: Buffer.from(text.slice(0, usable), 'base64'), rest: text.slice(usable) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
