import { isBinary, parseFormat } from '../../mo/format.ts';
import { storedMark } from '../../mo/stored.ts';
import type { BodyElement, Command, Cred, Item, Loc, Meta, SyncHdr, SyncMLMessage } from '../message.ts';
import * as tag from '../tables/pages.ts';

/** Where a message is written to, element by element. */
export interface ElementSink {
  open(id: number): void;
  close(id: number): void;
  /** An element with text. */
  leaf(id: number, text: string): void;
  /** An element without content. */
  flag(id: number): void;
  /** An Item's Data as text, which may hold anything a value can. */
  data(text: string): void;
  /** An Item's Data as raw bytes; only called where `binary`. */
  bytes(bytes: Uint8Array): void;
  /** An element that has no id, with its CmdID. */
  foreign(name: string, cmdId: string): void;
  /** Whether the encoding carries bytes as they are. */
  readonly binary: boolean;
}

/** Writes a whole message in DTD order (1x§1.2), which strict peers insist on (1x§16.1). */
export function writeMessage(sink: ElementSink, message: SyncMLMessage): void {
  sink.open(tag.SYNC_ML);
  writeHeader(sink, message.header);
  sink.open(tag.SYNC_BODY);
  for (const element of message.body) writeBodyElement(sink, element);
  if (message.final) sink.flag(tag.FINAL);
  sink.close(tag.SYNC_BODY);
  sink.close(tag.SYNC_ML);
}

function writeHeader(sink: ElementSink, header: SyncHdr): void {
  sink.open(tag.SYNC_HDR);
  sink.leaf(tag.VER_DTD, header.verDTD);
  sink.leaf(tag.VER_PROTO, header.verProto);
  sink.leaf(tag.SESSION_ID, header.sessionId);
  sink.leaf(tag.MSG_ID, header.msgId);
  writeLoc(sink, tag.TARGET, header.target);
  writeLoc(sink, tag.SOURCE, header.source);
  writeOptional(sink, tag.RESP_URI, header.respURI);
  writeCred(sink, header.cred);
  writeMeta(sink, header.meta);
  sink.close(tag.SYNC_HDR);
}

export function writeBodyElement(sink: ElementSink, element: BodyElement): void {
  switch (element.kind) {
    case 'Status':
      sink.open(tag.STATUS);
      sink.leaf(tag.CMD_ID, element.cmdId);
      writeOptional(sink, tag.MSG_REF, element.msgRef);
      writeOptional(sink, tag.CMD_REF, element.cmdRef);
      writeOptional(sink, tag.CMD, element.cmd);
      for (const ref of element.targetRefs) sink.leaf(tag.TARGET_REF, ref);
      for (const ref of element.sourceRefs) sink.leaf(tag.SOURCE_REF, ref);
      writeCred(sink, element.cred);
      if (element.chal !== undefined) {
        sink.open(tag.CHAL);
        writeMeta(sink, element.chal);
        sink.close(tag.CHAL);
      }
      sink.leaf(tag.DATA, element.code);
      for (const item of element.items) writeItem(sink, item, undefined);
      sink.close(tag.STATUS);
      return;
    case 'Results':
      sink.open(tag.RESULTS);
      sink.leaf(tag.CMD_ID, element.cmdId);
      writeOptional(sink, tag.MSG_REF, element.msgRef);
      writeOptional(sink, tag.CMD_REF, element.cmdRef);
      writeMeta(sink, element.meta);
      writeOptional(sink, tag.TARGET_REF, element.targetRef);
      writeOptional(sink, tag.SOURCE_REF, element.sourceRef);
      for (const item of element.items) writeItem(sink, item, element.meta);
      sink.close(tag.RESULTS);
      return;
    default:
      writeCommand(sink, element);
  }
}

const COMMAND_TAGS = {
  Add: tag.ADD,
  Replace: tag.REPLACE,
  Delete: tag.DELETE,
  Copy: tag.COPY,
  Get: tag.GET,
  Exec: tag.EXEC,
  Alert: tag.ALERT,
  Atomic: tag.ATOMIC,
  Sequence: tag.SEQUENCE,
} as const;

function writeCommand(sink: ElementSink, command: Command): void {
  if (command.kind === 'Foreign') {
    sink.foreign(command.name, command.cmdId);
    return;
  }
  const id = COMMAND_TAGS[command.kind];
  sink.open(id);
  sink.leaf(tag.CMD_ID, command.cmdId);
  switch (command.kind) {
    case 'Alert':
      sink.leaf(tag.DATA, command.code);
      writeOptional(sink, tag.CORRELATOR, command.correlator);
      for (const item of command.items) writeItem(sink, item, undefined);
      break;
    case 'Atomic':
    case 'Sequence':
      writeMeta(sink, command.meta);
      for (const child of command.commands) writeCommand(sink, child);
      break;
    default:
      writeMeta(sink, command.meta);
      writeOptional(sink, tag.CORRELATOR, command.correlator);
      for (const item of command.items) writeItem(sink, item, command.meta);
  }
  sink.close(id);
}

function writeItem(sink: ElementSink, item: Item, commandMeta: Meta | undefined): void {
  // Stored bytes that nobody has put in are named (in journals and traces).
  const data = item.stored ? storedMark(item.stored) : item.data;
  sink.open(tag.ITEM);
  if (item.target !== undefined) writeLoc(sink, tag.TARGET, item.target);
  if (item.source !== undefined) writeLoc(sink, tag.SOURCE, item.source);
  if (data === undefined || typeof data === 'string') {
    writeMeta(sink, item.meta);
    if (data !== undefined) sink.data(data);
  } else {
    writeBinary(sink, item.meta, commandMeta, data);
  }
  if (item.moreData === true) sink.flag(tag.MORE_DATA);
  sink.close(tag.ITEM);
}

/** Bytes: as they are where the encoding can, else base64 with Meta Format `b64` (IW-VAL-3, 1x§7.3). */
function writeBinary(
  sink: ElementSink,
  own: Meta | undefined,
  commandMeta: Meta | undefined,
  data: Uint8Array,
): void {
  const format = parseFormat(own?.format ?? commandMeta?.format);
  if (sink.binary && format !== 'b64') {
    writeMeta(sink, own);
    sink.bytes(data);
    return;
  }
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64');
  const inherited = isBinary(format) || commandMeta?.type === undefined ? {} : { type: commandMeta.type };
  const meta = format === 'b64' ? own : { ...inherited, ...own, format: 'b64' };
  // Size counts bytes as transmitted (1x§7.3).
  writeMeta(sink, meta?.size === data.length ? { ...meta, size: text.length } : meta);
  sink.data(text);
}

function writeLoc(sink: ElementSink, id: number, loc: Loc): void {
  sink.open(id);
  sink.leaf(tag.LOC_URI, loc.uri);
  writeOptional(sink, tag.LOC_NAME, loc.name);
  sink.close(id);
}

function writeCred(sink: ElementSink, cred: Cred | undefined): void {
  if (cred === undefined) return;
  sink.open(tag.CRED);
  writeMeta(sink, cred.meta);
  sink.leaf(tag.DATA, cred.data);
  sink.close(tag.CRED);
}

function writeMeta(sink: ElementSink, meta: Meta | undefined): void {
  if (meta === undefined) return;
  sink.open(tag.META);
  writeOptional(sink, tag.FORMAT, meta.format);
  writeOptional(sink, tag.TYPE, meta.type);
  writeOptional(sink, tag.MARK, meta.mark);
  writeOptional(sink, tag.SIZE, meta.size?.toString());
  if (meta.nextNonce !== undefined) {
    const { buffer, byteOffset, length } = meta.nextNonce;
    sink.leaf(tag.NEXT_NONCE, Buffer.from(buffer, byteOffset, length).toString('base64'));
  }
  writeOptional(sink, tag.MAX_MSG_SIZE, meta.maxMsgSize?.toString());
  writeOptional(sink, tag.MAX_OBJ_SIZE, meta.maxObjSize?.toString());
  writeOptional(sink, tag.EMI, meta.emi);
  sink.close(tag.META);
}

function writeOptional(sink: ElementSink, id: number, text: string | undefined): void {
  if (text !== undefined) sink.leaf(id, text);
}
