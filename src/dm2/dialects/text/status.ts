import { rootNameOf } from '../../../mo/moid.ts';
import { DragomanError } from '../../../support/errors.ts';
import { clientUriOf } from '../../clientUri.ts';
import type { SerializationItem, StatusItem } from '../../packages.ts';
import type { Dialect, ReadLimits } from '../dialect.ts';
import { READ_LIMITS } from '../limits.ts';
import { toTnds20 } from '../tnds20/document.ts';
import { parsePairs } from '../tnds20/pairs.ts';
import { ONLY_INSTANCE, toApproved, toDraft } from './address.ts';
import {
  isWritable,
  type LineCursor,
  msgIdOf,
  nextLine,
  openText,
  skipLengthLine,
  writeLines,
} from './lines.ts';

/** What tells the text dialects apart in their status lines. */
export interface StatusGrammar {
  /** A JSON document may stand behind the code (20§1.1). */
  readonly jsonData: boolean;
  /** The blank behind the code stands also where no parameter follows, as in the first draft's examples. */
  readonly blankBehindCode: boolean;
  /** Codes on the wire for approved ones, where they differ. */
  readonly codes: readonly { readonly approved: number; readonly wire: number; readonly read: boolean }[];
}

export interface StatusLines {
  readonly items: readonly StatusItem[];
  readonly msgId?: number;
}

/** Reads the lines of a status report (20§1.3). Throws `malformed` and `too-large`. */
export function readStatusLines(
  body: Uint8Array,
  grammar: StatusGrammar,
  limits: ReadLimits,
): StatusLines & { readonly tolerated: Set<string> } {
  const cursor = openText(body, limits);
  skipLengthLine(cursor);
  const items: StatusItem[] = [];
  let msgId: number | undefined;
  for (let first = true; ; first = false) {
    const line = nextLine(cursor);
    if (line === undefined) break;
    const number = msgIdOf(line);
    if (number !== undefined) {
      if (!first) throw new DragomanError('malformed', 'MsgID stands twice, or not in the first line.');
      msgId = number;
      continue;
    }
    const previous = items.at(-1);
    if (grammar.jsonData && /^[{[]/.test(line) && previous !== undefined && previous.MO === undefined) {
      cursor.tolerated.add('The data of a status stands in a line of its own.');
      items[items.length - 1] = { ...previous, MO: readData(cursor, cursor.lineAt) };
    } else {
      items.push(readStatusLine(line, grammar, cursor));
    }
  }
  return { items, ...(msgId === undefined ? {} : { msgId }), tolerated: cursor.tolerated };
}

/** `readStatus` of the dialects whose report is nothing but these lines. */
export function lineStatusReader(grammar: StatusGrammar): Dialect['readStatus'] {
  return ({ body }, { limits = READ_LIMITS } = {}) => {
    const { items, msgId, tolerated } = readStatusLines(body, grammar, limits);
    return {
      package3: { Status: items },
      ...(msgId === undefined ? {} : { msgId }),
      tolerated: [...tolerated],
    };
  };
}

function readStatusLine(line: string, grammar: StatusGrammar, cursor: LineCursor): StatusItem {
  const { limits } = cursor;
  const match = /^([1-5]\d\d)(?:[ \t]+|$)/.exec(line);
  if (match === null) {
    throw new DragomanError(
      'malformed',
      `Line ${cursor.lines} of the status report does not begin with a status code.`,
    );
  }
  const from = match[0].length;
  const json = grammar.jsonData ? /(?:^|[ \t])[{[]/.exec(line.slice(from)) : null;
  const jsonAt = json === null ? undefined : from + json.index + json[0].length - 1;
  const rest = line.slice(from, jsonAt).trim();
  const parameters = rest === '' ? [] : rest.split(/[ \t]+/);
  if (
    parameters.length > limits.parameters ||
    parameters.some((parameter) => parameter.length > limits.parameterLength)
  ) {
    throw new DragomanError('too-large', 'A status has too many parameters, or one that is too long.');
  }
  const data = jsonAt === undefined ? undefined : readData(cursor, cursor.lineAt + jsonAt);
  return {
    sc: approvedCode(Number(match[1]), grammar),
    ...(parameters.length === 0 ? {} : { URI: parameters.map(toApproved) }),
    ...(data === undefined ? {} : { MO: data }),
  };
}

/** The document at `at`, over as many lines as it takes; the cursor goes behind it. */
function readData(cursor: LineCursor, at: number): SerializationItem[] {
  const { text, limits } = cursor;
  const { value, end } = parsePairs(text, limits.json, at);
  const feed = text.indexOf('\n', end);
  const lineEnd = feed < 0 ? text.length : feed;
  if (text.slice(end, lineEnd).trim() !== '') {
    throw new DragomanError('malformed', `Something follows the data of a status, at character ${end}.`);
  }
  cursor.at = feed < 0 ? lineEnd : feed + 1;
  return statusData(toTnds20(value));
}

/** Data of one status; supported objects become items that hold nothing yet. */
export function statusData({ items, mos = [] }: ReturnType<typeof toTnds20>): SerializationItem[] {
  const listed = mos.flatMap(({ MOID, DDF, MIID }) =>
    (MIID.length === 0 ? [undefined] : MIID).map((miid) => ({
      ...(DDF === undefined ? {} : { DDF }),
      ClientURI: clientUriOf(MOID, miid === ONLY_INSTANCE ? undefined : miid),
      MOData: { [rootNameOf(MOID)]: {} },
    })),
  );
  return [...listed, ...items];
}

function approvedCode(wire: number, { codes }: StatusGrammar): number {
  return codes.find((row) => row.read && row.wire === wire)?.approved ?? wire;
}

function wireCode(approved: number, { codes }: StatusGrammar): number {
  return codes.find((row) => row.approved === approved)?.wire ?? approved;
}

/** Writes the lines; `data` gives the JSON text of an item's data, where it stands in its line. */
export function writeStatusLines(
  { items, msgId }: StatusLines,
  grammar: StatusGrammar,
  data?: (item: StatusItem) => string | undefined,
): { readonly body: Uint8Array; readonly lost: readonly string[] } {
  const lines = msgId === undefined ? [] : [`MsgID ${msgId}`];
  const lost: string[] = [];
  for (const item of items) {
    const parameters: string[] = [];
    for (const uri of item.URI ?? []) {
      const { address } = toDraft(uri, {});
      if (isWritable(address)) parameters.push(address);
      else lost.push(`The location ${JSON.stringify(uri)} is left out: a status line cannot hold it.`);
    }
    const json = data?.(item);
    if (json !== undefined) parameters.push(json);
    const line = `${wireCode(item.sc, grammar)} ${parameters.join(' ')}`;
    lines.push(grammar.blankBehindCode ? line : line.trimEnd());
  }
  return { body: writeLines(lines), lost };
}
