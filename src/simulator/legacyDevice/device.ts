import type { Encoding, SyncMLMessage } from '../../dm1/message.ts';
import { DragomanError } from '../../support/errors.ts';
import { hmacHeader } from '../credentials.ts';
import { EventLog, type LoggedMessage } from '../eventLog.ts';
import { type HttpAnswer, HttpClient } from '../httpClient.ts';
import { withPreset } from '../presets.ts';
import { headerStatus, nextMessage, onlyAsked, plainStatus } from '../statuses.ts';
import {
  contentTypeOf,
  decodeMessage,
  encodeMessage,
  encodingFor,
  isCommand,
  numbered,
  type Outgoing,
} from '../syncml.ts';
import type { SimTree } from '../tree.ts';
import { readFileNotation } from '../treeFile.ts';
import { phoneTree, treeFrom } from '../trees.ts';
import { AlertLedger } from './alertLedger.ts';
import { checkServerMessage } from './checks.ts';
import { ClientAuthentication } from './clientAuth.ts';
import { clientHeader } from './header.ts';
import { Inbound } from './inbound.ts';
import type { ClientAlert, LegacyDeviceOptions, SessionReport } from './options.ts';
import { type Assembled, Outbox } from './outbox.ts';
import { devInfoReplace } from './package1.ts';
import { ServerAuthentication } from './serverAuth.ts';
import { TriggerInbox, type Woken } from './triggers.ts';

/** What `begin` and `session` may change for one session. */
export interface SessionOptions {
  readonly sessionAlert?: '1200' | '1201';
  readonly sessionId?: string;
  readonly alerts?: readonly ClientAlert[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/**
 * A DM 1.x client (1x§2). `session()` runs a whole session; `begin()` and `step()` run it message by
 * message, so that a test can act between any two:
 *
 * ```ts
 * device.begin();
 * while (await device.step()) await killSomething();
 * expect(device.report.violations).toEqual([]);
 * ```
 */
export class LegacyDevice {
  readonly options: LegacyDeviceOptions;
  readonly tree: SimTree;
  /** Alerts for the next package; reports of asynchronous Execs come here too. */
  readonly pendingAlerts: ClientAlert[];
  readonly #alerts: AlertLedger;
  readonly #log: EventLog;
  readonly #http: HttpClient;
  readonly #client: ClientAuthentication;
  readonly #server: ServerAuthentication;
  readonly #encoding: Encoding;
  readonly #triggers: TriggerInbox;
  readonly #inbound: Inbound;
  readonly #outbox = new Outbox();
  #sessions = 0;
  #report: Mutable<SessionReport> | undefined;
  #startedAt = 0;
  #url = '';
  #msgId = 0;
  #serverMsgId = 0;
  #serverMaxMsgSize: number | undefined;
  /** The message that the next step sends. */
  #next: Assembled | undefined;
  #sent: SyncMLMessage | undefined;
  #sessionAlert: '1200' | '1201' = '1201';
  #aborting = false;

  constructor(options: LegacyDeviceOptions) {
    this.options = withPreset(options);
    const {
      tree,
      deviceId,
      onMessage,
      keepMessages,
      auth,
      serverCred,
      version = '1.2',
      encoding = 'xml',
    } = this.options;
    this.tree =
      tree === undefined
        ? phoneTree(deviceId)
        : treeFrom(typeof tree === 'string' ? readFileNotation(tree) : tree, deviceId);
    this.#alerts = new AlertLedger(this.options.alerts ?? []);
    this.pendingAlerts = this.#alerts.pending;
    this.#log = new EventLog(onMessage, keepMessages);
    this.#http = new HttpClient(this.options, this.#log);
    this.#client = new ClientAuthentication(
      auth ?? { type: 'none', username: '', password: '' },
      this.options.quirks?.credAlways,
    );
    this.#server = new ServerAuthentication(serverCred);
    this.#triggers = new TriggerInbox(serverCred);
    this.#inbound = new Inbound(this.tree, this.options, (alert) => this.#noteReport(alert));
    this.#encoding = encodingFor(version, encoding);
  }

  get messages(): readonly LoggedMessage[] {
    return this.#log.messages;
  }

  /** The running session, or the last one. */
  get report(): SessionReport {
    if (!this.#report)
      throw new DragomanError('internal', 'No session has begun: call begin() or session().');
    return this.#report;
  }

  /** Nonce that this device presents next, and the one that its server must use. */
  get nonces(): { readonly client: Uint8Array | undefined; readonly server: Uint8Array } {
    return { client: this.#client.nonce, server: this.#server.nonce };
  }

  /** Bytes that the next `step` will send, `undefined` when the session is over. */
  get nextBytes(): Uint8Array | undefined {
    return this.#next?.bytes;
  }

  /** Runs one session to its end. */
  async session(options: SessionOptions = {}): Promise<SessionReport> {
    this.begin(options);
    while (await this.step());
    return this.report;
  }

  /**
   * A Package#0 has come, perhaps as a WAP push: runs the session that it starts, or tells why it is ignored
   * (1x§10.1). It is checked by `serverCred` with the nonce that the server was given last.
   */
  async notified(
    bytes: Uint8Array,
  ): Promise<(SessionReport & { readonly woken: Woken }) | { readonly ignored: string }> {
    const woken = this.#triggers.take(bytes, this.#server.nonce);
    if ('ignored' in woken) return woken;
    return { ...(await this.session({ sessionAlert: '1200', sessionId: woken.sessionId })), woken };
  }

  /** Starts a session: the first message is ready, nothing has been sent. */
  begin(options: SessionOptions = {}): void {
    this.#sessions += 1;
    const sessionId = options.sessionId ?? this.#sessionId();
    this.#report = {
      sessionId,
      outcome: 'running',
      messages: 0,
      executed: [],
      statuses: [],
      violations: [],
      durationMs: 0,
    };
    this.#startedAt = performance.now();
    this.#url = this.options.url + (this.options.query ?? '');
    this.#msgId = 0;
    this.#serverMsgId = 0;
    const { quirks = {}, maxMsgSize } = this.options;
    this.#serverMaxMsgSize = quirks.ignoresServerMeta ? maxMsgSize : undefined;
    this.#inbound.begin();
    this.#client.begin();
    this.#server.begin();
    this.#alerts.begin(options.alerts ?? []);
    this.#packageOne(options.sessionAlert ?? this.options.sessionAlert ?? '1201', []);
  }

  /** Sends the message that is ready and takes the answer in; `false` once the session is over. */
  async step(): Promise<boolean> {
    const next = this.#next;
    if (!next) return false;
    this.#next = undefined;
    this.#sent = next.message;
    this.#report!.messages += 1;
    try {
      const answer = await this.#post(next);
      this.#receive(answer);
    } catch (error) {
      this.#end('failed', error instanceof Error ? error.message : String(error));
    }
    if (!this.#next && this.#report!.outcome === 'running') this.#end('completed');
    return this.#next !== undefined;
  }

  /** Leaves the session without a word, as a device does that loses its network. */
  drop(): void {
    this.#next = undefined;
    if (this.#report?.outcome === 'running') this.#end('aborted', 'dropped');
  }

  /** Replaces the message that is ready by an Alert 1223 (1x§2.4). */
  abort(): void {
    if (!this.#next || !this.#report) return;
    const status = this.#next.message.body.filter((element) => element.kind === 'Status');
    const elements: Outgoing[] = [...status, { kind: 'Alert', code: '1223', items: [] }];
    this.#outbox.clear();
    this.#next = this.#assemble(elements, true, this.#next.message.header.msgId);
    this.#aborting = true;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #sessionId(): string {
    const { sessionId = 'counter' } = this.options;
    if (sessionId === 'decimal') return String(this.#sessions);
    return sessionId === 'counter' ? this.#sessions.toString(16).toUpperCase() : sessionId;
  }

  #end(outcome: SessionReport['outcome'], detail?: string): void {
    const report = this.#report!;
    report.outcome = outcome;
    if (detail !== undefined) report.detail = detail;
    report.durationMs = performance.now() - this.#startedAt;
    this.#next = undefined;
    this.#aborting = false;
    this.#outbox.clear();
    this.#alerts.end();
  }

  /** Alert 1200/1201, other alerts, DevInfo (1x§2.1). */
  #packageOne(sessionAlert: '1200' | '1201', head: readonly Outgoing[]): void {
    this.#sessionAlert = sessionAlert;
    this.#outbox.clear();
    const { quirks = {}, version = '1.2' } = this.options;
    this.#outbox.add({ kind: 'Alert', code: sessionAlert, items: [] });
    if (version !== '1.1') this.#outbox.add(...this.#alerts.owed());
    this.#outbox.add(devInfoReplace(this.tree, this.#encoding.form, quirks.devInfoReversed ?? false));
    this.#ready(head, true);
  }

  #ready(head: readonly Outgoing[], mayEnd: boolean, tail: readonly Outgoing[] = []): void {
    const { missing = [], quirks = {} } = this.options;
    this.#msgId += 1;
    const more: readonly Outgoing[] = quirks.nextMessageAlert ? [nextMessage()] : [];
    const packed = this.#outbox.pack(
      head,
      this.#serverMaxMsgSize,
      mayEnd,
      !missing.includes('largeObjects'),
      (elements, final) => this.#assemble(elements, final, String(this.#msgId)),
      mayEnd ? more : tail,
    );
    this.#next = packed;
    this.#alerts.carry(this.#msgId, packed);
  }

  #assemble(elements: readonly Outgoing[], final: boolean, msgId: string): Assembled {
    const header = clientHeader(this.options, {
      sessionId: this.#report!.sessionId,
      msgId,
      url: this.#url,
      cred: this.#client.cred(),
    });
    const message: SyncMLMessage = { header, body: numbered(elements), final };
    return { message, bytes: encodeMessage(message, this.#encoding), elements };
  }

  #post({ bytes }: { bytes: Uint8Array }): Promise<HttpAnswer> {
    const { quirks = {}, auth, userAgent } = this.options;
    const type = contentTypeOf(this.#encoding.form, quirks.obsoleteContentType);
    const headers: Record<string, string> = {
      'content-type': type,
      accept: type,
      'cache-control': 'no-store',
      ...(userAgent !== undefined && { 'user-agent': userAgent }),
    };
    const { nonce, scheme } = this.#client;
    if (auth && scheme === 'hmac' && nonce) headers['x-syncml-hmac'] = hmacHeader(auth, nonce, bytes);
    return this.#http.send('POST', this.#url, headers, bytes);
  }

  #receive(answer: HttpAnswer): void {
    if (answer.status !== 200) {
      this.#end(answer.status >= 500 ? 'failed' : 'refused', `HTTP ${answer.status}`);
      return;
    }
    if (this.#aborting) {
      this.#end('aborted', 'aborted by the device');
      return;
    }
    const message = this.#decode(answer);
    if (!message) return;
    const { version = '1.2', deviceId, maxMsgSize, quirks = {} } = this.options;
    const report = this.#report!;
    report.violations.push(
      ...checkServerMessage(message, answer.body.length, {
        version,
        deviceId,
        sessionId: report.sessionId,
        ...(maxMsgSize === undefined ? {} : { maxMsgSize }),
        sent: this.#sent!,
        previousServerMsgId: this.#serverMsgId,
        chunking: this.#inbound.chunking,
      }),
    );
    this.#serverMsgId = Number(message.header.msgId) || this.#serverMsgId + 1;
    const { respURI, meta } = message.header;
    if (respURI !== undefined && !quirks.ignoresRespURI) this.#url = respURI;
    else if (quirks.needsRespURI) {
      this.#end('failed', 'the server header has no RespURI');
      return;
    }
    if (meta?.maxMsgSize !== undefined && !quirks.ignoresServerMeta) this.#serverMaxMsgSize = meta.maxMsgSize;
    this.#handle(message);
  }

  #decode(answer: HttpAnswer): SyncMLMessage | undefined {
    const report = this.#report!;
    const type = answer.headers['content-type'] ?? '';
    const expected = `+${this.#encoding.form}`;
    if (!type.toLowerCase().split(';')[0]!.trim().endsWith(expected)) {
      report.violations.push(`Content-Type ${type || '(none)'} does not mirror ${expected}`);
    }
    if (answer.headers['content-length'] === undefined) report.violations.push('no Content-Length');
    try {
      return decodeMessage(answer.body, this.#encoding.form).message;
    } catch (error) {
      report.violations.push('the message cannot be read');
      this.#end('failed', error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #handle(message: SyncMLMessage): void {
    const commands = message.body.filter(isCommand);
    const header = this.#takeStatuses(message);
    if (commands.some((command) => command.kind === 'Alert' && command.code === '1223')) {
      this.#end('aborted', 'aborted by the server');
      return;
    }
    const verdict = this.#server.judge(message, commands.length > 0);
    const code = this.options.quirks?.header212 && verdict.code === 200 ? 212 : verdict.code;
    const status = headerStatus(message, code, verdict.chal);
    if (header === 'again') {
      this.#packageOne(this.#sessionAlert, [status]);
      return;
    }
    if (typeof header === 'object') {
      this.#end('refused', header.refused);
      return;
    }
    if (verdict.code === 401 || verdict.code === 407) {
      if (verdict.final) {
        this.#end('refused', 'the server could not authenticate itself');
        return;
      }
      for (const command of commands)
        this.#outbox.add(plainStatus(command, message.header.msgId, verdict.code));
      this.#ready([status], true);
      return;
    }
    const asksForMore = commands.some((command) => command.kind === 'Alert' && command.code === '1222');
    const over = message.final || (onlyAsked(this.#sent!) && !this.#inbound.chunking);
    if (commands.length === 0 && over && this.#outbox.empty) return;
    const done = this.#inbound.run(message, commands);
    this.#outbox.add(...done.out);
    this.#report!.executed.push(...done.executed);
    this.#report!.violations.push(...done.violations);
    if (message.final && !asksForMore && this.options.version !== '1.1') {
      this.#outbox.add(...this.#alerts.fresh());
    }
    this.#ready([status], message.final || asksForMore, [nextMessage()]);
  }

  /** Statuses of what this device sent; returns what the SyncHdr's one means for authentication. */
  #takeStatuses(message: SyncMLMessage): ReturnType<ClientAuthentication['take']> {
    let header: ReturnType<ClientAuthentication['take']> = 'accepted';
    for (const element of message.body) {
      if (element.kind !== 'Status') continue;
      this.#report!.statuses.push({ cmd: element.cmd ?? '', code: element.code });
      if (element.cmdRef === '0' || element.cmd === 'SyncHdr') {
        header = this.#client.take(element, this.options.quirks?.needs212 ?? false);
      } else {
        this.#alerts.settle(element);
      }
      if (element.cmd === 'Results' && element.code !== '213') this.#outbox.clear();
    }
    return header;
  }

  #noteReport(alert: ClientAlert): void {
    const { reports = 'next-session' } = this.options;
    if (reports !== 'never') this.#alerts.report(alert, reports);
  }
}
