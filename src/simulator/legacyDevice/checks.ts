import type { Command, SyncMLMessage } from '../../dm1/message.ts';
import { type DmVersion, everyCommand, isCommand, isGroup, itemMeta, VERSION_CONSTANTS } from '../syncml.ts';
import { isUiAlert } from './interaction.ts';

/** What the device knows when a server message arrives. */
export interface CheckContext {
  readonly version: DmVersion;
  readonly deviceId: string;
  readonly sessionId: string;
  readonly maxMsgSize?: number;
  /** The message that the server answers. */
  readonly sent: SyncMLMessage;
  readonly previousServerMsgId: number;
  /** The server is between the first and the last chunk of an object. */
  readonly chunking: boolean;
}

/** Every breach of the rules for server messages (1x§1.2-§2.5, §3.2, §8), in words; empty when clean. */
export function checkServerMessage(message: SyncMLMessage, size: number, context: CheckContext): string[] {
  return [
    ...checkHeader(message, size, context),
    ...checkIds(message),
    ...checkStatuses(message, context),
    ...checkEnding(message, context),
    ...[...everyCommand(message.body)].flatMap((command) => checkCommand(command, context)),
  ];
}

function checkHeader({ header }: SyncMLMessage, size: number, context: CheckContext): string[] {
  const found: string[] = [];
  const expected = VERSION_CONSTANTS[context.version];
  if (header.verDTD !== expected.verDTD) found.push(`VerDTD is ${header.verDTD}, not ${expected.verDTD}`);
  if (header.verProto !== expected.verProto)
    found.push(`VerProto is ${header.verProto}, not ${expected.verProto}`);
  if (header.sessionId !== context.sessionId)
    found.push(`SessionID ${header.sessionId} is not echoed verbatim`);
  const msgId = Number(header.msgId);
  if (msgId !== context.previousServerMsgId + 1) {
    found.push(`MsgID ${header.msgId} does not follow ${context.previousServerMsgId}`);
  }
  if (header.target.uri !== context.deviceId) found.push(`Target ${header.target.uri} is not this device`);
  if (header.source.uri === '') found.push('Source is empty');
  if (header.respURI !== undefined && !URL.canParse(header.respURI)) found.push('RespURI is no absolute URL');
  if (context.maxMsgSize !== undefined && size > context.maxMsgSize) {
    found.push(`message of ${size} bytes exceeds MaxMsgSize ${context.maxMsgSize}`);
  }
  return found;
}

function checkIds(message: SyncMLMessage): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  const check = (cmdId: string) => {
    if (!/^[1-9]\d*$/.test(cmdId)) found.push(`CmdID ${cmdId || '(none)'} is no positive number`);
    if (seen.has(cmdId)) found.push(`CmdID ${cmdId} is used twice`);
    seen.add(cmdId);
  };
  for (const element of message.body) {
    check(element.cmdId);
    if (isCommand(element) && isGroup(element))
      for (const child of everyCommand(element.commands)) check(child.cmdId);
  }
  return found;
}

function checkStatuses(message: SyncMLMessage, { sent }: CheckContext): string[] {
  const found: string[] = [];
  const [first] = message.body;
  if (first?.kind !== 'Status' || first.cmdRef !== '0' || first.cmd !== 'SyncHdr') {
    found.push('the first element is not the Status of the SyncHdr');
  } else {
    if (first.targetRefs[0] !== undefined && first.targetRefs[0] !== sent.header.target.uri) {
      found.push(`TargetRef of the SyncHdr is ${first.targetRefs[0]}`);
    }
    if (first.sourceRefs[0] !== undefined && first.sourceRefs[0] !== sent.header.source.uri) {
      found.push(`SourceRef of the SyncHdr is ${first.sourceRefs[0]}`);
    }
    if ((first.code === '401' || first.code === '407') && message.body.some(isCommand)) {
      found.push('commands stand beside a refused SyncHdr');
    }
  }
  const owed = new Map(sent.body.filter((element) => element.kind !== 'Status').map((e) => [e.cmdId, e]));
  let last = -1;
  for (const [index, element] of message.body.entries()) {
    if (element.kind === 'Results') found.push('the server sent Results');
    if (element.kind !== 'Status') continue;
    if (element.msgRef !== sent.header.msgId)
      found.push(`MsgRef ${element.msgRef} is not ${sent.header.msgId}`);
    if (!/^\d{3}$/.test(element.code)) found.push(`Status code ${element.code} is not three digits`);
    if (element.cmdRef === '0') {
      if (index !== 0) found.push('a second Status for the SyncHdr');
      continue;
    }
    const answered = owed.get(element.cmdRef ?? '');
    if (!answered) {
      found.push(`Status for CmdRef ${element.cmdRef}, which this device did not send`);
      continue;
    }
    if (element.cmd !== answered.kind) found.push(`Cmd ${element.cmd} in the Status of ${answered.kind}`);
    if (answered.kind === 'Results' && element.code === '200') found.push('Status 200 for Results');
    const order = Number(element.cmdRef);
    if (order < last) found.push(`Status of CmdRef ${element.cmdRef} is out of order`);
    last = order;
    if (answered.kind !== 'Results') owed.delete(element.cmdRef ?? '');
  }
  for (const element of owed.values()) {
    if (element.kind !== 'Results') found.push(`no Status for ${element.kind} ${element.cmdId}`);
  }
  return found;
}

function checkEnding(message: SyncMLMessage, { chunking, sent }: CheckContext): string[] {
  const commands = message.body.filter(isCommand);
  const next = commands.some((command) => command.kind === 'Alert' && command.code === '1222');
  const more = [...everyCommand(message.body)].some(hasMoreData);
  const found: string[] = [];
  if (message.final && more) found.push('Final beside an unfinished large object');
  if (!message.final && !more && !next) found.push('no Final');
  if (next && sent.final) found.push('Alert 1222 though the device had sent Final');
  if (next && commands.length > 1) found.push('commands beside Alert 1222');
  if (chunking && commands.some((command) => !isCarrier(command)))
    found.push('new commands inside a large object');
  return found;
}

function hasMoreData(command: Command): boolean {
  return 'items' in command && command.items.some((item) => item.moreData);
}

function isCarrier(command: Command): boolean {
  return (
    command.kind === 'Add' ||
    command.kind === 'Replace' ||
    command.kind === 'Sequence' ||
    command.kind === 'Alert'
  );
}

function checkCommand(command: Command, { version }: CheckContext): string[] {
  const what = `${command.kind} ${command.cmdId}`;
  const found: string[] = [];
  switch (command.kind) {
    case 'Foreign':
      return [`${command.name} is no command of DM`];
    case 'Atomic':
    case 'Sequence':
      if (command.commands.length === 0) found.push(`${what} is empty`);
      for (const child of command.commands) {
        if (isGroup(child)) found.push(`${what} holds a ${child.kind}`);
        if (command.kind === 'Atomic' && (child.kind === 'Get' || child.kind === 'Exec')) {
          found.push(`${what} holds a ${child.kind}`);
        }
      }
      return found;
    case 'Alert':
      if (isUiAlert(command) && command.items.length < 2)
        found.push(`${what}: a UI alert has two Items or more`);
      if (['1200', '1201', '1224', '1226'].includes(command.code))
        found.push(`${what}: a server sends no ${command.code}`);
      return found;
    default:
      break;
  }
  if (command.items.length === 0) found.push(`${what} has no Item`);
  if (command.kind === 'Exec' && command.items.length !== 1) found.push(`${what} has not exactly one Item`);
  if (version === '1.1' && command.correlator !== undefined) found.push(`${what}: Correlator in DM 1.1`);
  for (const item of command.items) {
    const uri = item.target?.uri;
    if (!uri) {
      found.push(`${what} has an Item without Target`);
      continue;
    }
    if (uri !== './' && uri !== '/' && uri.split('?')[0]!.endsWith('/'))
      found.push(`${what}: ${uri} ends in a slash`);
    if (version === '1.1' && uri.includes('?list=')) found.push(`${what}: ?list= in DM 1.1`);
    if (
      (command.kind === 'Get' || command.kind === 'Delete') &&
      item.data !== undefined &&
      item.data.length > 0
    ) {
      found.push(`${what} carries Data`);
    }
    if (command.kind !== 'Add' && !(command.kind === 'Replace' && !uri.includes('?'))) continue;
    const meta = itemMeta(command, item);
    if (meta.type === undefined && meta.format !== 'node') found.push(`${what}: no Meta Type for ${uri}`);
    if (meta.format === undefined) found.push(`${what}: no Meta Format for ${uri}`);
    if (item.data === undefined) found.push(`${what}: no Data for ${uri}`);
  }
  return found;
}
