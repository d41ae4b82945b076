import { type CodecLimits, DEFAULT_LIMITS } from '../codec/limits.ts';
import { DOCUMENT_TYPES, UNKNOWN_PUBLIC_ID } from '../tables/documents.ts';
import { DATA, END, ITEM, UNKNOWN } from '../tables/pages.ts';
import { decodeText } from '../xml/charset.ts';
import { XmlCursor } from '../xml/cursor.ts';
import { tableStart, wbxmlDocument } from './document.ts';
import { WbxmlSink } from './sink.ts';

export interface XmlToWbxmlOptions {
  /** Version byte (default 2, WBXML 1.2). */
  readonly version?: number;
  /** Public id; by default the one of the root's namespace. */
  readonly publicId?: number | string;
  readonly limits?: CodecLimits;
}

/**
 * Any XML document of the SyncML, MetInf and TNDS vocabularies as WBXML. An Item's Data goes as an opaque, other
 * text inline; white space between elements and attributes are left out; unknown elements become
 * literals.
 *
 * @throws DragomanError `malformed` with line:column, `too-large`
 */
export function xmlToWbxml(xml: string | Uint8Array, options: XmlToWbxmlOptions = {}): Uint8Array {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const { text, start } = typeof xml === 'string' ? { text: xml, start: 0 } : decodeText(xml);
  const cursor = new XmlCursor(text, start, { ...limits, depth: limits.totalDepth });
  const root = cursor.root();
  const namespace = cursor.namespace();
  const type = DOCUMENT_TYPES.find((row) => row.namespace === namespace);
  const publicId = options.publicId ?? type?.publicId ?? (root >> 6 === 0 ? 0x1201 : UNKNOWN_PUBLIC_ID);
  const sink = new WbxmlSink(tableStart(publicId), text.length + 64);
  element(cursor, sink, root, END);
  cursor.finish();
  return wbxmlDocument({ wbxmlVersion: options.version, publicId }, sink);
}

function element(cursor: XmlCursor, sink: WbxmlSink, id: number, parent: number): void {
  if (id === UNKNOWN) sink.literal(cursor.name(), HAS_CONTENT);
  else sink.tag(id, HAS_CONTENT);
  // A literal's tag byte stands before its index.
  const tagAt = id === UNKNOWN ? -1 : sink.length - 1;
  const begin = sink.length;
  cursor.stray = '';
  for (;;) {
    const child = cursor.next();
    if (cursor.stray !== '') {
      const text = cursor.stray;
      cursor.stray = '';
      if (id === DATA && parent === ITEM) sink.opaqueText(text);
      else sink.text(text);
    }
    if (child === END) break;
    element(cursor, sink, child, id);
    cursor.stray = '';
  }
  if (tagAt >= 0 && sink.length === begin) sink.emptyAt(tagAt);
  else sink.close();
}

const HAS_CONTENT = 0x40;
