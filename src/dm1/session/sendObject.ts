import type { Encoding, Item, SyncMLMessage } from '../message.ts';
import { isSuccess } from '../tables/status.ts';
import type { Machine } from '../turn.ts';
import type { DeviceChannel } from './deviceChannel.ts';
import type { Draft } from './draft.ts';
import { chunkOf, transmitted } from './largeObject.ts';
import type { Pending } from './pending.ts';
import { References } from './references.ts';

/** The one Item of a command that may go in chunks: one value, written. */
function objectOf(pending: Pending | undefined): Item | undefined {
  if (!pending) return undefined;
  const { kind, items } = pending.command;
  return items.length === 1 && (kind === 'Add' || kind === 'Replace') ? items[0] : undefined;
}

/** No message could hold this object, and the draft is as good as an empty one to begin with it. */
export function startsHere(draft: Draft, pending: Pending | undefined): boolean {
  if (!pending || !objectOf(pending)) return false;
  return draft.mostlyFree && !draft.couldHold({ ...pending.command, cmdId: '0000' });
}

/**
 * Sends a command that no message can hold in chunks, each in a message of its own without Final but
 * for the last (1x§8). Returns false when it cannot be done: no object, too large for the device.
 */
export function* sendObject(channel: DeviceChannel, pending: Pending, encoding: Encoding): Machine<boolean> {
  const { command } = pending;
  const object = objectOf(pending);
  if (!object) return false;
  const item = transmitted(object, encoding);
  let cleared = false;
  for (let at = 0; ; ) {
    const opening = channel.begin();
    const { draft } = opening;
    const cmdId = draft.id();
    const fits = (part: Item): boolean => draft.measure({ ...command, cmdId, items: [part] }) <= draft.room;
    const chunk = channel.isShort(opening)
      ? undefined
      : chunkOf(item, at, channel.maxObjSize, fits, draft.room);
    if (!chunk && opening.statuses > 0 && !cleared) {
      yield* channel.sendStatuses();
      cleared = true;
      if (channel.ended) return true;
      continue;
    }
    if (!chunk) return false;
    const references = new References(draft.header.msgId);
    references.add(cmdId, pending);
    draft.put({ ...command, cmdId, items: [chunk.item] }, 0);
    channel.inbox.objectRefused = false;
    const reply = yield* channel.exchange(opening, chunk.last);
    if (!reply) return true;
    const challenged = chunk.last
      ? yield* channel.hearPackage(reply, references)
      : yield* hearChunk(channel, reply, references);
    if (channel.ended) return true;
    if (challenged && pending.refusedForAuth) {
      pending.reset();
      at = 0;
      continue;
    }
    if (chunk.last) return true;
    const { code, answered } = pending.answer();
    if (channel.inbox.objectRefused || (answered && !isSuccess(code))) {
      if (isSuccess(code)) pending.reset();
      pending.imply(500);
      return true;
    }
    // 213, or nothing but Alert 1222: the next chunk is welcome.
    pending.reset();
    cleared = false;
    at = chunk.end;
  }
}

/** Reads the answer to a chunk; a device whose answer did not fit one message is asked for the rest once. */
function* hearChunk(channel: DeviceChannel, reply: SyncMLMessage, references: References): Machine<boolean> {
  let { challenged } = yield* channel.hear(reply, references);
  if (channel.ended || challenged || references.complete || reply.final) return challenged;
  const rest = yield* channel.askForMore(references);
  if (rest) ({ challenged } = yield* channel.hear(rest, references));
  return challenged;
}
