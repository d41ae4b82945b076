import { Buffer, isUtf8 } from 'node:buffer';
import { DragomanError } from '../../../support/errors.ts';
import type { ReadLimits } from '../dialect.ts';

/** Walks a text document line by line. */
export interface LineCursor {
  readonly text: string;
  at: number;
  /** Where the line last taken begins, blanks skipped. */
  lineAt: number;
  lines: number;
  readonly limits: ReadLimits;
  readonly tolerated: Set<string>;
}

/** The document as UTF-8 text, ready to be walked. Throws `too-large` and `malformed`. */
export function openDocument(body: Uint8Array, limits: ReadLimits): LineCursor {
  if (body.length > limits.bytes) {
    throw new DragomanError(
      'too-large',
      `The document has ${body.length} bytes; the limit is ${limits.bytes}.`,
    );
  }
  if (!isUtf8(body)) throw new DragomanError('malformed', 'The document is not valid UTF-8.');
  const decoded = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const text = decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded;
  return { text, at: 0, lineAt: 0, lines: 0, limits, tolerated: new Set() };
}

/** As {@link openDocument}, for lines: a control character, or a CR that ends no line, is `malformed`. */
export function openText(body: Uint8Array, limits: ReadLimits): LineCursor {
  const cursor = openDocument(body, limits);
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f]|\r(?!\n)/.exec(cursor.text);
  if (control !== null) {
    throw new DragomanError(
      'malformed',
      `The document holds a control character, or a CR without LF, at character ${control.index}.`,
    );
  }
  return cursor;
}

/** The next line that says something, without blanks around it; `undefined` at the end. */
export function nextLine(cursor: LineCursor): string | undefined {
  const { text, limits, tolerated } = cursor;
  while (cursor.at < text.length) {
    const feed = text.indexOf('\n', cursor.at);
    const end = feed < 0 ? text.length : feed;
    if (feed >= 0 && text[feed - 1] !== '\r') tolerated.add('Lines end in a bare LF instead of CR LF.');
    const raw = text.slice(cursor.at, end);
    cursor.lineAt = cursor.at + raw.length - raw.trimStart().length;
    cursor.at = feed < 0 ? end : feed + 1;
    if (++cursor.lines > limits.lines) {
      throw new DragomanError('too-large', `The document has more than ${limits.lines} lines.`);
    }
    const line = raw.trim();
    if (line !== '') return line;
  }
  return undefined;
}

/**
 * Where the document begins: early clients repeat the length in a line of its own, spelled without the
 * hyphen, that no HTTP parser takes for a header (20§1.3).
 */
export function skipLengthLine(cursor: LineCursor): void {
  const start = /^(?:[ \t]*\r?\n)*[ \t]*content length[ \t]*:[ \t]*\d+[ \t]*(?:\r?\n|$)/i.exec(
    cursor.text.slice(cursor.at, cursor.at + 1024),
  );
  if (start === null) return;
  cursor.tolerated.add('The body begins with a line "Content length".');
  cursor.at += start[0].length;
}

/** The number of a first line `MsgID n`; `undefined` when the line is no such one. */
export function msgIdOf(line: string): number | undefined {
  if (!/^msgid(?:[ \t]|$)/i.test(line)) return undefined;
  const digits = /^msgid[ \t]+(\d{1,10})$/i.exec(line)?.[1];
  if (digits === undefined) {
    throw new DragomanError('malformed', 'The MsgID line is malformed; it is "MsgID", a blank, a number.');
  }
  return Number(digits);
}

/** A document of those lines, each ended by CR LF as in the examples of the first draft. */
export function writeLines(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'utf8');
}

/** Whether a parameter can stand in a line: what holds a blank or a control would be read as something else. */
export function isWritable(parameter: string): boolean {
  return parameter !== '' && !/[\s\x00-\x20\x7f\ufeff]|\p{Cs}/u.test(parameter);
}
