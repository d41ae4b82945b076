import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/gateway/outbound/addresses.ts';
import { OutboundClient } from '../../../src/gateway/outbound/client.ts';
import { OutboundGuard, type Resolver } from '../../../src/gateway/outbound/guard.ts';
import { Transfers } from '../../../src/gateway/outbound/transfer.ts';
import { DragomanError } from '../../../src/support/errors.ts';
import { type Peer, startPeer } from './server.ts';

const PUBLIC = { address: '93.184.216.34', family: 4 } as const;
const resolveTo =
  (...addresses: string[]): Resolver =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

async function verdict(guard: OutboundGuard, url: string): Promise<string> {
  try {
    await guard.check(url);
    return 'allowed';
  } catch (error) {
    return error instanceof DragomanError ? error.code : String(error);
  }
}

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '192.0.0.170',
    '240.0.0.1',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2001::1',
    '2001:db8::1',
    '100::1',
    'not an address',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['93.184.216.34', '8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('what a wildcard allows', () => {
  const guard = new OutboundGuard({ allow: ['*'], resolve: resolveTo(PUBLIC.address) });

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://0/',
    'http://127.0.0.1./',
    'http://①②⑦.0.0.1/',
  ])('%s stays refused, however the host is spelt', async (url) => {
    expect(await verdict(guard, url)).toBe('outbound-refused');
  });

  it.each([
    ['file:///etc/passwd', 'outbound-refused'],
    ['ftp://example.com/', 'outbound-refused'],
    ['gopher://example.com/', 'outbound-refused'],
    ['data:text/plain,x', 'outbound-refused'],
    ['javascript:alert(1)', 'outbound-refused'],
    ['http://user:secret@example.com/', 'outbound-refused'],
    ['http://user@example.com/', 'outbound-refused'],
    ['not a url', 'bad-address'],
    ['/relative', 'bad-address'],
    [`http://example.com/${'x'.repeat(9000)}`, 'bad-address'],
    ['https://example.com/ok', 'allowed'],
  ])('%s is %s', async (url, expected) => {
    expect(await verdict(guard, url)).toBe(expected);
  });

  it('never repeats credentials or paths of a refused URL', async () => {
    await expect(guard.check('http://user:secret@example.com/token')).rejects.not.toThrow(/secret|token/);
  });
});

describe('names', () => {
  it('that lead to a private address are refused, with every address judged', async () => {
    const only = new OutboundGuard({ allow: ['*.example'], resolve: resolveTo('10.0.0.5', '::1') });
    expect(await verdict(only, 'http://a.example/')).toBe('outbound-refused');
    const mixed = new OutboundGuard({ allow: ['*.example'], resolve: resolveTo('10.0.0.5', '8.8.8.8') });
    expect((await mixed.check('http://a.example/')).addresses).toEqual([{ address: '8.8.8.8', family: 4 }]);
  });

  it('that do not resolve fail as a failure of the peer', async () => {
    const guard = new OutboundGuard({
      allow: ['*'],
      resolve: async () => {
        throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
      },
    });
    expect(await verdict(guard, 'http://nowhere.example/')).toBe('backend-failed');
  });
});

describe('the allow list', () => {
  const guard = new OutboundGuard({
    allow: ['127.0.0.1:9000', '*.operator.example', 'repo.example:8443', '[::1]:9001', 'LOCALHOST:7000'],
    trusted: ['http://10.0.0.1:8080/dm20'],
    resolve: resolveTo('127.0.0.1'),
  });

  it.each([
    ['http://127.0.0.1:9000/x', 'allowed'],
    ['http://2130706433:9000/x', 'allowed'],
    ['http://127.0.0.1:9001/x', 'outbound-refused'],
    ['http://[::1]:9001/', 'allowed'],
    ['http://localhost:7000/', 'allowed'],
    ['http://localhost:7001/', 'outbound-refused'],
    ['http://a.operator.example/', 'outbound-refused'],
    ['http://operator.example/', 'outbound-refused'],
    ['http://evil-operator.example/', 'outbound-refused'],
    ['http://x.operator.example.evil/', 'outbound-refused'],
    ['https://repo.example:8443/', 'allowed'],
    ['https://repo.example/', 'outbound-refused'],
    ['http://10.0.0.1:8080/other', 'allowed'],
    ['http://10.0.0.1:8081/dm20', 'outbound-refused'],
    ['https://10.0.0.1:8080/dm20', 'outbound-refused'],
  ])('%s is %s', async (url, expected) => {
    expect(await verdict(guard, url)).toBe(expected);
  });

  it('refuses a pattern that is none', () => {
    expect(() => new OutboundGuard({ allow: ['http://x/'] })).toThrow(/outbound.allow/);
  });
});

describe('transfers', () => {
  let inside: Peer;
  let peer: Peer;
  let client: OutboundClient;
  beforeAll(async () => {
    client = new OutboundClient();
    inside = await startPeer((_request, response) => response.end('internal secret'));
    peer = await startPeer((request, response) => {
      const to = /^\/to\?(\d+) (.*)$/.exec(decodeURIComponent(request.url));
      if (to) {
        response.writeHead(Number(to[1]), { location: to[2] ?? '' }).end();
      } else if (request.url === '/loop') {
        response.writeHead(302, { location: '/loop' }).end();
      } else response.end('document');
    });
  });
  afterAll(async () => {
    await client.close();
    await Promise.all([inside.close(), peer.close()]);
  });

  const transfers = (guard: OutboundGuard, more = {}) =>
    new Transfers(guard, client, { transferBytes: 1000, transferSeconds: 2, ...more }, () => 7);
  const literal = () => new OutboundGuard({ allow: [`127.0.0.1:${peer.port}`] });
  const get = (url: string, headers = {}) => ({ method: 'GET' as const, url, headers });

  it('fetch what is allowed', async () => {
    const event = await transfers(literal()).transfer(get(`${peer.origin}/ok`));
    expect(event).toMatchObject({ kind: 'response', at: 7, status: 200, body: Buffer.from('document') });
  });

  it('do not follow a redirect into the network inside', async () => {
    for (const target of [
      inside.origin,
      `http://localhost:${inside.port}`,
      'http://169.254.169.254/',
      'file:///x',
    ]) {
      const event = await transfers(literal()).transfer(
        get(`${peer.origin}/to?${encodeURIComponent(`302 ${target}`)}`),
      );
      expect(event).toMatchObject({ kind: 'failed', code: 'outbound-refused' });
    }
    expect(inside.received).toHaveLength(0);
  });

  it('connect to the address that was checked, whatever the name says later', async () => {
    let asked = 0;
    const guard = new OutboundGuard({
      allow: [`rebind.example:${peer.port}`],
      resolve: async () => {
        asked += 1;
        return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
      },
    });
    const event = await transfers(guard).transfer(get(`http://rebind.example:${peer.port}/ok`));
    expect(event).toMatchObject({ kind: 'response', status: 200 });
    expect(asked).toBe(1);
    expect(peer.received.at(-1)?.headers.host).toBe(`rebind.example:${peer.port}`);
  });

  it('give up after five redirects', async () => {
    const before = peer.received.length;
    const event = await transfers(literal()).transfer(get(`${peer.origin}/loop`));
    expect(event).toMatchObject({ kind: 'failed', code: 'backend-failed' });
    expect(peer.received.length - before).toBe(6);
  });

  it('carry credentials to the same origin only', async () => {
    const guard = new OutboundGuard({ allow: [`127.0.0.1:${peer.port}`, `127.0.0.1:${inside.port}`] });
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-other': 'stays' };
    const across = `/to?${encodeURIComponent(`307 ${inside.origin}/y`)}`;
    await transfers(guard).transfer(get(`${peer.origin}${across}`, headers));
    expect(inside.received.at(-1)?.headers).toMatchObject({ 'x-other': 'stays' });
    expect(inside.received.at(-1)?.headers).not.toHaveProperty('authorization');
    expect(inside.received.at(-1)?.headers).not.toHaveProperty('cookie');
    await transfers(guard).transfer(get(`${peer.origin}/to?${encodeURIComponent('307 /z')}`, headers));
    expect(peer.received.at(-1)).toMatchObject({ url: '/z', headers: { authorization: 'Bearer x' } });
  });

  it.each([
    [303, 'PUT', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [307, 'POST', 'POST', 'data'],
    [308, 'PUT', 'PUT', 'data'],
  ] as const)('after %i turn %s into %s', async (status, method, then, body) => {
    const url = `${peer.origin}/to?${encodeURIComponent(`${status} /then`)}`;
    await transfers(literal()).transfer({
      method,
      url,
      headers: { 'content-type': 'text/plain' },
      body: Buffer.from('data'),
    });
    expect(peer.received.at(-1)).toMatchObject({ method: then, url: '/then', body: Buffer.from(body) });
    expect('content-type' in (peer.received.at(-1)?.headers ?? {})).toBe(then !== 'GET');
  });
});
