import { defaultEncoding } from '../../dm1/codec.ts';
import type { Item } from '../../dm1/message.ts';
import { ClientLeg, type PlannedAlert, type ServerPackage } from '../../dm1/session/client.ts';
import type { Machine } from '../../dm1/turn.ts';
import type { Alert } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import { type MoNode, walk } from '../../mo/node.ts';
import { formatTreePath, samePath } from '../../mo/treePath.ts';
import type { ErrorCode } from '../../support/errors.ts';
import { instancesOf } from '../addresses.ts';
import { alertToDm1, isSessionAlert, sessionAlertToDm1 } from '../alerts.ts';
import type { SessionContext } from '../context.ts';
import { driveBackend } from '../drive.ts';
import type { DueAlert, KeptAlerts } from '../keptAlerts.ts';
import { withAskedNumber } from '../notification/answer.ts';
import type { Script, SessionOutcome, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { writeLeaf } from '../values.ts';
import { askObjects } from './askObjects.ts';
import { Dm2Device, END } from './device.ts';
import { execute } from './execute.ts';
import { DEVINFO, learnClient, mountObjects } from './mounts.ts';
import { readFromClient } from './read.ts';

/** N2L: a DM 2.0 device managed by a legacy DM 1.x server, one whole session (IW-SES-7). */
export function* dm2DeviceOnLegacyBackend(context: SessionContext): SessionScript {
  const s = new Session(context);
  const device = new Dm2Device(s);
  if (context.opening.protocol !== 'dm2') throw new TypeError('N2L needs a DM 2.0 opening');
  const { MOS, Alert: alerts = [] } = context.opening.package1;
  learnClient(s, context.opening);
  mountObjects(s, MOS);
  yield* keepOpeningAlerts(s, device.alerts, alerts);
  yield* askObjects(s, device, MOS);
  const devInfo = yield* devInfoItems(s, device);
  if (s.bootstrapDue) {
    s.learnBootstrapTold();
    yield* s.note('IW-ALERT-1', 'The bootstrap is complete; no alert of DM 1.x says so.');
  }
  yield* s.save();
  if (device.gone) return ended(device, 'device-gone');

  const server = new LegacyServer(s, yield* withAskedNumber(s, alerts));
  let asked = yield* server.open(devInfo, device.alerts.take());
  yield* device.alerts.settle(server.settled());
  while (asked.kind === 'commands') {
    const answers = yield* execute(
      s,
      device,
      asked.commands.map(({ command }) => command),
    );
    yield* s.save();
    asked = yield* server.answer(answers, device.alerts.take());
    yield* device.alerts.settle(server.settled());
    if (device.gone) {
      // It was told what became of its commands; nobody is there for more.
      if (asked.kind === 'commands' || asked.kind === 'given-up') yield* server.abort();
      yield* s.save();
      return ended(device, 'device-gone');
    }
  }
  // The server's last message may have the nonce for the next session.
  yield* s.save();
  switch (asked.kind) {
    case 'end':
      return ended(device, 'completed');
    case 'aborted':
      yield* s.note('IW-SES-10', 'The legacy server aborted its session, so the client gets END.');
      return ended(device, 'aborted');
    case 'given-up':
      yield* s.note(
        'IW-SES-10',
        `${asked.reason}; it is told by Alert 1223 if that fits, and the client gets END.`,
      );
      yield* server.abort();
      return ended(device, 'aborted', asked.reason);
    case 'refused':
      yield* s.note(
        'IW-AUTH-3',
        `The legacy server refused the session with ${asked.code}, so the client gets END.`,
      );
      return ended(device, 'backend-failed', `The legacy server answered ${asked.code} to the header.`);
    case 'gone':
      yield* s.note('IW-SES-10', `The legacy server failed, so the client gets END: ${server.gone.detail}`);
      return ended(device, 'backend-failed', server.gone.detail);
  }
}

function ended(device: Dm2Device, ending: SessionOutcome['ending'], detail?: string): SessionOutcome {
  return { ending, ...(!device.gone && { reply: END }), ...(detail !== undefined && { detail }) };
}

/** Stores what Package#1 tells, before the client is answered (IW-ALERT-6); the one at a report's URL ends it. */
export function* keepOpeningAlerts(
  s: Session,
  kept: KeptAlerts<Alert>,
  alerts: readonly Alert[],
): Script<void> {
  const { report } = s.context;
  if (report && 'unknown' in report) {
    yield* s.note(
      'IW-WR-3',
      `The URL of this session has a report token of no use, for ${report.unknown}; its alerts are ordinary ones.`,
    );
  }
  yield* kept.keep(
    alerts.filter((alert) => !isSessionAlert(alert)),
    report && 'id' in report ? report.id : undefined,
  );
}

/** The gateway as a DM 1.x client of the session's backend, on the device's behalf. */
export class LegacyServer {
  readonly #s: Session;
  readonly #leg: ClientLeg;
  readonly #notes: string[] = [];
  readonly #sessionAlert: '1200' | '1201';
  readonly #told = new Map<PlannedAlert, number>();
  #settled = 0;
  #ended = false;
  /** Why there was no answer. */
  gone: { readonly code: ErrorCode; readonly detail: string } = {
    code: 'backend-failed',
    detail: 'no answer',
  };

  constructor(s: Session, alerts: readonly Alert[]) {
    this.#s = s;
    const { backend, device, limits } = s.context;
    const { code, notificationId } = sessionAlertToDm1(alerts);
    this.#sessionAlert = code;
    const old = backend.version.startsWith('1.1');
    const verDTD = old ? '1.1' : '1.2';
    const encoding = defaultEncoding(backend.encoding, verDTD);
    this.#leg = new ClientLeg({
      // Printed as a notified 1.x client does; any number of 16 bits serves one that came by itself (1x§1.3).
      sessionId: (notificationId ?? (s.context.at % 0xffff) + 1).toString(16).toUpperCase(),
      deviceId: device.id,
      serverUrl: backend.url,
      verDTD,
      verProto: old ? 'DM/1.1' : `DM/${backend.version}`,
      encoding,
      maxMsgSize: backend.maxMsgSize,
      maxObjSize: limits.objectBytes,
      scheme: backend.scheme,
      ...(backend.nonce !== undefined && { nonce: Buffer.from(backend.nonce, 'base64') }),
      ...(backend.userName !== undefined && { userName: backend.userName }),
      ...(backend.credBytes !== undefined && { credBytes: backend.credBytes }),
      maxMessages: limits.messages,
      note: (text) => this.#notes.push(text),
    });
  }

  *open(devInfo: readonly Item[], due: readonly DueAlert<Alert>[]): Script<ServerPackage> {
    const alerts = due.map((each) => this.#say(each));
    return yield* this.#drive(this.#leg.open({ sessionAlert: this.#sessionAlert, devInfo, alerts }));
  }

  *answer(
    answers: Parameters<ClientLeg['answer']>[0],
    due: readonly DueAlert<Alert>[],
  ): Script<ServerPackage> {
    const alerts = due.map((each) => this.#say(each));
    return yield* this.#drive(this.#leg.answer(answers, alerts));
  }

  /** Breaks the session off; whatever the server says to that is ignored (1x§2.4). */
  *abort(): Script<void> {
    const { backend } = this.#s.context;
    const message = this.#leg.abort();
    if (!message) return;
    const { presenting } = this.#leg;
    yield* this.#s.perform({
      kind: 'backend.exchange',
      send: {
        protocol: 'dm1',
        message,
        ...(presenting && { present: presenting }),
        ...(this.#leg.url !== backend.url && { url: this.#leg.url }),
      },
    });
  }

  /** What the server has said to alerts since it was last asked for; 5xx and silence leave one unsettled. */
  settled(): { readonly n: number; readonly refused?: string }[] {
    const news: { n: number; refused?: string }[] = [];
    for (const { alert, code } of this.#leg.alertStatuses.slice(this.#settled)) {
      const n = this.#told.get(alert);
      if (n === undefined || code >= 500) continue;
      this.#told.delete(alert);
      news.push(code >= 400 ? { n, refused: `The legacy server answered the alert with ${code}.` } : { n });
    }
    this.#settled = this.#leg.alertStatuses.length;
    if (!this.#ended) return news;
    // A server that went on to the end without a word about an alert has it none the less.
    const answered = new Set(this.#leg.alertStatuses.map(({ alert }) => alert));
    for (const [alert, n] of this.#told) if (!answered.has(alert)) news.push({ n });
    this.#told.clear();
    return news;
  }

  #say({ n, alert, correlator }: DueAlert<Alert>): PlannedAlert {
    const planned = alertToDm1(this.#s, alert, correlator);
    this.#told.set(planned, n);
    return planned;
  }

  *#drive(machine: Machine<ServerPackage>): Script<ServerPackage> {
    const { backend } = this.#s.context;
    const result = yield* driveBackend(
      this.#s,
      machine,
      () => (this.#leg.url === backend.url ? undefined : this.#leg.url),
      (failure) => {
        this.gone = failure;
      },
    );
    this.#ended = result.kind === 'end';
    // Who refuses the header has accepted nothing of the message, whatever its other Statuses say.
    if (result.kind === 'refused') this.#settled = this.#leg.alertStatuses.length;
    for (const text of this.#notes.splice(0)) yield* this.#s.note('1x§2', text);
    const { nextNonce } = this.#leg;
    if (nextNonce) this.#s.learnBackendNonce(Buffer.from(nextNonce).toString('base64'));
    return result;
  }
}

/** DevInfo for the legacy server's Package 1; read again only when its validator says that it changed. */
export function* devInfoItems(s: Session, device: Dm2Device): Script<Item[]> {
  const [mount] = instancesOf(s, DEVINFO);
  if (!mount) return [];
  const mapping = s.context.mappings.forMount(mount);
  // A validator without the values that it stands for is of no use.
  const cv = Object.keys(s.devInfo).length > 0 ? s.context.device.validators[DEVINFO] : undefined;
  const [read] = yield* readFromClient(s, device, [
    { address: { mapping, path: [] }, ...(cv !== undefined && { cv }) },
  ]);
  if (read?.ok) {
    const values: Record<string, string> = {};
    for (const { path, node } of walk(read.node)) {
      if (typeof node.value === 'string' && path.length > 0) values[path.join('/')] = node.value;
    }
    s.learnDevInfo(values);
    if (read.cv !== undefined) s.learnValidator(DEVINFO, read.cv);
  } else if (read?.sc !== 304) {
    yield* s.note(
      'IW-SES-7',
      `DevInfo could not be read (${read?.sc}); what an earlier session knew is told.`,
    );
  }
  return toItems(s, mount);
}

/** DevInfo as far as known, as a legacy client sends it. */
export function toItems(s: Session, mount: Mount): Item[] {
  const mapping = s.context.mappings.forMount(mount);
  const form = s.context.backend.encoding;
  const devInfo: Record<string, string> = { DevID: s.context.device.id, ...s.devInfo };
  const items: Item[] = [];
  for (const [name, value] of Object.entries(devInfo)) {
    const path = name.split('/');
    const legacy = mapping.legacy(path);
    // What 1.x keeps in DevDetail is not sent in Package 1 (1x§13.2).
    if (legacy[0] !== mount.root[0]) continue;
    const node: MoNode = { name: path.at(-1)!, format: mapping.definition(path)?.format ?? 'chr', value };
    const part = mapping.toLegacy(path, node).find((each) => samePath(each.legacy, legacy))?.node ?? node;
    items.push({
      source: { uri: formatTreePath(legacy) },
      ...writeLeaf(form, part.value ?? '', part.format, part.type),
    });
  }
  return items;
}
