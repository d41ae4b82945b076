import type { Item, Meta } from '../message.ts';
import * as tag from '../tables/pages.ts';
import type { ElementCursor } from './cursor.ts';
import { settleOpaque } from './opaque.ts';
import { readLoc, readMeta } from './parts.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the Items of commands, Status and Results. */
export class ItemReader {
  private readonly cursor: ElementCursor;
  /** Opaque Data whose format was unknown when its Item ended: the command's Meta may still come. */
  private readonly undecided: { item: Writable<Item>; start: number; end: number }[] = [];

  constructor(cursor: ElementCursor) {
    this.cursor = cursor;
  }

  /** The item that the cursor has entered; what its opaque Data is may be open until `settle`. */
  read(commandMeta: Meta | undefined): Item {
    const { cursor } = this;
    const item: Writable<Item> = {};
    let opaqueStart = -1;
    let opaqueEnd = -1;
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.DATA: {
          const data = cursor.data();
          if (data === undefined) {
            opaqueStart = cursor.contentStart;
            opaqueEnd = cursor.contentEnd;
          } else {
            opaqueStart = -1;
            item.data = data;
          }
          break;
        }
        case tag.META:
          item.meta = readMeta(cursor);
          break;
        case tag.SOURCE:
          item.source = readLoc(cursor);
          break;
        case tag.TARGET:
          item.target = readLoc(cursor);
          break;
        case tag.MORE_DATA:
          item.moreData = true;
          cursor.skip();
          break;
        default:
          cursor.skip();
      }
    }
    if (opaqueStart < 0) return item;
    if (commandMeta === undefined && item.meta?.format === undefined) {
      this.undecided.push({ item, start: opaqueStart, end: opaqueEnd });
    } else {
      settleOpaque(item, commandMeta, opaqueStart, opaqueEnd, cursor);
    }
    return item;
  }

  /** Ends a command, whose Meta is known by now: it holds for the items that stood before it. */
  settle(meta: Meta | undefined): void {
    for (let late = this.undecided.pop(); late !== undefined; late = this.undecided.pop()) {
      settleOpaque(late.item, meta, late.start, late.end, this.cursor);
    }
  }
}
