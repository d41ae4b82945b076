import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { DragomanError } from '../../../support/errors.ts';
import type { ReadLimits } from '../dialect.ts';

export interface Part {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const LONGEST_HEADER = 8_192;
const BOUNDARY = /;[ \t]*boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,70})"|([^\s";,]{1,70}))/i;

export function isMultipart(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*multipart\//i.test(contentType);
}

/**
 * The parts of a multipart body (RFC 2046, 5.1): what stands ahead of the first boundary and behind the
 * last is passed over. Throws `malformed` for a boundary that is missing, wrong or never closed, and
 * `too-large`. The parts are views of `body`.
 */
export function readMultipart(body: Uint8Array, contentType: string, limits: ReadLimits): Part[] {
  if (body.length > limits.bytes) {
    throw new DragomanError('too-large', `The body has ${body.length} bytes; the limit is ${limits.bytes}.`);
  }
  const match = BOUNDARY.exec(contentType.slice(0, LONGEST_HEADER));
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined || boundary.endsWith(' ')) {
    throw new DragomanError('malformed', 'The multipart Content-Type has no usable boundary.');
  }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Part[] = [];
  let start = -1;
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, at + 1)) {
    if (at > 0 && (bytes[at - 1] !== 0x0a || bytes[at - 2] !== 0x0d)) continue;
    const end = endOfDelimiter(bytes, at + delimiter.length);
    // A longer boundary that begins with ours is another one.
    if (end === undefined) continue;
    if (start >= 0) {
      if (parts.length >= limits.parts) {
        throw new DragomanError('too-large', `The body has more than ${limits.parts} parts.`);
      }
      parts.push(readPart(bytes.subarray(start, Math.max(start, at - 2))));
    }
    if (end.closes) return parts;
    start = end.next;
  }
  throw new DragomanError(
    'malformed',
    start < 0
      ? 'The boundary of the Content-Type does not stand in the body.'
      : 'The multipart body ends without its closing boundary.',
  );
}

function endOfDelimiter(
  bytes: Buffer,
  from: number,
): { readonly closes: boolean; readonly next: number } | undefined {
  const closes = bytes[from] === 0x2d && bytes[from + 1] === 0x2d;
  let at = closes ? from + 2 : from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  if (at === bytes.length && closes) return { closes, next: at };
  return bytes[at] === 0x0d && bytes[at + 1] === 0x0a ? { closes, next: at + 2 } : undefined;
}

function readPart(bytes: Buffer): Part {
  const headers: Record<string, string> = {};
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at, 'latin1');
    if (end < 0 || end > LONGEST_HEADER) {
      throw new DragomanError('malformed', 'The headers of a part do not end.');
    }
    const line = bytes.toString('latin1', at, end);
    at = end + 2;
    if (line === '') return { headers, body: bytes.subarray(at) };
    const colon = line.indexOf(':');
    if (colon < 1) throw new DragomanError('malformed', 'A part has a header line without a name.');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!Object.hasOwn(headers, name) && name !== '__proto__') headers[name] = line.slice(colon + 1).trim();
  }
}

/** A `multipart/mixed` body; the boundary follows from the content, so that the same parts give the same bytes. */
export function writeMultipart(parts: readonly Part[]): {
  readonly contentType: string;
  readonly body: Uint8Array;
} {
  const boundary = boundaryFor(parts);
  const pieces: Uint8Array[] = [];
  for (const { headers, body } of parts) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    pieces.push(Buffer.from(`--${boundary}\r\n${lines.join('')}\r\n`, 'latin1'), body, CRLF);
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`, 'latin1'));
  return { contentType: `multipart/mixed; boundary="${boundary}"`, body: Buffer.concat(pieces) };
}

const CRLF = Buffer.from('\r\n', 'latin1');

function boundaryFor(parts: readonly Part[]): string {
  const hash = createHash('sha256');
  for (const { body } of parts) hash.update(body);
  let boundary = hash.digest('hex').slice(0, 32);
  while (
    parts.some(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(boundary))
  ) {
    boundary = createHash('sha256').update(boundary).digest('hex').slice(0, 32);
  }
  return boundary;
}
