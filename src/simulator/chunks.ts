/** Data of a large object that is being cut. */
export type ObjectData = string | Uint8Array;

/**
 * How much of `data` fits into one message of at most `max` bytes; at least a little, so that every
 * message makes progress. `sizeOf` measures the message with that piece in it: escapes and multi-byte
 * characters make text longer than it counts.
 */
export function pieceLength(data: ObjectData, max: number, sizeOf: (piece: ObjectData) => number): number {
  const overhead = sizeOf(typeof data === 'string' ? '' : new Uint8Array());
  const room = Math.max(2, max - overhead);
  let take = Math.min(Math.max(1, data.length - 1), room);
  for (let size = sizeOf(cut(data, 0, take)); size > max && take > 2; size = sizeOf(cut(data, 0, take))) {
    take = Math.max(2, Math.min(take - 1, Math.floor((take * room) / (size - overhead))));
  }
  return take;
}

/** Part of the data; never cuts a surrogate pair in two. */
export function cut(data: ObjectData, from: number, to?: number): ObjectData {
  if (typeof data !== 'string') return data.subarray(from, to);
  return data.slice(whole(data, from), to === undefined ? undefined : whole(data, to));
}

function whole(text: string, at: number): number {
  return at > 1 && at < text.length && /[\uD800-\uDBFF]/.test(text[at - 1]!) ? at - 1 : at;
}
