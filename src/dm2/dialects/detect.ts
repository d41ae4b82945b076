import { essence } from '../mediaTypes.ts';
import { MEDIA_TYPE } from '../packages.ts';
import type { DialectName } from './capabilities.ts';
import { IDENTITY_HEADERS } from './identity.ts';

/** Which package a client's message is; absent where only the body tells. */
export type ClientPackage = 'opening' | 'status';

export type Detected =
  | { readonly protocol: 'dm2'; readonly dialect: DialectName; readonly package?: ClientPackage }
  | { readonly protocol: 'dm1'; readonly form: 'xml' | 'wbxml' }
  | { readonly error: 'not-spoken' | 'contradictory'; readonly detail: string };

type Headers = Readonly<Record<string, string | undefined>>;

interface Row {
  readonly family: 'dm1' | 'json' | 'text';
  readonly package?: ClientPackage;
  readonly form?: 'xml' | 'wbxml';
}

/** Content types of clients (20§1.4, 1x§1.5). */
const TYPES: Readonly<Record<string, Row>> = Object.freeze({
  'application/vnd.syncml.dm+xml': { family: 'dm1', form: 'xml' },
  'application/vnd.syncml.dm+wbxml': { family: 'dm1', form: 'wbxml' },
  'application/vnd.syncml+xml': { family: 'dm1', form: 'xml' },
  'application/vnd.syncml+wbxml': { family: 'dm1', form: 'wbxml' },
  [MEDIA_TYPE.package1]: { family: 'json', package: 'opening' },
  [MEDIA_TYPE.package3]: { family: 'json', package: 'status' },
  'application/tnds20': { family: 'text', package: 'opening' },
  'application/dm20status': { family: 'text', package: 'status' },
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

function compressionOf(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(',')
    .map((name) => name.trim().toLowerCase())
    .find((name) => COMPRESSIONS.has(name));
}

/** Every content type that a client's message may have. */
export const CLIENT_TYPES: readonly string[] = Object.freeze(Object.keys(TYPES));

/**
 * Tells the dialect of a client's message by its headers (20§1.4, IW-SES-1); the path says nothing.
 * `configured` is what an operator says of this port or device; it decides only between dialects whose
 * headers are alike: the two of JSON, and the two later ones of text.
 */
export function detectDialect(headers: Headers, configured?: DialectName): Detected {
  const contentType = headers['content-type'];
  const type = essence(contentType) ?? '';
  const packed = compressionOf(headers['content-encoding']);
  if (packed !== undefined) {
    const detail = `Content-Encoding ${packed} is not supported; send the message as it is.`;
    return { error: 'not-spoken', detail };
  }
  const row = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  // SyncML has its identity in the message.
  if (row?.form !== undefined) return { protocol: 'dm1', form: row.form };
  const ids = new Set(IDENTITY_HEADERS.map((name) => headers[name]?.trim()).filter(Boolean));
  if (ids.size > 1) {
    return { error: 'contradictory', detail: 'The identity headers name different devices; send one.' };
  }
  if (row?.family === 'json') return ofJson(configured, row.package);
  if (row?.family === 'text') return ofText(headers, configured, row.package);
  // Data within a status report makes it a multipart one.
  if (headers['x-omadmdevid'] !== undefined && type.startsWith('multipart/')) {
    return ofText(headers, configured, 'status');
  }
  if (headers['omadm-devid'] !== undefined && (type === '' || /^application\/(?:[^/]+\+)?json$/.test(type))) {
    return ofJson(configured);
  }
  return {
    error: 'not-spoken',
    detail:
      contentType === undefined
        ? 'The Content-Type is missing.'
        : `Content-Type ${contentType.replace(/[^\x21-\x7e]/g, '?').slice(0, 100)} is none of DM; send one of ${CLIENT_TYPES.join(', ')}.`,
  };
}

function ofJson(configured: DialectName | undefined, kind?: ClientPackage): Detected {
  const dialect = configured === 'draft-json' ? configured : 'approved';
  return { protocol: 'dm2', dialect, ...(kind === undefined ? {} : { package: kind }) };
}

/** Only the later drafts write X-OMADMDevID; which of the two, no header tells. */
function ofText(headers: Headers, configured: DialectName | undefined, kind?: ClientPackage): Detected {
  const later = headers['x-omadmdevid'] !== undefined && headers['x-omadmdeviceid'] === undefined;
  const fallback = configured === 'draft-text-3' ? configured : 'draft-text-2';
  return {
    protocol: 'dm2',
    dialect: later ? fallback : 'draft-text-1',
    ...(kind === undefined ? {} : { package: kind }),
  };
}
