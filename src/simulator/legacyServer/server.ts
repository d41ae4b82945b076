import { randomUUID } from 'node:crypto';
import type { BodyElement, Encoding, ItemCommand, Meta, Status, SyncMLMessage } from '../../dm1/message.ts';
import { cut, pieceLength } from '../chunks.ts';
import { type Account, type CredScheme, credOf } from '../credentials.ts';
import { EventLog, type LoggedMessage, type OnMessage } from '../eventLog.ts';
import { type HttpReply, type HttpRequest, HttpServer, type HttpServerOptions } from '../httpServer.ts';
import {
  contentTypeOf,
  type DmVersion,
  dataSize,
  decodeMessage,
  encodeMessage,
  encodingFor,
  isCommand,
  VERSION_CONSTANTS,
} from '../syncml.ts';
import { checkClientMessage } from './checks.ts';
import { ClientVerifier } from './clientVerifier.ts';
import { takeCommand, takeResults, takeStatus } from './intake.ts';
import type { Live } from './live.ts';
import { type ServerCommand, toCommand } from './script.ts';
import type { CommandRecord, ServerSession } from './session.ts';

/** Next commands for a session, given all it has seen; an empty list or `undefined` ends it. */
export type ServerScript =
  | readonly (readonly ServerCommand[])[]
  | ((session: ServerSession) => readonly ServerCommand[] | undefined);

export interface LegacyServerOptions extends HttpServerOptions {
  readonly path?: string;
  readonly serverId?: string;
  /** What the server speaks; it mirrors the client when absent. */
  readonly version?: DmVersion;
  readonly encoding?: 'mirror' | 'xml' | 'wbxml';
  /** What is demanded of clients. */
  readonly auth?: { readonly type: 'none' | CredScheme } & Partial<Account>;
  /** How the server authenticates itself when it is asked to; `atOnce`: in its first message already (1x§9.4 rule 6). */
  readonly serverCred?: {
    readonly scheme: 'basic' | 'md5';
    readonly username: string;
    readonly password: string;
    readonly atOnce?: true;
  };
  /** Code of a challenge: 401 when absent. */
  readonly challengeCode?: 401 | 407;
  readonly script?: ServerScript;
  readonly maxMsgSize?: number;
  readonly maxObjSize?: number;
  /** False leaves RespURI out. */
  readonly respURI?: boolean;
  readonly onMessage?: OnMessage;
  readonly keepMessages?: boolean;
}

/** A DM 1.x management server that works through a script and keeps what clients answer. */
export class LegacyServer {
  readonly options: LegacyServerOptions;
  /** Every session, oldest first. */
  readonly sessions: ServerSession[] = [];
  readonly #log: EventLog;
  readonly #http: HttpServer;
  /** The last session of each device. */
  readonly #live = new Map<string, Live>();
  /** Nonces by device, kept over sessions. */
  readonly #nonces = new Map<string, Uint8Array>();

  constructor(options: LegacyServerOptions = {}) {
    this.options = options;
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
      this.#headerStatus(
        live,
        message,
        verdict.ok ? verdict.code : (this.options.challengeCode ?? 401),
        verdict.chal,
      ),
    );
    const commands = message.body.filter(isCommand);
    if (!verdict.ok) {
      for (const command of commands) add(statusOf(command, header.msgId, this.options.challengeCode ?? 401));
      if (verdict.final) session.state = 'refused';
      return this.#send(live, body, true);
    }
    session.authenticated = live.verifier.scheme;
    for (const command of commands) add(statusOf(command, header.msgId, takeCommand(live, command)));
    for (const element of message.body) {
      if (element.kind === 'Status') takeStatus(live, element, this.options.serverCred !== undefined);
      else if (element.kind === 'Results') {
        const code = takeResults(live, element);
        if (code !== 200) add(statusOf(element, header.msgId, code));
      }
    }
    if (session.state !== 'open') return this.#send(live, body, true);
    const asked = commands.some((command) => command.kind === 'Alert' && command.code === '1222');
    if (!message.final && !(asked && live.object)) {
      body.push({ kind: 'Alert', cmdId: String(body.length + 1), code: '1222', items: [] });
      return this.#send(live, body, false);
    }
    return this.#next(live, body);
  }

  #headerStatus(
    live: Live,
    { header }: SyncMLMessage,
    code: number,
    chal: Meta | undefined,
  ): Omit<Status, 'cmdId'> {
    return {
      kind: 'Status',
      msgRef: header.msgId,
      cmdRef: '0',
      cmd: 'SyncHdr',
      targetRefs: [live.sent ? header.target.uri : this.url],
      sourceRefs: [header.source.uri],
      ...(chal ? { chal } : {}),
      code: String(code),
      items: [],
    };
  }

  /** The next package of the script, or the end of the session. */
  #next(live: Live, body: BodyElement[]): HttpReply {
    if (live.object) return this.#sendChunk(live, body);
    const commands = live.carry.length > 0 ? live.carry.splice(0) : this.#script(live);
    if (commands.length === 0) {
      live.session.state = 'completed';
      return this.#send(live, body, true);
    }
    live.pending.clear();
    const ids = this.#ids(live, body);
    const start = body.length;
    for (const [index, command] of commands.entries()) {
      const before = { body: [...body], used: ids.used };
      body.push(toCommand(command, ids, live.encoding.form));
      if (
        live.clientMaxMsgSize === undefined ||
        this.#encode(live, body, true).length <= live.clientMaxMsgSize
      )
        continue;
      body.splice(0, body.length, ...before.body);
      ids.forget(before.used);
      if (body.length > start || !isLarge(command)) {
        live.carry = [...commands.slice(index)];
        break;
      }
      live.carry = [...commands.slice(index + 1)];
      const built = toCommand(command, this.#ids(live, body), live.encoding.form) as ItemCommand;
      this.#forget(live, command);
      live.object = { command, item: built.items[0]!, rest: built.items[0]!.data ?? '', first: true };
      return this.#sendChunk(live, body);
    }
    return this.#send(live, body, true);
  }

  #script(live: Live): readonly ServerCommand[] {
    const { script = [] } = this.options;
    live.packages += 1;
    return (typeof script === 'function' ? script(live.session) : script[live.packages - 1]) ?? [];
  }

  /** CmdIDs for a message under construction; every command gets its record. */
  #ids(live: Live, body: readonly BodyElement[]) {
    const msgId = live.msgId + 1;
    const order: { key: string; record: CommandRecord }[] = [];
    const ids = {
      used: 0,
      next: (command: ServerCommand): string => {
        const cmdId = String(body.filter((element) => !isCommand(element)).length + ids.used + 1);
        ids.used += 1;
        const record: CommandRecord = { command, code: undefined, statuses: [], results: [] };
        const key = `${msgId}/${cmdId}`;
        live.pending.set(key, record);
        live.session.commands.push(record);
        order.push({ key, record });
        return cmdId;
      },
      forget: (used: number) => {
        for (const { key } of order.splice(used)) {
          live.pending.delete(key);
          live.session.commands.pop();
        }
        ids.used = used;
      },
    };
    return ids;
  }

  #forget(live: Live, command: ServerCommand): void {
    const index = live.session.commands.findIndex((record) => record.command === command);
    if (index >= 0) live.session.commands.splice(index, 1);
    for (const [key, record] of live.pending) if (record.command === command) live.pending.delete(key);
  }

  /** One chunk of an object too large for the client's messages (1x§8). */
  #sendChunk(live: Live, body: BodyElement[]): HttpReply {
    const object = live.object!;
    const cmdId = String(body.length + 1);
    const max = live.clientMaxMsgSize ?? Number.POSITIVE_INFINITY;
    const kind = object.command.kind as 'Add' | 'Replace';
    const build = (data: string | Uint8Array, more: boolean): BodyElement => ({
      kind,
      cmdId,
      items: [
        {
          ...object.item,
          meta: { ...object.item.meta, ...(object.first ? { size: dataSize(object.rest) } : {}) },
          data,
          ...(more ? { moreData: true } : {}),
        },
      ],
    });
    const whole = dataSize(object.rest) <= max;
    if (whole && this.#encode(live, [...body, build(object.rest, false)], true).length <= max) {
      body.push(build(object.rest, false));
      live.object = undefined;
      this.#record(live, object.command, cmdId);
      return this.#send(live, body, true);
    }
    const take = pieceLength(
      object.rest,
      max,
      (piece) => this.#encode(live, [...body, build(piece, true)], false).length,
    );
    body.push(build(cut(object.rest, 0, take), true));
    object.rest = cut(object.rest, take);
    object.first = false;
    return this.#send(live, body, false);
  }

  #record(live: Live, command: ServerCommand, cmdId: string): void {
    const record: CommandRecord = { command, code: undefined, statuses: [], results: [] };
    live.pending.set(`${live.msgId + 1}/${cmdId}`, record);
    live.session.commands.push(record);
  }

  #message(live: Live, body: readonly BodyElement[], final: boolean): SyncMLMessage {
    const { version, respURI = true, serverCred, maxMsgSize, maxObjSize } = this.options;
    const constants = version ? VERSION_CONSTANTS[version] : undefined;
    const protocol =
      constants ??
      Object.values(VERSION_CONSTANTS).find((v) => v.verProto === live.verProto) ??
      VERSION_CONSTANTS['1.2'];
    return {
      header: {
        verDTD: protocol.verDTD,
        verProto: protocol.verProto,
        sessionId: live.session.sessionId,
        msgId: String(live.msgId + 1),
        target: { uri: live.session.deviceId },
        source: { uri: this.url, ...(serverCred ? { name: serverCred.username } : {}) },
        ...(respURI ? { respURI: live.url } : {}),
        ...(live.proof && serverCred
          ? { cred: credOf(live.proof.scheme, serverCred, live.proof.nonce) }
          : {}),
        ...(maxMsgSize === undefined && maxObjSize === undefined
          ? {}
          : {
              meta: {
                ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
                ...(maxObjSize === undefined ? {} : { maxObjSize }),
              },
            }),
      },
      body,
      final,
    };
  }

  #encode(live: Live, body: readonly BodyElement[], final: boolean): Uint8Array {
    return encodeMessage(this.#message(live, body, final), live.encoding);
  }

  #send(live: Live, body: readonly BodyElement[], final: boolean): HttpReply {
    const message = this.#message(live, body, final);
    const bytes = encodeMessage(message, live.encoding);
    live.sent = message;
    live.msgId += 1;
    const headers = { 'content-type': contentTypeOf(live.encoding.form) };
    return { status: 200, headers, body: bytes };
  }
}

/** Whether the client sent its last message again, its answer being lost. */
function isRepeat(live: Live, body: Uint8Array): boolean {
  return live.lastRequest !== undefined && Buffer.compare(live.lastRequest, body) === 0;
}

function statusOf(element: BodyElement, msgRef: string, code: number): Omit<Status, 'cmdId'> {
  return {
    kind: 'Status',
    msgRef,
    cmdRef: element.cmdId,
    cmd: element.kind,
    targetRefs: [],
    sourceRefs: [],
    code: String(code),
    items: [],
  };
}

/** Whether the command's data may go in chunks. */
function isLarge(command: ServerCommand): boolean {
  return (command.kind === 'Add' || command.kind === 'Replace') && command.data !== undefined;
}
