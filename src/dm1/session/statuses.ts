import {
  type AlertCommand,
  type Command,
  type Item,
  isCommand,
  type Meta,
  type Status,
  type SyncHdr,
  type SyncMLMessage,
} from '../message.ts';
import type { Draft, Maker } from './draft.ts';

/** A Status that is owed to the peer and waits for the next message. */
export interface OwedStatus {
  readonly msgRef: string;
  readonly cmdRef: string;
  readonly cmd: string;
  readonly code: number;
  readonly targetRefs?: readonly string[];
  readonly items?: readonly Item[];
}

export function statusMaker(owed: OwedStatus): Maker<Status> {
  return (cmdId) => ({
    kind: 'Status',
    cmdId,
    msgRef: owed.msgRef,
    cmdRef: owed.cmdRef,
    cmd: owed.cmd,
    targetRefs: owed.targetRefs ?? [],
    sourceRefs: [],
    code: String(owed.code),
    items: owed.items ?? [],
  });
}

/** The Status that opens every answer: CmdRef 0, both addresses of the message answered (1x§2.5, §16.1). */
export function headerStatusMaker(answered: SyncHdr, code: number, chal?: Meta): Maker<Status> {
  return (cmdId) => ({
    kind: 'Status',
    cmdId,
    msgRef: answered.msgId,
    cmdRef: '0',
    cmd: 'SyncHdr',
    targetRefs: [answered.target.uri],
    sourceRefs: [answered.source.uri],
    code: String(code),
    items: [],
    ...(chal && { chal }),
  });
}

export function alertMaker(code: string, items: readonly Item[] = []): Maker<AlertCommand> {
  return (cmdId) => ({ kind: 'Alert', cmdId, code, items });
}

/**
 * Bytes for a Status, that of an Alert 1222 and an Alert 1222: a package over several messages (1x§2.3) gets
 * nowhere with less.
 */
export function leastRoom(draft: Draft): number {
  const status = statusMaker({ msgRef: '9999', cmdRef: '9999', cmd: 'Replace', code: 200 })('9999');
  return 2 * draft.measure(status) + draft.measure(alertMaker('1222')('9999'));
}

export function commandName(command: Command): string {
  return command.kind === 'Foreign' ? command.name : command.kind;
}

/** One Status with the same code for every command of a message, children included (1x§9.4 rule 2). */
export function statusForEach(message: SyncMLMessage, code: number): OwedStatus[] {
  const owed: OwedStatus[] = [];
  const visit = (command: Command): void => {
    owed.push({ msgRef: message.header.msgId, cmdRef: command.cmdId, cmd: commandName(command), code });
    if (command.kind === 'Atomic' || command.kind === 'Sequence') command.commands.forEach(visit);
  };
  for (const element of message.body) {
    if (isCommand(element)) visit(element);
  }
  return owed;
}

/** The header's Status in a message, wherever it stands: CmdRef 0, or Cmd SyncHdr without CmdRef (1x§2.5). */
export function isHeaderStatus(status: Pick<Status, 'cmdRef' | 'cmd'>): boolean {
  if (status.cmdRef !== undefined && status.cmdRef.trim() !== '') return status.cmdRef.trim() === '0';
  return status.cmd?.trim() === 'SyncHdr';
}
