import type { Cred, Loc, Meta, SyncHdr } from '../message.ts';
import * as tag from '../tables/pages.ts';
import type { ElementCursor } from './cursor.ts';
import { readLoc, readMeta, readToken } from './parts.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Where contents stand, in the cursor's own positions. */
export type Ranges = (readonly [start: number, end: number])[];

/** Reads SyncHdr, and adds to `credRanges` where its credential stands. */
export function readHeader(cursor: ElementCursor, credRanges: Ranges): SyncHdr {
  let verDTD: string | undefined;
  let verProto: string | undefined;
  let sessionId: string | undefined;
  let msgId: string | undefined;
  let target: Loc | undefined;
  let source: Loc | undefined;
  let respURI: string | undefined;
  let cred: Cred | undefined;
  let meta: Meta | undefined;
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    switch (id) {
      case tag.VER_DTD:
        verDTD = readToken(cursor);
        break;
      case tag.VER_PROTO:
        verProto = readToken(cursor);
        break;
      case tag.SESSION_ID:
        sessionId = cursor.text();
        break;
      case tag.MSG_ID:
        msgId = readToken(cursor);
        break;
      case tag.TARGET:
        target = readLoc(cursor);
        break;
      case tag.SOURCE:
        source = readLoc(cursor);
        break;
      case tag.RESP_URI:
        respURI = cursor.text();
        break;
      case tag.CRED:
        cred = readCred(cursor, credRanges);
        break;
      case tag.META:
        meta = readMeta(cursor);
        break;
      default:
        cursor.skip();
    }
  }
  const header: Writable<SyncHdr> = {
    verDTD: verDTD ?? cursor.fail('VerDTD is missing in SyncHdr'),
    verProto: verProto ?? cursor.fail('VerProto is missing in SyncHdr'),
    sessionId: sessionId ?? cursor.fail('SessionID is missing in SyncHdr'),
    msgId: msgId ?? cursor.fail('MsgID is missing in SyncHdr'),
    target: target ?? cursor.fail('Target is missing in SyncHdr'),
    source: source ?? cursor.fail('Source is missing in SyncHdr'),
  };
  if (respURI !== undefined) header.respURI = respURI;
  if (cred !== undefined) header.cred = cred;
  if (meta !== undefined) header.meta = meta;
  return header;
}

/** Reads a Cred, and adds to `credRanges` where its Data stands. */
export function readCred(cursor: ElementCursor, credRanges: Ranges): Cred {
  let meta: Meta = {};
  let data = '';
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    if (id === tag.META) {
      meta = readMeta(cursor);
    } else if (id === tag.DATA) {
      data = cursor.text();
      // A range is what a trace masks: text in several WBXML pieces has none.
      if (cursor.pieces > 1) cursor.fail('Data of Cred is not one piece of text');
      credRanges.push([cursor.contentStart, cursor.contentEnd]);
    } else {
      cursor.skip();
    }
  }
  return { meta, data };
}
