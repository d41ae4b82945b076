import { MOST_TEXT } from '../../mo/stored.ts';
import { DragomanError } from '../../support/errors.ts';

/** Pieces that become one block: a view of each of many small ones would take more memory than they do. */
const BLOCK = 1024;

/** Bytes of a document that stay in memory while it arrives. */
export class Kept {
  bytes = 0;
  readonly #blocks: Uint8Array[] = [];
  #pieces: Uint8Array[] = [];

  /** @throws DragomanError `too-large` */
  push(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.bytes > MOST_TEXT) throw tooMuch();
    this.#pieces.push(piece);
    if (this.#pieces.length >= BLOCK) this.#blocks.push(Buffer.concat(this.#pieces.splice(0)));
  }

  take(): Uint8Array {
    const whole = Buffer.concat([...this.#blocks.splice(0), ...this.#pieces.splice(0)]);
    this.bytes = 0;
    return whole;
  }
}

export function tooMuch(): DragomanError {
  return new DragomanError(
    'too-large',
    `The document holds more than ${MOST_TEXT} bytes that are no large binary values.`,
  );
}
