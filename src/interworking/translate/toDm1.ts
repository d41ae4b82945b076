import type { BodyElement, Item, SyncMLMessage } from '../../dm1/message.ts';
import { parseCommand } from '../../dm2/codec.ts';
import type {
  Alert,
  Dm2Command,
  Package1,
  Package2,
  Package3,
  SerializationItem,
} from '../../dm2/packages.ts';
import { readSerialization, toNode } from '../../dm2/serialization.ts';
import { walk } from '../../mo/node.ts';
import { formatTreePath, parseTreePath } from '../../mo/treePath.ts';
import { instancesOf, ownerOf, plainLegacyUri } from '../addresses.ts';
import { alertToDm1, isSessionAlert, sessionAlertToDm1 } from '../alerts.ts';
import { asksForList } from '../listing.ts';
import { toItems } from '../n2l/dm2DeviceOnLegacyBackend.ts';
import { DEVINFO } from '../n2l/mounts.ts';
import { statusToDm1 } from '../status.ts';
import { writeLeaf } from '../values.ts';
import type { OfflineSession } from './offline.ts';

type Numbered = (cmdId: string) => BodyElement;

/** A DM 2.0 package as the DM 1.x message that says the same; every loss and assumption is told. */
export function packageToDm1(s: OfflineSession, pkg: Package1 | Package2 | Package3): SyncMLMessage {
  if ('CMD' in pkg)
    return envelope(s, 'server', '1', [headerStatus, ...pkg.CMD.flatMap((raw) => commandParts(s, raw))]);
  if ('Status' in pkg)
    return envelope(s, 'client', '2', [headerStatus, ...statusParts(s, pkg), ...alertParts(s, pkg.Alert)]);
  return envelope(s, 'client', '1', openingParts(s, pkg), sessionIdOf(pkg));
}

function sessionIdOf(pkg: Package1): string {
  const { notificationId } = sessionAlertToDm1(pkg.Alert ?? []);
  return (notificationId ?? 1).toString(16).toUpperCase();
}

function envelope(
  s: OfflineSession,
  from: 'client' | 'server',
  msgId: string,
  parts: readonly Numbered[],
  sessionId = '1',
): SyncMLMessage {
  const server = { uri: s.context.backend.url };
  const client = { uri: 'device' };
  s.tell(
    'IW-SES-3',
    'SessionID, MsgIDs and the two LocURIs of the header are made up here; a gateway uses those of its session.',
  );
  return {
    header: {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId,
      msgId,
      target: from === 'client' ? server : client,
      source: from === 'client' ? client : server,
    },
    body: parts.map((part, i) => part(String(i + 1))),
    final: true,
  };
}

const headerStatus: Numbered = (cmdId) => ({
  kind: 'Status',
  cmdId,
  msgRef: '1',
  cmdRef: '0',
  cmd: 'SyncHdr',
  targetRefs: [],
  sourceRefs: [],
  code: '200',
  items: [],
});

function openingParts(s: OfflineSession, pkg: Package1): Numbered[] {
  const alerts = pkg.Alert ?? [];
  const { code } = sessionAlertToDm1(alerts);
  if (pkg.MOS) {
    s.tell(
      'IW-INV-4',
      'MOS has no counterpart: the objects hang in the virtual tree that the legacy server reads.',
    );
    for (const { MOID, MIID } of pkg.MOS) for (const miid of MIID) s.assumeClientUri(`${MOID}/${miid}/`);
  }
  return [
    (cmdId) => ({ kind: 'Alert', cmdId, code, items: [] }),
    ...devInfoParts(s),
    ...alertParts(s, alerts),
  ];
}

/** DevInfo, where the first message holds it. */
function devInfoParts(s: OfflineSession): Numbered[] {
  if (Object.keys(s.devInfo).length === 0) {
    s.tell(
      'IW-SES-7',
      'A gateway reads DevInfo from the client and sends it as Replace; it is not part of this package.',
    );
    return [];
  }
  s.assumeClientUri(`${DEVINFO}//`);
  const items = instancesOf(s, DEVINFO)
    .slice(0, 1)
    .flatMap((mount) => toItems(s, mount));
  return [(cmdId): BodyElement => ({ kind: 'Replace', cmdId, items })];
}

function alertParts(s: OfflineSession, alerts: readonly Alert[] = []): Numbered[] {
  return alerts
    .filter((alert) => !isSessionAlert(alert))
    .map((alert) => {
      if (alert.SourceURI !== undefined) s.assumeClientUri(alert.SourceURI);
      if (alert.TargetURI !== undefined) s.assumeClientUri(alert.TargetURI);
      const planned = alertToDm1(s, alert);
      return (cmdId): BodyElement => ({ ...planned, cmdId });
    });
}

function commandParts(s: OfflineSession, raw: readonly string[]): Numbered[] {
  const command = parseCommand(raw, { everything: true });
  if ('error' in command) {
    s.tell('20§3', command.detail);
    return [];
  }
  if (asksForList(command)) {
    s.tell(
      'IW-INV-2',
      'A list of the objects is asked for; a gateway answers it from what it knows of the device.',
    );
    return [];
  }
  return partsOf(s, command);
}

function partsOf(s: OfflineSession, command: Dm2Command): Numbered[] {
  switch (command.verb) {
    case 'GET':
    case 'HPUT':
    case 'HPOST':
      if (command.verb !== 'GET') {
        s.tell(
          'IW-HPUT-1',
          `What is read goes to ${command.serverUri} in one document, sent by the gateway.`,
        );
      }
      s.tell(
        'IW-GET-1',
        'An interior node is read by ?list=StructData where the device has it, else level by level.',
      );
      return command.clientUris.flatMap((uri) => itemPart(s, 'Get', uri));
    case 'DELETE':
      return itemPart(s, 'Delete', command.clientUri);
    case 'EXEC':
      s.tell('IW-EXEC-1', 'A Correlator is added where the device supports it.');
      return itemPart(s, 'Exec', command.clientUri);
    case 'HGET':
      s.tell(
        'IW-HGET-2',
        `${command.serverUri} is fetched by the gateway; the Replace below stands for the difference that is written.`,
      );
      return command.clientUri === undefined ? [] : itemPart(s, 'Replace', command.clientUri);
    case 'SHOW':
      s.tell('IW-UI-3', `The page at ${command.serverUri} decides which UI alerts the device is sent.`);
      return [];
    case 'CONT':
      s.tell('IW-SES-9', `The backend leg moves to ${command.serverUri}; the device sees nothing of it.`);
      return [];
    case 'END':
      s.tell('IW-SES-8', 'END: the device is sent a message without commands once all before it are done.');
      return [];
    case 'DEFAULT':
      s.tell('IW-DEF-1', `Kept by the gateway for ${command.moid}; the device is sent nothing.`);
      return [];
    case 'SUB':
    case 'UNSUB':
      s.tell('IW-SUB-1', `${command.verb} is kept by the gateway; the device is sent nothing.`);
      return [];
  }
}

function itemPart(s: OfflineSession, kind: 'Get' | 'Delete' | 'Exec' | 'Replace', text: string): Numbered[] {
  s.assumeClientUri(text);
  const uri = plainLegacyUri(s, text);
  if (uri === undefined) {
    s.tell(
      'IW-ADDR-2',
      `${text} holds a wildcard or a variable; a gateway resolves it by reading the device.`,
    );
    return [];
  }
  const items: Item[] = [{ target: { uri } }];
  return [(cmdId): BodyElement => ({ kind, cmdId, items })];
}

function statusParts(s: OfflineSession, pkg: Package3): Numbered[] {
  s.tell('IW-STAT-2', 'Package#3 does not repeat the commands: CmdRef counts from 1 and Cmd is assumed.');
  return pkg.Status.flatMap(({ sc, MO }, i) => {
    const code = statusToDm1(sc);
    if (code !== sc) s.tell('IW-STAT-2', `sc ${sc} becomes Status ${code}.`);
    const cmdRef = String(i + 1);
    const status: Numbered = (cmdId) => ({
      kind: 'Status',
      cmdId,
      msgRef: '1',
      cmdRef,
      cmd: MO ? 'Get' : 'Replace',
      targetRefs: [],
      sourceRefs: [],
      code: String(code),
      items: [],
    });
    const items = (MO ?? []).flatMap((item) => resultItems(s, item));
    if (items.length === 0) return [status];
    return [status, (cmdId): BodyElement => ({ kind: 'Results', cmdId, msgRef: '1', cmdRef, items })];
  });
}

function resultItems(s: OfflineSession, item: SerializationItem): Item[] {
  s.assumeClientUri(item.ClientURI);
  const uri = plainLegacyUri(s, item.ClientURI);
  const path = uri === undefined ? undefined : parseTreePath(uri);
  const owner = path && ownerOf(s, path);
  if (!owner) return [];
  const { mapping } = owner;
  const [read] = readSerialization([item], { rootName: () => mapping.rootName });
  const node = read && toNode(read.node, (below) => mapping.definition([...owner.path, ...below])?.format);
  if (!node || 'error' in node) return [];
  return mapping.toLegacy(owner.path, node).flatMap((part) =>
    [...walk(part.node)]
      .filter(({ node: each }) => each.children === undefined)
      .map(({ path: below, node: each }) => ({
        source: { uri: formatTreePath([...part.legacy, ...below]) },
        ...writeLeaf(s.context.backend.encoding, each.value ?? '', each.format, each.type),
      })),
  );
}
