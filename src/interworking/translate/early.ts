import { DIALECTS, type Dialect, type DialectName, detectDialect } from '../../dm2/dialects/index.ts';
import type { Package1, Package2, Package3 } from '../../dm2/packages.ts';

/** A message of an early dialect of DM 2.0 in the approved model. */
export interface EarlyMessage {
  readonly dialect: DialectName;
  readonly kind: 'Package#1' | 'Package#2' | 'Package#3';
  readonly package: Package1 | Package2 | Package3;
  /** DevInfo, where a first message holds it. */
  readonly devInfo: Readonly<Record<string, string>>;
  /** What reading it had to tolerate, a sentence each. */
  readonly tolerated: readonly string[];
}

type Headers = Readonly<Record<string, string | undefined>>;

/** Whether a message begins as one of the text dialects does: a TNDS20 document, a MsgID, a command, a status. */
export function isEarly(body: Uint8Array): boolean {
  const start = textOf(body).trimStart();
  return isTnds20(start) || /^--|^(?:content length|msgid)\b/i.test(start) || isLine(start);
}

/** A verb or a code, then a blank or the end of the line. */
function isLine(text: string): boolean {
  return /^(?:[1-5]\d\d|(?:H?GET|H?PUT|H?POST|DELETE|EXEC|INCLUDE|SHOW|DEFAULT|CONT|END))(?:[ \t\r\n]|$)/i.test(
    text,
  );
}

function isTnds20(text: string): boolean {
  return /^\s*(?:content length[^\n]*\n\s*)?\{/i.test(text) && /"TNDS20"\s*:/.test(text);
}

/**
 * Reads a message of a text dialect. The headers of an HTTP capture tell which; without any, `named` or
 * else the words that it uses do. Throws DragomanError `malformed` or `too-large`.
 */
export function readEarly(body: Uint8Array, headers: Headers, named: DialectName | undefined): EarlyMessage {
  const text = textOf(body);
  const detected = headers['content-type'] === undefined ? undefined : detectDialect(headers, named);
  const told = detected && 'dialect' in detected ? detected.dialect : undefined;
  const dialect = DIALECTS[told ?? named ?? dialectOf(text)];
  if (isTnds20(text)) return opening(dialect, body, headers, text);
  const lines = text.split(/\r?\n/).filter((line) => !/^(?:\s*|content length.*|msgid.*)$/i.test(line));
  const first = lines[0] ?? '';
  if (first.startsWith('--') || /^[1-5]\d\d(?:\s|$)/.test(first)) {
    const contentType = headers['content-type'] ?? boundaryOf(first);
    const { package3, tolerated } = dialect.readStatus({ headers: { 'content-type': contentType }, body });
    return { dialect: dialect.name, kind: 'Package#3', package: package3, devInfo: {}, tolerated };
  }
  const { package2, tolerated } = dialect.readPackage2({ headers, body });
  return { dialect: dialect.name, kind: 'Package#2', package: package2, devInfo: {}, tolerated };
}

function opening(dialect: Dialect, body: Uint8Array, headers: Headers, text: string): EarlyMessage {
  const id = /"DevID"\s*:\s*"([^"\\]+)"/.exec(text)?.[1] ?? 'device';
  const named = Object.keys(headers).some((name) => /devid$|deviceid$/.test(name));
  const read = dialect.readOpening({ headers: named ? headers : { 'x-omadmdeviceid': id }, body });
  const { package1, devInfo, tolerated } = read;
  return { dialect: dialect.name, kind: 'Package#1', package: package1, devInfo, tolerated };
}

/** By words that only one of the drafts uses; what two share is taken for the earlier one. */
function dialectOf(text: string): DialectName {
  if (/^\s*(?:content length[^\n]*\n\s*)?msgid\b/i.test(text)) return 'draft-text-1';
  if (/^(?:HGET|HPUT|HPOST)\b/im.test(text) || /^[1-5]\d\d[ \t]+[[{]/m.test(text)) return 'draft-text-3';
  // GET of a ServerURI is a download, GET of an address reads (20§1.2 C1).
  if (/^GET[ \t]+(?!https?:)\S/im.test(text)) return 'draft-text-3';
  if (/^(?:INCLUDE|CONT)\b/im.test(text) || text.startsWith('--')) return 'draft-text-2';
  return 'draft-text-1';
}

/** A capture without headers: the first line of a multipart body is its boundary. */
function boundaryOf(line: string): string {
  return line.startsWith('--')
    ? `multipart/mixed; boundary="${line.slice(2).trim()}"`
    : 'application/dm20status';
}

function textOf(body: Uint8Array): string {
  return new TextDecoder('utf-8').decode(body);
}
