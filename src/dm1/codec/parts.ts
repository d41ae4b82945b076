import type { Loc, Meta } from '../message.ts';
import * as tag from '../tables/pages.ts';
import type { ElementCursor } from './cursor.ts';
import { readOpaqueText } from './opaque.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A Target or Source; its LocURI may be missing and the address stand there as text (1x§16.1). */
export function readLoc(cursor: ElementCursor): Loc {
  let uri: string | undefined;
  let name: string | undefined;
  cursor.stray = '';
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    if (id === tag.LOC_URI) uri = cursor.text();
    else if (id === tag.LOC_NAME) name = cursor.text();
    else cursor.skip();
  }
  uri ??= cursor.stray.trim();
  return name === undefined ? { uri } : { uri, name };
}

export function readMeta(cursor: ElementCursor): Meta {
  const meta: Writable<Meta> = {};
  metaChildren(cursor, meta);
  return meta;
}

function metaChildren(cursor: ElementCursor, meta: Writable<Meta>): void {
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    switch (id) {
      case tag.FORMAT:
        meta.format = cursor.text();
        break;
      case tag.TYPE:
        meta.type = cursor.text();
        break;
      case tag.SIZE:
        setNumber(meta, 'size', cursor.text());
        break;
      case tag.MARK:
        meta.mark = cursor.text();
        break;
      case tag.NEXT_NONCE:
        meta.nextNonce = readOpaqueText(cursor);
        break;
      case tag.MAX_MSG_SIZE:
        setNumber(meta, 'maxMsgSize', cursor.text());
        break;
      case tag.MAX_OBJ_SIZE:
        setNumber(meta, 'maxObjSize', cursor.text());
        break;
      case tag.EMI:
        meta.emi = cursor.text();
        break;
      case META_INF:
        metaChildren(cursor, meta);
        break;
      default:
        cursor.skip();
    }
  }
}

/** The Meta of a Chal. */
export function readChal(cursor: ElementCursor): Meta {
  let meta: Meta = {};
  for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
    if (id === tag.META) meta = readMeta(cursor);
    else cursor.skip();
  }
  return meta;
}

/** A number, name or code: blanks around it mean nothing. */
export function readToken(cursor: ElementCursor): string {
  const text = cursor.text();
  if (text.charCodeAt(0) > 32 && text.charCodeAt(text.length - 1) > 32) return text;
  return text.trim();
}

export const META_INF = 0x4e;

/** Digits only; anything else is as good as absent, for a size that cannot be read limits nothing. */
function setNumber(meta: Writable<Meta>, key: 'size' | 'maxMsgSize' | 'maxObjSize', text: string): void {
  let value = 0;
  const digits = text.trim();
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return;
    value = value * 10 + digit;
  }
  if (digits !== '' && value <= Number.MAX_SAFE_INTEGER) meta[key] = value;
}
