import { decodeMessage } from '../../src/dm1/codec.ts';
import type { SyncMLMessage } from '../../src/dm1/message.ts';
import { post, TYPES, type Wired, wired } from './harness.ts';
import { status } from './quirks.ts';
import { rawServer } from './rawLegacyServer.ts';

/** A raw legacy server and a raw 2.0 client with one object, on the two sides of a gateway. */

/** One message of the server: SyncBody without the header's Status; none: HTTP 500. */
export interface Reply {
  readonly body: string;
  readonly final?: boolean;
  readonly msgId?: string;
  /** Meta of the header. */
  readonly meta?: string;
  readonly headerCode?: number;
}

export interface Told {
  readonly message: SyncMLMessage;
  readonly body: Buffer;
  readonly bytes: number;
}

/** Says what `reply` gives for the nth message, from 0; Final alone when that has no more. */
export async function legacyServer(
  form: 'xml' | 'wbxml',
  reply: (n: number, message: SyncMLMessage) => Reply | undefined,
) {
  const told: Told[] = [];
  const { url } = await rawServer(form, (_, n, body) => {
    const { message } = decodeMessage(body, form);
    told.push({ message, body, bytes: body.length });
    const { sessionId, msgId } = message.header;
    const {
      body: said,
      final = true,
      meta = '',
      headerCode = 212,
      ...more
    } = reply(n, message) ?? { body: '' };
    const header = `<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>${sessionId}</SessionID><MsgID>${more.msgId ?? n + 1}</MsgID><Target><LocURI>D</LocURI></Target><Source><LocURI>S</LocURI></Source>${meta}</SyncHdr>`;
    return `<SyncML xmlns="SYNCML:SYNCML1.2">${header}<SyncBody>${status(1, msgId, '0', 'SyncHdr', headerCode)}${said}${final ? '<Final/>' : ''}</SyncBody></SyncML>`;
  });
  return { told, url };
}

/** A gateway before that server, for 2.0 devices. */
export function beforeServer(url: string, form: 'xml' | 'wbxml', config: Record<string, unknown> = {}) {
  return wired({
    backends: { legacy: { protocol: 'dm1', url, encoding: form } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    ...config,
  });
}

/** What came of the commands of a server: `Cmd` and code of each Status but the header's, in order. */
export const codes = (told: readonly Told[]): string[] =>
  told.flatMap(({ message }) =>
    message.body.flatMap((e) => (e.kind === 'Status' && e.cmdRef !== '0' ? [`${e.cmd} ${e.code}`] : [])),
  );

/** Alerts and commands of each message, and whether it has Final. */
export const outline = (told: readonly Told[]): string[] =>
  told.map(({ message }) =>
    [
      ...message.body.flatMap((e) => (e.kind === 'Status' ? [] : [e.kind === 'Alert' ? e.code : e.kind])),
      ...(message.final ? ['Final'] : []),
    ].join(' '),
  );

export const CLIENT = 'RAW:client';
const MOID = 'urn:example:mo:settings:1.0';
const ROOT = `${MOID}/settings1/`;
/** Where a legacy server finds the object. */
export const SETTINGS = `./MO/${MOID}/settings1`;

const ONE = JSON.stringify({
  MOS: [{ MOID, MIID: ['settings1'] }],
  Alert: [{ AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' }],
});
const DOCUMENT = { 'content-type': 'application/vnd.oma.dm.mo+json' };

export interface RawClient {
  /** Leaves of its object, by name. */
  readonly values: Record<string, string>;
  /** Instead of executing a command: the `sc` to answer with; `gone` leaves for good. */
  readonly refuse?: (command: readonly string[]) => number | 'gone' | undefined;
  /** Awaited before each message. */
  readonly before?: () => Promise<void>;
}

/** Has a whole session as the client; gives the commands that it was sent. */
export async function converse(gateway: Pick<Wired, 'dm'>, client: RawClient): Promise<string[][]> {
  const { values, refuse } = client;
  const got: string[][] = [];
  /** The gateway's URLs lead to where it is now. */
  const here = (url: string): string => url.replace(/^https?:\/\/[^/]+/, new URL(gateway.dm).origin);
  let url = gateway.dm;
  let type: string = TYPES.package1;
  let body = ONE;
  for (let n = 0; n < 400; n += 1) {
    await client.before?.();
    const answer = await post(here(url), body, {
      'content-type': type,
      'omadm-devid': CLIENT,
      accept: '*/*',
    });
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${answer.text}`);
    const { CMD } = JSON.parse(answer.text) as { CMD: string[][] };
    const Status: { sc: number }[] = [];
    for (const command of CMD) {
      got.push(command);
      if (command[0] === 'END') return got;
      if (command[0] === 'CONT') url = command[1]!;
      const refused = refuse?.(command);
      if (refused === 'gone') return got;
      Status.push({ sc: refused ?? (await execute(values, command, here)) });
    }
    [type, body] = [TYPES.package3, JSON.stringify({ Status })];
  }
  throw new Error('The session does not end.');
}

async function execute(
  values: Record<string, string>,
  [verb, ...rest]: readonly string[],
  here: (url: string) => string,
): Promise<number> {
  const uri = (verb === 'HPOST' || verb === 'HGET' ? rest[1] : rest[0]) ?? '';
  const name = uri.slice(ROOT.length);
  if (verb !== 'CONT' && !uri.startsWith(ROOT)) return 404;
  switch (verb) {
    case 'CONT':
      return 200;
    case 'HPOST': {
      if (name !== '' && !(name in values)) return 404;
      const data = name === '' ? values : { [name]: values[name] };
      const document = [{ ClientURI: uri, MOData: name === '' ? { settings: data } : data }];
      const { status } = await post(here(rest[0]!), JSON.stringify(document), DOCUMENT);
      return status < 300 ? 200 : status;
    }
    case 'HGET': {
      const response = await fetch(here(rest[0]!));
      const [{ MOData }] = (await response.json()) as [{ MOData: Record<string, never> }];
      if (name !== '') values[name] = String(MOData[name]);
      else {
        for (const old of Object.keys(values)) delete values[old];
        Object.assign(values, Object.values(MOData)[0]);
      }
      return 200;
    }
    case 'DELETE':
      if (!(name in values)) return 404;
      delete values[name];
      return 200;
    default:
      return 200;
  }
}
