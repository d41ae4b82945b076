import { urlParameterValues } from '../dm2/dialects/index.ts';
import { documentAccept } from '../dm2/documents.ts';
import { chooseType } from '../dm2/mediaTypes.ts';
import { MEDIA_TYPE, type MoItem, type SerializationItem } from '../dm2/packages.ts';
import { expandServerUri } from '../dm2/serverUri.ts';
import type { StoredBytes } from '../mo/stored.ts';
import { ERRORS } from '../support/errors.ts';
import { type Content, withStored } from './content.ts';
import { backendDialect } from './dialects.ts';
import type { Script, TransferEvent } from './script.ts';
import type { Session } from './session.ts';

/** What an MO serialization may be called when a repository asks for a type by OMADM-Accept. */
export const SERIALIZATION_TYPES = [
  MEDIA_TYPE.serialization,
  'application/json',
  'application/dmmo+json',
] as const;

export type Fetched =
  | {
      readonly ok: true;
      readonly contentType: string | undefined;
      readonly body: Uint8Array;
      /** The body, where it was too large for memory. */
      readonly stored?: StoredBytes;
      readonly etag?: string;
    }
  | { readonly ok: false; readonly sc: number };

/**
 * Fetches the document of an HGET on the device's behalf; failures become `sc` as IW-HPUT-1 says. With the
 * ETag of what is known already, `sc` 304 says that it is still the same.
 */
export function* fetchDocument(s: Session, url: string, known?: string): Script<Fetched> {
  const event = yield* s.perform({
    kind: 'transfer',
    transfer: {
      method: 'GET',
      url,
      headers: {
        accept: documentAccept(backendDialect(s.context)),
        ...(known !== undefined && { 'if-none-match': known }),
      },
      store: true,
    },
  });
  if (event.kind === 'response' && event.status >= 200 && event.status < 300) {
    const etag = event.headers['etag'];
    const { body, stored } = event;
    return {
      ok: true,
      contentType: event.headers['content-type'],
      body,
      ...(stored && { stored }),
      ...(etag && { etag }),
    };
  }
  if (event.kind === 'response' && event.status === 304) return { ok: false, sc: 304 };
  return { ok: false, sc: yield* failure(s, 'HGET', event) };
}

/** A body of any type, as it is sent. */
export interface RawUpload {
  readonly contentType: string;
  readonly body: Content;
}

/** What an upload command reads. */
export interface UploadContent {
  readonly items: readonly SerializationItem[];
  /** A list of objects to go with it. */
  readonly mos?: readonly MoItem[];
  /** The value as it is, where one leaf was read. */
  readonly leaf?: RawUpload | undefined;
}

/**
 * Sends what was read to a ServerURI (IW-HPUT-1): as a document in the backend's dialect, or as the one
 * value that it is where the server's OMADM-Accept, `accept`, takes that type and no document (IW-VAL-3).
 */
export function* sendDocument(
  s: Session,
  method: 'PUT' | 'POST',
  serverUri: string,
  { items, mos, leaf }: UploadContent,
  accept: string | undefined,
): Script<number> {
  const dialect = backendDialect(s.context);
  const own = dialect.mediaTypes.document;
  const type = chooseType(accept, own === MEDIA_TYPE.serialization ? SERIALIZATION_TYPES : [own]);
  if (type === undefined && leaf && chooseType(accept, [leaf.contentType]) !== undefined) {
    return yield* sendUpload(s, method, serverUri, leaf);
  }
  if (type === undefined) {
    yield* s.note('IW-HPUT-1', `The server takes only ${accept}, and ${own} is none of these.`);
    return 406;
  }
  const { body, lost } = dialect.writeDocument({ items, ...(mos && { mos }) });
  for (const text of lost) yield* s.note('IW-HPUT-1', text);
  return yield* sendUpload(s, method, serverUri, { contentType: type, body });
}

/** Sends what is ready to be sent; the code that the command reports. */
export function* sendUpload(
  s: Session,
  method: 'PUT' | 'POST',
  serverUri: string,
  { contentType, body }: RawUpload,
): Script<number> {
  const url = yield* expandFor(s, serverUri);
  if (url === undefined) return 400;
  const event = yield* sendBody(s, method, url, contentType, body);
  if (event.kind === 'response' && event.status >= 200 && event.status < 300) return 200;
  return yield* failure(s, `H${method}`, event);
}

export function sendBody(
  s: Session,
  method: 'PUT' | 'POST',
  url: string,
  type: string,
  body: Content,
): Script<TransferEvent> {
  const sent = body instanceof Uint8Array ? withStored(body) : body;
  return s.perform({
    kind: 'transfer',
    transfer: { method, url, headers: { 'content-type': type }, body: sent },
  });
}

/** 4xx of the repository stays, everything else that is no success is 500 (IW-HPUT-1, 20§15 Q11). */
function* failure(s: Session, command: string, event: TransferEvent): Script<number> {
  if (event.kind === 'response') {
    const sc = event.status >= 400 && event.status < 500 ? event.status : 500;
    yield* s.note(
      'IW-HPUT-1',
      `${command}: the repository answered ${event.status}; the command reports ${sc}.`,
    );
    return sc;
  }
  yield* s.note('IW-HPUT-1', `${command}: ${event.detail}`);
  const { fault, dm2 } = ERRORS[event.code];
  return fault === 'backend' ? 500 : dm2;
}

/**
 * Whether a ServerURI can be kept for later: 200, 400 for what is none, or the `sc` of why nothing may go
 * there, with a note. Better refused now than never served.
 */
export function* checkServerUri(s: Session, rule: string, serverUri: string): Script<number> {
  const url = yield* expandFor(s, serverUri);
  if (url === undefined || !/^https?:/i.test(url) || !URL.canParse(url)) return 400;
  const { refused, detail } = yield* s.perform({ kind: 'url.check', url });
  if (refused === undefined) return 200;
  yield* s.note(rule, `Refused, as nothing may be exchanged with its ServerURI: ${detail}`);
  return ERRORS[refused].dm2;
}

/** ServerURI with its placeholders replaced; `undefined`, with a note, where one is not known. */
export function* expandFor(s: Session, serverUri: string): Script<string | undefined> {
  const { devInfo } = s;
  const id = devInfo['DevID'] ?? s.context.device.id;
  const result = expandServerUri(serverUri, urlParameterValues(id, devInfo));
  if ('url' in result) return result.url;
  yield* s.note('IW-HPUT-1', `The ServerURI asks for [${result.error}], which is not known of this device.`);
  return undefined;
}
