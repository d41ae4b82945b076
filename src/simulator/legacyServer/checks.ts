import type { SyncMLMessage } from '../../dm1/message.ts';
import { everyCommand, isCommand } from '../syncml.ts';

/** What the server knows when a client message arrives. */
export interface ClientCheckContext {
  /** URL that the client must address. */
  readonly url: string;
  readonly sessionId: string;
  readonly verProto: string;
  readonly previousMsgId: number;
  readonly maxMsgSize?: number;
  /** The server's last message; absent when this is the client's first. */
  readonly sent?: SyncMLMessage;
}

/** Breaches of the rules for client messages (1x§2.1-§2.5), in words. */
export function checkClientMessage(
  message: SyncMLMessage,
  size: number,
  context: ClientCheckContext,
): string[] {
  const found: string[] = [];
  const { header } = message;
  if (header.sessionId !== context.sessionId) found.push(`SessionID changed to ${header.sessionId}`);
  if (header.verProto !== context.verProto) found.push(`VerProto changed to ${header.verProto}`);
  if (Number(header.msgId) !== context.previousMsgId + 1) {
    found.push(`MsgID ${header.msgId} does not follow ${context.previousMsgId}`);
  }
  if (header.target.uri !== context.url) found.push(`Target is ${header.target.uri}, not ${context.url}`);
  if (context.maxMsgSize !== undefined && size > context.maxMsgSize) {
    found.push(`message of ${size} bytes exceeds MaxMsgSize ${context.maxMsgSize}`);
  }
  found.push(...checkCommands(message));
  if (context.sent) found.push(...checkAnswers(message, context.sent));
  return found;
}

function checkCommands(message: SyncMLMessage): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const element of message.body) {
    if (seen.has(element.cmdId)) found.push(`CmdID ${element.cmdId} is used twice`);
    if (!/^[1-9]\d*$/.test(element.cmdId))
      found.push(`CmdID ${element.cmdId || '(none)'} is no positive number`);
    seen.add(element.cmdId);
    if (!isCommand(element) || element.kind === 'Alert') continue;
    const devInfo =
      element.kind === 'Replace' &&
      element.items.every(({ source }) => source !== undefined && /^(\.?\/)?DevInfo\//.test(source.uri));
    if (!devInfo) found.push(`a client sends no ${element.kind} other than the Replace of DevInfo`);
  }
  return found;
}

function checkAnswers(message: SyncMLMessage, sent: SyncMLMessage): string[] {
  const found: string[] = [];
  const [first] = message.body;
  if (first?.kind !== 'Status' || first.cmdRef !== '0')
    found.push('the first element is not the Status of the SyncHdr');
  const known = new Map([...everyCommand(sent.body)].map((command) => [command.cmdId, command]));
  const ok = new Set<string>();
  for (const element of message.body) {
    // Answers to an earlier message of the package are matched by that message's number.
    if (element.kind === 'Status' && element.msgRef === sent.header.msgId && element.cmdRef !== '0') {
      const command = known.get(element.cmdRef ?? '');
      if (!command) found.push(`Status for CmdRef ${element.cmdRef}, which the server did not send`);
      else if (command.kind !== 'Foreign' && element.cmd !== command.kind) {
        found.push(`Cmd ${element.cmd} in the Status of ${command.kind}`);
      }
      if (element.code.startsWith('2')) ok.add(element.cmdRef ?? '');
    }
    if (element.kind !== 'Results') continue;
    if (element.msgRef === sent.header.msgId && !ok.has(element.cmdRef ?? '')) {
      found.push(`Results for CmdRef ${element.cmdRef} without or before its Status 200`);
    }
    if (element.items.some(({ source }) => !source?.uri)) found.push('Results without Source');
  }
  return found;
}
