import type {
  AlertCommand,
  BodyElement,
  Command,
  Cred,
  GroupCommand,
  Item,
  ItemCommand,
  ItemCommandName,
  Meta,
  Results,
  Status,
  SyncHdr,
  SyncMLMessage,
} from '../message.ts';
import * as tag from '../tables/pages.ts';
import type { ElementCursor } from './cursor.ts';
import { type Ranges, readCred, readHeader } from './header.ts';
import { ItemReader } from './items.ts';
import { readChal, readMeta, readToken } from './parts.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What is read beside the message itself. */
export interface ReadMessage {
  readonly message: SyncMLMessage;
  /** Of the content of Cred/Data, wherever a Cred stands. */
  readonly credRanges: Readonly<Ranges>;
}

/**
 * Reads a message from any encoding: elements in any order, unknown ones skipped, what DM does not use
 * ignored (1x§1.3, §16.1). The cursor has just entered the root.
 */
export class MessageReader {
  private readonly cursor: ElementCursor;
  private readonly items: ItemReader;
  private readonly credRanges: Ranges = [];

  constructor(cursor: ElementCursor) {
    this.cursor = cursor;
    this.items = new ItemReader(cursor);
  }

  read(): ReadMessage {
    const { cursor } = this;
    let header: SyncHdr | undefined;
    let body: BodyElement[] | undefined;
    let final = false;
    for (let id = cursor.next(); id !== tag.END; id = cursor.next()) {
      if (id === tag.SYNC_HDR) {
        if (header !== undefined) cursor.fail('SyncHdr occurs twice');
        header = readHeader(cursor, this.credRanges);
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
    return { message, credRanges: this.credRanges };
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
          items.push(this.items.read(meta));
          break;
        case tag.META:
          meta = readMeta(cursor);
          break;
        case tag.CORRELATOR:
          correlator = cursor.text();
          break;
        default:
          this.skip(id);
      }
    }
    this.items.settle(meta);
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
          items.push(this.items.read(undefined));
          break;
        case tag.CORRELATOR:
          correlator = cursor.text();
          break;
        default:
          this.skip(id);
      }
    }
    this.items.settle(undefined);
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
        case tag.CRED:
          this.skip(id);
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
      else this.skip(id);
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
          items.push(this.items.read(undefined));
          break;
        case tag.CHAL:
          chal = readChal(cursor);
          break;
        case tag.CRED:
          cred = readCred(cursor, this.credRanges);
          break;
        default:
          this.skip(id);
      }
    }
    this.items.settle(undefined);
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
          items.push(this.items.read(meta));
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
          this.skip(id);
      }
    }
    this.items.settle(meta);
    const results: Writable<Results> = { kind: 'Results', cmdId, items };
    if (msgRef !== undefined) results.msgRef = msgRef;
    if (cmdRef !== undefined) results.cmdRef = cmdRef;
    if (meta !== undefined) results.meta = meta;
    if (targetRef !== undefined) results.targetRef = targetRef;
    if (sourceRef !== undefined) results.sourceRef = sourceRef;
    return results;
  }

  /** What no command needs. SyncML has room for a Cred in each (DM has not): no journal may hold it. */
  private skip(id: number): void {
    if (id === tag.CRED) readCred(this.cursor, this.credRanges);
    else this.cursor.skip();
  }
}

const NO_RESP = 0x1d;
