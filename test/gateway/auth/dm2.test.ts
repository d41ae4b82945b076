import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBasic } from '../../../src/dm2/httpAuth.ts';
import { DeviceAuthenticator } from '../../../src/gateway/auth/authenticator.ts';
import { NonceStore } from '../../../src/gateway/auth/nonces.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';

let store: Store;
let registry: Registry;
let now: number;
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  now = 5_000_000;
  registry = new Registry(store, { now: () => now });
  await registry.register({ id: 'D1', username: 'u1', password: 'p1' });
  await registry.register({ id: 'D2', username: 'u2', password: 'p2' });
});
afterEach(() => store.close());

function authenticator(
  dm2: 'none' | 'basic' | 'digest' | 'mtls',
  unknownDevice: 401 | 404 = 401,
): DeviceAuthenticator {
  return new DeviceAuthenticator({
    registry,
    nonces: new NonceStore(store),
    policy: { dm1: 'md5', dm2, unknownDevice },
    now: () => now,
  });
}

const from = (deviceId: string, authorization?: string) => ({
  deviceId,
  method: 'POST',
  uri: '/dm',
  ...(authorization === undefined ? {} : { authorization }),
});

describe('basic', () => {
  it('is demanded, then accepted [IW-AUTH-4]', async () => {
    const auth = authenticator('basic');
    expect(await auth.verifyDm2(from('D1'))).toMatchObject({
      ok: false,
      status: 401,
      headers: { 'www-authenticate': expect.stringMatching(/^Basic realm="dragoman"/) },
    });
    expect(await auth.verifyDm2(from('D1', formatBasic('u1', 'p1')))).toEqual({ ok: true, scheme: 'basic' });
    expect(await registry.get('D1')).toMatchObject({ protocol: 'dm2' });
  });

  it.each([
    ['a wrong password', 'D1', formatBasic('u1', 'no'), 401],
    ['an unknown account', 'D1', formatBasic('zz', 'p1'), 401],
    ['junk', 'D1', 'Basic !!!', 401],
    ['another scheme', 'D1', 'Bearer x', 401],
    ['an unknown device', 'X', formatBasic('zz', 'p'), 401],
    ['the account that stands in for strangers', 'X', formatBasic('nobody', 'no password is this one'), 401],
  ])('refuses %s', async (_what, id, authorization, status) => {
    expect(await authenticator('basic').verifyDm2(from(id, authorization))).toMatchObject({
      ok: false,
      status,
    });
  });

  it('forbids the identity of another device, known or not [IW-SES-2]', async () => {
    const auth = authenticator('basic');
    for (const id of ['D2', 'unknown']) {
      expect(await auth.verifyDm2(from(id, formatBasic('u1', 'p1')))).toMatchObject({
        ok: false,
        status: 403,
      });
    }
  });

  it('forbids strangers at once where the configuration says so', async () => {
    const verdict = await authenticator('basic', 404).verifyDm2(from('X', formatBasic('zz', 'p')));
    expect(verdict).toMatchObject({ ok: false, status: 403 });
  });

  it('slows down who keeps failing, with Retry-After [IW-AUTH-5]', async () => {
    const auth = authenticator('basic');
    for (let i = 0; i < 6; i += 1) await auth.verifyDm2(from('D1', formatBasic('u1', 'no')));
    expect(await auth.verifyDm2(from('D1', formatBasic('u1', 'p1')))).toMatchObject({
      ok: false,
      status: 429,
      headers: { 'retry-after': '1' },
    });
    now += 1000;
    expect(await auth.verifyDm2(from('D1', formatBasic('u1', 'p1')))).toMatchObject({ ok: true });
  });
});

describe('none', () => {
  it('registers at first contact', async () => {
    expect(await authenticator('none').verifyDm2(from('new'))).toEqual({ ok: true, scheme: 'none' });
    expect(await registry.get('new')).toMatchObject({ protocol: 'dm2' });
  });
});

describe('digest', () => {
  const hash = (algorithm: string, text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');

  function answer(
    challenge: string,
    algorithm: 'MD5' | 'SHA-256',
    { user = 'u1', password = 'p1', nc = '00000001', uri = '/dm' } = {},
  ): string {
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const ha1 = hash(algorithm, `${user}:dragoman:${password}`);
    const ha2 = hash(algorithm, `POST:${uri}`);
    const response = hash(algorithm, `${ha1}:${nonce}:${nc}:c:auth:${ha2}`);
    return `Digest username="${user}", realm="dragoman", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="c", response="${response}"`;
  }

  async function challengeOf(auth: DeviceAuthenticator): Promise<string> {
    const verdict = await auth.verifyDm2(from('D1'));
    return (!verdict.ok && verdict.headers?.['www-authenticate']) || '';
  }

  it.each(['MD5', 'SHA-256'] as const)(
    'is demanded, then accepted with %s [IW-AUTH-4]',
    async (algorithm) => {
      const auth = authenticator('digest');
      const challenge = await challengeOf(auth);
      expect(challenge).toMatch(/^Digest realm="dragoman", qop="auth", algorithm=SHA-256,.*, Digest .*MD5/);
      expect(await auth.verifyDm2(from('D1', answer(challenge, algorithm)))).toEqual({
        ok: true,
        scheme: 'digest',
      });
    },
  );

  it('does not take the same request twice, and takes the next count', async () => {
    const auth = authenticator('digest');
    const challenge = await challengeOf(auth);
    const header = answer(challenge, 'SHA-256');
    expect(await auth.verifyDm2(from('D1', header))).toMatchObject({ ok: true });
    expect(await auth.verifyDm2(from('D1', header))).toMatchObject({
      ok: false,
      status: 401,
      headers: { 'www-authenticate': expect.stringContaining('stale=true') },
    });
    const next = answer(challenge, 'SHA-256', { nc: '00000002' });
    expect(await auth.verifyDm2(from('D1', next))).toMatchObject({ ok: true });
  });

  it('lets nonces expire, and knows its own', async () => {
    const auth = authenticator('digest');
    const header = answer(await challengeOf(auth), 'SHA-256');
    now += 301_000;
    expect(await auth.verifyDm2(from('D1', header))).toMatchObject({ ok: false, status: 401 });
    const forged = answer('nonce="abc.def.ghi"', 'SHA-256');
    expect(await auth.verifyDm2(from('D1', forged))).toMatchObject({ ok: false, status: 401 });
  });

  it.each([
    ['a wrong password', { password: 'no' }, 'D1', 401],
    ['another path', { uri: '/other' }, 'D1', 401],
    ["another device's account", { user: 'u2', password: 'p2' }, 'D1', 403],
  ])('refuses %s [IW-SES-2]', async (_what, how, id, status) => {
    const auth = authenticator('digest');
    const header = answer(await challengeOf(auth), 'SHA-256', how);
    expect(await auth.verifyDm2(from(id, header))).toMatchObject({ ok: false, status });
  });
});

describe('client certificates', () => {
  const until = 6_000_000;
  it.each([
    ['the name of the device', { names: ['D9'], until }, true, ''],
    ['it among others', { names: ['D8', 'D9'], until }, true, ''],
    ['a name that begins with it', { names: ['D99'], until }, false, 'of another device'],
    ['a name that holds it as one', { names: ['x, CN=D9'], until }, false, 'of another device'],
    ['no name', { names: [], until }, false, 'of another device'],
    ['the name, but by now has expired', { names: ['D9'], until: 5_000_000 }, false, 'expired'],
    ['the name until no time at all', { names: ['D9'], until: Number.NaN }, false, 'expired'],
    ['what TLS refused', { refused: 'it is self-signed' }, false, 'self-signed'],
    ['nothing', undefined, false, 'missing'],
  ])('that hold %s [IW-AUTH-4] [IW-SES-2]', async (_what, certificate, ok, detail) => {
    const attempt = { ...from('D9'), ...(certificate === undefined ? {} : { certificate }) };
    expect(await authenticator('mtls').verifyDm2(attempt)).toMatchObject(
      ok ? { ok } : { ok, status: 403, detail: expect.stringContaining(detail) },
    );
    expect((await registry.get('D9')) !== undefined).toBe(ok);
  });
});
