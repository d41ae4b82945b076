import { isSerialization } from '../../dm2/mediaTypes.ts';
import type { StoredBytes } from '../../mo/stored.ts';
import type { ObjectStore, ObjectWriter } from './objects.ts';
import { ValueExtractor } from './valueExtractor.ts';

/** Bodies up to this size stay in memory. */
const IN_MEMORY = 1024 * 1024;

/** A body that arrived; `body` holds the marks of values that were stored, or is empty where all of it was. */
export interface Received {
  readonly body: Uint8Array;
  readonly stored?: StoredBytes;
}

/** Takes a body of any size as it arrives: what is small is kept, what is large goes to the object store. */
export class Receiver {
  readonly #objects: ObjectStore;
  readonly #sessionId: string;
  readonly #contentType: string | undefined;
  readonly #most: number;
  #kept: Uint8Array[] = [];
  #size = 0;
  #extractor: ValueExtractor | undefined;
  #writer: ObjectWriter | undefined;
  #done: Promise<void> = Promise.resolve();

  /** `store` false: it is kept whatever its size. */
  constructor(objects: ObjectStore, sessionId: string, contentType: string | undefined, store = true) {
    this.#most = store ? IN_MEMORY : Number.POSITIVE_INFINITY;
    this.#objects = objects;
    this.#sessionId = sessionId;
    this.#contentType = contentType;
  }

  /** A promise when the sender should wait for it. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#size += chunk.length;
    const storing = this.#extractor ?? this.#writer;
    if (!storing) {
      this.#kept.push(chunk);
      if (this.#size <= this.#most) return undefined;
    }
    const bytes = storing ? chunk : Buffer.concat(this.#kept.splice(0));
    const into = storing ?? this.#begin();
    this.#done = this.#done.then(() => into.write(bytes));
    // Whoever waits hears of a failure, at `end` at the latest.
    this.#done.catch(() => undefined);
    return this.#done;
  }

  async end(): Promise<Received> {
    await this.#done;
    if (this.#extractor) return { body: await this.#extractor.end() };
    if (this.#writer) return { body: new Uint8Array(), stored: await this.#writer.end() };
    const [only] = this.#kept;
    return { body: only && this.#kept.length === 1 ? only : Buffer.concat(this.#kept) };
  }

  #begin(): ValueExtractor | ObjectWriter {
    const writer = () => this.#objects.writer(this.#sessionId);
    if (isSerialization(this.#contentType)) {
      this.#extractor = new ValueExtractor({ writer, read: (stored) => this.#objects.read(stored) });
      return this.#extractor;
    }
    this.#writer = writer();
    return this.#writer;
  }
}
