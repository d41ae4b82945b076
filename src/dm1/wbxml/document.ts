import { multiByteLength, putMultiByte, type WbxmlSink } from './sink.ts';

const UTF_8 = 0x6a;
const DEFAULT_VERSION = 2;

/** How a WBXML document is introduced (1x§12.1). */
export interface DocumentHead {
  readonly wbxmlVersion?: number | undefined;
  readonly publicId: number | string;
}

/** Bytes that the public id takes in the string table: an FPI stands there without NUL, as peers write it. */
function publicIdTable(publicId: number | string, moreFollows: boolean): Buffer {
  if (typeof publicId === 'number') return Buffer.alloc(0);
  return Buffer.from(moreFollows ? `${publicId}\0` : publicId, 'latin1');
}

/** Offset at which a sink's own string table entries begin. */
export function tableStart(publicId: number | string): number {
  return typeof publicId === 'number' ? 0 : publicId.length + 1;
}

/** Puts header, string table and body together. */
export function wbxmlDocument(head: DocumentHead, sink: WbxmlSink): Buffer {
  const literals = sink.table();
  const fpi = publicIdTable(head.publicId, literals.length > 0);
  const table = fpi.length + literals.length;
  const body = sink.body();
  const idLength = typeof head.publicId === 'number' ? multiByteLength(head.publicId) : 2;
  const out = Buffer.allocUnsafe(2 + idLength + multiByteLength(table) + table + body.length);
  out[0] = head.wbxmlVersion ?? DEFAULT_VERSION;
  let at = 1;
  if (typeof head.publicId === 'number') {
    at = putMultiByte(out, at, head.publicId);
  } else {
    out[at++] = 0;
    out[at++] = 0;
  }
  out[at++] = UTF_8;
  at = putMultiByte(out, at, table);
  at += fpi.copy(out, at);
  at += literals.copy(out, at);
  body.copy(out, at);
  return out;
}
