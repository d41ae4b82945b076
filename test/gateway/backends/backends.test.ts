import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basicCred, md5Digest, userHash, verifyHmac } from '../../../src/dm1/auth/digests.ts';
import { parseHmacHeader } from '../../../src/dm1/auth/hmacHeader.ts';
import { decodeMessage, defaultEncoding, encodeMessage } from '../../../src/dm1/codec.ts';
import type { SyncMLMessage } from '../../../src/dm1/message.ts';
import { BuiltinBackend } from '../../../src/gateway/backends/builtin.ts';
import { Backends } from '../../../src/gateway/backends/exchange.ts';
import { backendProfile } from '../../../src/gateway/backends/profile.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { JobQueue } from '../../../src/gateway/jobs/jobs.ts';
import { ReceivedAlerts } from '../../../src/gateway/jobs/receivedAlerts.ts';
import { OutboundClient } from '../../../src/gateway/outbound/client.ts';
import { OutboundGuard } from '../../../src/gateway/outbound/guard.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { type Peer, type Received, startPeer } from '../outbound/server.ts';

const PACKAGE2 = 'application/vnd.oma.dm.request+json';
const whose = { deviceId: 'IMEI:1', sessionId: 's1' };
const message: SyncMLMessage = {
  header: {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '1',
    msgId: '1',
    target: { uri: 'http://legacy/dm' },
    source: { uri: 'IMEI:1' },
  },
  body: [{ kind: 'Alert', cmdId: '1', code: '1201', items: [] }],
  final: true,
};

let store: Store;
let registry: Registry;
let client: OutboundClient;
let peer: Peer;
let answer: (request: Received, response: ServerResponse, index: number) => void;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  registry = new Registry(store);
  client = new OutboundClient();
  peer = await startPeer((...all) => answer(...all));
  answer = (_request, response) =>
    response.writeHead(200, { 'content-type': PACKAGE2 }).end('{"CMD":[["END"]]}');
});
afterEach(async () => {
  await client.close();
  await peer.close();
  await store.close();
});

function backends(more: object = {}, allow: string[] = []): Backends {
  const config = loadConfig({
    text: JSON.stringify({
      backends: { b: { protocol: 'dm2', url: `${peer.origin}/dm20`, ...more } },
      limits: { messageBytes: 4096, backendSeconds: 1 },
    }),
  });
  return new Backends({
    backends: config.backends,
    limits: config.limits,
    registry,
    guard: new OutboundGuard({ allow, trusted: [`${peer.origin}/dm20`] }),
    client,
    builtin: new BuiltinBackend(new JobQueue(store), new ReceivedAlerts(store)),
    now: () => 42,
  });
}

const package1 = { protocol: 'dm2', package1: { MOS: [] } } as const;
const dm1 = { protocol: 'dm1', url: '' } as const;
const legacy = (more: object = {}) => backends({ ...dm1, url: `${peer.origin}/dm`, ...more });

describe('a DM 2.0 server', () => {
  it('is sent the headers of Package#1 and #3 and is understood [IW-SES-6]', async () => {
    answer = (_request, response) =>
      response
        .writeHead(200, { 'content-type': `${PACKAGE2}; charset=utf-8`, 'OMADM-Accept': 'text/xml' })
        .end('{"CMD":[["GET","urn:a"]]}');
    expect(await backends().exchange('b', package1, whose)).toEqual({
      kind: 'package2',
      at: 42,
      package2: { CMD: [['GET', 'urn:a']] },
      accept: 'text/xml',
    });
    expect(peer.received[0]).toMatchObject({
      method: 'POST',
      url: '/dm20',
      headers: {
        'omadm-devid': 'IMEI:1',
        accept: PACKAGE2,
        'content-type': 'application/vnd.oma.dm.initiation+json',
      },
      body: Buffer.from('{"MOS":[]}'),
    });
    const package3 = { Status: [{ sc: 200, MO: [{ ClientURI: 'urn:a', MOData: {} }] }] };
    await backends({ getMember: 'Data' }).exchange('b', { protocol: 'dm2', package3 }, whose);
    expect(peer.received[1]?.headers['content-type']).toBe('application/vnd.oma.dm.response+json');
    expect(JSON.parse(String(peer.received[1]?.body)).Status[0]).toHaveProperty('Data');
  });

  it.each([
    [{ type: 'basic', username: 'u', password: 'p' }, `Basic ${basicCred('u', 'p')}`],
    [{ type: 'bearer', password: 'tok' }, 'Bearer tok'],
    [{ type: 'none' }, undefined],
  ])('gets the credentials of %o [IW-AUTH-4]', async (auth, header) => {
    await backends({ auth }).exchange('b', package1, whose);
    expect(peer.received[0]?.headers.authorization).toBe(header);
  });

  it.each([
    [
      'SHA-256',
      'algorithm=SHA-256, qop="auth,auth-int"',
      'Digest realm="r", nonce="X", algorithm=MD5, qop="auth"',
    ],
    ['MD5', 'algorithm=MD5, qop="auth"', 'Digest realm="r", nonce="X", algorithm=SHA-512-256, qop="auth"'],
    ['MD5', 'qop="auth"', 'Basic realm="r"'],
  ])(
    'gets an answer to its Digest challenge with %s, and from then on unasked [IW-AUTH-4]',
    async (algorithm, how, other) => {
      const h = (text: string) =>
        createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
          .update(text)
          .digest('hex');
      answer = ({ headers, url }, response) => {
        const given = headers.authorization ?? '';
        const field = (name: string) => new RegExp(`${name}="?([^",]+)`).exec(given)?.[1];
        const expected = h(`${h('u:r:p')}:N:${field('nc')}:${field('cnonce')}:auth:${h(`POST:${url}`)}`);
        if (field('response') === expected) {
          response.writeHead(200, { 'content-type': PACKAGE2 }).end('{"CMD":[]}');
          return;
        }
        response.writeHead(401, { 'www-authenticate': [other, `Digest realm="r", nonce="N", ${how}`] }).end();
      };
      const all = backends({ auth: { type: 'digest', username: 'u', password: 'p' } });
      expect(await all.exchange('b', package1, whose)).toMatchObject({ kind: 'package2' });
      expect(await all.exchange('b', package1, whose)).toMatchObject({ kind: 'package2' });
      expect(peer.received.map((r) => /nc=(\d+)/.exec(r.headers.authorization ?? '')?.[1])).toEqual([
        undefined,
        '00000001',
        '00000002',
      ]);
    },
  );

  it('that has nothing to say (204) ends the session', async () => {
    answer = (_request, response) => response.writeHead(204).end();
    expect(await backends().exchange('b', package1, whose)).toMatchObject({ package2: { CMD: [] } });
  });

  type Answer = (response: ServerResponse) => void;
  it.each<[string, Answer, RegExp, string]>([
    [
      'HTML',
      (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /text\/html where/,
      'backend-failed',
    ],
    [
      'no Content-Type',
      (r) => r.writeHead(200).end('{"CMD":[]}'),
      /without a Content-Type/,
      'backend-failed',
    ],
    [
      'junk',
      (r) => r.writeHead(200, { 'content-type': PACKAGE2 }).end('{"CMD":'),
      /no Package#2/,
      'backend-failed',
    ],
    [
      'another document',
      (r) => r.writeHead(200, { 'content-type': PACKAGE2 }).end('{"x":1}'),
      /no Package#2/,
      'backend-failed',
    ],
    [
      'nothing',
      (r) => r.writeHead(200, { 'content-type': PACKAGE2 }).end(),
      /no Package#2/,
      'backend-failed',
    ],
    [
      'too much',
      (r) => r.writeHead(200, { 'content-type': PACKAGE2 }).end(' '.repeat(5000)),
      /larger than 4096/,
      'too-large',
    ],
    ['404', (r) => r.writeHead(404).end(), /refuses the message \(HTTP 404\)/, 'backend-refused'],
    ['500', (r) => r.writeHead(500).end('secret trace'), /answers HTTP 500/, 'backend-failed'],
    ['401', (r) => r.writeHead(401).end(), /refuses our credentials/, 'backend-failed'],
    [
      'a redirect',
      (r) => r.writeHead(302, { location: 'http://x.example/t?k=1' }).end(),
      /redirects to http:\/\/x\.example \(HTTP 302\)/,
      'backend-failed',
    ],
    ['silence', () => undefined, /did not answer within 1000 ms/, 'backend-failed'],
    ['a closed connection', (r) => r.socket?.destroy(), /exchange with .* failed/, 'backend-failed'],
  ])('that answers with %s fails clearly [IW-SES-10]', async (_what, how, detail, code) => {
    answer = (_request, response) => how(response);
    const event = await backends().exchange('b', package1, whose);
    expect(event).toMatchObject({ kind: 'failed', at: 42, code, detail: expect.stringMatching(detail) });
    expect(event).toMatchObject({ detail: expect.stringMatching(/^backend b: /) });
    expect(JSON.stringify(event)).not.toMatch(/secret|k=1/);
  });

  it('that speaks no TLS where https is configured is named', async () => {
    const url = `${peer.origin.replace('http:', 'https:')}/dm20`;
    const config = loadConfig({ text: JSON.stringify({ backends: { b: { protocol: 'dm2', url } } }) });
    const all = new Backends({
      backends: config.backends,
      limits: config.limits,
      registry,
      guard: new OutboundGuard({ allow: [], trusted: [url] }),
      client,
      builtin: new BuiltinBackend(new JobQueue(store), new ReceivedAlerts(store)),
    });
    expect(await all.exchange('b', package1, whose)).toMatchObject({
      kind: 'failed',
      code: 'backend-failed',
      detail: expect.stringContaining('TLS'),
    });
  });

  it('moves the session within the guard, and its credentials stay at home [IW-SES-9]', async () => {
    const auth = { type: 'basic', username: 'u', password: 'p' };
    const other = await startPeer((_request, response) =>
      response.writeHead(200, { 'content-type': PACKAGE2 }).end('{"CMD":[]}'),
    );
    const moved = { ...package1, url: `${other.origin}/session/1` };
    expect(await backends({ auth }).exchange('b', moved, whose)).toMatchObject({ code: 'outbound-refused' });
    expect(other.received).toHaveLength(0);
    const allowed = backends({ auth }, [`127.0.0.1:${other.port}`]);
    expect(await allowed.exchange('b', moved, whose)).toMatchObject({ kind: 'package2' });
    expect(other.received[0]?.headers).not.toHaveProperty('authorization');
    await allowed.exchange('b', { ...package1, url: `${peer.origin}/session/2` }, whose);
    expect(peer.received[0]).toMatchObject({
      url: '/session/2',
      headers: { authorization: expect.any(String) },
    });
    await other.close();
  });
});

describe('a DM 1.x server', () => {
  const reply = (form: 'xml' | 'wbxml') =>
    encodeMessage({ ...message, body: [] }, defaultEncoding(form, '1.2'));

  it.each([
    ['xml', 'xml', 'application/vnd.syncml.dm+xml'],
    ['wbxml', 'wbxml', 'application/vnd.syncml.dm+wbxml'],
    ['xml', 'wbxml', 'application/vnd.syncml+wbxml'],
    ['wbxml', 'xml', 'text/xml;charset=UTF-8'],
    ['xml', 'wbxml', 'application/octet-stream'],
    ['xml', 'xml', undefined],
  ] as const)('is sent %s and may answer %s as %s [IW-SES-7]', async (encoding, form, type) => {
    answer = (_request, response) =>
      response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(reply(form));
    const event = await legacy({ encoding }).exchange('b', { protocol: 'dm1', message }, whose);
    expect(event).toMatchObject({ kind: 'dm1', at: 42, message: { header: { verDTD: '1.2' }, final: true } });
    expect(peer.received[0]?.headers['content-type']).toMatch(`application/vnd.syncml.dm+${encoding}`);
    expect(decodeMessage(peer.received[0]?.body ?? Buffer.of(), encoding).message).toEqual(message);
  });

  it.each([
    ['nothing', '', 'application/vnd.syncml.dm+xml', /empty/],
    ['HTML', '<html/>', 'text/html', /text\/html where SyncML is due/],
    ['junk', '<SyncML', 'application/vnd.syncml.dm+xml', /no SyncML/],
  ])('that answers with %s fails clearly [IW-SES-10]', async (_what, body, type, detail) => {
    answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    expect(await legacy().exchange('b', { protocol: 'dm1', message }, whose)).toMatchObject({
      kind: 'failed',
      code: 'backend-failed',
      detail: expect.stringMatching(detail),
    });
  });

  it('is presented the configured account or that of the device [IW-AUTH-3]', async () => {
    answer = (_request, response) => response.end(reply('xml'));
    const nonce = Buffer.from('0123456789abcdef');
    const send = (scheme: 'basic' | 'md5' | 'hmac') =>
      ({ protocol: 'dm1', message, present: { scheme, nonce } }) as const;
    const sent = () => decodeMessage(peer.received.at(-1)?.body ?? Buffer.of(), 'xml').message.header;
    const account = { username: 'shared', password: 'pw' };

    await legacy({ auth: { type: 'md5', ...account } }).exchange('b', send('md5'), whose);
    expect(sent()).toMatchObject({
      source: { uri: 'IMEI:1', name: 'shared' },
      cred: {
        meta: { type: 'syncml:auth-md5', format: 'b64' },
        data: md5Digest(userHash('shared', 'pw'), nonce),
      },
    });
    await legacy({ auth: { type: 'basic', ...account } }).exchange('b', send('basic'), whose);
    expect(sent().cred?.data).toBe(basicCred('shared', 'pw'));

    await registry.register({ id: 'IMEI:1', username: 'own', password: 'dp' });
    const perDevice = legacy({ auth: { type: 'md5', perDevice: true } });
    await perDevice.exchange('b', send('md5'), whose);
    expect(sent()).toMatchObject({
      source: { name: 'own' },
      cred: { data: md5Digest(userHash('own', 'dp'), nonce) },
    });

    await legacy({ auth: { type: 'hmac', ...account } }).exchange('b', send('hmac'), whose);
    const header = parseHmacHeader(String(peer.received.at(-1)?.headers['x-syncml-hmac']));
    expect(sent()).not.toHaveProperty('cred');
    expect(
      verifyHmac(header?.mac ?? '', userHash('shared', 'pw'), nonce, peer.received.at(-1)?.body ?? nonce),
    ).toBe(true);

    expect(await perDevice.exchange('b', send('basic'), whose)).toMatchObject({
      kind: 'failed',
      code: 'configuration',
    });
    expect(await legacy().exchange('b', send('md5'), whose)).toMatchObject({
      kind: 'failed',
      code: 'configuration',
    });
  });
});

describe('any backend', () => {
  it('that does not exist, or speaks the other generation, fails as an event', async () => {
    expect(await backends().exchange('gone', package1, whose)).toMatchObject({ code: 'configuration' });
    expect(await backends().exchange('b', { protocol: 'dm1', message }, whose)).toMatchObject({
      code: 'internal',
    });
    expect(await backends().exchange('console', package1, whose)).toMatchObject({
      package2: { CMD: [['END']] },
    });
  });

  it('shows scripts its profile and no secret', () => {
    const { backends: all } = loadConfig({
      text: 'backends: {l: {protocol: dm1, url: "http://l/dm", version: "1.1", auth: {type: md5, username: u, password: hunter2}}}',
    });
    const profiles = Object.entries(all).map(([name, config]) => backendProfile(name, config, 'dragoman'));
    expect(profiles).toMatchObject([
      { name: 'console', protocol: 'dm2', serverId: 'dragoman' },
      { name: 'l', protocol: 'dm1', version: '1.1', scheme: 'md5', url: 'http://l/dm', serverId: 'legacy' },
    ]);
    expect(JSON.stringify(profiles)).not.toContain('hunter2');
  });
});
