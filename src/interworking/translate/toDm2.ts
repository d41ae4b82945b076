import {
  type AlertCommand,
  type BodyElement,
  type Command,
  type Item,
  isCommand,
  type Results,
  type Status,
  type SyncMLMessage,
} from '../../dm1/message.ts';
import { formatCommand } from '../../dm2/codec.ts';
import type {
  Dm2Command,
  MoItem,
  Package1,
  Package2,
  Package3,
  SerializationItem,
  StatusItem,
} from '../../dm2/packages.ts';
import { writeSerialization } from '../../dm2/serialization.ts';
import { parseTreePath } from '../../mo/treePath.ts';
import { clientUri, ownerOf, toClientUri } from '../addresses.ts';
import { ALERT_CODE, alertsToDm2, sessionAlertToDm2 } from '../alerts.ts';
import { statusToDm2, succeeded } from '../status.ts';
import { inheritedMeta, readLeaf } from '../values.ts';
import type { OfflineSession } from './offline.ts';

/** What a DM 1.x message is in DM 2.0. */
export type Dm2Translation =
  | { readonly kind: 'Package#1'; readonly body: Package1 }
  | { readonly kind: 'Package#2'; readonly body: Package2 }
  | { readonly kind: 'Package#3'; readonly body: Package3 };

export interface Dm2Result {
  readonly packages: readonly Dm2Translation[];
  /** Documents that HGET commands of Package#2 fetch. */
  readonly documents: readonly { readonly url: string; readonly items: readonly SerializationItem[] }[];
}

const REPOSITORY = 'https://gateway.example/repository';

/** A DM 1.x message of either direction as its DM 2.0 equivalent; every loss and assumption is told. */
export function messageToDm2(s: OfflineSession, message: SyncMLMessage): Dm2Result {
  assumeAll(s, message.body);
  const opening = message.body.find(
    (e): e is AlertCommand =>
      e.kind === 'Alert' && (e.code === ALERT_CODE.serverInitiated || e.code === ALERT_CODE.clientInitiated),
  );
  if (opening) return { packages: [packageOne(s, message, opening.code)], documents: [] };
  if (
    message.body.some(
      (e) => e.kind === 'Results' || (e.kind === 'Status' && e.cmd !== 'SyncHdr' && !hasCommands(message)),
    )
  ) {
    return { packages: [packageThree(s, message)], documents: [] };
  }
  return packageTwo(s, message);
}

function hasCommands(message: SyncMLMessage): boolean {
  return message.body.some((e) => e.kind !== 'Status' && e.kind !== 'Results' && e.kind !== 'Alert');
}

/** Every address in the message stands for an object that is assumed to be there. */
function assumeAll(s: OfflineSession, body: readonly BodyElement[]): void {
  for (const element of body) {
    if ('commands' in element) assumeAll(s, element.commands);
    const uris =
      'items' in element ? element.items.flatMap((item) => [item.target?.uri, item.source?.uri]) : [];
    for (const uri of uris) {
      const path = uri === undefined ? undefined : parseTreePath(uri.split('?')[0]!);
      if (path) s.assumeLegacy(path);
    }
  }
}

function packageOne(s: OfflineSession, message: SyncMLMessage, code: string): Dm2Translation {
  const alerts = message.body.filter((e): e is AlertCommand => e.kind === 'Alert');
  const MOS: MoItem[] = s.mounts.map((mount) => ({ MOID: mount.moid, MIID: [mount.miid] }));
  if (message.body.some((e) => e.kind === 'Replace')) {
    s.tell('IW-SES-6', 'DevInfo stays with the gateway; the backend reads it as a management object.');
  }
  s.tell(
    'IW-INV-2',
    'MOS lists the objects named in this message; a gateway lists what it discovers on the device.',
  );
  if (message.header.cred) s.tell('IW-AUTH-1', 'Cred is checked by the gateway and does not cross.');
  const Alert = [sessionAlertToDm2(code, message.header.sessionId), ...s.collect(alertsToDm2(s, alerts))];
  return { kind: 'Package#1', body: { ...(MOS.length > 0 && { MOS }), Alert } };
}

function packageThree(s: OfflineSession, message: SyncMLMessage): Dm2Translation {
  const Status: StatusItem[] = [];
  const results = message.body.filter((e) => e.kind === 'Results');
  for (const [cmdRef, statuses] of statusesByCommand(message)) {
    const failed = statuses.find(({ code }) => !succeeded(Number(code)));
    const { code, cmd } = failed ?? statuses[0]!;
    const sc = statusToDm2(Number(code));
    if (String(sc) !== code) s.tell('IW-STAT-1', `Status ${code} of ${cmd ?? 'a command'} becomes ${sc}.`);
    const own = results.filter((result) => (result.cmdRef ?? '1') === cmdRef);
    const MO = failed ? [] : own.flatMap((result) => documentsOf(s, result));
    Status.push({ sc, ...(MO.length > 0 && { MO }) });
  }
  const alerts = message.body.filter((e): e is AlertCommand => e.kind === 'Alert');
  const Alert = s.collect(alertsToDm2(s, alerts));
  s.tell(
    'IW-SES-12',
    'One Status item per answered 1.x command; in a session, one per command of Package#2.',
  );
  return { kind: 'Package#3', body: { Status, ...(Alert.length > 0 && { Alert }) } };
}

/** Statuses by the command that they answer; those of one command's Items belong together (1x§2.5). */
function statusesByCommand(message: SyncMLMessage): Map<string, Status[]> {
  const byCommand = new Map<string, Status[]>();
  for (const element of message.body) {
    if (element.kind !== 'Status' || ['SyncHdr', 'Alert', 'Results'].includes(element.cmd ?? '')) continue;
    const ref = element.cmdRef ?? '1';
    const list = byCommand.get(ref);
    if (list) list.push(element);
    else byCommand.set(ref, [element]);
  }
  return byCommand;
}

function documentsOf(s: OfflineSession, result: Results): SerializationItem[] {
  return result.items.flatMap((item) =>
    serialize(s, { ...item, meta: inheritedMeta(result.meta, item.meta) }),
  );
}

function serialize(s: OfflineSession, item: Item): SerializationItem[] {
  const uri = item.source?.uri ?? item.target?.uri ?? '';
  const path = parseTreePath(uri.split('?')[0]!);
  const owner = path && ownerOf(s, path);
  if (!path || !owner) {
    s.tell('IW-ADDR-1', `${uri} belongs to no known management object; its data has no ClientURI.`);
    return [];
  }
  if (uri.includes('?prop=')) {
    s.tell('IW-RD-2', `${uri} is a property; DM 2.0 has none, so it does not cross.`);
    return [];
  }
  if (item.meta?.format === 'node') {
    s.tell('IW-GET-1', `${uri} is interior; a gateway reads on and sends the whole subtree.`);
    return [];
  }
  const { mapping } = owner;
  const leaf = readLeaf(item, undefined, mapping.definition(owner.path)?.format);
  if (leaf.removed > 0)
    s.tell('IW-VAL-4', `${leaf.removed} character(s) that XML cannot carry were removed from ${uri}.`);
  const node = { name: path.at(-1)!, format: leaf.format, value: leaf.value };
  const translated =
    mapping.toDm2(owner.path, [{ source: { legacy: path, path: owner.path }, node }]) ?? node;
  return writeSerialization(
    [{ uri: clientUri(mapping.mount, owner.path), rootName: mapping.rootName, node: translated }],
    { values: s.context.backend.values },
  );
}

function packageTwo(s: OfflineSession, message: SyncMLMessage): Dm2Result {
  const commands: Dm2Command[] = [];
  const documents: { url: string; items: readonly SerializationItem[] }[] = [];
  for (const element of message.body) {
    if (isCommand(element)) addCommand(s, element, commands, documents);
  }
  if (commands.length === 0) commands.push({ verb: 'END' });
  return { packages: [{ kind: 'Package#2', body: { CMD: commands.map(formatCommand) } }], documents };
}

function addCommand(
  s: OfflineSession,
  command: Command,
  commands: Dm2Command[],
  documents: { url: string; items: readonly SerializationItem[] }[],
): void {
  switch (command.kind) {
    case 'Sequence':
    case 'Atomic':
      if (command.kind === 'Atomic')
        s.tell('IW-WR-4', 'Atomic: a gateway snapshots what changes and puts it back on a failure.');
      for (const child of command.commands) addCommand(s, child, commands, documents);
      return;
    case 'Alert':
      s.tell('IW-UI-1', `Alert ${command.code} becomes SHOW of a page that the gateway hosts.`);
      return;
    case 'Foreign':
      s.tell('1x§1.3', `${command.name} is no DM command and is answered 406.`);
      return;
    case 'Copy':
      s.tell('IW-WR-3', 'Copy becomes a read of its source and an HGET of its target.');
      return;
    default:
      for (const item of command.items) addItem(s, command, item, commands, documents);
  }
}

function addItem(
  s: OfflineSession,
  command: Extract<Command, { items: readonly Item[] }>,
  item: Item,
  commands: Dm2Command[],
  documents: { url: string; items: readonly SerializationItem[] }[],
): void {
  const text = item.target?.uri ?? '';
  const [place, query] = text.split('?', 2);
  const uri = toClientUri(s, place!);
  if (uri === undefined) {
    s.tell('IW-ADDR-1', `${text} belongs to no known management object and cannot be addressed in DM 2.0.`);
    return;
  }
  if (query !== undefined) s.tell('IW-RD-2', `?${query} is answered by the gateway from what it reads.`);
  switch (command.kind) {
    case 'Get':
      commands.push({
        verb: 'HPOST',
        serverUri: `${REPOSITORY}/upload-${commands.length + 1}`,
        clientUris: [uri],
      });
      s.tell(
        'IW-RD-1',
        'Get becomes HPOST to a one-time URL of the gateway, or GET where the client answers it with data.',
      );
      return;
    case 'Delete':
      commands.push({ verb: 'DELETE', clientUri: uri });
      return;
    case 'Exec':
      commands.push({ verb: 'EXEC', clientUri: uri });
      if ('correlator' in command && command.correlator !== undefined) {
        s.tell('IW-WR-3', 'The Correlator stays with the gateway and is restored when the alert arrives.');
      }
      return;
    default: {
      const url = `${REPOSITORY}/document-${documents.length + 1}`;
      const meta = inheritedMeta('meta' in command ? command.meta : undefined, item.meta);
      documents.push({
        url,
        items: serialize(s, {
          source: { uri: place! },
          meta,
          ...(item.data !== undefined && { data: item.data }),
        }),
      });
      commands.push({ verb: 'HGET', serverUri: url, clientUri: uri });
      s.tell(
        'IW-WR-1',
        `${command.kind} is checked against what is there, then becomes HGET of a one-time document.`,
      );
    }
  }
}
