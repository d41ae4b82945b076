import type { Item, ItemCommand } from '../../dm1/message.ts';
import { dataSize, itemMeta } from '../syncml.ts';

/** Outcome of one chunk. */
export type ChunkOutcome =
  /** Answer with this code; 213 while more is to come. */
  | { readonly kind: 'status'; readonly code: number }
  /** The object is whole: execute this command. */
  | { readonly kind: 'complete'; readonly command: ItemCommand };

/** Puts a large object from the server together (1x§8). */
export class LargeObject {
  readonly #kind: ItemCommand['kind'];
  readonly #uri: string;
  readonly #size: number;
  readonly #first: Item;
  readonly #chunks: (string | Uint8Array)[] = [];
  readonly violations: string[] = [];

  constructor(command: ItemCommand) {
    const item = command.items.at(-1)!;
    this.#kind = command.kind;
    this.#uri = item.target?.uri ?? '';
    this.#size = itemMeta(command, item).size ?? -1;
    this.#first = { ...item, meta: itemMeta(command, item) };
    if (this.#size < 0) this.violations.push(`first chunk of ${this.#uri} without Meta Size`);
  }

  get uri(): string {
    return this.#uri;
  }

  get sized(): boolean {
    return this.#size >= 0;
  }

  /** Whether `command` goes on with this object. */
  continues(command: ItemCommand): boolean {
    return command.kind === this.#kind && command.items.at(-1)?.target?.uri === this.#uri;
  }

  take(command: ItemCommand): ChunkOutcome {
    const item = command.items.at(-1)!;
    if (this.#chunks.length > 0 && itemMeta(command, item).size !== undefined) {
      this.violations.push(`Size repeated in a later chunk of ${this.#uri}`);
    }
    this.#chunks.push(item.data ?? '');
    if (item.moreData) return { kind: 'status', code: 213 };
    const total = this.#chunks.reduce((sum, chunk) => sum + dataSize(chunk), 0);
    if (total !== this.#size) return { kind: 'status', code: 424 };
    const { moreData: _, ...first } = this.#first;
    return {
      kind: 'complete',
      command: { ...command, items: [{ ...first, data: joined(this.#chunks) }] },
    };
  }
}

function joined(chunks: readonly (string | Uint8Array)[]): string | Uint8Array {
  if (chunks.every((chunk) => typeof chunk === 'string')) return chunks.join('');
  return new Uint8Array(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as Uint8Array))));
}
