/**
 * Bytes that are kept in the object store and not in memory: a value too large to be carried through a
 * session. What is done with it is done by reference; whoever sends it reads the bytes then.
 */
export interface StoredBytes {
  /** Its id in the store, not to be guessed. */
  readonly object: string;
  /** Offset of the first byte. */
  readonly from: number;
  readonly bytes: number;
  /** The value is a text, the base64 of these bytes. */
  readonly text?: true;
}

/** Most bytes of one text, or of one document besides what was stored of it, that a session holds in memory. */
export const MOST_TEXT = 4 * 1024 * 1024;

export function isStored(value: unknown): value is StoredBytes {
  return typeof value === 'object' && value !== null && 'object' in value && 'from' in value;
}

/** At most `bytes` bytes of it from `at` on. */
export function sliceStored(stored: StoredBytes, at: number, bytes: number): StoredBytes {
  return { ...stored, from: stored.from + at, bytes: Math.max(0, Math.min(bytes, stored.bytes - at)) };
}

export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

export const MARK_START = 'dragoman-stored:';

/** Stands for stored bytes where there is room for text only: in a journaled message, in a document. */
export function storedMark({ object, from, bytes, text }: StoredBytes): string {
  return `${MARK_START}${object}:${from}:${bytes}:${text ? 'text' : 'bytes'}`;
}

/** Marks inside a text. */
export const MARKS = new RegExp(`${MARK_START}[\\w-]{22,64}:\\d{1,15}:\\d{1,15}:(?:text|bytes)`, 'g');
const MARK = new RegExp(`^${MARK_START}([\\w-]{22,64}):(\\d{1,15}):(\\d{1,15}):(text|bytes)$`);

export function parseStoredMark(mark: string): StoredBytes | undefined {
  const match = mark.startsWith(MARK_START) ? MARK.exec(mark) : null;
  if (!match) return undefined;
  const [, object, from, bytes, as] = match;
  return {
    object: object!,
    from: Number(from),
    bytes: Number(bytes),
    ...(as === 'text' && { text: true }),
  };
}
