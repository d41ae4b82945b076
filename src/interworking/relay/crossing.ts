import { type ClientUri, parseClientUri } from '../../dm2/clientUri.ts';
import { parseCommand } from '../../dm2/codec.ts';
import { type Dialect, showReturn } from '../../dm2/dialects/index.ts';
import type { Dm2Command, RawCommand, StatusItem } from '../../dm2/packages.ts';
import { isAllowed, ownCreated } from '../access/commands.ts';
import { namesDelegation } from '../access/delegation.ts';
import { runOnDelegation } from '../access/delegationCommands.ts';
import { isRestricted } from '../access/rights.ts';
import { instancesOf } from '../addresses.ts';
import type { Dm2BackendLeg } from '../backendLeg.ts';
import { asksForList } from '../listing.ts';
import type { Dm2Device } from '../n2l/device.ts';
import type { Script } from '../script.ts';
import type { Session } from '../session.ts';
import { ferry, isFerried } from './ferry.ts';
import { deleteOnBehalf, execOnBehalf, hgetOnBehalf, readOnBehalf } from './onBehalf.ts';
import { needsResolving } from './targets.ts';

/** Device capability: it resolves x-names, `nv` and wildcards; learned from what it answers to them. */
const VARIABLES = 'variables';

/**
 * Runs a 2.0 server's commands on a 2.0 client, in order, one Status item each. Where both speak alike
 * they pass as they are (IW-REL-1); what the client cannot carry out so, for its dialect or for what it
 * lacks, the gateway does on its behalf.
 */
export function* runOnClient(
  s: Session,
  device: Dm2Device,
  backend: Dm2BackendLeg,
  commands: readonly RawCommand[],
): Script<readonly StatusItem[]> {
  const items: StatusItem[] = [];
  let passing: RawCommand[] = [];
  const flush = function* (): Script<readonly StatusItem[]> {
    const batch = passing;
    passing = [];
    return batch.length === 0 ? [] : yield* device.runRaw(batch);
  };
  const sameDocuments = device.dialect.mediaTypes.document === backend.dialect.mediaTypes.document;
  device.accept = sameDocuments ? backend.accept : undefined;
  for (const raw of commands) {
    const command = parseCommand(raw, backend.dialect.commandOptions);
    if ('error' in command) {
      passing.push(raw);
      continue;
    }
    if (!isAllowed(s, command)) {
      items.push(...(yield* flush()));
      yield* s.note('20§10.3', `${s.actor} has no right to ${raw.join(' ')}.`);
      items.push({ sc: 403 });
      continue;
    }
    const how = wayFor(s, device, backend, command);
    if (command.verb === 'SHOW' && pauses(backend) && !pauses(device)) {
      yield* s.note('IW-SHOW-1', 'SHOW does not hold up the session on this client, as the server expects.');
    }
    const ferried = isFerried(s, command);
    if (how === 'passes' && !ferried) {
      passing.push(raw);
      continue;
    }
    items.push(...(yield* flush()));
    if (typeof how === 'object') {
      yield* s.note('IW-SES-1', how.lost);
      items.push({ sc: 501 });
      continue;
    }
    if (how === 'served') {
      items.push(yield* onBehalf(s, device, backend, command));
      continue;
    }
    const [item] = ferried ? [yield* ferry(s, device, command)] : yield* device.runRaw([raw]);
    const refused = how === 'tried' && item!.sc === 501 && !device.gone;
    // GET may be unknown as such; the others every client has.
    if (how === 'tried' && command.verb !== 'GET') s.learn(VARIABLES, !refused);
    items.push(refused ? yield* onBehalf(s, device, backend, command) : item!);
  }
  items.push(...(yield* flush()));
  for (const [i, raw] of commands.entries()) {
    const command = parseCommand(raw, backend.dialect.commandOptions);
    if (!('error' in command)) ownCreated(s, command, items[i]!);
  }
  return items.map((item, i) => withLocation(backend, commands[i]!, item));
}

/** `tried`: passes, and is served where the client turns out not to know such addresses. */
type Way = 'passes' | 'tried' | 'served' | { readonly lost: string };

function wayFor(s: Session, device: Dm2Device, backend: Dm2BackendLeg, command: Dm2Command): Way {
  const ours = device.dialect;
  const theirs = backend.dialect;
  const sameDocuments = ours.mediaTypes.document === theirs.mediaTypes.document;
  const addressed = wayForAddresses(s, device, command);
  // The client knows nothing of its rights, so it would list every object.
  const held = isRestricted(s);
  switch (command.verb) {
    case 'HGET':
      // Only the document says what is written, so a backend that may not write everything is not let past.
      if (command.clientUri === undefined && held) return 'served';
      return sameDocuments ? addressed : 'served';
    case 'HPUT':
    case 'HPOST':
      if (asksForList(command)) return ours.refuses(command) || !sameDocuments || held ? 'served' : 'passes';
      return sameDocuments ? addressed : 'served';
    case 'GET':
      if (asksForList(command)) return ours.refuses(command) || held ? 'served' : 'passes';
      return ours.capabilities.readVerb === undefined ? 'served' : addressed;
    case 'DELETE':
      return addressed;
    case 'EXEC':
      return command.serverUri !== undefined && reportsCross(device, backend) ? 'served' : addressed;
    case 'SHOW':
      if (!ours.capabilities.showNeedsReturnUrl || theirs.capabilities.showNeedsReturnUrl) return 'passes';
      return showReturn(command.serverUri) !== undefined
        ? 'passes'
        : { lost: 'SHOW was refused: this client needs a URL that says when its browser is done.' };
    case 'CONT':
    case 'END':
    case 'SUB':
    case 'UNSUB':
      return 'passes';
    case 'DEFAULT':
      if (ours.refuses(command)) return 'passes';
      return ours.capabilities.defaultOpensSession === theirs.capabilities.defaultOpensSession
        ? 'passes'
        : {
            lost: 'DEFAULT was refused: one side means a download by it, the other a session at that URL.',
          };
  }
}

function pauses({ dialect }: { readonly dialect: Dialect }): boolean {
  return dialect.capabilities.showPauses;
}

/** An alert at ServerURI comes in a session of the client's own kind. */
function reportsCross({ dialect: ours }: Dm2Device, { dialect: theirs }: Dm2BackendLeg): boolean {
  return (
    ours.mediaTypes.opening !== theirs.mediaTypes.opening ||
    ours.capabilities.commandsCarryMsgId !== theirs.capabilities.commandsCarryMsgId
  );
}

function wayForAddresses(s: Session, device: Dm2Device, command: Dm2Command): Way {
  const texts =
    'clientUris' in command
      ? command.clientUris
      : 'clientUri' in command && command.clientUri !== undefined
        ? [command.clientUri]
        : [];
  const uris = texts.map((text) => parseClientUri(text)).filter((uri) => !('error' in uri)) as ClientUri[];
  if (texts.some((text) => namesDelegation(s, text))) return 'served';
  if (uris.some((uri) => isAlias(s, uri) || lacksValidators(device, uri))) return 'served';
  if (!uris.some(needsResolving)) return 'passes';
  if (!device.dialect.capabilities.resolvesVariables || s.capability(VARIABLES) === false) return 'served';
  return s.capability(VARIABLES) === true ? 'passes' : 'tried';
}

/** The client has the object under another of its ids (IW-ADDR-4). */
function isAlias(s: Session, { moid }: ClientUri): boolean {
  const instances = instancesOf(s, moid).filter((mount) => !s.isSynthesised(mount));
  return instances.length > 0 && instances.every((mount) => mount.moid !== moid);
}

function lacksValidators(device: Dm2Device, { cv }: ClientUri): boolean {
  return cv !== undefined && !device.dialect.capabilities.cacheValidators;
}

function* onBehalf(
  s: Session,
  device: Dm2Device,
  backend: Dm2BackendLeg,
  command: Dm2Command,
): Script<StatusItem> {
  if (device.gone) return { sc: 500 };
  const changes = command.verb === 'HGET' || command.verb === 'DELETE' || command.verb === 'EXEC';
  if (changes && namesDelegation(s, command.clientUri ?? '')) return yield* runOnDelegation(s, command);
  switch (command.verb) {
    case 'GET':
    case 'HPUT':
    case 'HPOST':
      return yield* readOnBehalf(s, device, command, backend.accept);
    case 'HGET':
      return yield* hgetOnBehalf(s, device, command);
    case 'DELETE':
      return yield* deleteOnBehalf(s, device, command);
    case 'EXEC':
      return yield* execOnBehalf(s, device, command, reportsCross(device, backend));
    default:
      return { sc: 501 };
  }
}

/** Some servers want the place also where they named it (20§1.2 C4). */
function withLocation(backend: Dm2BackendLeg, [verb, , place]: RawCommand, item: StatusItem): StatusItem {
  const wanted = backend.dialect.capabilities.locationAlwaysReported && verb?.toUpperCase() === 'HGET';
  return wanted && place !== undefined && item.sc < 300 && item.URI === undefined
    ? { ...item, URI: [place] }
    : item;
}
