import { type CodecLimits, DEFAULT_LIMITS } from './codec/limits.ts';
import { META_INF, readToken } from './codec/parts.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import type { BodyElement, SyncMLMessage } from './message.ts';
import { isHeaderStatus } from './session/statuses.ts';
import * as tag from './tables/pages.ts';
import { WbxmlCursor } from './wbxml/cursor.ts';
import { STR_I } from './wbxml/header.ts';
import { decodeText } from './xml/charset.ts';
import { XmlCursor } from './xml/cursor.ts';
import { escapeText } from './xml/escape.ts';

/**
 * Where a message names its parties: in its header, and in its Status for the header that it answers.
 * MaxMsgSize goes with them, for other addresses take other room.
 */
export type AddressPlace = 'Target' | 'Source' | 'RespURI' | 'MaxMsgSize' | 'TargetRef' | 'SourceRef';

/** What is to stand at a place where something stands now; with `from` only in that one's stead. */
export interface Readdressing {
  readonly place: AddressPlace;
  readonly from?: string;
  readonly to: string;
}

interface Found {
  readonly place: AddressPlace;
  readonly uri: string;
  /** Bytes of the element's content; absent where they cannot be replaced alone. */
  readonly range?: readonly [start: number, end: number];
}

/**
 * The message with other addresses and every other byte as it was, so that a peer's own way of writing
 * survives a relay (IW-REL-1); the same array when there is nothing to change. Where an address stands in
 * a form that cannot be cut out, the message is written anew.
 *
 * @throws DragomanError as `decodeMessage`
 */
export function readdressBytes(
  body: Uint8Array,
  form: 'xml' | 'wbxml',
  changes: readonly Readdressing[],
  limits: CodecLimits = DEFAULT_LIMITS,
): Uint8Array {
  const cuts = cutsOf(body, form, changes, limits);
  if (!cuts) return writtenAnew(body, form, changes, limits);
  if (cuts.length === 0) return body;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { range, text } of cuts) {
    pieces.push(body.subarray(at, range[0]), text);
    at = range[1];
  }
  return Buffer.concat([...pieces, body.subarray(at)]);
}

interface Cut {
  readonly range: readonly [start: number, end: number];
  readonly text: Uint8Array;
}

/** What to replace by what; `undefined` where that cannot be done byte by byte. */
function cutsOf(
  body: Uint8Array,
  form: 'xml' | 'wbxml',
  changes: readonly Readdressing[],
  limits: CodecLimits,
): Cut[] | undefined {
  let found: Found[];
  try {
    found = form === 'xml' ? inXml(body, limits) : inWbxml(body, limits);
  } catch {
    // What is wrong with it is for the reader of messages to say.
    return undefined;
  }
  const cuts: Cut[] = [];
  for (const { place, uri, range } of found) {
    const to = changed(place, uri, changes);
    if (to === uri) continue;
    const text = form === 'xml' ? xmlText(to, body) : wbxmlText(to);
    if (!range || !text) return undefined;
    cuts.push({ range, text });
  }
  return cuts.sort((a, b) => a.range[0] - b.range[0]);
}

/** The same in the message model. */
export function readdressMessage(message: SyncMLMessage, changes: readonly Readdressing[]): SyncMLMessage {
  const { header, body } = message;
  const { target, source, respURI, meta } = header;
  const at = (place: AddressPlace, uri: string) => changed(place, uri, changes);
  const status = (element: BodyElement): BodyElement =>
    element.kind !== 'Status' || !isHeaderStatus(element)
      ? element
      : {
          ...element,
          targetRefs: element.targetRefs.map((uri) => at('TargetRef', uri)),
          sourceRefs: element.sourceRefs.map((uri) => at('SourceRef', uri)),
        };
  return {
    ...message,
    header: {
      ...header,
      target: { ...target, uri: at('Target', target.uri) },
      source: { ...source, uri: at('Source', source.uri) },
      ...(respURI !== undefined && { respURI: at('RespURI', respURI) }),
      ...(meta?.maxMsgSize !== undefined && {
        meta: { ...meta, maxMsgSize: Number(at('MaxMsgSize', String(meta.maxMsgSize))) },
      }),
    },
    body: body.map(status),
  };
}

/** A closing tag, or what is around a WBXML string, where nothing stood before. */
const AROUND = 16;

/** Bytes by which a message grows at most when all of these are put in, in either encoding. */
export function roomFor(changes: readonly Readdressing[]): number {
  return changes.reduce((room, { to }) => room + Buffer.byteLength(escapeText(to)) + AROUND, 0);
}

function changed(place: AddressPlace, uri: string, changes: readonly Readdressing[]): string {
  const fitting = changes.find((c) => c.place === place && (c.from === undefined || c.from === uri.trim()));
  return fitting ? fitting.to : uri;
}

function writtenAnew(
  body: Uint8Array,
  form: 'xml' | 'wbxml',
  changes: readonly Readdressing[],
  limits: CodecLimits,
): Uint8Array {
  const { message, encoding } = decodeMessage(body, form, limits);
  return encodeMessage(readdressMessage(message, changes), encoding);
}

function inXml(body: Uint8Array, limits: CodecLimits): Found[] {
  const { text, start, byteOffset } = decodeText(body);
  const cursor = new XmlCursor(text, start, limits);
  cursor.root();
  return addresses(cursor, () => {
    const { contentStart, contentEnd } = cursor;
    return contentEnd > contentStart ? [byteOffset(contentStart), byteOffset(contentEnd)] : undefined;
  });
}

function inWbxml(body: Uint8Array, limits: CodecLimits): Found[] {
  const cursor = new WbxmlCursor(body, limits);
  cursor.root();
  // One piece of text, all that stands between the tag and its END.
  return addresses(cursor, (before) =>
    cursor.pieces === 1 && cursor.position > before ? [before, cursor.position - 1] : undefined,
  );
}

/** Every address of the message, in the cursor's root; `range` is asked right after a text was read. */
function addresses(cursor: Cursor, range: (before: number) => Found['range']): Found[] {
  const found: Found[] = [];
  const take = (place: AddressPlace): Found => {
    const before = cursor.position;
    const uri = cursor.text();
    const at = range(before);
    return { place, uri, ...(at && { range: at }) };
  };
  const meta: Readonly<Record<number, () => void>> = {
    [tag.MAX_MSG_SIZE]: () => found.push(take('MaxMsgSize')),
    [META_INF]: () => each(cursor, meta),
  };
  const header: Readonly<Record<number, () => void>> = {
    [tag.TARGET]: () => found.push(locURI(cursor, () => take('Target')) ?? stray(cursor, 'Target')),
    [tag.SOURCE]: () => found.push(locURI(cursor, () => take('Source')) ?? stray(cursor, 'Source')),
    [tag.RESP_URI]: () => found.push(take('RespURI')),
    [tag.META]: () => each(cursor, meta),
  };
  const status = (): void => {
    const refs: Found[] = [];
    let cmdRef = '';
    let cmd = '';
    each(cursor, {
      [tag.TARGET_REF]: () => refs.push(take('TargetRef')),
      [tag.SOURCE_REF]: () => refs.push(take('SourceRef')),
      [tag.CMD_REF]: () => {
        cmdRef = readToken(cursor);
      },
      [tag.CMD]: () => {
        cmd = readToken(cursor);
      },
    });
    if (isHeaderStatus({ cmdRef, cmd })) found.push(...refs);
  };
  each(cursor, {
    [tag.SYNC_HDR]: () => each(cursor, header),
    [tag.SYNC_BODY]: () => each(cursor, { [tag.STATUS]: status }),
  });
  return found;
}

type Cursor = XmlCursor | WbxmlCursor;

/** Goes through the children of the element just entered; those without a reader are read over. */
function each(cursor: Cursor, readers: Readonly<Record<number, () => unknown>>): void {
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    const read = readers[id];
    if (read) read();
    else readOver(cursor, id);
  }
}

/** Text and bytes of every kind that may stand there, as the reader of messages takes them. */
function readOver(cursor: Cursor, id: number): void {
  if (id === tag.DATA) cursor.data();
  else if (id === tag.NEXT_NONCE) cursor.textOrBytes();
  else each(cursor, {});
  cursor.stray = '';
}

function locURI(cursor: Cursor, take: () => Found): Found | undefined {
  let address: Found | undefined;
  cursor.stray = '';
  each(cursor, {
    [tag.LOC_URI]: () => {
      address = take();
    },
  });
  return address;
}

/** An address that stands there without LocURI (1x§16.1). */
function stray(cursor: Cursor, place: AddressPlace): Found {
  return { place, uri: cursor.stray.trim() };
}

/** As character data, in every charset but UTF-16 the same bytes; `undefined` where it would not be. */
function xmlText(uri: string, body: Uint8Array): Uint8Array | undefined {
  const utf16 = body[0] === 0xff || body[0] === 0xfe;
  return utf16 || !/^[\x20-\x7e]*$/.test(uri) ? undefined : Buffer.from(escapeText(uri), 'latin1');
}

function wbxmlText(uri: string): Uint8Array | undefined {
  return /^[\x20-\x7e]*$/.test(uri) ? Buffer.from([STR_I, ...Buffer.from(uri, 'latin1'), 0]) : undefined;
}
