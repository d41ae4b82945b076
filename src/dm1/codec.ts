import { DragomanError } from '../support/errors.ts';
import { type CodecLimits, DEFAULT_LIMITS } from './codec/limits.ts';
import { MessageReader } from './codec/reader.ts';
import { writeBodyElement, writeMessage } from './codec/writer.ts';
import type { BodyElement, Encoding, SyncMLMessage } from './message.ts';
import { storedElementBytes } from './storedData.ts';
import { documentType, namespaceOf, publicIdOf, UNKNOWN_PUBLIC_ID } from './tables/documents.ts';
import { SYNC_ML } from './tables/pages.ts';
import { WbxmlCursor } from './wbxml/cursor.ts';
import { tableStart, wbxmlDocument } from './wbxml/document.ts';
import { WbxmlSink } from './wbxml/sink.ts';
import { decodeText } from './xml/charset.ts';
import { XmlCursor } from './xml/cursor.ts';
import { XmlSink } from './xml/sink.ts';

export { type CodecLimits, DEFAULT_LIMITS } from './codec/limits.ts';
export { xmlToWbxml } from './wbxml/fromXml.ts';
export { wbxmlToXml } from './wbxml/toXml.ts';

export type ByteRanges = readonly (readonly [start: number, end: number])[];

/** A message and how it travelled. */
export interface DecodedMessage {
  readonly message: SyncMLMessage;
  /** What a reply must mirror. */
  readonly encoding: Encoding;
  /** Byte ranges of the content of every Cred/Data; see `maskCreds`. */
  readonly credRanges: ByteRanges;
  /** Control characters that were removed from Data (IW-VAL-4); absent when none were. */
  readonly stripped?: number;
}

/**
 * Reads one SyncML message.
 *
 * @throws DragomanError `malformed` or `too-large`, with line:column (XML) or byte offset (WBXML)
 */
export function decodeMessage(
  body: Uint8Array,
  form: 'xml' | 'wbxml',
  limits: CodecLimits = DEFAULT_LIMITS,
): DecodedMessage {
  if (body.length > limits.bytes) {
    throw new DragomanError(
      'too-large',
      `The message has ${body.length} bytes; the limit is ${limits.bytes}.`,
    );
  }
  return form === 'xml' ? decodeXml(body, limits) : decodeWbxml(body, limits);
}

function decodeXml(body: Uint8Array, limits: CodecLimits): DecodedMessage {
  const decoded = decodeText(body);
  const cursor = new XmlCursor(decoded.text, decoded.start, limits);
  if (cursor.root() !== SYNC_ML) cursor.fail('the root element is not SyncML');
  const root = cursor.namespace();
  const { message, credRanges } = new MessageReader(cursor).read();
  cursor.finish();
  const namespace = /^SYNCML:/i.test(root) ? root : namespaceOf(message.header.verDTD);
  return result(
    message,
    { form: 'xml', namespace },
    credRanges.map(([start, end]) => [decoded.byteOffset(start), decoded.byteOffset(end)]),
    cursor.stripped,
  );
}

function decodeWbxml(body: Uint8Array, limits: CodecLimits): DecodedMessage {
  const cursor = new WbxmlCursor(body, limits);
  const { publicId, version } = cursor.header;
  const type = documentType(publicId);
  if (publicId !== UNKNOWN_PUBLIC_ID && type?.page !== 0)
    cursor.fail('the public id names no SyncML document');
  if (cursor.root() !== SYNC_ML) cursor.fail('the root element is not SyncML');
  const { message, credRanges } = new MessageReader(cursor).read();
  cursor.finish();
  const namespace = type?.namespace ?? namespaceOf(message.header.verDTD);
  return result(
    message,
    { form: 'wbxml', namespace, wbxmlVersion: version, publicId },
    credRanges,
    cursor.stripped,
  );
}

function result(
  message: SyncMLMessage,
  encoding: Encoding,
  credRanges: ByteRanges,
  stripped: number,
): DecodedMessage {
  return {
    message,
    encoding,
    credRanges,
    ...(stripped === 0 ? {} : { stripped }),
  };
}

/**
 * Writes a message: compact, in DTD order. Bytes in Data go as an opaque in WBXML; in XML as base64, and
 * the Item's Meta Format then says `b64`.
 *
 * @throws DragomanError `bad-value` for text that XML cannot carry (IW-VAL-4)
 */
export function encodeMessage(message: SyncMLMessage, encoding: Encoding): Uint8Array {
  if (encoding.form === 'xml') {
    const sink = new XmlSink(encoding.namespace);
    sink.xml = DECLARATION;
    writeMessage(sink, message);
    return Buffer.from(sink.xml, 'utf8');
  }
  const publicId = encoding.publicId ?? publicIdOf(encoding.namespace);
  const sink = new WbxmlSink(tableStart(publicId));
  writeMessage(sink, message);
  return wbxmlDocument({ wbxmlVersion: encoding.wbxmlVersion, publicId }, sink);
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

/** Bytes that one element adds to a message's body; with stored Data, and by two in WBXML, perhaps some more than it will take. */
export function measure(element: BodyElement, encoding: Encoding): number {
  const stored = storedElementBytes(element);
  if (encoding.form === 'xml') {
    const sink = new XmlSink(encoding.namespace);
    writeBodyElement(sink, element);
    return Buffer.byteLength(sink.xml, 'utf8') + stored;
  }
  const sink = new WbxmlSink();
  writeBodyElement(sink, element);
  // What follows has to switch back to page 0.
  return sink.length + sink.table().length + (sink.page === 0 ? 0 : 2) + stored;
}

/** Bytes of a message without its body elements; `final` counts as given. */
export function measureEnvelope(message: Omit<SyncMLMessage, 'body'>, encoding: Encoding): number {
  return encodeMessage({ ...message, body: [] }, encoding).length;
}

/** The encoding for a first message to a peer of that VerDTD. */
export function defaultEncoding(form: 'xml' | 'wbxml', verDTD: string): Encoding {
  const namespace = namespaceOf(verDTD);
  return form === 'xml'
    ? { form, namespace }
    : { form, namespace, wbxmlVersion: 2, publicId: publicIdOf(namespace) };
}

/** A copy of a message in which the credentials are overwritten with `*`; it still decodes. */
export function maskCreds(body: Uint8Array, credRanges: ByteRanges): Uint8Array {
  const copy = Uint8Array.from(body);
  for (const [start, end] of credRanges) copy.fill(0x2a, start, end);
  return copy;
}
