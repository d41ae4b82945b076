/** Bounds on what one message may contain; whatever exceeds them is refused as `too-large`. */
export interface CodecLimits {
  /** Bytes of the whole message. */
  readonly bytes: number;
  /** Nesting of SyncML elements. */
  readonly depth: number;
  /** Nesting including markup inside Data (TNDS trees). */
  readonly totalDepth: number;
  /** Elements in the whole message. */
  readonly elements: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Characters of one text. */
  readonly text: number;
}

export const DEFAULT_LIMITS: CodecLimits = Object.freeze({
  bytes: 16 * 1024 * 1024,
  depth: 32,
  totalDepth: 256,
  elements: 200_000,
  attributes: 32,
  text: 16 * 1024 * 1024,
});
