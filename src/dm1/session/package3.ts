import type { BodyElement, Encoding, Item, Results } from '../message.ts';
import { itemBytes, transmitted } from './largeObject.ts';
import { type Part, statusPart } from './outbox.ts';
import { owedFor, type ReceivedCommand } from './serverInbox.ts';

/** What became of a server's command. */
export interface ServerCommandAnswer {
  readonly code: number;
  /** Codes by Item, where they differ: one Status each. */
  readonly items?: readonly { readonly uri: string; readonly code: number }[];
  /** What the Get read. */
  readonly results?: readonly Item[];
  /** Items of the Status: user answers, failing implicit nodes. */
  readonly statusItems?: readonly Item[];
  /** Children of a Sequence or Atomic, in order. */
  readonly children?: readonly ServerCommandAnswer[];
}

export interface AnswerLimits {
  readonly encoding: Encoding;
  readonly maxObjSize: number | undefined;
  /** Whether a message without other content could hold this. */
  readonly holds: (element: BodyElement) => boolean;
}

/** Data of the shortest chunk that is worth a message. */
const LEAST = 8;

/** Status of a command, its Results behind it, then its children (1x§2.5, §3.2). */
export function answerParts(
  received: ReceivedCommand,
  answer: ServerCommandAnswer | undefined,
  limits: AnswerLimits,
): Part[] {
  const given = answer ?? { code: 500 };
  const { maxObjSize } = limits;
  const results = (given.results ?? []).map((item) => transmitted(item, limits.encoding));
  const told = resultsPart(received, results);
  const tooLarge = results.some(
    (item) =>
      (maxObjSize !== undefined && itemBytes(item) > maxObjSize) ||
      !limits.holds(told.make('9999', [leastOf(item)])),
  );
  const parts = tooLarge ? [statusPart(owedFor(received, 413))] : statusParts(received, given);
  if (results.length > 0 && !tooLarge) parts.push(told);
  const { command } = received;
  if (command.kind === 'Atomic' || command.kind === 'Sequence') {
    command.commands.forEach((child, at) => {
      parts.push(...answerParts({ msgId: received.msgId, command: child }, given.children?.[at], limits));
    });
  }
  return parts;
}

/** The first chunk of an Item at its shortest. */
function leastOf(item: Item): Item {
  const size = itemBytes(item);
  if (size <= LEAST) return item;
  const { stored: _, ...rest } = item;
  return { ...rest, meta: { ...item.meta, size }, data: 'x'.repeat(LEAST), moreData: true };
}

function statusParts(received: ReceivedCommand, answer: ServerCommandAnswer): Part[] {
  const whole = {
    ...owedFor(received, answer.code),
    ...(answer.statusItems && { items: answer.statusItems }),
  };
  const items = answer.items ?? [];
  if (items.every(({ code }) => code === items[0]?.code)) return [statusPart(whole)];
  return items.map(({ uri, code }) => statusPart({ ...whole, code, targetRefs: [uri] }));
}

function resultsPart(received: ReceivedCommand, items: readonly Item[]): Part {
  return {
    items,
    chunkable: true,
    make: (cmdId, some): Results => ({
      kind: 'Results',
      cmdId,
      msgRef: received.msgId,
      cmdRef: received.command.cmdId,
      items: some,
    }),
  };
}
