import { readPackage2, writePackage } from '../../dm2/codec.ts';
import { parseCommand } from '../../dm2/command.ts';
import { formatBasic } from '../../dm2/httpAuth.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import {
  type Alert,
  MEDIA_TYPE,
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
import { Objects } from './objects.ts';
import type { Dm2ClientOptions, Dm2SessionReport } from './options.ts';

export interface Dm2SessionOptions {
  /** Endpoint of this session, the configured one when absent. */
  readonly url?: string;
  readonly sessionAlert?: string;
  readonly alerts?: readonly Alert[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/**
 * A client of the approved DM 2.0 protocol (20§2, 20§3). `session()` runs a whole session; `begin()`
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
  #report: Mutable<Dm2SessionReport> | undefined;
  #startedAt = 0;
  #url = '';
  #next: { package: Package1 | Package3; bytes: Uint8Array; contentType: string } | undefined;
  /** Alerts on their way; owed again when the session breaks. */
  #sentAlerts: Alert[] = [];

  constructor(options: Dm2ClientOptions) {
    this.options = options;
    const { objects, deviceId, missing = [] } = options;
    const instances =
      objects === undefined
        ? dm2Instances(deviceId)
        : instancesFrom(typeof objects === 'string' ? readFileNotation(objects) : objects, deviceId);
    this.objects = new Objects(instances, new Set(missing));
    this.pendingAlerts = [...(options.alerts ?? [])];
    this.#log = new EventLog(options.onMessage, options.keepMessages);
    this.#http = new HttpClient({ connections: 2, ...options }, this.#log);
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
    const sessionAlert = options.sessionAlert ?? this.options.sessionAlert ?? SESSION_ALERT.clientInitiated;
    this.#ready(
      { MOS: this.objects.list(), Alert: [{ AlertType: sessionAlert }, ...this.#sentAlerts] },
      MEDIA_TYPE.package1,
    );
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

  #ready(content: Package1 | Package3, contentType: string): void {
    this.#next = { package: content, bytes: this.#write(content), contentType };
  }

  #write(content: Package1 | Package3): Uint8Array {
    if (!this.options.quirks?.nullLists) return writePackage(content);
    const nulls: Record<string, unknown> = { Alert: null, ...content };
    for (const [name, list] of Object.entries(nulls)) {
      if (Array.isArray(list) && list.length === 0) nulls[name] = null;
    }
    return Buffer.from(JSON.stringify(nulls), 'utf8');
  }

  #post({ bytes, contentType }: { bytes: Uint8Array; contentType: string }): Promise<HttpAnswer> {
    const { auth, deviceId } = this.options;
    const headers: Record<string, string> = {
      'content-type': contentType,
      accept: MEDIA_TYPE.package2,
      'omadm-devid': deviceId,
    };
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
    if (type !== MEDIA_TYPE.package2)
      violations.push(`Content-Type ${type ?? '(none)'} is not that of Package#2`);
    const package2 = readPackage2(answer.body);
    violations.push(...checkPackage2(package2));
    const status = await this.#run(package2, answer.headers['omadm-accept']);
    if (endsSession(package2)) return this.#end('completed');
    this.#sentAlerts = this.pendingAlerts.splice(0);
    this.#ready(
      { Status: status, ...(this.#sentAlerts.length > 0 ? { Alert: this.#sentAlerts } : {}) },
      MEDIA_TYPE.package3,
    );
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

/** END, or no command at all, closes the session (IW-SES-8). */
function endsSession({ CMD }: Package2): boolean {
  return CMD.length === 0 || CMD.some(([verb]) => verb?.trim().toUpperCase() === 'END');
}

/** Breaches of 20§3 in a Package#2, in words. */
function checkPackage2(package2: Package2): string[] {
  const found: string[] = [];
  if (package2.CMD.length === 0) found.push('Package#2 without a command');
  for (const raw of package2.CMD) {
    const command = parseCommand(raw);
    if ('error' in command) found.push(`${raw.join(' ')}: ${command.detail}`);
    else if (raw[0] !== command.verb) found.push(`${raw[0]} is not written in upper case`);
  }
  if (endsSession(package2) && package2.CMD.length > 1) found.push('END beside other commands');
  return found;
}
