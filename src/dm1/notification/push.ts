import { DragomanError } from '../../support/errors.ts';

/**
 * A connectionless WSP Push PDU (1x§10.2), as it travels in WAP push over SMS: Package#0 with the header
 * `01 06 03 C4 AF 87`, a bootstrap document with SEC and MAC beside its type.
 */
export interface PushPdu {
  readonly transactionId: number;
  /** Media type without parameters. */
  readonly type: string;
  /** SEC parameter (1x§14): number on the wire. */
  readonly sec?: number;
  /** MAC parameter, hex digits. */
  readonly mac?: string;
  /** Code of X-WAP-Application-ID; 7 is `x-wap-application:syncml.dm`. */
  readonly applicationId?: number;
  readonly body: Uint8Array;
}

/** Code of `x-wap-application:syncml.dm`. */
export const DM_APPLICATION_ID = 7;

/** SMS user data header that addresses port 2948, where devices wait for WAP push. */
export const WAP_PUSH_PORTS: readonly number[] = Object.freeze([0x06, 0x05, 0x04, 0x0b, 0x84, 0xc0, 0x02]);

/** WSP codes of the media types that management pushes have. */
const TYPES: Readonly<Record<number, string>> = Object.freeze({
  53: 'text/vnd.wap.connectivity-xml',
  54: 'application/vnd.wap.connectivity-wbxml',
  66: 'application/vnd.syncml.dm+wbxml',
  67: 'application/vnd.syncml.dm+xml',
  68: 'application/vnd.syncml.notification',
});

const PUSH = 0x06;
const LENGTH_QUOTE = 31;
const SEC = 0x11;
const MAC = 0x12;
const X_WAP_APPLICATION_ID = 0x2f;
/** Longest headers that a device takes are 48 bytes by rule (1x§10.2); this only keeps nonsense out. */
const MAX_HEADERS = 1024;

/**
 * @throws DragomanError `bad-value` for a part that WSP cannot carry
 */
export function encodePush(push: PushPdu): Uint8Array {
  const { transactionId, applicationId } = push;
  if (!Number.isInteger(transactionId) || transactionId < 0 || transactionId > 0xff)
    throw badValue('a transaction id is one byte');
  if (applicationId !== undefined) short('the application id', applicationId);
  const headers = [
    ...contentType(push),
    ...(applicationId === undefined ? [] : [X_WAP_APPLICATION_ID | 0x80, applicationId | 0x80]),
  ];
  return Uint8Array.from([transactionId, PUSH, ...uintvar(headers.length), ...headers, ...push.body]);
}

function contentType({ type, sec, mac }: PushPdu): number[] {
  const code = Object.keys(TYPES).find((key) => TYPES[Number(key)] === type.toLowerCase());
  const media = code === undefined ? text(type) : [Number(code) | 0x80];
  const parameters: number[] = [];
  if (sec !== undefined) parameters.push(SEC | 0x80, short('SEC', sec) | 0x80);
  if (mac !== undefined) parameters.push(MAC | 0x80, ...text(mac));
  if (parameters.length === 0) return media;
  const value = [...media, ...parameters];
  return value.length < LENGTH_QUOTE
    ? [value.length, ...value]
    : [LENGTH_QUOTE, ...uintvar(value.length), ...value];
}

/**
 * Reads a push; headers other than these are read over.
 *
 * @throws DragomanError `malformed` with the byte offset, `too-large`
 */
export function decodePush(bytes: Uint8Array): PushPdu {
  const reader = new WspReader(bytes, bytes.length);
  const transactionId = reader.byte();
  if (reader.byte() !== PUSH) throw reader.malformed('the PDU is no Push');
  const length = reader.uintvar();
  if (length > MAX_HEADERS)
    throw new DragomanError(
      'too-large',
      `The push has ${length} bytes of headers; the limit is ${MAX_HEADERS}.`,
    );
  const headers = reader.part(length);
  const body = bytes.slice(reader.at);
  const content = readContentType(headers);
  let applicationId: number | undefined;
  while (!headers.done) {
    const name = headers.peek();
    if (name === (X_WAP_APPLICATION_ID | 0x80)) {
      headers.byte();
      applicationId = readApplicationId(headers);
    } else {
      if (name < 0x80) headers.text();
      else headers.byte();
      headers.skipValue();
    }
  }
  return { transactionId, ...content, ...(applicationId !== undefined && { applicationId }), body };
}

function readContentType(headers: WspReader): Pick<PushPdu, 'type' | 'sec' | 'mac'> {
  if (headers.peek() > LENGTH_QUOTE) return { type: readMedia(headers) };
  const value = headers.part(headers.valueLength());
  const found: { sec?: number; mac?: string } = {};
  const type = readMedia(value);
  while (!value.done) {
    const name = value.peek() < 0x80 ? value.text().toUpperCase() : value.byte() & 0x7f;
    if (name === SEC || name === 'SEC') found.sec = readSec(value);
    else if (name === MAC || name === 'MAC') found.mac = value.text().replace(/^"/, '');
    else value.skipValue();
  }
  return { type, ...found };
}

function readMedia(headers: WspReader): string {
  const first = headers.peek();
  if (first < 0x80) return headers.text().toLowerCase();
  const type = TYPES[first & 0x7f];
  if (type === undefined)
    throw headers.malformed(`content type 0x${(first & 0x7f).toString(16)} is not known`);
  headers.byte();
  return type;
}

function readSec(value: WspReader): number {
  if (value.peek() >= 0x80) return value.byte() & 0x7f;
  const text = value.text();
  if (!/^\d{1,3}$/.test(text)) throw value.malformed('SEC is no number');
  return Number(text);
}

function readApplicationId(headers: WspReader): number | undefined {
  if (headers.peek() >= 0x80) return headers.byte() & 0x7f;
  if (headers.peek() > LENGTH_QUOTE)
    return headers.text().toLowerCase() === 'x-wap-application:syncml.dm' ? DM_APPLICATION_ID : undefined;
  const value = headers.part(headers.valueLength());
  let id = 0;
  while (!value.done) id = id * 256 + value.byte();
  return id;
}

/** Walks over WSP header fields within bounds. */
class WspReader {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly end: number;

  constructor(bytes: Uint8Array, end: number, at = 0) {
    this.bytes = bytes;
    this.end = end;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  peek(): number {
    const byte = this.done ? undefined : this.bytes[this.at];
    if (byte === undefined) throw this.malformed('the push ends inside its headers');
    return byte;
  }

  byte(): number {
    const byte = this.peek();
    this.at += 1;
    return byte;
  }

  uintvar(): number {
    let value = 0;
    for (let i = 0; i < 5; i += 1) {
      const byte = this.byte();
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    throw this.malformed('a number has more than 32 bits');
  }

  valueLength(): number {
    const length = this.byte();
    return length === LENGTH_QUOTE ? this.uintvar() : length;
  }

  part(length: number): WspReader {
    if (length > this.end - this.at) throw this.malformed('a length reaches past the end');
    const part = new WspReader(this.bytes, this.at + length, this.at);
    this.at += length;
    return part;
  }

  /** A text to its NUL; a leading 0x7F quotes a first character beyond ASCII. */
  text(): string {
    if (this.peek() === 0x7f) this.at += 1;
    const start = this.at;
    while (this.byte() !== 0);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString(
      'latin1',
      start,
      this.at - 1,
    );
  }

  skipValue(): void {
    const first = this.peek();
    if (first >= 0x80) this.byte();
    else if (first > LENGTH_QUOTE || first === 0) this.text();
    else this.part(this.valueLength());
  }

  malformed(reason: string): DragomanError {
    return new DragomanError('malformed', `byte ${this.at}: ${reason}.`);
  }
}

function uintvar(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function short(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0x7f) throw badValue(`${what} is from 0 to 127`);
  return value;
}

function text(value: string): number[] {
  if (!/^[\x20-\x7e]+$/.test(value)) throw badValue('texts are of printable ASCII');
  return [...Buffer.from(value, 'latin1'), 0];
}

function badValue(reason: string): DragomanError {
  return new DragomanError('bad-value', `The push cannot be built: ${reason}.`);
}
