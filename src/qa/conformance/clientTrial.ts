import { setTimeout as delay } from 'node:timers/promises';
import { writePackage } from '../../dm2/codec.ts';
import type { NotificationCredential } from '../../dm2/notification/index.ts';
import { MEDIA_TYPE, type RawCommand } from '../../dm2/packages.ts';
import { EventLog, type LoggedMessage } from '../../simulator/eventLog.ts';
import { type HttpReply, type HttpRequest, HttpServer } from '../../simulator/httpServer.ts';
import { type NotificationKind, notificationsToSend } from './notificationKinds.ts';
import { sendNotification } from './notifications.ts';
import { PROBES, type Probe, type ProbeName } from './probes.ts';
import {
  type ClientTurn,
  outcomeOf,
  type ProbeOutcome,
  type ReadPackage,
  readClientPackage,
} from './turns.ts';

export interface ClientTrialOptions {
  /** Where the client takes Package#0, `udp://host:port` or `http://host:port/path`; absent: nowhere. */
  readonly against?: string;
  /** Bearer token for notifications that are POSTed. */
  readonly token?: string;
  /** Where the client finds its server, which the tester plays. */
  readonly listen: { readonly host: string; readonly port: number };
  /** ClientURI of a leaf that the client lets servers make, write, read and delete. */
  readonly scratch: string;
  /** ClientURI of a node that may be executed. */
  readonly exec: string;
  /** SERVER-ID of its account for the tester. */
  readonly serverId: string;
  readonly credential?: NotificationCredential;
  /** Longest silence of the client before the trial ends, milliseconds. */
  readonly waitMs: number;
  /** Silence that counts as "nothing more comes", milliseconds. */
  readonly quietMs: number;
  /** Tells the operator what the client has to be made to do. */
  readonly tell: (line: string) => void;
}

/** A Package#0 that the tester sent, and the sessions that followed. */
export interface NotificationOutcome {
  readonly sent: LoggedMessage;
  readonly sessions: readonly (readonly ClientTurn[])[];
}

export interface ClientEvidence {
  readonly sessions: readonly (readonly ClientTurn[])[];
  readonly probes: ReadonlyMap<ProbeName, ProbeOutcome>;
  /** Sessions opened at the ServerURI of an EXEC. */
  readonly reports: readonly (readonly ClientTurn[])[];
  readonly notifications: ReadonlyMap<NotificationKind, NotificationOutcome>;
  /** Id of the good notification. */
  readonly notificationId: number;
}

const PATHS = { main: '/dm20', moved: '/dm20/moved', report: '/report' } as const;
/** What HGET writes. */
export const DOCUMENT_TEXT = 'written by the conformance trial';

/** Plays a server towards one client, until every probe was asked and the report of the EXEC came. */
export async function tryClient(options: ClientTrialOptions): Promise<ClientEvidence> {
  const tester = new TestServer(options);
  try {
    await tester.start();
    const notificationId = 1 + Math.floor(Math.random() * 65_000);
    const notifications = await notify(tester, options, notificationId);
    options.tell('From now on it has to come by itself, until all is asked.');
    await tester.probe();
    return { ...tester.evidence(), notifications, notificationId };
  } finally {
    await tester.close();
  }
}

/** Sends bad notifications, a good one, and that again; the sessions that follow get END alone. */
async function notify(
  tester: TestServer,
  { against, token, serverId, credential, waitMs, quietMs }: ClientTrialOptions,
  notificationId: number,
): Promise<Map<NotificationKind, NotificationOutcome>> {
  const outcomes = new Map<NotificationKind, NotificationOutcome>();
  if (against === undefined) return outcomes;
  const all = notificationsToSend({ serverId, notificationId, ...(credential && { credential }) });
  for (const [kind, bytes] of all) {
    const before = tester.opened;
    const sent = await sendNotification(against, bytes, token);
    await tester.until(() => tester.opened > before, kind === 'good' ? waitMs : quietMs);
    outcomes.set(kind, { sent, sessions: tester.evidence().sessions.slice(before) });
  }
  return outcomes;
}

/** A package as it was taken; its answer is found among the messages later. */
interface Taken extends ReadPackage {
  readonly request: LoggedMessage;
  readonly asked: readonly RawCommand[];
  readonly probe?: ProbeName;
  readonly reporting: boolean;
}

class TestServer {
  readonly #options: ClientTrialOptions;
  readonly #messages: LoggedMessage[] = [];
  readonly #taken: Taken[] = [];
  readonly #server: HttpServer;
  #queue: readonly Probe[] = [];
  #heardAt = Date.now();

  constructor(options: ClientTrialOptions) {
    this.#options = options;
    const log = new EventLog((message) => void this.#messages.push(message), false);
    this.#server = new HttpServer(options.listen, log, (request) => this.#handle(request));
  }

  async start(): Promise<void> {
    const origin = await this.#server.start();
    this.#options.tell(`The client has to open sessions at ${origin}${PATHS.main}`);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Sessions that the client opened, reports aside. */
  get opened(): number {
    return this.#taken.filter(({ package1, reporting }) => package1 && !reporting).length;
  }

  async until(met: () => boolean, longest: number): Promise<void> {
    for (const end = Date.now() + longest; !met() && Date.now() < end; ) await delay(20);
  }

  /** Asks all probes, in as many sessions as it takes. */
  async probe(): Promise<void> {
    const { waitMs, quietMs } = this.#options;
    this.#queue = PROBES;
    this.#heardAt = Date.now();
    const reported = () => this.#taken.some(({ package1, reporting }) => package1 && reporting);
    const silent = () => Date.now() - this.#heardAt > waitMs;
    await this.until(() => (this.#queue.length === 0 && reported()) || silent(), Number.POSITIVE_INFINITY);
    // Only time tells that nothing comes after END.
    await delay(quietMs);
  }

  evidence(): Pick<ClientEvidence, 'sessions' | 'probes' | 'reports'> {
    const sessions: ClientTurn[][] = [];
    const reports: ClientTurn[][] = [];
    for (const { reporting, ...taken } of this.#taken) {
      const of = reporting ? reports : sessions;
      const turn = { ...taken, answer: this.#answerTo(taken.request) };
      if (taken.package1 || of.length === 0) of.push([turn]);
      else of.at(-1)?.push(turn);
    }
    const probes = new Map<ProbeName, ProbeOutcome>();
    for (const session of sessions) {
      for (const [index, turn] of session.entries()) {
        if (turn.probe) probes.set(turn.probe, outcomeOf(turn, session[index + 1], this.#messages));
      }
    }
    return { sessions, reports, probes };
  }

  #answerTo(request: LoggedMessage): LoggedMessage | undefined {
    const later = this.#messages.slice(this.#messages.indexOf(request) + 1);
    return later.find(({ direction, url }) => direction === 'sent' && url === request.url);
  }

  #handle(request: HttpRequest): HttpReply {
    this.#heardAt = Date.now();
    const path = request.path.split('?')[0] ?? '';
    switch (path.split('/')[1]) {
      case 'document':
        return this.#document();
      case 'upload':
        return { status: 204 };
      case 'missing':
        return { status: 404 };
      case 'page':
        return { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from(PAGE) };
      default:
        return this.#package(path);
    }
  }

  #document(): HttpReply {
    const { scratch } = this.#options;
    const name = /([^/?]+)(\?.*)?$/.exec(scratch)?.[1] ?? '';
    const body = JSON.stringify([{ ClientURI: scratch, MOData: { [name]: DOCUMENT_TEXT } }]);
    return { status: 200, headers: { 'content-type': MEDIA_TYPE.serialization }, body: Buffer.from(body) };
  }

  #package(path: string): HttpReply {
    const request = this.#messages.findLast(
      ({ direction, url }) => direction === 'received' && new URL(url).pathname === path,
    )!;
    const read = readClientPackage(request);
    const reporting = path === PATHS.report;
    const probe = read.problem === undefined && !reporting ? this.#next() : undefined;
    const asked = probe ? probe.commands(this.#places()) : [['END']];
    this.#taken.push({ ...read, request, asked, reporting, ...(probe && { probe: probe.name }) });
    if (read.problem !== undefined) return { status: 400 };
    return {
      status: 200,
      headers: { 'content-type': MEDIA_TYPE.package2 },
      body: writePackage({ CMD: asked }),
    };
  }

  #next(): Probe | undefined {
    const [probe, ...others] = this.#queue;
    this.#queue = others;
    return probe;
  }

  #places() {
    const { scratch, exec } = this.#options;
    const { origin } = this.#server;
    return { scratch, exec, origin, moved: `${origin}${PATHS.moved}`, report: `${origin}${PATHS.report}` };
  }
}

const PAGE = '<html><title>Conformance</title><body><p>A page of the conformance trial.</p></body></html>';
