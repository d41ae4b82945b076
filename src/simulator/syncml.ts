import { decodeMessage, defaultEncoding, encodeMessage } from '../dm1/codec.ts';
import {
  type AlertCommand,
  type BodyElement,
  type Command,
  type Encoding,
  type GroupCommand,
  type Item,
  type ItemCommand,
  isCommand,
  type Meta,
  type Results,
  type Status,
} from '../dm1/message.ts';
import { commandName } from '../dm1/session/statuses.ts';
import { type Format, isBinary, parseFormat } from '../mo/format.ts';
import { plainValue, type Value } from '../mo/node.ts';

export type DmVersion = '1.1' | '1.2' | '1.3';

type Unnumbered<T> = T extends unknown ? Omit<T, 'cmdId'> : never;
/** A body element before it has a CmdID. */
export type Outgoing = Unnumbered<Status | Results | AlertCommand | ItemCommand>;
export type OutStatus = Unnumbered<Status>;
export type OutResults = Unnumbered<Results>;
export type OutAlert = Unnumbered<AlertCommand>;

/** Header constants by version (1x§1.1). */
export const VERSION_CONSTANTS: Readonly<
  Record<DmVersion, { verDTD: string; verProto: string; namespace: string }>
> = {
  '1.1': { verDTD: '1.1', verProto: 'DM/1.1', namespace: 'SYNCML:SYNCML1.1' },
  '1.2': { verDTD: '1.2', verProto: 'DM/1.2', namespace: 'SYNCML:SYNCML1.2' },
  '1.3': { verDTD: '1.2', verProto: 'DM/1.3', namespace: 'SYNCML:SYNCML1.2' },
};

const WBXML_VERSION: Readonly<Record<DmVersion, number>> = { '1.1': 2, '1.2': 2, '1.3': 3 };
export function encodingFor(version: DmVersion, form: 'xml' | 'wbxml'): Encoding {
  const encoding = defaultEncoding(form, VERSION_CONSTANTS[version].verDTD);
  return form === 'xml' ? encoding : { ...encoding, wbxmlVersion: WBXML_VERSION[version] };
}

export function contentTypeOf(form: 'xml' | 'wbxml', obsolete = false): string {
  return `application/vnd.syncml${obsolete ? '' : '.dm'}+${form}`;
}

export { commandName, decodeMessage, encodeMessage, isCommand };

/** Gives every element its CmdID, counted from 1 in document order. */
export function numbered(elements: readonly Outgoing[]): BodyElement[] {
  return elements.map((element, i) => withCmdId(element, String(i + 1)));
}

function withCmdId(element: Outgoing, cmdId: string): BodyElement {
  return { ...element, cmdId } as BodyElement;
}

export function isGroup(command: Command): command is GroupCommand {
  return command.kind === 'Atomic' || command.kind === 'Sequence';
}

export function isItemCommand(command: Command): command is ItemCommand {
  return command.kind !== 'Alert' && command.kind !== 'Foreign' && !isGroup(command);
}

/** The command and, for a group, everything inside, in document order. */
export function* everyCommand(commands: readonly BodyElement[]): Generator<Command> {
  for (const element of commands) {
    if (!isCommand(element)) continue;
    yield element;
    if (isGroup(element)) yield* everyCommand(element.commands);
  }
}

/** Meta of an Item with what it inherits from its command (1x§1.4). */
export function itemMeta(command: { readonly meta?: Meta }, item: Item): Meta {
  return { ...command.meta, ...item.meta };
}

/** What an Item says about a node: format, type and value; bytes for binary formats. */
export function itemContent(meta: Meta, item: Item): { format?: Format; type?: string; value: Value } {
  const format = parseFormat(meta.format);
  return {
    ...(format === undefined ? {} : { format }),
    ...(meta.type === undefined ? {} : { type: meta.type.trim() }),
    value: contentValue(format, item.data ?? ''),
  };
}

function contentValue(format: Format | undefined, data: string | Uint8Array): Value {
  if (format === 'b64') {
    return new Uint8Array(
      Buffer.from(typeof data === 'string' ? data : Buffer.from(data).toString('latin1'), 'base64'),
    );
  }
  if (format === 'bin') return typeof data === 'string' ? new Uint8Array(Buffer.from(data, 'utf8')) : data;
  return typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
}

/** Meta and Data that carry a value over `form`: bytes are `b64` in XML, raw `bin` in WBXML (1x§7.3). */
export function wireValue(
  format: Format,
  type: string | undefined,
  given: Value,
  form: 'xml' | 'wbxml',
): { meta?: Meta; data: string | Uint8Array } {
  const value = plainValue(given);
  if (isBinary(format) && typeof value !== 'string') {
    const raw = form === 'wbxml' && format === 'bin';
    return {
      meta: { format: raw ? 'bin' : 'b64', type: type ?? 'application/octet-stream' },
      data: raw ? value : Buffer.from(value).toString('base64'),
    };
  }
  const data = typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  if (format === 'chr' && (type === undefined || type === 'text/plain')) return { data };
  return { meta: { format, type: type ?? 'text/plain' }, data };
}

/** Bytes that a piece of Data takes, as Meta/Size counts them (1x§8). */
export function dataSize(data: string | Uint8Array): number {
  return typeof data === 'string' ? Buffer.byteLength(data, 'utf8') : data.length;
}
