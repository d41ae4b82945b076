import { parseCommand } from '../../dm2/command.ts';
import {
  DIALECTS,
  type Dialect,
  placeOfCommands,
  type ReadPackage2,
  type WrittenMessage,
} from '../../dm2/dialects/index.ts';
import { formatBasic } from '../../dm2/httpAuth.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import {
  type Alert,
  type Package1,
  type Package2,
  type Package3,
  SESSION_ALERT,
  type StatusItem,
} from '../../dm2/packages.ts';
import { DragomanError } from '../../support/errors.ts';
import { EventLog, type LoggedMessage } from '../eventLog.ts';
import { type HttpAnswer, HttpClient } from '../httpClient.ts';
import { readFileNotation } from '../treeFile.ts';
import { dm2Instances, instancesFrom } from '../trees.ts';
import { type CommandContext, type Dm2State, execute, provideDefaults, publishChanges } from './execute.ts';
import { NotificationInbox } from './notifications.ts';
import { devInfoOf, Objects } from './objects.ts';
import type { Dm2Capability, Dm2ClientOptions, Dm2SessionReport } from './options.ts';

export interface Dm2SessionOptions {
  /** Endpoint of this session, the configured one when absent. */
  readonly url?: string;
  readonly sessionAlert?: string;
  /** NOTIFICATION-ID that the session answers: its alert is ServerInitiatedMgmt (20§15 Q6). */
  readonly notificationId?: number;
  readonly alerts?: readonly Alert[];
}

/** What the next step sends. */
interface Ready {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/**
 * A DM 2.0 client of any dialect (20§1, 20§2, 20§3). `session()` runs a whole session; `begin()`
 * and `step()` run it package by package, as in `LegacyDevice`.
 */
export class Dm2Client {
  readonly options: Dm2ClientOptions;
  readonly objects: Objects;
  readonly state: Dm2State = { defaults: new Map(), subscriptions: new Map(), reports: [], shown: [] };
  /** Alerts for the next package. */
  readonly pendingAlerts: Alert[];
  readonly #log: EventLog;
  readonly #http: HttpClient;
  readonly #dialect: Dialect;
  readonly #notifications: NotificationInbox;
  /** Number of the last commands, where they bear one. */
  #msgId: number | undefined;
  #report: Mutable<Dm2SessionReport> | undefined;
  #startedAt = 0;
  #url = '';
  #next: Ready | undefined;
  /** Alerts on their way; owed again when the session breaks. */
  #sentAlerts: Alert[] = [];

  constructor(options: Dm2ClientOptions) {
    this.options = options;
    const { objects, deviceId, missing = [] } = options;
    const instances =
      objects === undefined
        ? dm2Instances(deviceId)
        : instancesFrom(typeof objects === 'string' ? readFileNotation(objects) : objects, deviceId);
    this.#dialect = DIALECTS[options.dialect ?? 'approved'];
    const { resolvesVariables, cacheValidators } = this.#dialect.capabilities;
    const unknown: Dm2Capability[] = [
      ...(resolvesVariables ? [] : (['xname', 'wildcard'] as const)),
      ...(cacheValidators ? [] : (['cv'] as const)),
    ];
    this.objects = new Objects(instances, new Set([...missing, ...unknown]));
    this.pendingAlerts = [...(options.alerts ?? [])];
    this.#log = new EventLog(options.onMessage, options.keepMessages);
    this.#http = new HttpClient({ connections: 2, ...options }, this.#log);
    this.#notifications = new NotificationInbox(options.notifications);
  }

  get messages(): readonly LoggedMessage[] {
    return this.#log.messages;
  }

  /** The running session, or the last one. */
  get report(): Dm2SessionReport {
    if (!this.#report)
      throw new DragomanError('internal', 'No session has begun: call begin() or session().');
    return this.#report;
  }

  /** Bytes that the next `step` will send, `undefined` when the session is over. */
  get nextBytes(): Uint8Array | undefined {
    return this.#next?.bytes;
  }

  async session(options: Dm2SessionOptions = {}): Promise<Dm2SessionReport> {
    this.begin(options);
    while (await this.step());
    return this.report;
  }

  /**
   * A Package#0 has come: runs the session that it starts, or tells why it is ignored (20§2.2). `now` in
   * seconds since 1970.
   */
  async notified(
    bytes: Uint8Array,
    now = Date.now() / 1000,
  ): Promise<Dm2SessionReport | { readonly ignored: string }> {
    const { ignored, ...answered } = this.#notifications.take(bytes, now);
    if (ignored !== undefined) return { ignored };
    const { serverInitiated: sessionAlert } = SESSION_ALERT;
    return this.session({ sessionAlert, ...answered });
  }

  /** Opens one session at each ServerURI that wants the report of an EXEC (20§3.5). */
  async deliverReports(): Promise<Dm2SessionReport[]> {
    const done: Dm2SessionReport[] = [];
    for (const report of this.state.reports.filter(({ url }) => url !== undefined)) {
      this.state.reports.splice(this.state.reports.indexOf(report), 1);
      done.push(await this.session({ url: report.url!, alerts: [report.alert] }));
    }
    return done;
  }

  /** Sends what subscriptions ask for; the number of documents sent. */
  publishChanges(): Promise<number> {
    return publishChanges(this.#context(undefined));
  }

  /** An application asks for objects that are not there; the number of those that a DEFAULT provided. */
  provideDefaults(): Promise<number> {
    return provideDefaults(this.#context(undefined));
  }

  begin(options: Dm2SessionOptions = {}): void {
    this.#report = { outcome: 'running', messages: 0, executed: [], violations: [], durationMs: 0 };
    this.#startedAt = performance.now();
    this.#url = options.url ?? this.options.url;
    const due = this.state.reports.filter(({ url }) => url === undefined);
    for (const report of due) this.state.reports.splice(this.state.reports.indexOf(report), 1);
    this.#sentAlerts = [
      ...this.pendingAlerts.splice(0),
      ...due.map(({ alert }) => alert),
      ...(options.alerts ?? []),
    ];
    const { notificationId: id } = options;
    const began: Alert =
      id === undefined
        ? { AlertType: options.sessionAlert ?? this.options.sessionAlert ?? SESSION_ALERT.clientInitiated }
        : {
            AlertType: SESSION_ALERT.serverInitiated,
            DataType: 'text/plain',
            Data: { NotificationID: String(id) },
          };
    this.#msgId = undefined;
    const { deviceId, listsObjects = true } = this.options;
    const package1 = {
      ...(listsObjects && { MOS: this.objects.list() }),
      Alert: [began, ...this.#sentAlerts],
    };
    const devInfo = this.#dialect.capabilities.openingCarriesDevInfo ? devInfoOf(this.objects) : {};
    this.#ready(package1, this.#dialect.writeOpening({ deviceId, package1, devInfo, items: [] }));
  }

  /** Sends the package that is ready and executes the answer; `false` once the session is over. */
  async step(): Promise<boolean> {
    const next = this.#next;
    if (!next) return false;
    this.#next = undefined;
    this.#report!.messages += 1;
    try {
      await this.#receive(await this.#post(next));
    } catch (error) {
      this.pendingAlerts.unshift(...this.#sentAlerts.splice(0));
      this.#end('failed', error instanceof Error ? error.message : String(error));
    }
    return this.#next !== undefined;
  }

  /** Leaves the session without a word. */
  drop(): void {
    if (this.#report?.outcome === 'running') this.#end('aborted', 'dropped');
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #end(outcome: Dm2SessionReport['outcome'], detail?: string): void {
    const report = this.#report!;
    report.outcome = outcome;
    if (detail !== undefined) report.detail = detail;
    report.durationMs = performance.now() - this.#startedAt;
    this.#next = undefined;
  }

  #ready(content: Package1 | Package3, { headers, body }: WrittenMessage): void {
    const bytes = this.options.quirks?.nullLists ? withNullLists(content) : body;
    this.#next = { bytes, headers };
  }

  #post({ bytes, headers: own }: Ready): Promise<HttpAnswer> {
    const { auth } = this.options;
    const headers: Record<string, string> = { ...own };
    if (auth?.type === 'basic') headers['authorization'] = formatBasic(auth.username, auth.password);
    return this.#http.send('POST', this.#url, headers, bytes);
  }

  async #receive(answer: HttpAnswer): Promise<void> {
    const { violations } = this.#report!;
    if (answer.status !== 200) {
      this.pendingAlerts.unshift(...this.#sentAlerts.splice(0));
      return this.#end(answer.status >= 500 ? 'failed' : 'refused', `HTTP ${answer.status}`);
    }
    this.#sentAlerts = [];
    const type = essence(answer.headers['content-type']);
    if (type !== this.#dialect.mediaTypes.commands)
      violations.push(`Content-Type ${type ?? '(none)'} is not that of Package#2`);
    const { package2, msgId, tolerated } = this.#dialect.readPackage2(answer);
    violations.push(...tolerated, ...this.#checkNumber(msgId), ...checkPackage2(package2, this.#dialect));
    const status = await this.#run(package2, answer.headers['omadm-accept']);
    if (endsSession(package2)) return this.#end('completed');
    // Where a status report has no room for them they wait for the next opening (20§1.1).
    if (this.#dialect.capabilities.statusCarriesAlerts) this.#sentAlerts = this.pendingAlerts.splice(0);
    const Alert = this.#sentAlerts;
    const package3 = { Status: status, ...(Alert.length > 0 ? { Alert } : {}) };
    const report = { package3, ...(msgId === undefined ? {} : { msgId }) };
    this.#ready(package3, this.#dialect.writeStatus(report, this.options.deviceId));
  }

  /** What is wrong with the number of a command document. */
  #checkNumber(msgId: ReadPackage2['msgId']): string[] {
    const { name: dialect } = this.#dialect;
    const { deviceId } = this.options;
    const place = placeOfCommands(
      { dialect, deviceId, ...(this.#msgId === undefined ? {} : { msgId: this.#msgId }) },
      { dialect, ...(msgId === undefined ? {} : { msgId }) },
    );
    this.#msgId = msgId;
    return place === 'next' ? [] : [typeof place === 'string' ? `MsgID ${msgId} comes again` : place.detail];
  }

  async #run(package2: Package2, accept: string | undefined): Promise<StatusItem[]> {
    const context = this.#context(accept);
    const skipped = this.options.quirks?.skipsBesideEnd && endsSession(package2);
    const status: StatusItem[] = [];
    for (const command of package2.CMD) {
      const outcome = skipped ? undefined : await execute(command, context);
      if (outcome) status.push(outcome);
      this.#report!.executed.push({ command, ...(outcome ? { code: outcome.sc } : {}) });
    }
    await publishChanges(context);
    return status;
  }

  #context(accept: string | undefined): CommandContext {
    return {
      dialect: this.#dialect,
      objects: this.objects,
      state: this.state,
      http: this.#http,
      options: this.options,
      missing: new Set(this.options.missing),
      accept,
      onCont: (url) => {
        this.#url = url;
      },
    };
  }
}

/** As a client is known to send empty lists. */
function withNullLists(content: Package1 | Package3): Uint8Array {
  const nulls: Record<string, unknown> = { Alert: null, ...content };
  for (const [name, list] of Object.entries(nulls)) {
    if (Array.isArray(list) && list.length === 0) nulls[name] = null;
  }
  return Buffer.from(JSON.stringify(nulls), 'utf8');
}

/** END, or no command at all, closes the session (IW-SES-8). */
function endsSession({ CMD }: Package2): boolean {
  return CMD.length === 0 || CMD.some(([verb]) => verb?.trim().toUpperCase() === 'END');
}

/** Breaches of 20§3 in a Package#2, in words. */
function checkPackage2(package2: Package2, { commandOptions, capabilities }: Dialect): string[] {
  const found: string[] = [];
  if (package2.CMD.length === 0 && !capabilities.endsByEmptyDocument)
    found.push('Package#2 without a command');
  for (const raw of package2.CMD) {
    const command = parseCommand(raw, commandOptions);
    if ('error' in command) found.push(`${raw.join(' ')}: ${command.detail}`);
    else if (raw[0] !== command.verb) found.push(`${raw[0]} is not written in upper case`);
  }
  if (endsSession(package2) && package2.CMD.length > 1) found.push('END beside other commands');
  return found;
}
