import { DragomanError } from '../../support/errors.ts';

/** Global tokens (1x§12.2). */
export const SWITCH_PAGE = 0x00;
export const END_TOKEN = 0x01;
export const ENTITY = 0x02;
export const STR_I = 0x03;
export const LITERAL = 0x04;
export const PI = 0x43;
export const STR_T = 0x83;
export const OPAQUE = 0xc3;

export type Charset = 'utf-8' | 'iso-8859-1' | 'us-ascii';

/** The fields before a WBXML body. */
export interface WbxmlHeader {
  readonly version: number;
  /** Number, or the FPI when it stands in the string table. */
  readonly publicId: number | string;
  readonly charset: Charset;
  readonly tableStart: number;
  readonly tableEnd: number;
}

export function malformedAt(offset: number, detail: string): DragomanError {
  return new DragomanError('malformed', `byte ${offset}: ${detail}.`);
}

/** Reads `version publicid charset strtbl`; the body begins at `tableEnd`. */
export function readHeader(bytes: Uint8Array): WbxmlHeader {
  const version = bytes[0];
  if (version === undefined) throw malformedAt(0, 'the document is empty');
  if (version < 1 || version > 3) throw malformedAt(0, `version byte ${version} is none of WBXML 1.1 to 1.3`);
  const id = readMultiByte(bytes, 1);
  const index = id.value === 0 ? readMultiByte(bytes, id.end) : undefined;
  const charsetAt = index?.end ?? id.end;
  const mib = readMultiByte(bytes, charsetAt);
  const charset = charsetOf(mib.value, charsetAt);
  const length = readMultiByte(bytes, mib.end);
  const tableStart = length.end;
  const tableEnd = tableStart + length.value;
  if (tableEnd > bytes.length) throw malformedAt(mib.end, 'the string table reaches past the end');
  let publicId: number | string = id.value;
  if (index !== undefined) {
    if (index.value >= length.value) throw malformedAt(id.end, 'the public id points past the string table');
    let end = tableStart + index.value;
    // Clients write the FPI without the NUL that should end it (1x§12.1).
    while (end < tableEnd && bytes[end] !== 0) end++;
    publicId = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
      'latin1',
      tableStart + index.value,
      end,
    );
  }
  return { version, publicId, charset, tableStart, tableEnd };
}

/** mb_u_int32: seven bits a byte, at most five bytes and 32 bits. */
export function readMultiByte(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw malformedAt(at + i, 'the document ends inside a number');
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      if (value > 0xffffffff) break;
      return { value, end: at + i + 1 };
    }
  }
  throw malformedAt(at, 'a number has more than 32 bits');
}

/** IANA MIBenum values of the charsets that SyncML peers use (1x§12.1); 0 means unspecified. */
function charsetOf(mib: number, at: number): Charset {
  switch (mib) {
    case 0:
    case 0x6a:
      return 'utf-8';
    case 4:
      return 'iso-8859-1';
    case 3:
      return 'us-ascii';
    default:
      throw malformedAt(at, `charset ${mib} is none of UTF-8 (106), ISO-8859-1 (4) and US-ASCII (3)`);
  }
}
