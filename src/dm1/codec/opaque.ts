import { isUtf8 } from 'node:buffer';
import { parseFormat } from '../../mo/format.ts';
import type { Item, Meta } from '../message.ts';
import { wbxmlToXml } from '../wbxml/toXml.ts';
import { hasForbidden, withoutForbidden } from '../xml/characters.ts';
import type { ElementCursor } from './cursor.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Gives an Item the Data that stood in a WBXML opaque (1x§12.2): an embedded WBXML document becomes its
 * XML text (and Meta says so), Format `bin` and what is no UTF-8 stay bytes, the rest is text.
 */
export function settleOpaque(
  item: Writable<Item>,
  commandMeta: Meta | undefined,
  start: number,
  end: number,
  cursor: ElementCursor,
): void {
  const bytes = cursor.opaque(start, end);
  const format = parseFormat(item.meta?.format ?? commandMeta?.format);
  const type = item.meta?.type ?? commandMeta?.type;
  if (type?.includes('+wbxml')) {
    const embedded = embeddedDocument(bytes);
    if (embedded !== undefined) {
      item.data = embedded;
      item.meta = { ...item.meta, type: type.replace('+wbxml', '+xml'), format: 'xml' };
      return;
    }
    // libwbxml renames the type of a TNDS that it leaves as XML text.
    if (bytes[0] === 0x3c && item.meta?.type !== undefined) {
      item.meta = { ...item.meta, type: type.replace('+wbxml', '+xml') };
    }
  }
  if (format === 'bin' || !isUtf8(bytes)) {
    item.data = Uint8Array.from(bytes);
    return;
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (!hasForbidden(text)) {
    item.data = text;
  } else if (format === 'b64') {
    // No base64 holds controls: these are the raw bytes themselves.
    item.data = Uint8Array.from(bytes);
  } else {
    item.data = withoutForbidden(text);
    cursor.stripped += text.length - item.data.length;
  }
}

function embeddedDocument(bytes: Uint8Array): string | undefined {
  const version = bytes[0];
  if (version === undefined || version < 1 || version > 3) return undefined;
  try {
    return wbxmlToXml(bytes, { declaration: false });
  } catch {
    return undefined;
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A nonce: base64 text, or the bytes themselves where a WBXML opaque (or careless XML) holds them. */
export function readOpaqueText(cursor: ElementCursor): Uint8Array {
  const content = cursor.textOrBytes();
  if (typeof content === 'string') {
    const text = content.trim();
    return Uint8Array.from(Buffer.from(text, BASE64.test(text) ? 'base64' : 'utf8'));
  }
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1');
  return Uint8Array.from(BASE64.test(text) ? Buffer.from(text, 'base64') : content);
}
