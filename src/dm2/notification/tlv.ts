import { DragomanError } from '../../support/errors.ts';
import { LONGEST_VALUE } from './options.ts';

/** VER of Package#0: the version of its format, not of the protocol (20§2.2). */
export const NOTIFICATION_VERSION = 2;
/** OC has five bits. */
export const MOST_OPTIONS = 31;

export interface Tlv {
  readonly number: number;
  readonly value: Uint8Array;
}

/** An option where it stands; `at` is the index of its value. */
export interface PlacedTlv extends Tlv {
  readonly at: number;
}

/** Half an octet that says: one more octet, to be added (20§15 Q2, as in the CoAP drafts of 2012). */
const EXTENDED = 15;

/**
 * Header and options: VER 4 bits, OC 5, RESERVED 7 (written 0), then by increasing number the
 * difference to the number before, 4 bits, the length, 4 bits and perhaps an octet, and the value.
 */
export function writeTlv(options: readonly Tlv[]): Uint8Array {
  if (options.length > MOST_OPTIONS) {
    throw new DragomanError('too-large', `A notification has at most ${MOST_OPTIONS} options.`);
  }
  const header = (NOTIFICATION_VERSION << 12) | (options.length << 7);
  const bytes: number[] = [header >> 8, header & 0xff];
  let last = 0;
  for (const { number, value } of options) {
    const delta = number - last;
    if (!Number.isInteger(delta) || delta < 0 || delta > 15) {
      throw new DragomanError(
        'bad-value',
        `Option ${number} cannot follow option ${last}: the difference is 0 to 15.`,
      );
    }
    if (value.length > LONGEST_VALUE) {
      throw new DragomanError('too-large', `Option ${number} is longer than ${LONGEST_VALUE} octets.`);
    }
    last = number;
    if (value.length < EXTENDED) bytes.push((delta << 4) | value.length);
    else bytes.push((delta << 4) | EXTENDED, value.length - EXTENDED);
    for (const byte of value) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Reads what {@link writeTlv} writes. Throws `malformed`; reserved bits are passed over. */
export function readTlv(bytes: Uint8Array): PlacedTlv[] {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return fail('it is shorter than its header');
  const version = first >> 4;
  if (version !== NOTIFICATION_VERSION) return fail(`its VER is ${version}, not ${NOTIFICATION_VERSION}`);
  const count = ((first & 0x0f) << 1) | (second >> 7);
  const options: PlacedTlv[] = [];
  let at = 2;
  let number = 0;
  for (let i = 0; i < count; i++) {
    const head = bytes[at++];
    if (head === undefined) return fail(`it ends before option ${i + 1} of ${count}`);
    number += head >> 4;
    let length = head & 0x0f;
    if (length === EXTENDED) {
      const more = bytes[at++];
      if (more === undefined) return fail(`it ends within the length of option ${number}`);
      length += more;
    }
    if (at + length > bytes.length) return fail(`it ends within option ${number}`);
    options.push({ number, at, value: bytes.subarray(at, at + length) });
    at += length;
  }
  if (at < bytes.length) return fail(`${bytes.length - at} octets follow its last option`);
  return options;
}

function fail(what: string): never {
  throw new DragomanError('malformed', `The notification cannot be read: ${what}.`);
}
