import { type CodecLimits, DEFAULT_LIMITS } from '../codec/limits.ts';
import { documentType } from '../tables/documents.ts';
import { WbxmlCursor } from './cursor.ts';
import { elementMarkup } from './markup.ts';

export interface WbxmlToXmlOptions {
  /** Whether to begin with an XML declaration (default yes). */
  readonly declaration?: boolean;
  readonly limits?: CodecLimits;
}

/**
 * The XML text of any WBXML document of pages 0 to 2. Opaque text stays text, other opaques become
 * base64; namespaces follow from the pages.
 *
 * @throws DragomanError `malformed` with the byte offset, `too-large`
 */
export function wbxmlToXml(bytes: Uint8Array, options: WbxmlToXmlOptions = {}): string {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const cursor = new WbxmlCursor(bytes, { ...limits, depth: limits.totalDepth }, true);
  const id = cursor.root();
  const namespace = documentType(cursor.header.publicId);
  const page = id >> 6;
  const xml = elementMarkup(cursor, id, -1, namespace?.page === page ? namespace.namespace : undefined);
  cursor.finish();
  return options.declaration === false ? xml : `<?xml version="1.0" encoding="UTF-8"?>${xml}`;
}
