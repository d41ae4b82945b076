import type { Command, Item, Meta } from '../../dm1/message.ts';
import { type Format, isBinary } from '../../mo/format.ts';
import { wireValue } from '../syncml.ts';

/** A server command as plain JSON. `data` of a binary format is base64 text or bytes. */
export type ServerCommand =
  | { readonly kind: 'Get' | 'Delete'; readonly uris: readonly string[] }
  | {
      readonly kind: 'Add' | 'Replace';
      readonly uri: string;
      readonly format?: Format;
      readonly type?: string;
      readonly data?: string | Uint8Array;
    }
  | { readonly kind: 'Copy'; readonly from: string; readonly to: string }
  | { readonly kind: 'Exec'; readonly uri: string; readonly data?: string; readonly correlator?: string }
  | { readonly kind: 'Alert'; readonly code: string; readonly items?: readonly string[] }
  | { readonly kind: 'Sequence' | 'Atomic'; readonly commands: readonly ServerCommand[] };

/** Hands out CmdIDs and remembers which command got which. */
export interface CmdIds {
  next(command: ServerCommand): string;
}

/** Turns a script command into a message command for an encoding. */
export function toCommand(command: ServerCommand, ids: CmdIds, form: 'xml' | 'wbxml'): Command {
  const cmdId = ids.next(command);
  switch (command.kind) {
    case 'Get':
    case 'Delete':
      return { kind: command.kind, cmdId, items: command.uris.map((uri) => ({ target: { uri } })) };
    case 'Add':
    case 'Replace':
      return { kind: command.kind, cmdId, items: [writeItem(command, form)] };
    case 'Copy':
      return {
        kind: 'Copy',
        cmdId,
        items: [{ target: { uri: command.to }, source: { uri: command.from } }],
      };
    case 'Exec':
      return {
        kind: 'Exec',
        cmdId,
        ...(command.correlator === undefined ? {} : { correlator: command.correlator }),
        items: [
          {
            target: { uri: command.uri },
            ...(command.data === undefined
              ? {}
              : { meta: { format: 'chr', type: 'text/plain' }, data: command.data }),
          },
        ],
      };
    case 'Alert':
      return {
        kind: 'Alert',
        cmdId,
        code: command.code,
        items: (command.items ?? []).map((data) => ({ data })),
      };
    case 'Sequence':
    case 'Atomic':
      return {
        kind: command.kind,
        cmdId,
        commands: command.commands.map((child) => toCommand(child, ids, form)),
      };
  }
}

function writeItem(
  command: Extract<ServerCommand, { kind: 'Add' | 'Replace' }>,
  form: 'xml' | 'wbxml',
): Item {
  const { uri, format = 'chr', type, data = '' } = command;
  if (format === 'node') return { target: { uri }, meta: { format, ...(type ? { type } : {}) }, data: '' };
  const value =
    isBinary(format) && typeof data === 'string' ? new Uint8Array(Buffer.from(data, 'base64')) : data;
  const wire = wireValue(format, type, value, form);
  const meta: Meta = wire.meta ?? { format: 'chr', type: 'text/plain' };
  return { target: { uri }, meta, data: wire.data };
}
