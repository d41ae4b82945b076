import { parseFormat } from '../mo/format.ts';
import { base64Length, type StoredBytes } from '../mo/stored.ts';
import type { BodyElement, Item, SyncMLMessage } from './message.ts';

/** A chunk whose Data was put in the store as it came. */
export interface StoredChunk extends StoredBytes {
  /** Bytes that the Data took in its message. */
  readonly arrived: number;
  /** Of what comes as base64: the text at its end that waits for more. */
  readonly rest?: string;
  /** It is no base64. */
  readonly invalid?: true;
}

/** One Item of a message. */
export interface ChunkPlace {
  readonly message: SyncMLMessage;
  /** Index of its element in the body. */
  readonly element: number;
  /** Its index in the element. */
  readonly item: number;
}

/** The message with the name of what was stored instead of the Data. */
export function withChunk({ message, element, item }: ChunkPlace, stored: StoredChunk): SyncMLMessage {
  const body = message.body.map((each, i): BodyElement => {
    if (i !== element || !('items' in each)) return each;
    const items = each.items.map((one, j): Item => {
      if (j !== item) return one;
      const { data: _, ...rest } = one;
      return { ...rest, stored };
    });
    return { ...each, items };
  });
  return { ...message, body };
}

/** Stored Data travels as base64 text, not as the bytes themselves. */
export function isSentAsBase64({ stored, meta }: Item): boolean {
  return stored?.text === true || parseFormat(meta?.format) === 'b64';
}

/** Bytes that an Item's stored Data takes in a message; 0 where none is stored. */
export function storedItemBytes(item: Item): number {
  const { stored } = item;
  if (!stored) return 0;
  return isSentAsBase64(item) ? base64Length(stored.bytes) : stored.bytes;
}

/** The same for a whole element. */
export function storedElementBytes(element: BodyElement): number {
  if (element.kind === 'Atomic' || element.kind === 'Sequence')
    return element.commands.reduce((sum, command) => sum + storedElementBytes(command), 0);
  if (!('items' in element)) return 0;
  return element.items.reduce((sum, item) => sum + storedItemBytes(item), 0);
}
