import type { Item, Meta } from '../dm1/message.ts';
import { type Format, isBinary, parseFormat } from '../mo/format.ts';
import { decodeBase64, encodeBase64, stripIllegal } from '../mo/lexical.ts';
import type { Value } from '../mo/node.ts';
import { isStored } from '../mo/stored.ts';

/** A leaf as an Item of a legacy device tells it. */
export interface ReadLeaf {
  readonly format: Format;
  readonly type?: string;
  readonly value: Value;
  /** Characters that XML cannot carry and that were taken out of it (IW-VAL-4). */
  readonly removed: number;
}

/** Meta at command level is inherited by Items, whose own overrides it (1x§1.4). */
export function inheritedMeta(command: Meta | undefined, item: Meta | undefined): Meta {
  return { ...command, ...item };
}

/** The value of a Results or Replace Item in its own format, default `chr` (IW-VAL-1, -3, -4). */
export function readLeaf(item: Item, inherited?: Meta, known?: Format): ReadLeaf {
  const meta = inheritedMeta(inherited, item.meta);
  const format = parseFormat(meta.format) ?? known ?? 'chr';
  const type = meta.type !== undefined ? { type: meta.type.trim() } : {};
  const { data, stored } = item;
  if (stored) return { format: isBinary(format) ? format : 'bin', ...type, value: stored, removed: 0 };
  if (data instanceof Uint8Array) {
    // Bytes that are no text stay exact whatever the device called them.
    return { format: isBinary(format) ? format : 'bin', ...type, value: data, removed: 0 };
  }
  if (isBinary(format)) {
    const bytes = decodeBase64(data ?? '');
    return { format, ...type, value: bytes ?? new TextEncoder().encode(data), removed: 0 };
  }
  const { text, removed } = stripIllegal(data ?? '');
  return { format, ...type, value: format === 'bool' ? truth(text) : text, removed };
}

/** Windows and its servers also write `1`, `0` and `True` (IW-VAL-1 knows two words). */
function truth(text: string): string {
  const word = text.trim().toLowerCase();
  if (word === '1' || word === 'true') return 'true';
  return word === '0' || word === 'false' ? 'false' : text;
}

/** Meta and Data of a value to be written on a legacy device; binary is base64 in XML, raw in WBXML (IW-VAL-3). */
export function writeLeaf(
  form: 'xml' | 'wbxml',
  value: Value,
  format: Format | undefined,
  type: string | undefined,
): Pick<Item, 'meta' | 'data' | 'stored'> {
  const meta = (written: Format): Meta => ({ format: written, type: type ?? 'text/plain' });
  if (typeof value === 'string') return { meta: meta(format ?? 'chr'), data: value };
  if (isStored(value) && value.text) return { meta: meta(format ?? 'chr'), stored: value };
  const mime = type ?? 'application/octet-stream';
  const raw = form === 'wbxml' && format !== 'b64';
  if (isStored(value)) return { meta: { format: raw ? 'bin' : 'b64', type: mime }, stored: value };
  if (raw) return { meta: { format: 'bin', type: mime }, data: value };
  return { meta: { format: 'b64', type: mime }, data: encodeBase64(value) };
}

/** Names in the value of an interior node (1x§7.4): joined by `/`, perhaps NUL-terminated or percent-encoded. */
export function childNames(data: string | Uint8Array | undefined): readonly string[] {
  const text = typeof data === 'string' ? data : data ? new TextDecoder().decode(data) : '';
  return stripIllegal(text)
    .text.split('/')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== '.');
}
