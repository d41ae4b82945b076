/** Headers in which a DM 2.0 client names itself, newest first (20§1.2 C2, IW-SES-2). */
export const IDENTITY_HEADERS = ['omadm-devid', 'x-omadmdevid', 'x-omadmdeviceid'] as const;

/** What a message is, as far as its headers tell (IW-SES-1). */
export type Dialect =
  | { readonly protocol: 'dm1'; readonly form: 'xml' | 'wbxml' }
  | {
      readonly protocol: 'dm2';
      /** `approved`; `draft-text` with MsgID lines (T1); `draft-text-h`, its successors with H-verbs (T2, T3). */
      readonly dialect: 'approved' | 'draft-text' | 'draft-text-h';
      /** Absent where only the body tells. */
      readonly package?: 1 | 3;
    };

export interface NotSpoken {
  readonly protocol?: never;
  readonly reason: string;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** SyncML types, the obsolete ones of early devices included (1x§1.5). */
const SYNCML: Readonly<Record<string, 'xml' | 'wbxml'>> = Object.freeze({
  'application/vnd.syncml.dm+xml': 'xml',
  'application/vnd.syncml.dm+wbxml': 'wbxml',
  'application/vnd.syncml+xml': 'xml',
  'application/vnd.syncml+wbxml': 'wbxml',
});

const APPROVED: Readonly<Record<string, 1 | 3>> = Object.freeze({
  'application/vnd.oma.dm.initiation+json': 1,
  'application/vnd.oma.dm.response+json': 3,
});

/** Types of the text dialects (20§1.3, §1.4). */
const DRAFTS: Readonly<Record<string, 1 | 3>> = Object.freeze({
  'application/tnds20': 1,
  'application/dm20status': 3,
});

/** Encodings that really change the bytes; anything else there is a charset by mistake and is passed over. */
const COMPRESSIONS: ReadonlySet<string> = new Set([
  'gzip',
  'x-gzip',
  'deflate',
  'compress',
  'x-compress',
  'br',
  'zstd',
]);

/** Tells the dialect of a message by its headers; the path says nothing. */
export function detectDialect(headers: Headers): Dialect | NotSpoken {
  const packed = (headers['content-encoding'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .find((name) => COMPRESSIONS.has(name));
  if (packed !== undefined) {
    return { reason: `Content-Encoding ${packed} is not supported; send the message as it is.` };
  }
  const type = mediaType(headers['content-type']);
  const form = own(SYNCML, type);
  if (form) return { protocol: 'dm1', form };
  const approved = own(APPROVED, type);
  if (approved) return { protocol: 'dm2', dialect: 'approved', package: approved };
  const draft = own(DRAFTS, type);
  if (draft) {
    const first = headers['x-omadmdeviceid'] !== undefined || headers['x-omadmdevid'] === undefined;
    return { protocol: 'dm2', dialect: first ? 'draft-text' : 'draft-text-h', package: draft };
  }
  if (headers['omadm-devid'] !== undefined && (type === '' || /^application\/([^/]+\+)?json$/.test(type))) {
    return { protocol: 'dm2', dialect: 'approved' };
  }
  const named = type === '' ? 'The Content-Type is missing' : `Content-Type ${printable(type)} is not known`;
  return {
    reason: `${named}. This port takes application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml, application/vnd.oma.dm.initiation+json and application/vnd.oma.dm.response+json.`,
  };
}

/** The identity that the headers of a 2.0 message give; `undefined` when they give none or disagree. */
export function headerIdentity(headers: Headers): string | undefined {
  let identity: string | undefined;
  for (const name of IDENTITY_HEADERS) {
    const value = headers[name]?.trim();
    if (value === undefined || value === '') continue;
    if (identity !== undefined && identity !== value) return undefined;
    identity = value;
  }
  return identity;
}

function mediaType(header: string | undefined): string {
  if (header === undefined) return '';
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 100);
}
