import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Authority, type Pair, replace, revocationList } from './pki.ts';
import { type Running, startTestGateway } from './running.ts';

const PACKAGE1 = 'application/vnd.oma.dm.initiation+json';
const PACKAGE3 = 'application/vnd.oma.dm.response+json';
/** Where all servers of these tests are. */
const LOCAL = [['IP', '127.0.0.1']] as const;
const END = '{"CMD":[["END"]]}';

let ours: Authority;
let theirs: Authority;
let server: Pair;
beforeAll(() => {
  ours = new Authority('ours');
  theirs = new Authority('theirs');
  server = ours.issue({ cn: 'gateway', san: LOCAL });
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close; close = closing.pop()) await close();
});

async function start(
  tls: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<Running> {
  const gateway = await startTestGateway({
    listen: {
      devices: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      tls: { cert: server.cert, key: server.key, clientCa: ours.pair.cert, ...tls },
    },
    deviceAuth: { dm2: 'mtls' },
    ...more,
  });
  closing.push(() => gateway.stop());
  return gateway;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One connection of a client that trusts our authority. */
function connection(shows: Pair | undefined): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ours.pair.pem.cert, ...shows?.pem });
  closing.push(() => agent.destroy());
  return agent;
}

/** The answer of RFC 7616 with the password `p`. */
function digestAnswer(challenge: string, algorithm: string, username: string, count: number): string {
  const h = (text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const [, nonce = ''] = /nonce="([^"]+)"/.exec(challenge) ?? [];
  const nc = String(count).padStart(8, '0');
  const ha1 = h(`${username}:dragoman:p`);
  const response = h(`${ha1}:${nonce}:${nc}:c:auth:${h('POST:/dm')}`);
  return `Digest username="${username}", realm="dragoman", nonce="${nonce}", uri="/dm", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="c", response="${response}"`;
}

/** A DM 2.0 client on that connection. */
function client(gateway: Running, agent: Agent, id = 'IMEI:1') {
  return (type: string, body: string, authorization?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': type,
        'omadm-devid': id,
        ...(authorization !== undefined && { authorization }),
      };
      request(gateway.urls.devices, { method: 'POST', agent, headers }, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (piece: string) => {
            text += piece;
          })
          .on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          );
      })
        .on('error', reject)
        .end(body);
    });
}

function handshake(gateway: Running, options: ConnectionOptions): Promise<TLSSocket> {
  const port = Number(new URL(gateway.urls.devices).port);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: ours.pair.pem.cert, ...options }, () => {
      closing.push(() => socket.destroy());
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

describe('a client certificate over TLS', () => {
  it.each([
    ['its common name', () => ours.issue({ cn: 'IMEI:1' })],
    ['a URI beside it', () => ours.issue({ cn: 'Phone', san: [['URI', 'IMEI:1']] })],
    [
      'a DNS name, for a device that has one',
      () =>
        ours.issue({
          cn: 'Phone',
          san: [
            ['DNS', 'a'],
            ['DNS', 'phone.example'],
          ],
        }),
      'phone.example',
    ],
  ])('binds the identity by %s [IW-AUTH-4] [IW-SES-2]', async (_what, issue, id = 'IMEI:1') => {
    const post = client(await start(), connection(issue()), id);
    expect(await post(PACKAGE1, '{}')).toMatchObject({ status: 200, body: END });
  });

  it.each<[string, () => Pair | undefined, RegExp]>([
    ['none', () => undefined, /certificate is missing/],
    ['that of another device', () => ours.issue({ cn: 'IMEI:2' }), /of another device/],
    [
      'one that lists the name in another’s',
      () => ours.issue({ cn: 'IMEI:2,CN=IMEI:1' }),
      /of another device/,
    ],
    [
      'one that hides the name in a quoted alternative',
      () => ours.issue({ cn: 'x', san: [['URI', 'urn:a, URI:IMEI:1']] }),
      /of another device/,
    ],
    ['an expired one', () => ours.issue({ cn: 'IMEI:1', days: -1 }), /it has expired/],
    [
      'one of an unknown authority',
      () => theirs.issue({ cn: 'IMEI:1' }),
      /authority is not in listen\.tls\.clientCa/,
    ],
    ['a self-signed one', () => new Authority('IMEI:1').pair, /self-signed/],
  ])('is refused with 403 and the reason: %s [IW-AUTH-4] [IW-SES-2]', async (_what, issue, reason) => {
    const answer = await client(await start(), connection(issue()))(PACKAGE1, '{}');
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(reason);
  });

  it('counts until its authority revokes it, which takes no restart [IW-AUTH-4]', async () => {
    const shown = ours.issue({ cn: 'IMEI:1' });
    const crl = `${shown.cert}.crl`;
    writeFileSync(crl, revocationList(ours, [ours.issue({ cn: 'IMEI:9' })]));
    const gateway = await start({ crl });
    const first = client(gateway, connection(shown));
    expect((await first(PACKAGE1, '{}')).status).toBe(200);
    writeFileSync(crl, revocationList(ours, [shown]));
    gateway.reload();
    const second = client(gateway, connection(shown));
    expect(await second(PACKAGE1, '{}')).toMatchObject({
      status: 403,
      body: expect.stringContaining('it has been revoked'),
    });
    const other = client(gateway, connection(ours.issue({ cn: 'IMEI:1' })));
    expect((await other(PACKAGE1, '{}')).status).toBe(200);
  });

  it('binds every message: a session is not gone on with under another identity [IW-SES-2]', async () => {
    const gateway = await start();
    const CMD = [['SHOW', 'https://a.example/']];
    for (const id of ['IMEI:1', 'IMEI:2']) {
      await gateway.api('/api/devices', { method: 'POST', body: JSON.stringify({ id }) });
      await gateway.api(`/api/devices/${id}/commands`, { method: 'POST', body: JSON.stringify({ CMD }) });
    }
    const agent = connection(ours.issue({ cn: 'IMEI:1' }));
    const post = client(gateway, agent, 'IMEI:1');
    expect((await post(PACKAGE1, '{}')).body).toBe(JSON.stringify({ CMD }));
    const other = client(gateway, agent, 'IMEI:2');
    expect((await other(PACKAGE1, '{}')).status).toBe(403);
    expect((await other(PACKAGE3, '{"Status":[{"sc":200}]}')).status).toBe(403);
    expect(await post(PACKAGE3, '{"Status":[{"sc":200}]}')).toMatchObject({ status: 200, body: END });
  });

  it.each(['SHA-256', 'MD5'])(
    'is not needed for Digest with %s, which is bound as well [IW-AUTH-4] [IW-SES-2]',
    async (algorithm) => {
      const gateway = await start({}, { deviceAuth: { dm2: 'digest' } });
      for (const [id, username] of [
        ['IMEI:1', 'u'],
        ['IMEI:2', 'v'],
      ]) {
        const body = JSON.stringify({ id, username, password: 'p' });
        await gateway.api('/api/devices', { method: 'POST', body });
      }
      const post = client(gateway, connection(undefined));
      const { status, headers } = await post(PACKAGE1, '{}');
      expect(status).toBe(401);
      const challenges = String(headers['www-authenticate']).split(/, (?=Digest )/);
      const challenge = challenges.find((one) => one.includes(`algorithm=${algorithm},`)) ?? '';
      const answer = (username: string, count: number) => digestAnswer(challenge, algorithm, username, count);
      expect(await post(PACKAGE1, '{}', answer('u', 1))).toMatchObject({ status: 200, body: END });
      expect((await post(PACKAGE1, '{}', answer('u', 1))).status).toBe(401);
      expect((await post(PACKAGE1, '{}', answer('v', 2))).status).toBe(403);
    },
  );

  it('leaves Basic to those without one [IW-AUTH-4]', async () => {
    const gateway = await start({}, { deviceAuth: { dm2: 'basic' } });
    await gateway.api('/api/devices', {
      method: 'POST',
      body: JSON.stringify({ id: 'IMEI:1', username: 'u', password: 'p' }),
    });
    const post = client(gateway, connection(undefined));
    const refused = await post(PACKAGE1, '{}');
    expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': /^Basic realm=/ } });
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect(await post(PACKAGE1, '{}', basic)).toMatchObject({ status: 200, body: END });
  });
});

describe('certificates that are replaced', () => {
  it('are taken over while a session is live, which goes on [IW-AUTH-4]', async () => {
    const at = ours.issue({ cn: 'first', san: LOCAL });
    const clientCa = `${at.cert}.ca`;
    writeFileSync(clientCa, ours.pair.pem.cert);
    const gateway = await start({ cert: at.cert, key: at.key, clientCa });
    await gateway.api('/api/devices', { method: 'POST', body: JSON.stringify({ id: 'IMEI:1' }) });
    const CMD = [['SHOW', 'https://a.example/']];
    await gateway.api('/api/devices/IMEI:1/commands', { method: 'POST', body: JSON.stringify({ CMD }) });
    const post = client(gateway, connection(ours.issue({ cn: 'IMEI:1' })));
    const package2 = await post(PACKAGE1, '{}');
    expect(package2).toMatchObject({ body: JSON.stringify({ CMD }), headers: { connection: 'keep-alive' } });

    replace(at, ours.issue({ cn: 'second', san: LOCAL }));
    writeFileSync(clientCa, theirs.pair.pem.cert);
    gateway.reload();
    // What this connection proved holds for one more message.
    const last = await post(PACKAGE3, '{"Status":[{"sc":200}]}');
    expect(last).toMatchObject({ status: 200, body: END, headers: { connection: 'close' } });
    expect(await post(PACKAGE1, '{}')).toMatchObject({ status: 403 });
    const renewed = client(gateway, connection(theirs.issue({ cn: 'IMEI:1' })));
    expect(await renewed(PACKAGE1, '{}')).toMatchObject({
      status: 200,
      headers: { connection: 'keep-alive' },
    });
    expect((await handshake(gateway, {})).getPeerCertificate().subject.CN).toBe('second');
  });

  it('are noticed without a word', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    closing.push(() => vi.useRealTimers());
    const at = ours.issue({ cn: 'first', san: LOCAL });
    const gateway = await start({ cert: at.cert, key: at.key });
    const ends = async () =>
      Number(
        /^dragoman_certificate_expiry_timestamp_seconds\{files="listen\.tls"\} (\d+)$/m.exec(
          await (await gateway.api('/metrics')).text(),
        )?.[1],
      );
    const before = await ends();
    expect(before).toBe(Date.parse(new X509Certificate(at.pem.cert).validTo) / 1000);
    replace(at, ours.issue({ cn: 'second', san: LOCAL, days: 20 }));
    expect((await handshake(gateway, {})).getPeerCertificate().subject.CN).toBe('first');
    vi.advanceTimersByTime(10_000);
    expect((await handshake(gateway, {})).getPeerCertificate().subject.CN).toBe('second');
    expect(await ends()).toBeGreaterThan(before);
  });

  it('stay as they were when the new ones cannot be used', async () => {
    const at = ours.issue({ cn: 'first', san: LOCAL });
    const gateway = await start({ cert: at.cert, key: at.key });
    writeFileSync(at.cert, 'no certificate');
    gateway.reload();
    writeFileSync(at.cert, ours.issue({ cn: 'without its key', san: LOCAL }).pem.cert);
    gateway.reload();
    expect((await handshake(gateway, {})).getPeerCertificate().subject.CN).toBe('first');
  });

  it('end the start where they cannot be used from the beginning', async () => {
    const [one, other] = [ours.issue({ cn: 'one' }), ours.issue({ cn: 'other' })];
    await expect(start({ cert: one.cert, key: other.key })).rejects.toThrow(/listen\.tls: .*together/);
  });
});

describe('the version of TLS', () => {
  const old: ConnectionOptions = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' };
  it.each([
    ['TLSv1.1', undefined, /protocol version|unsupported/],
    ['TLSv1.1', '1.1', 'TLSv1.1'],
    ['TLSv1', '1.1', /protocol version|unsupported/],
    ['TLSv1.2', undefined, 'TLSv1.2'],
    ['TLSv1.2', '1.3', /protocol version|unsupported/],
    ['TLSv1.3', undefined, 'TLSv1.3'],
  ] as const)('%s with minVersion %s is %s [20§12]', async (maxVersion, minVersion, outcome) => {
    const gateway = await start(minVersion === undefined ? {} : { minVersion });
    const attempt = handshake(gateway, { ...old, maxVersion });
    if (typeof outcome === 'string') expect((await attempt).getProtocol()).toBe(outcome);
    else await expect(attempt).rejects.toThrow(outcome);
  });

  it.each([
    ['ECDHE-ECDSA-AES128-GCM-SHA256', undefined],
    ['ECDHE-ECDSA-AES128-SHA256', undefined],
    ['DHE-RSA-AES128-GCM-SHA256', true],
    ['DHE-RSA-AES128-SHA256', true],
    ['AES128-GCM-SHA256', true],
    ['AES128-SHA256', true],
  ] as const)('1.2 has the suite %s, which every server must have [20§12]', async (ciphers, rsa) => {
    const { cert, key } = ours.issue({ cn: 'gateway', san: LOCAL, ...(rsa && { rsa }) });
    const gateway = await start({ cert, key });
    const socket = await handshake(gateway, { maxVersion: 'TLSv1.2', ciphers });
    expect(socket.getCipher().name).toBe(ciphers);
  });
});
