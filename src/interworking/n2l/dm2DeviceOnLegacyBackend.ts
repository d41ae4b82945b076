import { defaultEncoding } from '../../dm1/codec.ts';
import type { Item } from '../../dm1/message.ts';
import { ClientLeg, type ServerPackage } from '../../dm1/session/client.ts';
import type { Machine } from '../../dm1/turn.ts';
import type { Alert } from '../../dm2/packages.ts';
import type { Mount } from '../../mo/mapping.ts';
import { type MoNode, walk } from '../../mo/node.ts';
import { formatTreePath, samePath } from '../../mo/treePath.ts';
import { instancesOf } from '../addresses.ts';
import { alertToDm1, isSessionAlert, sessionAlertToDm1 } from '../alerts.ts';
import type { SessionContext } from '../context.ts';
import { driveBackend } from '../drive.ts';
import type { Script, SessionOutcome, SessionScript } from '../script.ts';
import { Session } from '../session.ts';
import { writeLeaf } from '../values.ts';
import { Dm2Device, END } from './device.ts';
import { execute } from './execute.ts';
import { DEVINFO, mountObjects } from './mounts.ts';
import { readFromClient } from './read.ts';

/** N2L: a DM 2.0 device managed by a legacy DM 1.x server, one whole session (IW-SES-7). */
export function* dm2DeviceOnLegacyBackend(context: SessionContext): SessionScript {
  const s = new Session(context);
  const device = new Dm2Device(s);
  if (context.opening.protocol !== 'dm2') throw new TypeError('N2L needs a DM 2.0 opening');
  const { MOS, Alert: alerts = [] } = context.opening.package1;
  s.learnPeer({ protocol: 'dm2', dialect: 'approved' });
  mountObjects(s, MOS);
  const devInfo = yield* devInfoItems(s, device);
  yield* s.save();
  if (device.gone) return ended(device, 'device-gone');

  const server = new LegacyServer(s, alerts);
  let asked = yield* server.open(devInfo, alerts);
  while (asked.kind === 'commands') {
    const answers = yield* execute(
      s,
      device,
      asked.commands.map(({ command }) => command),
    );
    yield* s.save();
    asked = yield* server.answer(answers, device.takeAlerts());
    if (device.gone) return ended(device, 'device-gone');
  }
  switch (asked.kind) {
    case 'end':
      return ended(device, 'completed');
    case 'aborted':
      yield* s.note('IW-SES-10', 'The legacy server aborted its session, so the client gets END.');
      return ended(device, 'aborted');
    case 'refused':
      yield* s.note(
        'IW-AUTH-3',
        `The legacy server refused the session with ${asked.code}, so the client gets END.`,
      );
      return ended(device, 'backend-failed', `The legacy server answered ${asked.code} to the header.`);
    case 'gone':
      yield* s.note('IW-SES-10', `The legacy server failed, so the client gets END: ${server.failure}`);
      return ended(device, 'backend-failed', server.failure);
  }
}

function ended(device: Dm2Device, ending: SessionOutcome['ending'], detail?: string): SessionOutcome {
  return { ending, ...(!device.gone && { reply: END }), ...(detail !== undefined && { detail }) };
}

/** The gateway as a DM 1.x client of the session's backend, on the device's behalf. */
class LegacyServer {
  readonly #s: Session;
  readonly #leg: ClientLeg;
  readonly #notes: string[] = [];
  failure = 'no answer';

  constructor(s: Session, alerts: readonly Alert[]) {
    this.#s = s;
    const { backend, device, limits } = s.context;
    const { notificationId } = sessionAlertToDm1(alerts);
    const old = backend.version.startsWith('1.1');
    const verDTD = old ? '1.1' : '1.2';
    const encoding = defaultEncoding(backend.encoding, verDTD);
    this.#leg = new ClientLeg({
      // Printed as a notified 1.x client does; any number of 16 bits serves one that came by itself (1x§1.3).
      sessionId: (notificationId ?? (s.now % 0xffff) + 1).toString(16).toUpperCase(),
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
      maxMessages: limits.messages,
      note: (text) => this.#notes.push(text),
    });
  }

  *open(devInfo: readonly Item[], alerts: readonly Alert[]): Script<ServerPackage> {
    return yield* this.#drive(
      this.#leg.open({
        sessionAlert: sessionAlertToDm1(alerts).code,
        devInfo,
        alerts: alerts.filter((alert) => !isSessionAlert(alert)).map((alert) => alertToDm1(this.#s, alert)),
      }),
    );
  }

  *answer(answers: Parameters<ClientLeg['answer']>[0], alerts: readonly Alert[]): Script<ServerPackage> {
    return yield* this.#drive(
      this.#leg.answer(
        answers,
        alerts.map((alert) => alertToDm1(this.#s, alert)),
      ),
    );
  }

  *#drive(machine: Machine<ServerPackage>): Script<ServerPackage> {
    const { backend } = this.#s.context;
    const result = yield* driveBackend(
      this.#s,
      machine,
      () => (this.#leg.url === backend.url ? undefined : this.#leg.url),
      ({ detail }) => {
        this.failure = detail;
      },
    );
    for (const text of this.#notes.splice(0)) yield* this.#s.note('1x§2', text);
    const { nextNonce } = this.#leg;
    if (nextNonce) this.#s.learnBackendNonce(Buffer.from(nextNonce).toString('base64'));
    return result;
  }
}

/** DevInfo for the legacy server's Package 1; read again only when its validator says that it changed. */
function* devInfoItems(s: Session, device: Dm2Device): Script<Item[]> {
  const [mount] = instancesOf(s, DEVINFO);
  if (!mount) return [];
  const mapping = s.context.mappings.forMount(mount);
  const cv = s.context.device.validators[DEVINFO];
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

function toItems(s: Session, mount: Mount): Item[] {
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
