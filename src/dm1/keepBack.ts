import {
  type BodyElement,
  type Command,
  type ItemCommand,
  isCommand,
  type Status,
  type SyncMLMessage,
} from './message.ts';
import { commandName } from './session/statuses.ts';
import { isAuthStatus, parseStatusCode } from './tables/status.ts';

/** A command that its receiver does not get, and what is said of it in the receiver's stead. */
export interface KeptBack {
  readonly msgRef: string;
  /** Of the command that went in its place. */
  readonly cmdRef: string;
  readonly answers: readonly Pick<Required<Status>, 'cmdRef' | 'cmd' | 'code'>[];
}

/**
 * The message with something harmless in the place of each command that is not allowed: a Get of the
 * device's own id, which every device answers. So the numbers of commands and messages stay as they are
 * on both sides, and a message never loses what keeps the session alive (1x§2.2). An Atomic goes as a
 * whole or not at all, as no Get may stand in it; a chunk was the reason for its message not to be the last.
 */
export function keepBack(
  message: SyncMLMessage,
  allows: (command: ItemCommand) => boolean,
): { readonly message: SyncMLMessage; readonly kept: readonly KeptBack[] } {
  const kept: KeptBack[] = [];
  const instead = (cmdId: string, answers: KeptBack['answers']): ItemCommand => {
    kept.push({ msgRef: message.header.msgId.trim(), cmdRef: cmdId.trim(), answers });
    return { kind: 'Get', cmdId, items: [{ target: { uri: './DevInfo/DevId' } }] };
  };
  const checked = (command: Command): Command => {
    switch (command.kind) {
      case 'Alert':
      case 'Foreign':
        return command;
      case 'Sequence':
        return { ...command, commands: command.commands.map(checked) };
      case 'Atomic':
        return everyItemCommand(command).every(allows)
          ? command
          : instead(command.cmdId, [answer(command, '507'), ...undone(command.commands, allows)]);
      default:
        return allows(command) ? command : instead(command.cmdId, [answer(command, '425')]);
    }
  };
  const body = message.body.map((element) => (isCommand(element) ? checked(element) : element));
  if (kept.length === 0) return { message, kept };
  const broken = message.body.some(isChunk) && !body.some(isChunk);
  return { message: { ...message, body, final: message.final || broken }, kept };
}

/** What the receiver answers, with what is to be said of the commands that it did not get. */
export function answerForKept(message: SyncMLMessage, kept: readonly KeptBack[]): SyncMLMessage {
  if (kept.length === 0) return message;
  let last = Math.max(0, ...message.body.map(({ cmdId }) => Number(cmdId) || 0));
  const body = message.body.flatMap((element): BodyElement[] => {
    if (element.kind !== 'Status' && element.kind !== 'Results') return [element];
    const { msgRef, cmdRef } = element;
    const found = kept.find((each) => each.msgRef === msgRef?.trim() && each.cmdRef === cmdRef?.trim());
    if (!found) return [element];
    if (element.kind === 'Results') return [];
    // Who has not proved who it is hears that first, and sends the same again (1x§9.4 rule 7).
    const first = isAuthStatus(parseStatusCode(element.code)) ? element.code : undefined;
    return found.answers.map((said, i): Status => {
      if (i > 0) last += 1;
      return {
        kind: 'Status',
        cmdId: i > 0 ? String(last) : element.cmdId,
        msgRef: found.msgRef,
        ...said,
        code: first ?? said.code,
        targetRefs: [],
        sourceRefs: [],
        ...(element.chal && { chal: element.chal }),
        items: [],
      };
    });
  });
  return { ...message, body };
}

function isChunk(element: BodyElement): boolean {
  return 'items' in element && element.items.some(({ moreData }) => moreData);
}

function everyItemCommand(command: Command): ItemCommand[] {
  switch (command.kind) {
    case 'Alert':
    case 'Foreign':
      return [];
    case 'Atomic':
    case 'Sequence':
      return command.commands.flatMap(everyItemCommand);
    default:
      return [command];
  }
}

/** Children of an Atomic that is not done: 425 for what is not allowed, 215 for the rest. */
function undone(
  commands: readonly Command[],
  allows: (command: ItemCommand) => boolean,
): KeptBack['answers'] {
  return commands.flatMap((child) => {
    switch (child.kind) {
      case 'Atomic':
      case 'Sequence':
        return [answer(child, '215'), ...undone(child.commands, allows)];
      case 'Alert':
      case 'Foreign':
        return [answer(child, '215')];
      default:
        return [answer(child, allows(child) ? '215' : '425')];
    }
  });
}

function answer(command: Command, code: string): KeptBack['answers'][number] {
  return { cmdRef: command.cmdId, cmd: commandName(command), code };
}
