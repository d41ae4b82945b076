import { isBinary, parseFormat } from '../mo/format.ts';
import type { BodyElement, Command, Item, Meta, SyncMLMessage } from './message.ts';
import { continuesObject } from './session/largeObject.ts';

/**
 * A large object that goes on in its sender's next message (1x§8), and its bytes that wait for it:
 * base64 is written in whole groups of three, text in whole characters.
 */
export interface OpenChunks {
  readonly first: Pick<Item, 'target' | 'source'>;
  readonly as: 'base64' | 'text';
  /** Base64; at most three bytes. */
  readonly waiting: string;
}

export interface Transcoded {
  readonly message: SyncMLMessage;
  /** Absent: no object is open behind this message. */
  readonly open?: OpenChunks;
}

/**
 * The message as it may be written in `form` after it came in the other one. Bytes, which WBXML carries
 * as they are, become base64 in XML, also where they come in chunks; base64 from XML is no Format `bin`
 * in WBXML, which means raw bytes there (1x§7.3).
 *
 * @param open what the same sender's last message left open
 */
export function transcoded(message: SyncMLMessage, form: 'xml' | 'wbxml', open?: OpenChunks): Transcoded {
  let left = open;
  const body = message.body.map((element) => {
    if (form === 'wbxml') return eachItem(element, asBase64);
    return eachItem(element, (item, meta) => {
      const chunk = written(item, meta, left);
      if (!chunk) return item;
      left = chunk.open;
      return chunk.item;
    });
  });
  return { message: { ...message, body }, ...(left && { open: left }) };
}

/**
 * Whether a message of `came` bytes that goes on in `goes` is too large for a receiver of `max` by our
 * doing; what its sender made too large is between the two.
 */
export function outgrows(
  came: number,
  goes: number,
  max = Number.POSITIVE_INFINITY,
  recoded = false,
): boolean {
  return goes > max && (came <= max || (recoded && goes > came));
}

type Change = (item: Item, inherited: Meta | undefined) => Item;

function eachItem<E extends BodyElement | Command>(element: E, change: Change): E {
  switch (element.kind) {
    case 'Foreign':
    case 'Status':
      return element;
    case 'Atomic':
    case 'Sequence':
      return { ...element, commands: element.commands.map((child) => eachItem(child, change)) };
    case 'Alert':
      return { ...element, items: element.items.map((item) => change(item, undefined)) };
    default:
      return { ...element, items: element.items.map((item) => change(item, element.meta)) };
  }
}

function asBase64(item: Item, inherited: Meta | undefined): Item {
  const format = parseFormat(item.meta?.format ?? inherited?.format);
  if (format !== 'bin' || typeof item.data !== 'string' || item.data === '') return item;
  return labelled(item, inherited, 'b64');
}

/** A chunk in XML, and what is left of it; `undefined`: it is none, or needs no care. */
function written(
  item: Item,
  inherited: Meta | undefined,
  open: OpenChunks | undefined,
): { readonly item: Item; readonly open: OpenChunks | undefined } | undefined {
  if (item.data === undefined) return undefined;
  // Size stands in the first chunk only.
  const goesOn = open && item.meta?.size === undefined && continuesObject(open.first, item);
  if (!goesOn && (!item.moreData || typeof item.data === 'string')) return undefined;
  const bytes = bytesOf(item.data);
  const { target, source } = item;
  const { as, first, waiting } = goesOn
    ? open
    : {
        as: kindOf(item, inherited),
        first: { ...(target && { target }), ...(source && { source }) },
        waiting: '',
      };
  const all = Buffer.concat([Buffer.from(waiting, 'base64'), bytes]);
  const end = !item.moreData ? all.length : as === 'base64' ? all.length - (all.length % 3) : wholeText(all);
  const left: OpenChunks | undefined = item.moreData
    ? { first, as, waiting: all.toString('base64', end) }
    : undefined;
  if (as === 'text') return { item: { ...item, data: all.toString('utf8', 0, end) }, open: left };
  const chunk = { ...labelled(item, inherited, 'b64'), data: all.toString('base64', 0, end) };
  const size = chunk.meta?.size;
  // Size counts bytes as transmitted.
  if (size === undefined) return { item: chunk, open: left };
  return { item: { ...chunk, meta: { ...chunk.meta, size: 4 * Math.ceil(size / 3) } }, open: left };
}

/** A text may have been cut inside a character; what is no text even so is bytes. */
function kindOf({ meta, data }: Item, inherited: Meta | undefined): OpenChunks['as'] {
  const format = parseFormat(meta?.format ?? inherited?.format);
  if (isBinary(format) || data === undefined) return 'base64';
  const bytes = bytesOf(data);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, wholeText(bytes)));
    return 'text';
  } catch {
    return 'base64';
  }
}

/** Bytes of UTF-8 up to the last character that is whole. */
function wholeText(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < needed ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function labelled(item: Item, inherited: Meta | undefined, format: 'b64'): Item {
  if (parseFormat(item.meta?.format) === format) return item;
  const type = item.meta?.type ?? inherited?.type;
  return { ...item, meta: { ...item.meta, ...(type !== undefined && { type }), format } };
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}
