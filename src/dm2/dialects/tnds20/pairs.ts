import { DragomanError } from '../../../support/errors.ts';
import type { JsonLimits } from '../../json.ts';
import { isExact, type JsonParts, parseParts } from '../../jsonParser.ts';

/** A JSON object with its members in order, repeated names kept (20§6.3). */
export class PairObject {
  readonly pairs: readonly (readonly [name: string, value: PairValue])[];

  constructor(pairs: readonly (readonly [string, PairValue])[]) {
    this.pairs = pairs;
  }
}

export type PairValue = string | number | boolean | null | PairObject | readonly PairValue[];

const PARTS: JsonParts = {
  object: (members) => new PairObject(members.map(({ name, value }) => [name, value as PairValue])),
  // A number that a double would change stays the text that it is (IW-VAL-2), as in `readJson`.
  number: (lexical, value) => (String(value) === lexical || isExact(lexical, value) ? value : lexical),
};

/**
 * Reads the JSON value that begins at `at` (blanks before it are skipped); `end` is the index behind it.
 * Throws `malformed` or, past the depth or number of members, `too-large`.
 */
export function parsePairs(
  text: string,
  limits: JsonLimits,
  at = 0,
): { readonly value: PairValue; readonly end: number } {
  const { value, end } = parseParts(text, PARTS, { limits, at });
  return { value: value as PairValue, end };
}

/** As {@link parsePairs}, of a whole document. */
export function parsePairsDocument(text: string, limits: JsonLimits): PairValue {
  const { value, end } = parsePairs(text, limits);
  if (/[^ \t\r\n]/.test(text.slice(end))) {
    throw new DragomanError('malformed', 'Something follows the end of the JSON document.');
  }
  return value;
}

/** The JSON text of a value, without blanks. */
export function writePairs(value: PairValue): string {
  if (value instanceof PairObject) {
    return `{${value.pairs.map(([name, inner]) => `${JSON.stringify(name)}:${writePairs(inner)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(writePairs).join(',')}]`;
  return JSON.stringify(value);
}
