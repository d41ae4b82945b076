import type { JournalEntry } from '../../store/schema.ts';
import { type MessageMeta, readReplyMeta } from './entries.ts';
import type { Incoming } from './incoming.ts';
import type { Reply } from './liveSession.ts';
import type { Replies } from './replies.ts';

/** A message in a journal and what followed it before the next. */
export interface StoredExchange {
  readonly opening: boolean;
  readonly at: number;
  readonly meta: MessageMeta;
  /** Absent while it was never made. */
  readonly reply?: JournalEntry;
  /** It went out, and nothing is known to have kept it from the device. */
  readonly delivered: boolean;
  /** The device is known to have it. */
  readonly confirmed: boolean;
  /** What the device says next may have the same bytes. */
  readonly lookalike: boolean;
  /** The message was not taken and is to come again. */
  readonly declined: boolean;
}

/** The last exchange of a journal, or the last one that began with `message`. */
export function findExchange(
  entries: readonly JournalEntry[],
  message?: Incoming,
): StoredExchange | undefined {
  for (let i = entries.length - 1; i >= 0; i -= 1) {
    const entry = entries[i]!;
    if (entry.kind !== 'open' && entry.kind !== 'device') continue;
    const meta = JSON.parse(entry.meta) as MessageMeta;
    if (message && !isSame(meta, message)) continue;
    let reply: JournalEntry | undefined;
    let delivered = false;
    let confirmed = false;
    for (let j = i + 1; j < entries.length; j += 1) {
      const { kind } = entries[j]!;
      if (kind === 'device') break;
      if (kind === 'reply' && !readReplyMeta(entries[j]!.meta).wiped) {
        reply = entries[j];
        delivered = true;
      }
      if (kind === 'delivered') confirmed = true;
      if (kind === 'undelivered') delivered = false;
    }
    const { lookalike = false, status } = reply ? readReplyMeta(reply.meta) : {};
    return {
      opening: entry.kind === 'open',
      at: entry.at,
      meta,
      ...(reply && { reply }),
      delivered,
      confirmed,
      lookalike,
      declined: status !== undefined,
    };
  }
  return undefined;
}

export function isSame(meta: MessageMeta, message: Incoming): boolean {
  return meta.h === message.mark.hash && meta.m === message.mark.msgId;
}

/** The bytes of a stored answer, with the credentials that the journal does not hold. */
export function restoreReply(
  reply: JournalEntry,
  deviceId: string,
  dialect: string,
  replies: Replies,
): Promise<Reply> {
  const meta = readReplyMeta(reply.meta);
  return replies.restore(meta, reply.body ?? new Uint8Array(), deviceId, dialect);
}
