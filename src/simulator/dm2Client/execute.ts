import { clientUriOf, parseClientUri } from '../../dm2/clientUri.ts';
import { parseCommand } from '../../dm2/command.ts';
import { type Dialect, everythingAsked, showReturn, urlParameterValues } from '../../dm2/dialects/index.ts';
import { documentAccept } from '../../dm2/documents.ts';
import { chooseType } from '../../dm2/mediaTypes.ts';
import {
  type Alert,
  type Dm2Command,
  MEDIA_TYPE,
  type RawCommand,
  type SerializationItem,
  type StatusItem,
} from '../../dm2/packages.ts';
import { writeSerialization } from '../../dm2/serialization.ts';
import { expandServerUri } from '../../dm2/serverUri.ts';
import type { HttpAnswer, HttpClient } from '../httpClient.ts';
import { reportOf } from '../legacyDevice/execReports.ts';
import { devInfoOf, type Objects, pathOf } from './objects.ts';
import type { Dm2Capability, Dm2ClientOptions } from './options.ts';
import { store } from './write.ts';

/** What a client keeps beyond its objects, over sessions. */
export interface Dm2State {
  readonly defaults: Map<string, string>;
  /** ClientURI as subscribed, to the place that wants changes and the validator last sent. */
  readonly subscriptions: Map<string, { serverUri: string; validator: string }>;
  /** Reports of asynchronous EXECs: with a URL in a session of their own there. */
  readonly reports: { url?: string; alert: Alert }[];
  readonly shown: string[];
}

export interface CommandContext {
  readonly dialect: Dialect;
  readonly objects: Objects;
  readonly state: Dm2State;
  readonly http: HttpClient;
  readonly options: Dm2ClientOptions;
  readonly missing: ReadonlySet<Dm2Capability>;
  /** `OMADM-Accept` of the package that brought the command. */
  readonly accept: string | undefined;
  readonly onCont: (url: string) => void;
}

/** A Status item, or nothing where a quirk swallows it. */
export type CommandOutcome = StatusItem | undefined;

const NEEDS: Partial<Record<Dm2Command['verb'], Dm2Capability>> = {
  GET: 'get',
  HPOST: 'hpost',
  SHOW: 'show',
  SUB: 'sub',
  UNSUB: 'sub',
  DEFAULT: 'default',
};

/** Executes one entry of CMD (20§3). */
export async function execute(raw: RawCommand, context: CommandContext): Promise<CommandOutcome> {
  const { capabilities, commandOptions } = context.dialect;
  const command = parseCommand(raw, commandOptions);
  if ('error' in command) return { sc: command.error === 'bad-command' ? 400 : 501 };
  if (!capabilities.verbs.has(command.verb)) return { sc: 501 };
  const needed = NEEDS[command.verb];
  if (needed && context.missing.has(needed)) return { sc: 501 };
  switch (command.verb) {
    case 'HGET':
      return hget(command, context);
    case 'HPUT':
    case 'HPOST':
      return upload(command, context);
    case 'GET':
      return get(command, context);
    case 'DELETE':
      return { sc: remove(command.clientUri, context) };
    case 'EXEC':
      return { sc: exec(command, context) };
    case 'SHOW':
      return { sc: await show(command.serverUri, context) };
    case 'CONT':
      if (!URL.canParse(command.serverUri)) return { sc: 400 };
      context.onCont(command.serverUri);
      return { sc: 200 };
    case 'END':
      return { sc: 200 };
    case 'DEFAULT':
      context.state.defaults.set(command.moid, command.serverUri);
      return { sc: 200 };
    case 'SUB':
      return { sc: subscribe(command, context) };
    case 'UNSUB':
      return { sc: context.state.subscriptions.delete(command.clientUri) ? 200 : 404 };
  }
}

/** Fetches or sends through a ServerURI; a number is the status of what went wrong (20§15 Q11). */
async function transfer(
  method: 'GET' | 'PUT' | 'POST',
  serverUri: string,
  headers: Readonly<Record<string, string>>,
  context: CommandContext,
  body?: Uint8Array,
): Promise<HttpAnswer | number> {
  const expanded = expandServerUri(serverUri, placeholderValues(context));
  if ('error' in expanded || !URL.canParse(expanded.url)) return 400;
  try {
    const answer = await context.http.send(method, expanded.url, headers, body);
    if (answer.status >= 500) return 500;
    return answer.status >= 400 ? answer.status : answer;
  } catch {
    return 500;
  }
}

function placeholderValues({ objects, options }: CommandContext): Record<string, string | undefined> {
  // SIM and network of a test house.
  const network = { MCC: '001', MNC: '01', CMCC: '001', CMNC: '01' };
  return urlParameterValues(options.deviceId, { ...network, ...devInfoOf(objects) });
}

async function hget(
  command: Extract<Dm2Command, { verb: 'HGET' }>,
  context: CommandContext,
): Promise<CommandOutcome> {
  const answer = await transfer(
    'GET',
    command.serverUri,
    { accept: documentAccept(context.dialect) },
    context,
  );
  if (typeof answer === 'number') {
    return answer === 500 && context.options.quirks?.shortStatus ? undefined : { sc: answer };
  }
  const { code, uris } = store(
    context.objects,
    answer.body,
    answer.headers['content-type'],
    command.clientUri,
  );
  const where =
    uris ?? (context.dialect.capabilities.locationAlwaysReported ? [command.clientUri ?? ''] : undefined);
  return code < 300 && where ? { sc: code, URI: where } : { sc: code };
}

async function upload(
  command: Extract<Dm2Command, { verb: 'HPUT' | 'HPOST' }>,
  context: CommandContext,
): Promise<CommandOutcome> {
  const asked = everythingAsked(command);
  const read = asked ? { items: [] } : serialize(command.clientUris, context);
  if ('code' in read) return { sc: read.code };
  const { document } = context.dialect.mediaTypes;
  const types = document === MEDIA_TYPE.serialization ? [document, 'application/json'] : [document];
  if (chooseType(context.accept, types) === undefined) return { sc: 406 };
  const mos = context.objects.list().map((item) => (asked === 'objects' ? { ...item, MIID: [] } : item));
  const { body } = context.dialect.writeDocument({
    items: read.items,
    ...(asked && { mos }),
  });
  const answer = await transfer(
    command.verb === 'HPUT' ? 'PUT' : 'POST',
    command.serverUri,
    { 'content-type': document },
    context,
    body,
  );
  return { sc: typeof answer === 'number' ? answer : 200 };
}

function get(command: Extract<Dm2Command, { verb: 'GET' }>, context: CommandContext): StatusItem {
  if (everythingAsked(command)) return { sc: 200, MO: listed(context) };
  const read = serialize(command.clientUris, context);
  return 'code' in read ? { sc: read.code } : { sc: 200, MO: read.items };
}

/** Every instance, as an item that holds nothing. */
function listed({ objects }: CommandContext): SerializationItem[] {
  return objects.list().flatMap(({ MOID, MIID }) =>
    MIID.map((miid) => ({
      ClientURI: clientUriOf(MOID, miid),
      MOData: { [objects.rootName(MOID)]: {} },
    })),
  );
}

/** All addresses in one document, or the first failing code (20§15 Q9). */
function serialize(
  clientUris: readonly string[],
  { objects, options }: CommandContext,
): { readonly items: SerializationItem[] } | { readonly code: number } {
  const items: SerializationItem[] = [];
  for (const uri of clientUris) {
    const read = objects.read(uri);
    if ('code' in read) return read;
    items.push(...writeSerialization(read.items, { values: options.values ?? 'string' }));
  }
  return { items };
}

function remove(clientUri: string, { objects }: CommandContext): number {
  const found = objects.places(clientUri);
  if ('code' in found) return found.code;
  if (found.places.length === 0) return 404;
  const before = objects.tree.snapshot();
  for (const place of [...found.places].sort((a, b) => b.path.length - a.path.length)) {
    const code = objects.tree.delete(pathOf(place));
    if (code !== 200 && code !== 404) {
      objects.tree.restore(before);
      return code === 425 ? 403 : code;
    }
  }
  return 200;
}

function exec(
  { clientUri, serverUri }: Extract<Dm2Command, { verb: 'EXEC' }>,
  context: CommandContext,
): number {
  const { objects, options, state } = context;
  const found = objects.places(clientUri);
  if ('code' in found) return found.code;
  const [place, ...others] = found.places;
  if (!place) return 404;
  if (others.length > 0) return 405;
  const permitted = objects.tree.permits(pathOf(place), 'Exec');
  if (permitted !== 200) return 405;
  const url = serverUri === undefined ? {} : { url: serverUri };
  const chosen = options.exec?.({ ...place, ...(serverUri === undefined ? {} : { serverUri }) });
  if (chosen) {
    if (chosen.alert) state.reports.push({ ...url, alert: chosen.alert });
    return chosen.status;
  }
  const source = clientUriOf(place.moid, place.miid, place.path);
  const report = standardReport(place.moid, objects, pathOf(place));
  const { execServerUriForcesAsync } = context.dialect.capabilities;
  if (!report && (serverUri === undefined || !execServerUriForcesAsync)) return 200;
  const data = report?.data ?? '200';
  state.reports.push({
    ...url,
    alert: {
      AlertType: report?.type ?? 'urn:oma:at:dm:2.0:OperationComplete',
      SourceURI: source,
      Mark: 'informational',
      DataType: report?.format ?? 'chr',
      Data: { DM1x: report?.format === 'int' ? Number(data) : data },
    },
  });
  return 202;
}

/** The instance root carries no Type of its own in the tree, so it is told. */
function standardReport(moid: string, objects: Objects, path: readonly string[]) {
  const root = objects.tree.find(path.slice(0, 2));
  if (root) root.type ??= moid;
  return reportOf(objects.tree, path, '');
}

async function show(serverUri: string, { dialect, options, state }: CommandContext): Promise<number> {
  const { showPauses, showNeedsReturnUrl } = dialect.capabilities;
  if (!URL.canParse(serverUri) || (showNeedsReturnUrl && showReturn(serverUri) === undefined)) return 400;
  state.shown.push(serverUri);
  const browser = Promise.resolve(options.show?.(serverUri)).catch(() => undefined);
  // In the approved protocol the session goes on whatever the browser does (20§3.6).
  if (showPauses) await browser;
  return 200;
}

function subscribe(
  { serverUri, clientUri }: Extract<Dm2Command, { verb: 'SUB' }>,
  context: CommandContext,
): number {
  const found = context.objects.places(clientUri);
  if ('code' in found) return found.code;
  if ('error' in parseClientUri(clientUri) || found.places.length === 0) return 404;
  context.state.subscriptions.set(clientUri, { serverUri, validator: contentOf(clientUri, context) });
  return 200;
}

/** Fetches what DEFAULT names for each object that this device has no instance of, and tells nobody (20§3.9). */
export async function provideDefaults(context: CommandContext): Promise<number> {
  let made = 0;
  for (const [moid, serverUri] of context.state.defaults) {
    if (context.objects.instances(moid).length > 0) continue;
    const outcome = await hget({ verb: 'HGET', serverUri }, context);
    if (outcome?.sc === 200) made += 1;
  }
  return made;
}

/** PUTs every subscribed part that has changed since it was last sent (20§3.10). */
export async function publishChanges(context: CommandContext): Promise<number> {
  let sent = 0;
  for (const [clientUri, subscription] of context.state.subscriptions) {
    const content = contentOf(clientUri, context);
    if (content === subscription.validator) continue;
    const answer = await transfer(
      'PUT',
      subscription.serverUri,
      { 'content-type': MEDIA_TYPE.serialization },
      context,
      Buffer.from(content, 'utf8'),
    );
    if (typeof answer === 'number') continue;
    subscription.validator = content;
    sent += 1;
  }
  return sent;
}

function contentOf(clientUri: string, context: CommandContext): string {
  const read = serialize([clientUri], context);
  return 'code' in read ? '[]' : JSON.stringify(read.items);
}
