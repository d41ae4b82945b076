import type { Command } from '../message.ts';
import type { Draft } from './draft.ts';
import type { Pending } from './pending.ts';
import type { References } from './references.ts';

/** Bytes by which a child may grow inside its group (a WBXML page switch). */
const CHILD_SLACK = 4;

/** Moves commands from the front of `queue` into the draft while they fit, at most `most`; returns how many. */
export function fillPlain(
  draft: Draft,
  queue: Pending[],
  references: References,
  most = Number.POSITIVE_INFINITY,
): number {
  let count = 0;
  for (const pending of queue) {
    if (count >= most) break;
    const added = draft.tryAdd((cmdId): Command => ({ ...pending.command, cmdId }));
    if (!added) break;
    references.add(added.cmdId, pending);
    count += 1;
  }
  queue.splice(0, count);
  return count;
}

/**
 * Moves commands into one Sequence as far as they fit, or into one Atomic if all of them fit
 * (1x§2.3: a group fits one message); returns how many. A Sequence of one is the bare command.
 */
export function fillGroup(
  draft: Draft,
  queue: Pending[],
  references: References,
  kind: 'Sequence' | 'Atomic',
): number {
  const groupId = draft.id();
  let size = draft.measure({ kind, cmdId: groupId, commands: [] }) + CHILD_SLACK;
  const commands: Command[] = [];
  for (const pending of queue) {
    const child: Command = { ...pending.command, cmdId: draft.id() };
    const childSize = draft.measure(child) + CHILD_SLACK;
    if (size + childSize > draft.room) break;
    size += childSize;
    commands.push(child);
  }
  if (kind === 'Atomic' && commands.length < queue.length) return 0;
  if (commands.length === 0) return 0;
  if (commands.length === 1 && kind === 'Sequence') return fillPlain(draft, queue, references, 1);
  draft.put({ kind, cmdId: groupId, commands }, size);
  const members = queue.splice(0, commands.length);
  members.forEach((pending, at) => {
    references.add(commands[at]?.cmdId ?? '', pending);
  });
  references.addGroup({ kind, cmdId: groupId, members });
  return members.length;
}
