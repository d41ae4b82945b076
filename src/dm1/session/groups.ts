import { isSuccess, parseStatusCode } from '../tables/status.ts';
import type { Pending } from './pending.ts';
import type { PendingGroup } from './references.ts';

export interface GroupOutcome {
  /** Children to be sent again, in order. */
  readonly again: readonly Pending[];
  /** The peer does not know this kind of group. */
  readonly unsupported: boolean;
}

const NOTHING: GroupOutcome = { again: [], unsupported: false };

/** Reads a group's own Status into its children, and finds those that a failed sibling kept from running. */
export function settleGroup(group: PendingGroup): GroupOutcome {
  const code = group.status && parseStatusCode(group.status.code);
  if (code !== undefined) for (const pending of group.members) pending.inGroupOf(code);
  // Some devices answer the children of a group that they refuse with 215, some as the group, others not at all.
  const idle = group.members.every((p) => !p.answered || p.answer().code === 215 || p.answer().code === code);
  if (idle && (code === 406 || code === 501)) {
    for (const pending of group.members) pending.imply(code);
    return { again: [], unsupported: true };
  }
  if (code !== undefined) implyFrom(group, code);
  return group.kind === 'Sequence' ? { again: heldBack(group), unsupported: false } : NOTHING;
}

/** Children without a Status of their own share the group's, as far as it says anything about them. */
function implyFrom(group: PendingGroup, code: number): void {
  if (code === 304) {
    // libdmclient tells "No" on the whole Sequence (1x§16.1): the alert was refused, what follows skipped.
    const refused = group.members.find((p) => !p.answered && p.command.kind === 'Alert');
    refused?.imply(304);
    for (const pending of group.members) pending.imply(215);
  } else if (!isSuccess(code)) {
    for (const pending of group.members) pending.imply(code);
  } else if (group.kind === 'Atomic' && group.members.every((p) => !p.answered)) {
    // All or nothing: success of the whole is success of each.
    for (const pending of group.members) pending.imply(code);
  }
}

/**
 * Children that were skipped (215) behind a failed command: some clients stop a Sequence there
 * (1x§3.2), DM 2.0 does not. What a user's "No" or cancel skips stays skipped (1x§4.5).
 */
function heldBack(group: PendingGroup): readonly Pending[] {
  const answers = group.members.map((p) => p.answer());
  const failed = answers.findIndex(({ code }) => code !== 215 && !isSuccess(code));
  if (failed < 0 || group.members[failed]?.command.kind === 'Alert') return [];
  return group.members.filter((_, at) => at > failed && answers[at]?.code === 215);
}
