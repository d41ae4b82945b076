import { randomUUID } from 'node:crypto';
import type { BodyElement, Encoding, Status, SyncMLMessage } from '../../dm1/message.ts';
import { EventLog, type LoggedMessage } from '../eventLog.ts';
import { type HttpReply, type HttpRequest, HttpServer } from '../httpServer.ts';
import { headerStatus, plainStatus } from '../statuses.ts';
import { decodeMessage, encodingFor, isCommand } from '../syncml.ts';
import { checkClientMessage } from './checks.ts';
import { ClientVerifier } from './clientVerifier.ts';
import { takeCommand, takeResults, takeStatus } from './intake.ts';
import type { Live } from './live.ts';
import type { LegacyServerOptions } from './options.ts';
import { Packages } from './packages.ts';
import type { ServerSession } from './session.ts';

/** A DM 1.x management server that works through a script and keeps what clients answer. */
export class LegacyServer {
  readonly options: LegacyServerOptions;
  /** Every session, oldest first. */
  readonly sessions: ServerSession[] = [];
  readonly #log: EventLog;
  readonly #http: HttpServer;
  readonly #packages: Packages;
  /** The last session of each device. */
  readonly #live = new Map<string, Live>();
  /** Nonces by device, kept over sessions. */
  readonly #nonces = new Map<string, Uint8Array>();

  constructor(options: LegacyServerOptions = {}) {
    this.options = options;
    this.#packages = new Packages(options, () => this.url);
    this.#log = new EventLog(options.onMessage, options.keepMessages);
    this.#http = new HttpServer(options, this.#log, (request) => this.#handle(request));
  }

  get messages(): readonly LoggedMessage[] {
    return this.#log.messages;
  }

  /** The URL for clients, after `start`. */
  get url(): string {
    return this.#http.origin + (this.options.path ?? '/dm');
  }

  async start(): Promise<string> {
    await this.#http.start();
    return this.url;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #handle(request: HttpRequest): HttpReply {
    if (request.method !== 'POST') return { status: 405 };
    const type = request.headers['content-type'] ?? '';
    const form = /\+(xml|wbxml)/i.exec(type)?.[1]?.toLowerCase() as 'xml' | 'wbxml' | undefined;
    if (!form) return { status: 415 };
    let decoded: { message: SyncMLMessage; encoding: Encoding };
    try {
      decoded = decodeMessage(request.body, form);
    } catch {
      return { status: 400 };
    }
    const live = this.#find(decoded.message, decoded.encoding, request.body);
    if (live.lastReply && isRepeat(live, request.body)) return live.lastReply;
    live.lastRequest = request.body;
    live.lastReply = this.#answer(live, decoded.message, request);
    return live.lastReply;
  }

  /** A first message opens a session, whatever was open before (IW-SES-3). */
  #find(message: SyncMLMessage, encoding: Encoding, body: Uint8Array): Live {
    const { header } = message;
    const known = this.#live.get(header.source.uri);
    const opens =
      header.msgId === '1' &&
      message.body.some((element) => element.kind === 'Alert' && /^120[01]$/.test(element.code));
    const repeated = known?.session.state === 'open' && isRepeat(known, body);
    if (known?.session.sessionId === header.sessionId && (!opens || repeated)) return known;
    const { respURI = true, auth = { type: 'none' as const }, serverCred } = this.options;
    // md5 before any nonce is known ends in a challenge.
    const ownNonce = known?.ownNonce ?? new Uint8Array();
    const session: ServerSession = {
      deviceId: header.source.uri,
      sessionId: header.sessionId,
      opening: undefined,
      devInfo: {},
      alerts: [],
      commands: [],
      authenticated: undefined,
      messages: 0,
      state: 'open',
      violations: [],
    };
    this.sessions.push(session);
    const live: Live = {
      session,
      verifier: new ClientVerifier(auth, this.#nonces),
      url: respURI ? `${this.url}?s=${randomUUID()}` : this.url,
      verProto: header.verProto,
      encoding: this.#encoding(encoding),
      msgId: 0,
      clientMsgId: 0,
      clientMaxMsgSize: undefined,
      lastRequest: undefined,
      lastReply: undefined,
      sent: undefined,
      pending: new Map(),
      carry: [],
      object: undefined,
      partial: undefined,
      packages: 0,
      proof: serverCred?.atOnce && { scheme: serverCred.scheme, nonce: ownNonce },
      proofs: 0,
      ownNonce,
    };
    this.#live.set(header.source.uri, live);
    return live;
  }

  #encoding(client: Encoding): Encoding {
    const { encoding = 'mirror', version } = this.options;
    if (encoding === 'mirror' && version === undefined) return client;
    return encodingFor(version ?? '1.2', encoding === 'mirror' ? client.form : encoding);
  }

  #answer(live: Live, message: SyncMLMessage, request: HttpRequest): HttpReply {
    const { session } = live;
    const { header } = message;
    session.messages += 1;
    const { maxMsgSize } = this.options;
    session.violations.push(
      ...checkClientMessage(message, request.body.length, {
        url: live.sent ? live.url : this.url,
        sessionId: session.sessionId,
        verProto: live.verProto,
        previousMsgId: live.clientMsgId,
        ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
        ...(live.sent ? { sent: live.sent } : {}),
      }),
    );
    live.clientMsgId = Number(header.msgId) || live.clientMsgId + 1;
    if (header.meta?.maxMsgSize !== undefined) live.clientMaxMsgSize = header.meta.maxMsgSize;
    const verdict = live.verifier.judge(header, request.headers['x-syncml-hmac'], request.body);
    const body: BodyElement[] = [];
    const add = (element: Omit<Status, 'cmdId'>) => body.push({ ...element, cmdId: String(body.length + 1) });
    add(
      headerStatus(
        message,
        verdict.ok ? verdict.code : (this.options.challengeCode ?? 401),
        verdict.chal,
        live.sent ? header.target.uri : this.url,
      ),
    );
    const commands = message.body.filter(isCommand);
    if (!verdict.ok) {
      for (const command of commands)
        add(plainStatus(command, header.msgId, this.options.challengeCode ?? 401));
      if (verdict.final) session.state = 'refused';
      return this.#packages.send(live, body, true);
    }
    session.authenticated = live.verifier.scheme;
    for (const command of commands) add(plainStatus(command, header.msgId, takeCommand(live, command)));
    for (const element of message.body) {
      if (element.kind === 'Status') takeStatus(live, element, this.options.serverCred !== undefined);
      else if (element.kind === 'Results') {
        const code = takeResults(live, element);
        if (code !== 200) add(plainStatus(element, header.msgId, code));
      }
    }
    if (session.state !== 'open') return this.#packages.send(live, body, true);
    const asked = commands.some((command) => command.kind === 'Alert' && command.code === '1222');
    if (!message.final && !(asked && live.object)) {
      body.push({ kind: 'Alert', cmdId: String(body.length + 1), code: '1222', items: [] });
      return this.#packages.send(live, body, false);
    }
    return this.#packages.next(live, body);
  }
}

/** Whether the client sent its last message again, its answer being lost. */
function isRepeat(live: Live, body: Uint8Array): boolean {
  return live.lastRequest !== undefined && Buffer.compare(live.lastRequest, body) === 0;
}
