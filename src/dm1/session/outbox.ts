import type { AlertCommand, BodyElement, Item, Status } from '../message.ts';
import type { Draft } from './draft.ts';
import { chunkOf } from './largeObject.ts';
import type { PlannedAlert } from './planned.ts';
import { type OwedStatus, statusMaker } from './statuses.ts';

/** Something that a client's package has to say; with `items` it may be spread over several elements. */
export interface Part {
  readonly make: (cmdId: string, items: readonly Item[]) => BodyElement;
  readonly items?: readonly Item[];
  /** A single Item that fits no message may go in chunks (1x§8). */
  readonly chunkable?: boolean;
  /** Where the next chunk of its only Item begins. */
  readonly at?: number;
  /** The alert that it is, so that its Status can be told. */
  readonly alert?: PlannedAlert;
  /** What is said instead where no message could hold it. */
  readonly lesser?: Part;
}

export interface Placed {
  readonly part: Part;
  /** Another chunk of it is to come. */
  readonly goesOn: boolean;
  readonly element: BodyElement;
}

export interface FillOptions {
  /** Bytes to keep free behind the parts, for Alert 1222. */
  readonly keep: number;
  readonly maxObjSize: number | undefined;
  readonly note: (text: string) => void;
}

export function statusPart(owed: OwedStatus): Part {
  const make = statusMaker(owed);
  const { items, ...bare } = owed;
  const lesser = items && items.length > 0 && { lesser: statusPart({ ...bare, code: 413 }) };
  return { make: (cmdId): Status => make(cmdId), ...lesser };
}

/** Its Items are events of their own (1x§5), so each may go by itself, and in chunks. */
export function alertPart(alert: PlannedAlert): Part {
  const make = (cmdId: string, items: readonly Item[]): AlertCommand => ({ ...alert, cmdId, items });
  return { alert, items: alert.items, chunkable: true, make };
}

/** Moves parts from the front of `queue` into the draft; what is too large is divided as its kind allows. */
export function fillParts(draft: Draft, queue: Part[], options: FillOptions): Placed[] {
  const placed: Placed[] = [];
  const before = draft.length;
  const place = (part: Part, rest: Part | undefined, element: BodyElement): void => {
    placed.push({ part, element, goesOn: rest?.at !== undefined });
    queue.splice(0, 1, ...(rest ? [rest] : []));
  };
  for (let part = queue[0]; part; part = queue[0]) {
    const { items = [], make } = part;
    const { count, tooMany } = countFitting(draft, part, options.keep);
    const whole = part.at || tooMany ? undefined : draft.tryAdd((cmdId) => make(cmdId, items), options.keep);
    if (whole) {
      place(part, undefined, whole);
      continue;
    }
    if (count > 0) {
      const some = { ...part, items: items.slice(0, count) };
      const element = draft.add((cmdId) => make(cmdId, some.items));
      place(some, { ...part, items: items.slice(count) }, element);
      return placed;
    }
    const fresh = draft.length === before;
    if (!fresh && !chunksHere(draft, part)) return placed;
    if (items.length > 1) {
      queue.splice(0, 1, { ...part, items: items.slice(0, 1) }, { ...part, items: items.slice(1) });
      continue;
    }
    if (part.chunkable && placeChunk(draft, part, place, options)) return placed;
    if (!fresh) return placed;
    options.note(
      `${make('0', []).kind} fits no message of MaxMsgSize and was ${part.lesser ? 'shortened' : 'left out'}`,
    );
    queue.splice(0, 1, ...(part.lesser ? [part.lesser] : []));
  }
  return placed;
}

/** No message could hold this object, and the draft is as good as an empty one to go on with it. */
function chunksHere(draft: Draft, part: Part): boolean {
  if (!part.chunkable || part.items?.length !== 1 || !draft.mostlyFree) return false;
  return part.at !== undefined || !draft.couldHold(part.make('0000', part.items));
}

function placeChunk(
  draft: Draft,
  part: Part,
  place: (part: Part, rest: Part | undefined, element: BodyElement) => void,
  options: FillOptions,
): boolean {
  const item = part.items?.[0];
  const cmdId = draft.id();
  const room = draft.room - options.keep;
  const fits = (piece: Item): boolean => draft.measure(part.make(cmdId, [piece])) <= room;
  const chunk = item && chunkOf(item, part.at ?? 0, options.maxObjSize, fits, room);
  if (!chunk) return false;
  const element = part.make(cmdId, [chunk.item]);
  draft.put(element, draft.measure(element));
  const { at: _, ...rest } = part;
  place({ ...rest, items: [chunk.item] }, chunk.last ? undefined : { ...part, at: chunk.end }, element);
  return true;
}

/**
 * How many of several Items fit as one element, counted from the front, and whether there are far too many
 * for a single one. No more of them are measured than two messages hold: what is left of a long list is
 * looked at again for each message.
 */
function countFitting(draft: Draft, part: Part, keep: number): { count: number; tooMany: boolean } {
  const { items = [], make } = part;
  if (items.length < 2) return { count: 0, tooMany: false };
  const empty = draft.measure(make('0000', []));
  let size = empty + keep;
  let count = 0;
  for (const item of items) {
    size += draft.measure(make('0000', [item])) - empty + 4;
    if (size <= draft.room) count += 1;
    else if (size > 2 * draft.room) return { count, tooMany: true };
  }
  return { count, tooMany: false };
}
