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
import { readOpaqueText, settleOpaque } from './opaque.ts';

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
          verDTD = this.token();
          break;
        case tag.VER_PROTO:
          verProto = this.token();
          break;
        case tag.SESSION_ID:
          sessionId = cursor.text();
          break;
        case tag.MSG_ID:
          msgId = this.token();
          break;
        case tag.TARGET:
          target = this.loc();
          break;
        case tag.SOURCE:
          source = this.loc();
          break;
        case tag.RESP_URI:
          respURI = cursor.text();
          break;
        case tag.CRED:
          cred = this.cred(true);
          break;
        case tag.META:
          meta = this.meta();
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
          cmdId = this.token();
          break;
        case tag.ITEM:
          items.push(this.item(meta));
          break;
        case tag.META:
          meta = this.meta();
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
          cmdId = this.token();
          break;
        case tag.DATA:
          code = this.token();
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
          cmdId = this.token();
          break;
        case tag.META:
          meta = this.meta();
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
      if (id === tag.CMD_ID) cmdId = this.token();
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
          cmdId = this.token();
          break;
        case tag.MSG_REF:
          msgRef = this.token();
          break;
        case tag.CMD_REF:
          cmdRef = this.token();
          break;
        case tag.CMD:
          cmd = this.token();
          break;
        case tag.TARGET_REF:
          targetRefs.push(cursor.text());
          break;
        case tag.SOURCE_REF:
          sourceRefs.push(cursor.text());
          break;
        case tag.DATA:
          code = this.token();
          break;
        case tag.ITEM:
          items.push(this.item(undefined));
          break;
        case tag.CHAL:
          chal = this.chal();
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
          cmdId = this.token();
          break;
        case tag.MSG_REF:
          msgRef = this.token();
          break;
        case tag.CMD_REF:
          cmdRef = this.token();
          break;
        case tag.ITEM:
          items.push(this.item(meta));
          break;
        case tag.META:
          meta = this.meta();
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
          item.meta = this.meta();
          break;
        case tag.SOURCE:
          item.source = this.loc();
          break;
        case tag.TARGET:
          item.target = this.loc();
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

  private loc(): Loc {
    const { cursor } = this;
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

  private meta(): Meta {
    const meta: Writable<Meta> = {};
    this.metaChildren(meta);
    return meta;
  }

  private metaChildren(meta: Writable<Meta>): void {
    const { cursor } = this;
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
          this.metaChildren(meta);
          break;
        default:
          cursor.skip();
      }
    }
  }

  private chal(): Meta {
    const { cursor } = this;
    let meta: Meta = {};
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.META) meta = this.meta();
      else cursor.skip();
    }
    return meta;
  }

  private cred(inHeader: boolean): Cred {
    const { cursor } = this;
    let meta: Meta = {};
    let data = '';
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.META) {
        meta = this.meta();
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

  /** A number, name or code: blanks around it mean nothing. */
  private token(): string {
    const text = this.cursor.text();
    if (text.charCodeAt(0) > 32 && text.charCodeAt(text.length - 1) > 32) return text;
    return text.trim();
  }
}

const NO_RESP = 0x1d;
const META_INF = 0x4e;

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
