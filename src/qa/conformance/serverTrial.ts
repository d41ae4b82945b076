import { setTimeout as delay } from 'node:timers/promises';
import { readPackage2 } from '../../dm2/codec.ts';
import type { NotificationCredential } from '../../dm2/notification/index.ts';
import { type Alert, MEDIA_TYPE, type Package2, type RawCommand, SESSION_ALERT } from '../../dm2/packages.ts';
import { Dm2Client } from '../../simulator/dm2Client/client.ts';
import { EventLog, type LoggedMessage } from '../../simulator/eventLog.ts';
import { type HttpReply, type HttpRequest, HttpServer } from '../../simulator/httpServer.ts';
import { DragomanError } from '../../support/errors.ts';
import { listenForNotifications, type NotificationPlace, type SeenNotification } from './notifications.ts';
import type { Operator } from './operator.ts';

export interface ServerTrialOptions {
  /** Where clients of the server under test post Package#1. */
  readonly against: string;
  /** Identity that the tester takes; the server has to know it. */
  readonly deviceId: string;
  readonly account?: { readonly username: string; readonly password: string };
  /** Where the server can reach the tester. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where Package#0 may arrive, `udp://host:port` or `http://host:port`; absent: nowhere. */
  readonly notifications?: string;
  readonly credential?: NotificationCredential;
  readonly operator?: Operator;
  /** Longest wait for a Package#0, and for work after a session without any, milliseconds. */
  readonly waitMs: number;
  /** Tells the operator what the server has to be made to do. */
  readonly tell: (line: string) => void;
}

/** Package#1 or #3 as the tester sent it, and what the server made of it. */
export interface Turn {
  readonly request: LoggedMessage;
  readonly answer?: LoggedMessage;
  /** Absent where the answer is none. */
  readonly package2?: Package2;
  readonly problem?: string;
}

export interface ServerEvidence {
  /** Each session of the tester, package by package. */
  readonly sessions: readonly (readonly Turn[])[];
  readonly notifications: readonly SeenNotification[];
  /** Whether there was a place for notifications to arrive at. */
  readonly listened: boolean;
  readonly credential?: NotificationCredential;
  /** When the trial began, seconds since 1970. */
  readonly at: number;
}

const SETTINGS = 'urn:example:mo:settings:1.0';
const SCRATCH = `${SETTINGS}//Conformance`;
const LOCK = 'urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock';
/** Known to no server: it has to be ignored in silence (20§7). */
export const UNKNOWN_ALERT: Alert = {
  AlertType: 'urn:example:at:conformance:1.0:Unknown',
  Mark: 'warning',
  DataType: 'application/json',
  Data: { any: ['thing'] },
};
const MOST_SESSIONS = 12;

/** The commands that a server has to send for all items to be seen; `at` is the tester's own origin. */
function workPlan(against: string, at: string): readonly (readonly RawCommand[])[] {
  return [
    [
      ['HGET', `${at}/document`, SCRATCH],
      ['HPUT', `${at}/upload`, SCRATCH],
      ['HPOST', `${at}/upload`, SCRATCH],
      ['GET', SCRATCH],
      ['DELETE', SCRATCH],
    ],
    [
      ['EXEC', LOCK],
      ['EXEC', LOCK, against],
    ],
    [
      ['SHOW', `${at}/page`],
      ['DEFAULT', SETTINGS, `${at}/document`],
    ],
    [['CONT', movedUrl(against)]],
  ];
}

/** Another URL of the same endpoint, as a server names one by CONT. */
function movedUrl(against: string): string {
  const url = new URL(against);
  url.searchParams.set('moved', 'conformance');
  return url.href;
}

/** Plays a client of the server until it has no more work, and keeps all that was said. */
export async function tryServer(options: ServerTrialOptions): Promise<ServerEvidence> {
  const at = Math.floor(Date.now() / 1000);
  const place =
    options.notifications === undefined ? undefined : await listenForNotifications(options.notifications);
  const documents = new HttpServer(options.listen, new EventLog(), serveDocuments);
  const messages: LoggedMessage[] = [];
  const client = new Dm2Client({
    url: options.against,
    deviceId: options.deviceId,
    timeoutMs: options.waitMs,
    ...(options.account && { auth: { type: 'basic', ...options.account } }),
    exec: ({ serverUri }) =>
      serverUri === undefined ? { status: 200 } : { status: 202, alert: lockReport(options.deviceId) },
    onMessage: (message) => void messages.push(message),
  });
  try {
    const origin = await documents.start();
    const work = workPlan(options.against, origin);
    if (options.operator) await options.operator.queue(work);
    else tellOperator(options, work);
    const notified = place && (await awaitNotification(place, options));
    const sessions = await runSessions(client, messages, notified);
    return {
      sessions,
      notifications: place?.seen ?? [],
      listened: place !== undefined,
      at,
      ...(options.credential && { credential: options.credential }),
    };
  } finally {
    await client.close();
    await documents.close();
    await place?.close();
  }
}

function tellOperator(
  { deviceId, tell, notifications }: ServerTrialOptions,
  work: ReturnType<typeof workPlan>,
): void {
  tell(`The server has to send the device ${deviceId}, in this order:`);
  for (const commands of work) for (const command of commands) tell(`  ${command.join(' ')}`);
  if (notifications !== undefined) tell(`and before all that a Package#0 to ${notifications}.`);
}

async function awaitNotification(
  place: NotificationPlace,
  { operator, waitMs }: ServerTrialOptions,
): Promise<SeenNotification | undefined> {
  await operator?.notify(place.url);
  for (const end = Date.now() + waitMs; place.seen.length === 0 && Date.now() < end; ) await delay(20);
  return place.seen[0];
}

/** Sessions until one brings no command but END; reports of EXEC go where the server wants them. */
async function runSessions(
  client: Dm2Client,
  messages: LoggedMessage[],
  notified: SeenNotification | undefined,
): Promise<Turn[][]> {
  const sessions: Turn[][] = [];
  const id = notified && 'reqMos' in notified.read ? notified.read.notificationId : undefined;
  const answering: Alert = {
    AlertType: SESSION_ALERT.serverInitiated,
    ...(id !== undefined && { DataType: 'text/plain', Data: { NotificationID: String(id) } }),
  };
  for (let count = 0; count < MOST_SESSIONS; count += 1) {
    const first = count === 0;
    const before = messages.length;
    client.begin(first ? { alerts: [...(notified ? [answering] : []), UNKNOWN_ALERT] } : {});
    // Alerts come in Package#1 and in Package#3.
    if (await client.step()) client.pendingAlerts.push(UNKNOWN_ALERT);
    while (await client.step());
    const { report } = client;
    await client.deliverReports();
    sessions.push(...turnsOf(messages.slice(before)));
    if (!first && report.executed.every(({ command }) => command[0] === 'END')) break;
  }
  return sessions;
}

/** The DM packages among messages, parted where a Package#1 begins a session. */
function turnsOf(messages: readonly LoggedMessage[]): Turn[][] {
  const sessions: Turn[][] = [];
  for (const [index, request] of messages.entries()) {
    if (request.direction !== 'sent') continue;
    const opens = request.contentType === MEDIA_TYPE.package1;
    if (!opens && request.contentType !== MEDIA_TYPE.package3) continue;
    const answer = messages
      .slice(index + 1)
      .find(({ direction, url }) => direction === 'received' && url === request.url);
    const turn: Turn = { request, ...(answer && { answer, ...readAnswer(answer) }) };
    if (opens) sessions.push([turn]);
    else sessions.at(-1)?.push(turn);
  }
  return sessions;
}

function readAnswer({ status, bytes }: LoggedMessage): Pick<Turn, 'package2' | 'problem'> {
  if (status !== 200) return { problem: `the answer is HTTP ${status}` };
  try {
    return { package2: readPackage2(bytes) };
  } catch (error) {
    return { problem: error instanceof DragomanError ? error.detail : String(error) };
  }
}

function lockReport(deviceId: string): Alert {
  return {
    AlertType: 'urn:oma:at:lawmo:1.0:OperationComplete',
    SourceURI: 'urn:oma:mo:oma-lawmo:1.0/lawmo1/Operations/FullyLock',
    Mark: 'informational',
    DataType: 'text/plain',
    Data: { DM1x: '1200', device: deviceId },
  };
}

const DOCUMENT = JSON.stringify([{ ClientURI: SCRATCH, MOData: { Conformance: 'put here by HGET' } }]);

function serveDocuments({ method, path }: HttpRequest): HttpReply {
  if (method === 'PUT' || method === 'POST') return { status: 204 };
  if (path.startsWith('/page')) {
    return { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<p>Conformance</p>') };
  }
  return {
    status: 200,
    headers: { 'content-type': MEDIA_TYPE.serialization },
    body: Buffer.from(DOCUMENT, 'utf8'),
  };
}
