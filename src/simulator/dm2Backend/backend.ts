import { randomUUID } from 'node:crypto';
import {
  asCommands,
  DIALECTS,
  type Dialect,
  type DialectName,
  deviceIdOf,
  nextMsgId,
  placeOfStatus,
} from '../../dm2/dialects/index.ts';
import { isMoDocument, readMoItems } from '../../dm2/documents.ts';
import { parseBasic } from '../../dm2/httpAuth.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type {
  Alert,
  Dm2Command,
  Package1,
  Package3,
  RawCommand,
  SerializationItem,
  StatusItem,
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
  /** Its items, when it is a document of management objects in any dialect. */
  readonly items: readonly SerializationItem[];
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
  /** DevInfo, where the first message holds it. */
  readonly devInfo: Readonly<Record<string, string>>;
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
  /** Generation of the protocol: the approved one when absent. */
  readonly dialect?: DialectName;
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
  asked: readonly Dm2Command[];
  /** Number of the last commands, where the dialect numbers them. */
  msgId?: number;
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
  readonly #dialect: Dialect;
  readonly #log: EventLog;
  readonly #http: HttpServer;
  readonly #live = new Map<string, Live>();

  constructor(options: Dm2BackendOptions = {}) {
    this.options = options;
    this.#dialect = DIALECTS[options.dialect ?? 'approved'];
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
    const { opening, status } = this.#dialect.mediaTypes;
    try {
      const deviceId = deviceIdOf(request.headers);
      const type = essence(request.headers['content-type']);
      if (type === opening) return this.#open(deviceId, request);
      if (type === status || type?.startsWith('multipart/')) return this.#continue(deviceId, request);
      return { status: 415, headers: { 'omadm-accept': `${opening}, ${status}` } };
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
    const { package1, devInfo } = this.#dialect.readOpening(request);
    const session: BackendSession = {
      deviceId,
      package1,
      devInfo,
      alerts: [...(package1.Alert ?? [])],
      commands: [],
      messages: 1,
      state: 'open',
      violations: [],
    };
    if (package1.MOS === undefined) session.violations.push('Package#1 without MOS');
    const { openingCarriesDevInfo } = this.#dialect.capabilities;
    if (openingCarriesDevInfo && devInfo['DevID'] === undefined) session.violations.push('no DevInfo');
    if (!session.alerts.some(({ AlertType }) => AlertType.startsWith('urn:oma:at:dm:2.0:'))) {
      session.violations.push('Package#1 without a session alert');
    }
    this.sessions.push(session);
    this.#checkHeaders(session, request);
    const live: Live = { session, outstanding: [], asked: [], packages: 0 };
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
    const package3 = this.#report(live, request);
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

  #report(live: Live, request: HttpRequest): Package3 {
    const { name: dialect } = this.#dialect;
    const { package3, msgId } = this.#dialect.readStatus(request, { commands: live.asked });
    const { deviceId, violations } = live.session;
    const place = placeOfStatus(
      { dialect, deviceId, ...(live.msgId === undefined ? {} : { msgId: live.msgId }) },
      { dialect, deviceId, ...(msgId === undefined ? {} : { msgId }) },
    );
    if (typeof place !== 'string') violations.push(place.detail);
    return package3;
  }

  #checkHeaders(session: BackendSession, { headers }: HttpRequest): void {
    if (!headers['accept']?.includes(this.#dialect.mediaTypes.commands))
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
    if (this.#dialect.capabilities.commandsCarryMsgId) live.msgId = nextMsgId(live.msgId);
    live.asked = asCommands({ CMD: sent }).filter((command) => 'verb' in command);
    return {
      status: 200,
      headers: {
        'content-type': this.#dialect.mediaTypes.commands,
        ...(omadmAccept === undefined ? {} : { 'omadm-accept': omadmAccept }),
      },
      body: this.#dialect.writePackage2({ CMD: sent }, live.msgId).body,
    };
  }

  #repository({ method, path, headers, body }: HttpRequest): HttpReply {
    const name = decodeURIComponent(path.slice(REPOSITORY.length).split('?')[0] ?? '');
    if (method === 'PUT' || method === 'POST') {
      const contentType = headers['content-type'] ?? '';
      const items = isMoDocument(contentType) ? itemsOf(contentType, body) : [];
      this.uploads.push({ path: name, method, contentType, body, json: jsonOf(body), items });
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
      headers: { 'content-type': document.contentType ?? this.#dialect.mediaTypes.document, ...etag },
      body: this.#bytesOf(document),
    };
  }

  /** A list of items without a type of its own is written in the dialect. */
  #bytesOf({ body, contentType }: RepositoryDocument): Uint8Array {
    if (body instanceof Uint8Array) return body;
    if (typeof body === 'string') return Buffer.from(body, 'utf8');
    const inDialect = contentType === undefined && Array.isArray(body);
    return inDialect
      ? this.#dialect.writeDocument({ items: body as SerializationItem[] }).body
      : Buffer.from(JSON.stringify(body), 'utf8');
  }

  /** Puts a document into the repository and gives its ServerURI. */
  offer(document: RepositoryDocument, name: string = randomUUID()): string {
    this.documents.set(name, document);
    return this.serverUri(name);
  }
}

function itemsOf(contentType: string, body: Uint8Array): readonly SerializationItem[] {
  try {
    return readMoItems({ contentType, body }).items;
  } catch {
    return [];
  }
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
