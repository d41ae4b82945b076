import type {
  AlertCommand,
  BodyElement,
  Command,
  Cred,
  GroupCommand,
  Item,
  ItemCommand,
  ItemCommandName,
  Loc,
  Meta,
  Results,
  Status,
  SyncHdr,
  SyncMLMessage,
} from '../message.ts';
import * as tag from '../tables/pages.ts';
import type { ElementCursor } from './cursor.ts';
import { settleOpaque } from './opaque.ts';
import { readChal, readLoc, readMeta, readToken } from './parts.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What is read beside the message itself. */
export interface ReadMessage {
  readonly message: SyncMLMessage;
  /** Range of the content of SyncHdr/Cred/Data, in the cursor's own positions. */
  readonly credRange: readonly [number, number] | undefined;
}

/**
 * Reads a message from any encoding: elements in any order, unknown ones skipped, what DM does not use
 * ignored (1x§1.3, §16.1). The cursor has just entered the root.
 */
export class MessageReader {
  private readonly cursor: ElementCursor;
  private credRange: readonly [number, number] | undefined;

  constructor(cursor: ElementCursor) {
    this.cursor = cursor;
  }

  read(): ReadMessage {
    const { cursor } = this;
    let header: SyncHdr | undefined;
    let body: BodyElement[] | undefined;
    let final = false;
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.SYNC_HDR) {
        if (header !== undefined) cursor.fail('SyncHdr occurs twice');
        header = this.header();
      } else if (id === tag.SYNC_BODY) {
        if (body !== undefined) cursor.fail('SyncBody occurs twice');
        body = [];
        final = this.body(body);
      } else {
        cursor.skip();
      }
    }
    const message = {
      header: header ?? cursor.fail('SyncHdr is missing'),
      body: body ?? cursor.fail('SyncBody is missing'),
      final,
    };
    return { message, credRange: this.credRange };
  }

  private header(): SyncHdr {
    const { cursor } = this;
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
          cred = this.cred(true);
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

  private body(elements: BodyElement[]): boolean {
    const { cursor } = this;
    let final = false;
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.FINAL:
          final = true;
          cursor.skip();
          break;
        case tag.STATUS:
          elements.push(this.status());
          break;
        case tag.RESULTS:
          elements.push(this.results());
          break;
        default:
          elements.push(this.command(id));
      }
    }
    return final;
  }

  private command(id: number): Command {
    switch (id) {
      case tag.GET:
        return this.itemCommand('Get');
      case tag.REPLACE:
        return this.itemCommand('Replace');
      case tag.ADD:
        return this.itemCommand('Add');
      case tag.EXEC:
        return this.itemCommand('Exec');
      case tag.DELETE:
        return this.itemCommand('Delete');
      case tag.COPY:
        return this.itemCommand('Copy');
      case tag.ALERT:
        return this.alert();
      case tag.ATOMIC:
        return this.group('Atomic');
      case tag.SEQUENCE:
        return this.group('Sequence');
      default:
        return this.foreign();
    }
  }

  private itemCommand(kind: ItemCommandName): ItemCommand {
    const { cursor } = this;
    let cmdId = '';
    let meta: Meta | undefined;
    let correlator: string | undefined;
    const items: Item[] = [];
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.CMD_ID:
          cmdId = readToken(cursor);
          break;
        case tag.ITEM:
          items.push(this.item(meta));
          break;
        case tag.META:
          meta = readMeta(cursor);
          break;
        case tag.CORRELATOR:
          correlator = cursor.text();
          break;
        default:
          cursor.skip();
      }
    }
    this.settleLate(meta);
    const command: Writable<ItemCommand> = { kind, cmdId, items };
    if (meta !== undefined) command.meta = meta;
    if (correlator !== undefined && kind === 'Exec') command.correlator = correlator;
    return command;
  }

  private alert(): AlertCommand {
    const { cursor } = this;
    let cmdId = '';
    let code = '';
    let correlator: string | undefined;
    const items: Item[] = [];
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.CMD_ID:
          cmdId = readToken(cursor);
          break;
        case tag.DATA:
          code = readToken(cursor);
          break;
        case tag.ITEM:
          items.push(this.item(undefined));
          break;
        case tag.CORRELATOR:
          correlator = cursor.text();
          break;
        default:
          cursor.skip();
      }
    }
    this.settleLate(undefined);
    return correlator === undefined
      ? { kind: 'Alert', cmdId, code, items }
      : { kind: 'Alert', cmdId, code, correlator, items };
  }

  private group(kind: 'Atomic' | 'Sequence'): GroupCommand {
    const { cursor } = this;
    let cmdId = '';
    let meta: Meta | undefined;
    const commands: Command[] = [];
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.CMD_ID:
          cmdId = readToken(cursor);
          break;
        case tag.META:
          meta = readMeta(cursor);
          break;
        case NO_RESP:
          cursor.skip();
          break;
        default:
          commands.push(this.command(id));
      }
    }
    return meta === undefined ? { kind, cmdId, commands } : { kind, cmdId, meta, commands };
  }

  private foreign(): Command {
    const { cursor } = this;
    const name = cursor.name();
    let cmdId = '';
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.CMD_ID) cmdId = readToken(cursor);
      else cursor.skip();
    }
    return { kind: 'Foreign', name, cmdId };
  }

  private status(): Status {
    const { cursor } = this;
    let cmdId = '';
    let msgRef: string | undefined;
    let cmdRef: string | undefined;
    let cmd: string | undefined;
    let cred: Cred | undefined;
    let chal: Meta | undefined;
    let code = '';
    const targetRefs: string[] = [];
    const sourceRefs: string[] = [];
    const items: Item[] = [];
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.CMD_ID:
          cmdId = readToken(cursor);
          break;
        case tag.MSG_REF:
          msgRef = readToken(cursor);
          break;
        case tag.CMD_REF:
          cmdRef = readToken(cursor);
          break;
        case tag.CMD:
          cmd = readToken(cursor);
          break;
        case tag.TARGET_REF:
          targetRefs.push(cursor.text());
          break;
        case tag.SOURCE_REF:
          sourceRefs.push(cursor.text());
          break;
        case tag.DATA:
          code = readToken(cursor);
          break;
        case tag.ITEM:
          items.push(this.item(undefined));
          break;
        case tag.CHAL:
          chal = readChal(cursor);
          break;
        case tag.CRED:
          cred = this.cred(false);
          break;
        default:
          cursor.skip();
      }
    }
    this.settleLate(undefined);
    const status: Writable<Status> = { kind: 'Status', cmdId, targetRefs, sourceRefs, code, items };
    if (msgRef !== undefined) status.msgRef = msgRef;
    if (cmdRef !== undefined) status.cmdRef = cmdRef;
    if (cmd !== undefined) status.cmd = cmd;
    if (cred !== undefined) status.cred = cred;
    if (chal !== undefined) status.chal = chal;
    return status;
  }

  private results(): Results {
    const { cursor } = this;
    let cmdId = '';
    let msgRef: string | undefined;
    let cmdRef: string | undefined;
    let meta: Meta | undefined;
    let targetRef: string | undefined;
    let sourceRef: string | undefined;
    const items: Item[] = [];
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      switch (id) {
        case tag.CMD_ID:
          cmdId = readToken(cursor);
          break;
        case tag.MSG_REF:
          msgRef = readToken(cursor);
          break;
        case tag.CMD_REF:
          cmdRef = readToken(cursor);
          break;
        case tag.ITEM:
          items.push(this.item(meta));
          break;
        case tag.META:
          meta = readMeta(cursor);
          break;
        case tag.TARGET_REF:
          targetRef = cursor.text();
          break;
        case tag.SOURCE_REF:
          sourceRef = cursor.text();
          break;
        default:
          cursor.skip();
      }
    }
    this.settleLate(meta);
    const results: Writable<Results> = { kind: 'Results', cmdId, items };
    if (msgRef !== undefined) results.msgRef = msgRef;
    if (cmdRef !== undefined) results.cmdRef = cmdRef;
    if (meta !== undefined) results.meta = meta;
    if (targetRef !== undefined) results.targetRef = targetRef;
    if (sourceRef !== undefined) results.sourceRef = sourceRef;
    return results;
  }

  private item(commandMeta: Meta | undefined): Item {
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

  /** Opaque Data whose format was unknown when its Item ended: the command's Meta may still come. */
  private readonly undecided: { item: Writable<Item>; start: number; end: number }[] = [];

  private settleLate(meta: Meta | undefined): void {
    for (let late = this.undecided.pop(); late !== undefined; late = this.undecided.pop()) {
      settleOpaque(late.item, meta, late.start, late.end, this.cursor);
    }
  }

  private cred(inHeader: boolean): Cred {
    const { cursor } = this;
    let meta: Meta = {};
    let data = '';
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.META) {
        meta = readMeta(cursor);
      } else if (id === tag.DATA) {
        data = cursor.text();
        if (inHeader) {
          // A range is what a trace masks: text in several WBXML pieces has none.
          if (cursor.pieces > 1) cursor.fail('Data of Cred is not one piece of text');
          this.credRange = [cursor.contentStart, cursor.contentEnd];
        }
      } else {
        cursor.skip();
      }
    }
    return { meta, data };
  }
}

const NO_RESP = 0x1d;
