import { isAscii, isUtf8 } from 'node:buffer';
import { DragomanError } from '../../support/errors.ts';

/** A document as text, and how to get from a position in it back to a byte. */
export interface DecodedText {
  readonly text: string;
  /** Position in `text` of the first character behind a byte order mark. */
  readonly start: number;
  byteOffset(position: number): number;
}

const COMMON_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const DECLARED = /^<\?xml[^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)["']/;

/** Decodes an XML document by byte order mark and XML declaration; UTF-8 where neither speaks. */
export function decodeText(body: Uint8Array): DecodedText {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16(bytes, 'utf-16be');
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const head = bytes.toString('latin1', mark, Math.min(bytes.length, mark + 200));
  const declared = head.startsWith(COMMON_DECLARATION) ? 'utf-8' : (DECLARED.exec(head)?.[1] ?? 'utf-8');
  if (isAscii(bytes)) {
    // A subset of every charset below, so that the declared name only has to be a known one.
    charset(declared);
    return { text: bytes.toString('latin1'), start: 0, byteOffset: (position) => position };
  }
  switch (charset(declared)) {
    case 'us-ascii':
      throw malformed('The document says it is US-ASCII but holds bytes beyond it.');
    case 'iso-8859-1':
      if (mark !== 0) throw malformed('The document begins as UTF-8 but says it is ISO-8859-1.');
      return { text: bytes.toString('latin1'), start: 0, byteOffset: (position) => position };
    case 'utf-8': {
      if (!isUtf8(bytes)) throw malformed('The document is not valid UTF-8.');
      const text = bytes.toString('utf8');
      return {
        text,
        start: mark === 0 ? 0 : 1,
        byteOffset: (position) => Buffer.byteLength(text.slice(0, position)),
      };
    }
  }
}

/** As {@link decodeText}, of a document that may be text already. */
export function openText(document: string | Uint8Array): Pick<DecodedText, 'text' | 'start'> {
  if (typeof document !== 'string') return decodeText(document);
  return { text: document, start: document.charCodeAt(0) === 0xfeff ? 1 : 0 };
}

function utf16(bytes: Buffer, label: string): DecodedText {
  try {
    const text = new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
    const declared = DECLARED.exec(text.slice(1, 200))?.[1]?.toLowerCase();
    if (declared !== undefined && !declared.startsWith('utf-16')) {
      throw malformed(`The document begins as UTF-16 but says it is ${declared}.`);
    }
    return { text, start: 1, byteOffset: (position) => position * 2 };
  } catch (error) {
    if (error instanceof DragomanError) throw error;
    throw malformed('The document is not valid UTF-16.');
  }
}

function charset(name: string): 'utf-8' | 'us-ascii' | 'iso-8859-1' {
  switch (name.toLowerCase()) {
    case 'utf-8':
    case 'utf8':
      return 'utf-8';
    case 'us-ascii':
    case 'ascii':
      return 'us-ascii';
    case 'iso-8859-1':
    case 'latin1':
      return 'iso-8859-1';
    default:
      throw malformed(
        `The charset "${name.slice(0, 40)}" is not one that is read here; use UTF-8, US-ASCII, ISO-8859-1 or UTF-16 with a byte order mark.`,
      );
  }
}

function malformed(detail: string): DragomanError {
  return new DragomanError('malformed', `1:1: ${detail}`);
}
