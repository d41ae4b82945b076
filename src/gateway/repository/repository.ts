import { type Content, type ContentPart, contentBytes } from '../../interworking/content.ts';
import type { Upload } from '../../interworking/script.ts';
import type { StoredBytes } from '../../mo/stored.ts';
import type { Also } from '../../store/engine.ts';
import type { RepositoryRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { type Clock, seconds, systemClock } from '../../support/durations.ts';
import { newSecret, secretDigest } from '../../support/ids.ts';
import { ObjectStore } from '../objects/objects.ts';
import { type Received, Receiver } from '../objects/receiver.ts';

export interface RepositoryOptions {
  readonly publicUrl: string;
  readonly repositorySeconds: number;
  /** Largest document that a device may upload. */
  readonly transferBytes: number;
  readonly now?: Clock;
}

/** One request at `/repository/<token>`. */
export interface RepositoryRequest {
  readonly method: string;
  readonly token: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What is uploaded, read once it is known that it may be; `undefined` when the peer went away. */
  readonly body?: Uint8Array | ((receiver: Receiver) => Promise<Received | undefined>);
  /** Who asks, where the request says so (OMADM-DevID) or was authenticated. */
  readonly deviceId?: string;
}

export interface RepositoryResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

interface Place {
  readonly deviceId: string;
  readonly sessionId: string;
  readonly also?: Also;
}

/** `taken`: it was used, and may be again until the session has heard of that; then it is `closed`. */
type State = 'open' | 'taken' | 'closed';

type NewPlace = [
  token_hash: string,
  device_id: string,
  session_id: string,
  direction: 'offer' | 'upload',
  content_type: string | null,
  body: Uint8Array | null,
  content: string | null,
  created_at: number,
  expires_at: number,
];

/**
 * The Data Repository that 2.0 clients fetch documents from and upload them to (IW-RD-1, IW-WR-1). Each
 * URL serves one command of one device, for a while: a transfer that breaks off can be made again, until the
 * session goes on with the client's answer (`SessionWrite.places`). The store keeps the hash of its token only.
 */
export class DataRepository {
  readonly #store: Store;
  readonly #options: RepositoryOptions;
  readonly #now: Clock;
  readonly #objects: ObjectStore;
  readonly #find: (hash: string) => Promise<RepositoryRow[]>;
  readonly #insert: (also: Also | undefined, ...row: NewPlace) => Promise<unknown> | undefined;
  readonly #fetched: (hash: string) => Promise<number>;
  readonly #uploaded: (
    hash: string,
    body: Uint8Array | null,
    content: string | null,
    type: string,
  ) => Promise<number>;

  constructor(store: Store, options: RepositoryOptions, objects = new ObjectStore(store, options.now)) {
    this.#store = store;
    this.#objects = objects;
    this.#options = options;
    this.#now = options.now ?? systemClock;
    this.#find = store.prepare<[string], RepositoryRow>((slot) =>
      store.db.selectFrom('repository').selectAll().where('token_hash', '=', slot<string>(0)).compile(),
    );
    this.#insert = store.prepareAlso<NewPlace>((slot) =>
      store.db
        .insertInto('repository')
        .values({
          token_hash: slot<string>(0),
          device_id: slot<string>(1),
          session_id: slot<string>(2),
          direction: slot<'offer' | 'upload'>(3),
          content_type: slot<string | null>(4),
          body: slot<Uint8Array | null>(5),
          content: slot<string | null>(6),
          state: 'open' satisfies State,
          created_at: slot<number>(7),
          expires_at: slot<number>(8),
        })
        .compile(),
    );
    const taken = { state: 'taken' satisfies State };
    this.#fetched = store.prepareChange((slot) =>
      store.db
        .updateTable('repository')
        .set(taken)
        .where('token_hash', '=', slot<string>(0))
        .where('state', '<>', 'closed')
        .compile(),
    );
    this.#uploaded = store.prepareChange((slot) =>
      store.db
        .updateTable('repository')
        .set({
          ...taken,
          body: slot<Uint8Array | null>(1),
          content: slot<string | null>(2),
          content_type: slot<string>(3),
        })
        .where('token_hash', '=', slot<string>(0))
        .where('state', '<>', 'closed')
        .compile(),
    );
  }

  /** Performs `repository.offer`: puts a document where the device can fetch it, once. */
  async offer(
    place: Place,
    document: { readonly body: Content; readonly contentType: string },
  ): Promise<{ readonly at: number; readonly url: string }> {
    return this.#open(place, 'offer', document);
  }

  /** Performs `repository.expect`: opens a place where the device can upload a document, once. */
  async expect(place: Place): Promise<{ readonly at: number; readonly url: string }> {
    return this.#open(place, 'upload');
  }

  /** Performs `repository.collect`: what was uploaded to these places, `null` where nothing was. */
  async collect(
    place: Place,
    urls: readonly string[],
  ): Promise<{ readonly at: number; readonly uploads: readonly (Upload | null)[] }> {
    const uploads = await Promise.all(
      urls.map(async (url): Promise<Upload | null> => {
        const [row] = await this.#find(secretDigest(url.slice(url.lastIndexOf('/') + 1)));
        if (row?.direction !== 'upload' || row.device_id !== place.deviceId || row.body === null) {
          return null;
        }
        const stored = row.content === null ? undefined : (JSON.parse(row.content) as StoredBytes);
        return { contentType: row.content_type ?? '', body: row.body, ...(stored && { stored }) };
      }),
    );
    return { at: this.#now(), uploads };
  }

  /** Answers a request; never throws for what a peer sends. Conditional and range headers have no effect. */
  async handle(request: RepositoryRequest): Promise<RepositoryResponse> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(request.token)) return problem(404, 'there is nothing at this address');
    const hash = secretDigest(request.token);
    const [row] = await this.#find(hash);
    if (!row) return problem(404, 'there is nothing at this address');
    const allowed = row.direction === 'offer' ? ['GET', 'HEAD'] : ['PUT', 'POST'];
    if (!allowed.includes(request.method)) {
      return problem(405, `this address takes ${allowed.join(' and ')}`, { allow: allowed.join(', ') });
    }
    if (request.deviceId !== undefined && request.deviceId !== row.device_id) {
      return problem(403, 'this address is for another device');
    }
    if (Number(row.expires_at) <= this.#now()) return problem(410, 'this address has expired');
    if (row.state === 'closed') return used();
    return row.direction === 'offer' ? this.#fetch(row, request.method) : this.#upload(row, request);
  }

  /** Deletes what has expired; resolves to how many places that were. */
  async prune(): Promise<number> {
    const result = await this.#store.db
      .deleteFrom('repository')
      .where('expires_at', '<=', this.#now())
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #open(
    { deviceId, sessionId, also }: Place,
    direction: 'offer' | 'upload',
    document?: { readonly body: Content; readonly contentType: string },
  ): Promise<{ readonly at: number; readonly url: string }> {
    const at = this.#now();
    const token = newSecret();
    const { body, content } = columnsOf(document?.body);
    await this.#insert(
      also,
      secretDigest(token),
      deviceId,
      sessionId,
      direction,
      document?.contentType ?? null,
      body,
      content,
      at,
      at + seconds(this.#options.repositorySeconds),
    );
    return { at, url: `${this.#options.publicUrl}/repository/${token}` };
  }

  async #fetch(row: RepositoryRow, method: string): Promise<RepositoryResponse> {
    const content = contentOf(row);
    const headers = {
      'content-type': row.content_type ?? 'application/octet-stream',
      'content-length': String(contentBytes(content)),
      'cache-control': 'no-store',
    };
    if (method === 'HEAD') return { status: 200, headers };
    if ((await this.#fetched(row.token_hash)) === 0) return used();
    const body = content instanceof Uint8Array ? content : this.#objects.stream(content);
    return { status: 200, headers, body };
  }

  async #upload(
    row: RepositoryRow,
    { method, headers, body }: RepositoryRequest,
  ): Promise<RepositoryResponse> {
    const contentType = headers['content-type'] ?? 'application/octet-stream';
    const receiver = new Receiver(this.#objects, row.session_id ?? '', contentType);
    const document: Received | undefined =
      typeof body === 'function' ? await body(receiver) : { body: body ?? new Uint8Array() };
    if (document && document.body.byteLength > this.#options.transferBytes) {
      return problem(413, `a document has at most ${this.#options.transferBytes} bytes`);
    }
    if (!document) return problem(400, 'the document ended too early');
    const content = document.stored ? JSON.stringify(document.stored) : null;
    if ((await this.#uploaded(row.token_hash, document.body, content, contentType)) === 0) return used();
    return { status: method === 'POST' ? 201 : 204, headers: {} };
  }
}

type StoredPart = Exclude<ContentPart, Uint8Array>;

/** A document in pieces is kept as JSON: text as base64, objects by name. */
function columnsOf(content: Content | undefined): { body: Uint8Array | null; content: string | null } {
  if (content === undefined || content instanceof Uint8Array) return { body: content ?? null, content: null };
  const parts = content.map((part) =>
    part instanceof Uint8Array ? { text: Buffer.from(part).toString('base64') } : part,
  );
  return { body: null, content: JSON.stringify(parts) };
}

function contentOf({ body, content }: RepositoryRow): Content {
  if (content === null) return body ?? new Uint8Array();
  const parts = JSON.parse(content) as ({ readonly text: string } | StoredPart)[];
  return parts.map((part) => ('text' in part ? Buffer.from(part.text, 'base64') : part));
}

function used(): RepositoryResponse {
  return problem(410, 'this address has been used');
}

function problem(status: number, text: string, headers: Record<string, string> = {}): RepositoryResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: Buffer.from(`${text}\n`, 'utf8'),
  };
}
