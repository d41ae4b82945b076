import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Authority, type Pair, replace } from './pki.ts';
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

/** A DM 2.0 client on one connection of its own, which trusts our authority. */
function client(gateway: Running, shows: Pair | undefined, id = 'IMEI:1') {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ours.pair.pem.cert, ...shows?.pem });
  closing.push(() => agent.destroy());
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
    const post = client(await start(), issue(), id);
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
    const answer = await client(await start(), issue())(PACKAGE1, '{}');
    expect(answer.status).toBe(403);
    expect(answer.body).toMatch(reason);
  });

  it('leaves Basic and Digest to those without one [IW-AUTH-4]', async () => {
    const gateway = await start({}, { deviceAuth: { dm2: 'basic' } });
    await gateway.api('/api/devices', {
      method: 'POST',
      body: JSON.stringify({ id: 'IMEI:1', username: 'u', password: 'p' }),
    });
    const post = client(gateway, undefined);
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
    const post = client(gateway, ours.issue({ cn: 'IMEI:1' }));
    const package2 = await post(PACKAGE1, '{}');
    expect(package2).toMatchObject({ body: JSON.stringify({ CMD }), headers: { connection: 'keep-alive' } });

    replace(at, ours.issue({ cn: 'second', san: LOCAL }));
    writeFileSync(clientCa, theirs.pair.pem.cert);
    gateway.reload();
    // What this connection proved holds for one more message.
    const last = await post(PACKAGE3, '{"Status":[{"sc":200}]}');
    expect(last).toMatchObject({ status: 200, body: END, headers: { connection: 'close' } });
    expect(await post(PACKAGE1, '{}')).toMatchObject({ status: 403 });
    const renewed = client(gateway, theirs.issue({ cn: 'IMEI:1' }));
    expect(await renewed(PACKAGE1, '{}')).toMatchObject({
      status: 200,
      headers: { connection: 'keep-alive' },
    });
    expect((await handshake(gateway, {})).getPeerCertificate().subject.CN).toBe('second');
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
