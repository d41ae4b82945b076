import { parseFormat } from '../mo/format.ts';
import { base64Length } from '../mo/stored.ts';
import type { BodyElement, Item } from './message.ts';

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
