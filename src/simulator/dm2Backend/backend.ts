import { randomUUID } from 'node:crypto';
import { readPackage1, readPackage3, writePackage } from '../../dm2/codec.ts';
import { parseBasic } from '../../dm2/httpAuth.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import {
  type Alert,
  MEDIA_TYPE,
  type Package1,
  type RawCommand,
  type StatusItem,
} from '../../dm2/packages.ts';
import { same } from '../credentials.ts';
import { EventLog, type LoggedMessage, type OnMessage } from '../eventLog.ts';
import { type HttpReply, type HttpRequest, HttpServer, type HttpServerOptions } from '../httpServer.ts';

/** A document of the backend's Data Repository. */
export interface RepositoryDocument {
  readonly body: string | Uint8Array | readonly unknown[] | Readonly<Record<string, unknown>>;
  /** MO serialization when absent. */
  readonly contentType?: string;
  readonly etag?: string;
  /** Answered instead of the document. */
  readonly status?: number;
}

/** What arrived by PUT or POST in the repository. */
export interface RepositoryUpload {
  readonly path: string;
  readonly method: 'PUT' | 'POST';
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Parsed body, when it is JSON. */
  readonly json: unknown;
}

/** A command of Package#2 and the Status item that answered it. */
export interface Dm2CommandRecord {
  readonly command: RawCommand;
  status: StatusItem | undefined;
}

/** One session as the backend saw it. */
export interface BackendSession {
  readonly deviceId: string;
  readonly package1: Package1;
  readonly alerts: Alert[];
  readonly commands: Dm2CommandRecord[];
  messages: number;
  /** `completed`: END was sent. */
  state: 'open' | 'completed';
  /** Breaches of the specification by the client, in words. */
  readonly violations: string[];
}

/** Next commands, given all that the session has seen; nothing ends it. `{origin}` stands for the repository. */
export type BackendScript =
  | readonly (readonly RawCommand[])[]
  | ((session: BackendSession) => readonly RawCommand[] | undefined);

export interface Dm2BackendOptions extends HttpServerOptions {
  readonly path?: string;
  readonly auth?:
    | { readonly type: 'none' }
    | { readonly type: 'basic'; readonly username: string; readonly password: string }
    | { readonly type: 'bearer'; readonly token: string };
  readonly script?: BackendScript;
  /** By path below `/repository/`. */
  readonly documents?: Readonly<Record<string, RepositoryDocument>>;
  /** `OMADM-Accept` of every Package#2. */
  readonly omadmAccept?: string;
  /** Status for an upload: 204 when absent. */
  readonly uploadStatus?: number;
  readonly onMessage?: OnMessage;
  readonly keepMessages?: boolean;
}

interface Live {
  readonly session: BackendSession;
  outstanding: Dm2CommandRecord[];
  packages: number;
  /**
   * The last Package#3 and its answer where the client did not get it. Packages have no number and two
   * equal ones in a row are legal, so only a lost answer makes the second one a repeat.
   */
  lost?: { readonly body: Uint8Array; readonly reply: HttpReply };
}

const REPOSITORY = '/repository/';

/** A DM 2.0 server with its Data Repository; it works through a script and keeps what clients answer. */
export class Dm2Backend {
  readonly options: Dm2BackendOptions;
  /** Every session, oldest first. */
  readonly sessions: BackendSession[] = [];
  readonly uploads: RepositoryUpload[] = [];
  readonly documents: Map<string, RepositoryDocument>;
  /** Paths below the repository that were fetched. */
  readonly fetched: string[] = [];
  readonly #log: EventLog;
  readonly #http: HttpServer;
  readonly #live = new Map<string, Live>();

  constructor(options: Dm2BackendOptions = {}) {
    this.options = options;
    this.documents = new Map(Object.entries(options.documents ?? {}));
    this.#log = new EventLog(options.onMessage, options.keepMessages);
    this.#http = new HttpServer(options, this.#log, (request) => this.#handle(request));
  }

  get messages(): readonly LoggedMessage[] {
    return this.#log.messages;
  }

  /** The URL for clients, after `start`. */
  get url(): string {
    return this.#http.origin + (this.options.path ?? '/dm20');
  }

  /** ServerURI of a repository document. */
  serverUri(name: string): string {
    return `${this.#http.origin}${REPOSITORY}${name}`;
  }

  async start(): Promise<string> {
    await this.#http.start();
    return this.url;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #handle(request: HttpRequest): HttpReply {
    if (request.path.startsWith(REPOSITORY)) return this.#repository(request);
    if (request.method !== 'POST') return { status: 405 };
    const refused = this.#refusal(request);
    if (refused) return refused;
    const deviceId = request.headers['omadm-devid'];
    if (!deviceId) return { status: 400 };
    try {
      switch (essence(request.headers['content-type'])) {
        case MEDIA_TYPE.package1:
          return this.#open(deviceId, request);
        case MEDIA_TYPE.package3:
          return this.#continue(deviceId, request);
        default:
          return {
            status: 415,
            headers: { 'omadm-accept': `${MEDIA_TYPE.package1}, ${MEDIA_TYPE.package3}` },
          };
      }
    } catch {
      return { status: 400 };
    }
  }

  #refusal({ headers }: HttpRequest): HttpReply | undefined {
    const { auth = { type: 'none' } } = this.options;
    const given = headers['authorization'] ?? '';
    if (auth.type === 'none') return undefined;
    if (auth.type === 'bearer') {
      const good = same(given, `Bearer ${auth.token}`);
      return good ? undefined : { status: 401, headers: { 'www-authenticate': 'Bearer' } };
    }
    const basic = parseBasic(given);
    const good = basic && same(`${basic.user}:${basic.password}`, `${auth.username}:${auth.password}`);
    return good ? undefined : { status: 401, headers: { 'www-authenticate': 'Basic realm="dm"' } };
  }

  #open(deviceId: string, request: HttpRequest): HttpReply {
    const package1 = readPackage1(request.body);
    const session: BackendSession = {
      deviceId,
      package1,
      alerts: [...(package1.Alert ?? [])],
      commands: [],
      messages: 1,
      state: 'open',
      violations: [],
    };
    if (package1.MOS === undefined) session.violations.push('Package#1 without MOS');
    if (!session.alerts.some(({ AlertType }) => AlertType.startsWith('urn:oma:at:dm:2.0:'))) {
      session.violations.push('Package#1 without a session alert');
    }
    this.sessions.push(session);
    this.#checkHeaders(session, request);
    const live: Live = { session, outstanding: [], packages: 0 };
    this.#live.set(deviceId, live);
    this.#live.set(`${deviceId} ${request.path}`, live);
    return this.#next(live);
  }

  /** The session of that endpoint, or, after CONT, the device's last one. */
  #continue(deviceId: string, request: HttpRequest): HttpReply {
    const sessions = [this.#live.get(`${deviceId} ${request.path}`), this.#live.get(deviceId)];
    for (const { lost } of sessions.filter((live) => live !== undefined)) {
      if (lost && Buffer.compare(lost.body, request.body) === 0) return lost.reply;
    }
    const live = sessions.find((one) => one?.session.state === 'open');
    if (!live) return { status: 409 };
    const { session, outstanding } = live;
    session.messages += 1;
    this.#checkHeaders(session, request);
    const package3 = readPackage3(request.body);
    if (package3.Status.length !== outstanding.length) {
      session.violations.push(`${package3.Status.length} Status items for ${outstanding.length} commands`);
    }
    for (const [index, record] of outstanding.entries()) record.status = package3.Status[index];
    session.alerts.push(...(package3.Alert ?? []));
    delete live.lost;
    const reply: HttpReply = {
      ...this.#next(live),
      onLost: () => {
        live.lost = { body: request.body, reply };
      },
    };
    return reply;
  }

  #checkHeaders(session: BackendSession, { headers }: HttpRequest): void {
    if (!headers['accept']?.includes(MEDIA_TYPE.package2))
      session.violations.push('Accept does not name Package#2');
    if (!headers['host']) session.violations.push('no Host');
  }

  #next(live: Live): HttpReply {
    const { script = [], omadmAccept } = this.options;
    const commands = typeof script === 'function' ? script(live.session) : script[live.packages];
    live.packages += 1;
    const sent = (commands?.length ? commands : [['END']]).map((raw) =>
      raw.map((parameter) => parameter.replaceAll('{origin}', this.#http.origin)),
    );
    live.outstanding = sent.map((command) => ({ command, status: undefined }));
    live.session.commands.push(...live.outstanding.filter(({ command }) => command[0] !== 'END'));
    if (sent.some(([verb]) => verb === 'END')) live.session.state = 'completed';
    return {
      status: 200,
      headers: {
        'content-type': MEDIA_TYPE.package2,
        ...(omadmAccept === undefined ? {} : { 'omadm-accept': omadmAccept }),
      },
      body: writePackage({ CMD: sent }),
    };
  }

  #repository({ method, path, headers, body }: HttpRequest): HttpReply {
    const name = decodeURIComponent(path.slice(REPOSITORY.length).split('?')[0] ?? '');
    if (method === 'PUT' || method === 'POST') {
      const contentType = headers['content-type'] ?? '';
      this.uploads.push({ path: name, method, contentType, body, json: jsonOf(body) });
      return { status: this.options.uploadStatus ?? 204 };
    }
    if (method !== 'GET') return { status: 405 };
    const document = this.documents.get(name);
    if (!document) return { status: 404 };
    this.fetched.push(name);
    if (document.status !== undefined) return { status: document.status };
    const etag = document.etag === undefined ? {} : { etag: document.etag };
    if (document.etag !== undefined && headers['if-none-match'] === document.etag)
      return { status: 304, headers: etag };
    return {
      status: 200,
      headers: { 'content-type': document.contentType ?? MEDIA_TYPE.serialization, ...etag },
      body: bytesOf(document.body),
    };
  }

  /** Puts a document into the repository and gives its ServerURI. */
  offer(document: RepositoryDocument, name: string = randomUUID()): string {
    this.documents.set(name, document);
    return this.serverUri(name);
  }
}

function bytesOf(body: RepositoryDocument['body']): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
