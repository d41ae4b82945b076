/**
 * A reader that walks over one document, element by element, whatever its encoding. After `next` has
 * returned an element, exactly one of `next` (until END), `text`, `data` or `skip` consumes it.
 */
export interface ElementCursor {
  /** Enters the next child and returns its id (`page << 6 | token`) or UNKNOWN; END when the element is over. */
  next(): number;
  /** Local name of the element entered last. */
  name(): string;
  /** Text of the element just entered, to its end; elements inside are read over. */
  text(): string;
  /**
   * Content of a Data element: text, markup as its XML text, or undefined for a lone WBXML opaque,
   * whose bytes are then `opaque()`: what they mean depends on a Meta that may come later.
   */
  data(): string | undefined;
  /** As `text`, but a lone WBXML opaque comes as its bytes. */
  textOrBytes(): string | Uint8Array;
  /** Bytes of a range that `contentStart` and `contentEnd` named. */
  opaque(start: number, end: number): Uint8Array;
  /** Reads over the element just entered. */
  skip(): void;
  /** Where the next byte or character is read. */
  readonly position: number;
  /** Byte or character range of the content that was consumed last. */
  contentStart: number;
  contentEnd: number;
  /** How many WBXML pieces the text consumed last was made of; only a single one has a content range. */
  readonly pieces: number;
  /** Text met between child elements since it was last cleared (`<Target>./x</Target>`, 1x§16.1). */
  stray: string;
  /** Control characters removed from Data (IW-VAL-4). */
  stripped: number;
  /** Throws `malformed` with the current position. */
  fail(detail: string): never;
}
