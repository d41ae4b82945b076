import { encodeMessage } from '../../../src/dm1/codec.ts';
import type { BodyElement, Encoding, SyncMLMessage } from '../../../src/dm1/message.ts';
import {
  DevicePort,
  type DevicePortOptions,
  type DeviceRequest,
} from '../../../src/gateway/sessions/devicePort.ts';
import type { Performers } from '../../../src/gateway/sessions/performers.ts';
import type { SessionLog, SessionMetrics, SessionStarter } from '../../../src/gateway/sessions/ports.ts';
import { type RunnerOptions, SessionRunner } from '../../../src/gateway/sessions/runner.ts';
import { createWire } from '../../../src/gateway/sessions/wire.ts';
import type { SessionContext } from '../../../src/interworking/context.ts';
import {
  type DeviceReply,
  type Effect,
  type EffectKind,
  type EffectOf,
  perform,
  type ResultOf,
  type Script,
  type SessionOutcome,
  type SessionScript,
} from '../../../src/interworking/script.ts';
import type { MappingSet } from '../../../src/mo/mapping.ts';
import { SecretPaths } from '../../../src/mo/secretPaths.ts';
import type { Store } from '../../../src/store/store.ts';

export const XML: Encoding = { form: 'xml', namespace: 'SYNCML:SYNCML1.2' };
export const WBXML: Encoding = {
  form: 'wbxml',
  namespace: 'SYNCML:SYNCML1.2',
  wbxmlVersion: 2,
  publicId: 0x1201,
};

/** Mapping packs that no toy script asks. */
export const NO_MAPPINGS = Object.freeze({ secrets: new SecretPaths([]) }) as MappingSet;

/** What the outside world has seen, over all nodes and restarts. */
export interface World {
  readonly acts: string[];
  /** The backend answers the device `slow` only once this resolves. */
  gate?: Promise<void>;
}

/** Called at every point where a process may die. */
export type Boundary = (where: string) => Promise<void>;

const LIVES: Boundary = async () => {};

/** Performers that answer the same every time and write down what they did. */
export function toyPerformers(world: World, boundary: Boundary = LIVES): Performers {
  async function act<K extends EffectKind>(kind: K, text: string, result: ResultOf<K>): Promise<ResultOf<K>> {
    await boundary(`before ${kind}`);
    world.acts.push(`${kind} ${text}`);
    await boundary(`after ${kind}`);
    return result;
  }
  return {
    'backend.exchange': async ({ send }, { context }) => {
      if (context.device.id === 'slow') await world.gate;
      const text = send.protocol === 'dm1' ? send.message.header.msgId : JSON.stringify(send);
      return act('backend.exchange', `${context.device.id} ${text}`, {
        kind: 'package2',
        at: 1001,
        package2: { CMD: [['GET', `urn:x:1.0//${text.length}`]] },
      });
    },
    transfer: ({ transfer }) =>
      act('transfer', transfer.url, {
        kind: 'response',
        at: 1002,
        status: 200,
        headers: { 'content-type': 'a/b', $b64: 'no bytes' },
        body: Uint8Array.of(0, 1, 255),
      }),
    'repository.offer': ({ body }) =>
      act('repository.offer', String(body.length), { at: 1003, url: 'http://gw/repository/abc' }),
    'repository.expect': () => act('repository.expect', '', { at: 1004, url: 'http://gw/repository/def' }),
    'repository.collect': ({ urls }) =>
      act('repository.collect', urls.join(), {
        at: 1005,
        uploads: [
          { contentType: 'a/b', body: Uint8Array.of(9, 8) },
          null,
          { contentType: 'c/d', body: Uint8Array.of(7) },
        ],
      }),
    'object.append': () =>
      act('object.append', '', { at: 1005, chunk: { object: 'obj', from: 0, bytes: 1, arrived: 1 } }),
    'object.load': () => act('object.load', '', { at: 1005, body: Uint8Array.of(1) }),
    authenticate: ({ header, cred }) =>
      cred?.data === 'wrong'
        ? act('authenticate', header.source.uri, {
            at: 1006,
            ok: false,
            status: 401,
            challenge: { scheme: 'md5', nonce: Uint8Array.of(1, 2, 3) },
            detail: 'wrong',
          })
        : act('authenticate', `${header.source.uri} ${cred?.data ?? 'nothing'}`, {
            at: 1006,
            ok: true,
            status: 212,
            // Its devices come to one URL for ever: no credentials, no ticket.
            scheme: 'none',
            nextNonce: Uint8Array.of(5, 0, 250),
          }),
    'registry.save': ({ patch }) => act('registry.save', JSON.stringify(patch), { at: 1007 }),
    'interaction.open': () => act('interaction.open', '', { at: 1010, url: 'http://gw.example/interact/x' }),
    'interaction.wait': ({ url }) =>
      act('interaction.wait', url, { at: 1011, answer: { kind: 'accepted' } as const }),
    'alert.keep': ({ alerts }) =>
      act('alert.keep', String(alerts.length), { at: 1008, places: alerts.map(() => ({ to: 'session' })) }),
    'alert.settle': ({ settled }) => act('alert.settle', String(settled.length), { at: 1009 }),
    'report.expect': ({ uri }) => act('report.expect', uri, { at: 1010, url: 'http://gw/dm?report=abc' }),
    'report.promise': ({ uri }) => act('report.promise', uri, { at: 1011, correlator: 'abc' }),
    'url.check': ({ url }) => act('url.check', url, { at: 1014 }),
    'report.close': ({ n }) => act('report.close', String(n), { at: 1012 }),
    'wakeup.answer': ({ number }) => act('wakeup.answer', String(number), { at: 1013 }),
  };
}

function* ask<K extends EffectKind>(effect: EffectOf<K>): Script<ResultOf<K>> {
  return yield* perform<K>(effect);
}

/** A session that does everything a script can do, twice, and shows every result to the device. */
export function* busyScript(context: SessionContext): SessionScript {
  const { opening } = context;
  let heard = `opened ${context.device.id} ${context.at}`;
  const answer = (commands: string[]): DeviceReply =>
    opening.protocol === 'dm2'
      ? { protocol: 'dm2', package2: { CMD: commands.map((c) => ['GET', c]) } }
      : { protocol: 'dm1', message: serverMessage(opening.message, commands), ...presented(commands) };
  yield* ask<'note'>({ kind: 'note', rule: 'IW-SES-6', text: heard });
  if (opening.protocol === 'dm1') {
    const { header } = opening.message;
    const verdict = yield* ask<'authenticate'>({
      kind: 'authenticate',
      header,
      ...(header.cred && { cred: header.cred }),
    });
    heard += ` ${verdict.status} ${verdict.ok && verdict.nextNonce?.join()}`;
  }
  for (let round = 1; round <= 2; round += 1) {
    const event = yield* ask<'backend.exchange'>({
      kind: 'backend.exchange',
      send: { protocol: 'dm2', package3: { Status: [{ sc: 200 + round, URI: [heard] }] } },
    });
    heard += ` ${event.kind === 'package2' ? event.package2.CMD.join() : event.kind}`;
    const offer = yield* ask<'repository.offer'>({
      kind: 'repository.offer',
      body: Uint8Array.of(round),
      contentType: 'a/b',
    });
    const expect = yield* ask<'repository.expect'>({ kind: 'repository.expect' });
    const got = yield* ask<'transfer'>({
      kind: 'transfer',
      transfer: { method: 'GET', url: `http://x/${round}`, headers: { authorization: 'Bearer secret' } },
    });
    heard += ` ${got.kind === 'response' ? `${got.body.join()} ${Object.keys(got.headers).join()}` : ''}`;
    const next = yield* ask<'device.exchange'>({
      kind: 'device.exchange',
      reply: answer([heard, offer.url, expect.url]),
    });
    if (next.kind === 'gone') {
      yield* ask<'backend.exchange'>({
        kind: 'backend.exchange',
        send: { protocol: 'dm2', package3: { Status: [{ sc: 500, URI: [next.reason] }] } },
      });
      return { ending: 'device-gone', detail: next.reason } satisfies SessionOutcome;
    }
    heard = `round ${round} ${next.at > 0} ${next.kind === 'package3' ? JSON.stringify(next.package3) : next.message.body.length}`;
    const { uploads } = yield* ask<'repository.collect'>({ kind: 'repository.collect', urls: [expect.url] });
    heard += ` ${uploads.map((u) => (u ? `${u.contentType}:${u.body.join()}` : 'none')).join(' ')}`;
  }
  yield* ask<'registry.save'>({ kind: 'registry.save', patch: { devInfo: { Man: 'Toy' } } });
  return { reply: answer([heard]), ending: 'completed' };
}

function presented(commands: string[]): { present?: { scheme: 'md5'; nonce: Uint8Array } } {
  return commands.length > 1 ? { present: { scheme: 'md5', nonce: Uint8Array.of(1, 2) } } : {};
}

function serverMessage(opening: SyncMLMessage, uris: string[]): SyncMLMessage {
  const { header } = opening;
  return {
    header: { ...withoutCred(header), target: header.source, source: header.target, respURI: 'http://gw/dm' },
    body: uris.map((uri, i) => ({
      kind: 'Get',
      cmdId: String(i + 1),
      items: [{ target: { uri } }],
    })),
    final: true,
  };
}

function withoutCred<H extends { cred?: unknown }>(header: H): Omit<H, 'cred'> {
  const { cred: _cred, ...rest } = header;
  return rest;
}

export interface ToyGateway {
  readonly port: DevicePort;
  readonly runner: SessionRunner;
  readonly lines: Record<string, unknown>[];
  readonly problems: { line: object; text: string }[];
  readonly endings: string[];
}

export interface ToyOptions extends Partial<Omit<RunnerOptions, 'store' | 'limits'>> {
  readonly world?: World;
  readonly boundary?: Boundary;
  readonly script?: (context: SessionContext) => Generator<Effect, SessionOutcome, unknown>;
  readonly limits?: Partial<RunnerOptions['limits']>;
  readonly start?: SessionStarter['start'];
  readonly dialectOf?: DevicePortOptions['dialectOf'];
}

/** A gateway without configuration, registry or HTTP: one node on `store`. */
export function toyGateway(store: Store, options: ToyOptions = {}): ToyGateway {
  const { world = { acts: [] }, boundary, script = busyScript, start, ...rest } = options;
  const limits = { sessions: 1000, messageBytes: 65_536, sessionSeconds: 300, ...options.limits };
  const lines: Record<string, unknown>[] = [];
  const problems: { line: object; text: string }[] = [];
  const endings: string[] = [];
  const log: SessionLog = {
    info: (line) => void lines.push(line as Record<string, unknown>),
    warn: (line, text) => void problems.push({ line, text }),
    error: (line, text) => void problems.push({ line, text }),
  };
  const metrics: SessionMetrics = {
    message() {},
    sessionEnded: (ending) => void endings.push(ending),
    journalFlushed() {},
  };
  const wire = createWire(limits);
  const performers = toyPerformers(world, boundary);
  const runner = new SessionRunner({
    store,
    wire,
    metrics,
    log,
    node: 'toy',
    performers,
    readStored: async ({ bytes }) => new Uint8Array(bytes),
    authenticate: async (message) => {
      if (message.event?.kind !== 'dm1') throw new Error('A 2.0 client is authenticated by its port.');
      const { header } = message.event.message;
      const effect = { kind: 'authenticate', header, ...(header.cred && { cred: header.cred }) } as const;
      const { opening } = message;
      return performers.authenticate(effect, {
        sessionId: message.key,
        context: toyContext(opening!, message.deviceId, message.at),
      });
    },
    recognises: async () => false,
    starter: {
      mappings: NO_MAPPINGS,
      script: script as (context: SessionContext) => SessionScript,
      start: start ?? (async (opening, id, at) => toyContext(opening, id, at)),
    },
    present: async (message, present, deviceId) => ({
      message: {
        ...message,
        header: {
          ...message.header,
          cred: { meta: { type: 'syncml:auth-md5' }, data: `secret of ${deviceId} ${present.nonce?.join()}` },
        },
      },
      headers: (body) => ({ 'x-length': String(body.length) }),
    }),
    ...rest,
    limits,
  });
  const port = new DevicePort({
    runner,
    wire,
    metrics,
    log,
    limits,
    deviceUrl: 'http://gw/dm',
    ...(options.dialectOf && { dialectOf: options.dialectOf }),
    authenticateDm2: async ({ headers }) =>
      headers['authorization'] === 'wrong'
        ? { ok: false, status: 401, headers: { 'www-authenticate': 'Basic realm="dm"' }, detail: 'wrong' }
        : { ok: true },
    ...(rest.now && { now: rest.now }),
  });
  return { port, runner, lines, problems, endings };
}

export function toyContext(opening: SessionContext['opening'], id: string, at: number): SessionContext {
  return {
    device: { id, devInfo: {}, mounts: [], capabilities: {}, validators: {}, firstSession: true },
    backend: {
      name: 'toy',
      protocol: 'dm2',
      serverId: 'gw',
      url: 'http://backend',
      version: '1.2',
      scheme: 'none',
      encoding: 'xml',
      values: 'string',
      getMember: 'MO',
      maxMsgSize: 10_000,
    },
    mappings: NO_MAPPINGS,
    limits: { messages: 100, nodes: 100, depth: 10, messageBytes: 65_536, objectBytes: 65_536 },
    deviceUrl: 'http://gw/dm',
    opening,
    at,
  };
}

export function dm2Request(
  id: string,
  type: 'initiation' | 'response',
  body: unknown,
  delivered: Promise<boolean> = Promise.resolve(true),
): DeviceRequest {
  return {
    headers: { 'content-type': `application/vnd.oma.dm.${type}+json`, 'omadm-devid': id },
    body: Buffer.from(JSON.stringify(body)),
    url: '/dm',
    delivered,
  };
}

export interface Dm1Parts {
  readonly sessionId?: string;
  readonly msgId?: string;
  readonly cred?: string;
  readonly body?: readonly BodyElement[];
  readonly encoding?: Encoding;
}

export const OPENING: readonly BodyElement[] = [
  { kind: 'Alert', cmdId: '1', code: '1201', items: [] },
  {
    kind: 'Replace',
    cmdId: '2',
    items: [{ source: { uri: './DevInfo/Man' }, data: 'Toy' }],
  },
];

export function statusBody(msgRef: string, code = '200'): readonly BodyElement[] {
  return [
    {
      kind: 'Status',
      cmdId: '1',
      msgRef,
      cmdRef: '0',
      cmd: 'SyncHdr',
      targetRefs: [],
      sourceRefs: [],
      code,
      items: [],
    },
  ];
}

export function dm1Request(id: string, parts: Dm1Parts = {}): DeviceRequest {
  const { sessionId = '1', msgId = '1', cred, body = OPENING, encoding = XML } = parts;
  const message: SyncMLMessage = {
    header: {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId,
      msgId,
      target: { uri: 'http://gw/dm' },
      source: { uri: id },
      ...(cred !== undefined && { cred: { meta: { type: 'syncml:auth-basic' }, data: cred } }),
    },
    body,
    final: true,
  };
  return {
    headers: { 'content-type': `application/vnd.syncml.dm+${encoding.form}` },
    body: encodeMessage(message, encoding),
    url: '/dm',
    delivered: Promise.resolve(true),
  };
}
