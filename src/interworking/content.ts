import { base64Length, MARK_START, MARKS, parseStoredMark, type StoredBytes } from '../mo/stored.ts';

/** A piece of a document: bytes, or stored ones as they are or as base64 text. */
export type ContentPart = Uint8Array | { readonly stored: StoredBytes; readonly coding: 'raw' | 'base64' };

/** A document as it is sent: whole, or in pieces some of which only the object store holds. */
export type Content = Uint8Array | readonly ContentPart[];

export function contentParts(content: Content): readonly ContentPart[] {
  return content instanceof Uint8Array ? [content] : content;
}

export function contentBytes(content: Content): number {
  return contentParts(content).reduce((sum, part) => {
    if (part instanceof Uint8Array) return sum + part.length;
    const { bytes } = part.stored;
    return sum + (part.coding === 'base64' ? base64Length(bytes) : bytes);
  }, 0);
}

/** A document in which marks stand for stored bytes, with their base64 in place of the marks. */
export function withStored(document: Uint8Array): Content {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  if (!bytes.includes(MARK_START)) return document;
  const parts: ContentPart[] = [];
  let at = 0;
  // Latin-1 gives every byte a character, so offsets in the text are offsets in the document.
  for (const match of bytes.toString('latin1').matchAll(MARKS)) {
    const stored = parseStoredMark(match[0]);
    if (!stored) continue;
    parts.push(bytes.subarray(at, match.index), { stored, coding: 'base64' });
    at = match.index + match[0].length;
  }
  return parts.length === 0 ? document : [...parts, bytes.subarray(at)];
}
