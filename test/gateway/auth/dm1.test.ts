import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basicCred, hmac, md5Digest, userHash } from '../../../src/dm1/auth/digests.ts';
import { formatHmacHeader } from '../../../src/dm1/auth/hmacHeader.ts';
import type { Cred, SyncHdr } from '../../../src/dm1/message.ts';
import { type AuthPolicy, DeviceAuthenticator } from '../../../src/gateway/auth/authenticator.ts';
import { NonceStore } from '../../../src/gateway/auth/nonces.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

const HASH = userHash('Bruce2', 'OhBehave');
const header = (id: string): SyncHdr => ({
  verDTD: '1.2',
  verProto: 'DM/1.2',
  sessionId: '1',
  msgId: '1',
  target: { uri: 'http://gw/dm' },
  source: { uri: id, name: 'Bruce2' },
});
const md5 = (nonce: Uint8Array, hash = HASH): Cred => ({
  meta: { type: 'syncml:auth-md5', format: 'b64' },
  data: md5Digest(hash, nonce),
});
const basic = (user: string, password: string): Cred => ({
  meta: { type: 'syncml:auth-basic', format: 'b64' },
  data: basicCred(user, password),
});

onEveryEngine('DM 1.x authentication', (newUrl) => {
  let url: string | undefined;
  let store: Store;
  let registry: Registry;
  let now: number;
  let failures: string[];
  beforeEach(async () => {
    url ??= await newUrl();
    now = 1_000_000;
    failures = [];
    await restart();
    await clear(store);
    await registry.register({ id: 'D', username: 'Bruce2', password: 'OhBehave' });
  });
  afterEach(async () => {
    await store.close();
  });

  /** A new process on the same database. */
  async function restart(): Promise<void> {
    await store?.close().catch(() => undefined);
    store = await openStore(String(url));
    registry = new Registry(store, { now: () => now });
  }

  function authenticator(policy: Partial<AuthPolicy> = {}): DeviceAuthenticator {
    return new DeviceAuthenticator({
      registry,
      nonces: new NonceStore(store, () => now),
      policy: { dm1: 'md5', dm2: 'basic', unknownDevice: 401, ...policy },
      now: () => now,
      onFailure: (protocol) => failures.push(protocol),
    });
  }

  const attempt = (sessionId: string, cred?: Cred, deviceId = 'D') => ({
    deviceId,
    sessionId,
    header: header(deviceId),
    ...(cred ? { cred } : {}),
  });

  /** A first session: no Cred, challenge, Cred; gives the nonce for the next session. */
  async function logIn(auth: DeviceAuthenticator, sessionId: string): Promise<Uint8Array> {
    const first = await auth.verifyDm1(attempt(sessionId));
    const nonce = first.ok ? undefined : first.challenge?.nonce;
    const second = await auth.verifyDm1(attempt(sessionId, md5(nonce ?? new Uint8Array())));
    if (!second.ok || !second.nextNonce) throw new Error('not accepted');
    return second.nextNonce;
  }

  describe('md5', () => {
    it('challenges with 16 bytes, accepts the answer with 212 and hands out the next nonce [IW-AUTH-1]', async () => {
      const auth = authenticator();
      const first = await auth.verifyDm1(attempt('s1'));
      expect(first).toMatchObject({ ok: false, status: 401, challenge: { scheme: 'md5' } });
      const nonce = first.ok ? undefined : first.challenge?.nonce;
      expect(nonce).toHaveLength(16);
      const second = await auth.verifyDm1(attempt('s1', md5(nonce ?? new Uint8Array())));
      expect(second).toMatchObject({ ok: true, status: 212, scheme: 'md5', at: now });
      expect(second.ok && second.nextNonce).toHaveLength(16);
    });

    it('accepts the nonce of the last session at the start of the next, also after a restart [IW-AUTH-1]', async () => {
      const nonce = await logIn(authenticator(), 's1');
      await restart();
      expect(await authenticator().verifyDm1(attempt('s2', md5(nonce)))).toMatchObject({
        ok: true,
        status: 212,
      });
    });

    it('never accepts a used nonce again, in another session or after a restart [IW-AUTH-1]', async () => {
      const used: Uint8Array[] = [];
      let nonce = await logIn(authenticator(), 's0');
      for (let i = 1; i < 6; i += 1) {
        used.push(nonce);
        const verdict = await authenticator().verifyDm1(attempt(`s${i}`, md5(nonce)));
        nonce = (verdict.ok && verdict.nextNonce) || new Uint8Array();
      }
      await restart();
      for (const [i, old] of used.entries()) {
        now += 120_000;
        expect(await authenticator().verifyDm1(attempt(`r${i}`, md5(old)))).toMatchObject({
          ok: false,
          status: 401,
        });
      }
    });

    it('lets one of two that race with one nonce in', async () => {
      const nonce = await logIn(authenticator(), 's1');
      const auth = authenticator();
      const verdicts = await Promise.all(['a', 'b', 'c'].map((s) => auth.verifyDm1(attempt(s, md5(nonce)))));
      expect(verdicts.filter((v) => v.ok)).toHaveLength(1);
    });

    it('resynchronises once in a session and then ends it [IW-AUTH-1]', async () => {
      const auth = authenticator();
      const stale = md5(Buffer.alloc(16));
      const first = await auth.verifyDm1(attempt('s1', stale));
      expect(first).toMatchObject({ ok: false, status: 401, challenge: { scheme: 'md5' } });
      const second = await auth.verifyDm1(attempt('s1', stale));
      expect(second).toMatchObject({ ok: false, status: 401 });
      expect(second).not.toHaveProperty('challenge');
      expect(await auth.verifyDm1(attempt('s2', stale))).toHaveProperty('challenge');
    });

    it('keeps the nonce of the device while a stranger fails in its name', async () => {
      const auth = authenticator();
      const nonce = await logIn(auth, 's1');
      await auth.verifyDm1(attempt('evil', md5(Buffer.alloc(16), userHash('x', 'y'))));
      expect(await auth.verifyDm1(attempt('s2', md5(nonce)))).toMatchObject({ ok: true });
    });

    it('gives the same challenge until it is used, so that strangers take it from nobody [IW-AUTH-1]', async () => {
      const auth = authenticator();
      const ask = async (session: string) => {
        const verdict = await auth.verifyDm1(attempt(session));
        return (!verdict.ok && verdict.challenge?.nonce) || new Uint8Array();
      };
      const nonce = await ask('s1');
      expect(await ask('evil')).toEqual(nonce);
      expect(await auth.verifyDm1(attempt('s1', md5(nonce)))).toMatchObject({ ok: true });
      const next = await ask('s2');
      expect(next).not.toEqual(nonce);
      now += 600_000;
      expect(await ask('s3')).not.toEqual(next);
    });

    it('challenges each session once, and the first message of one anew [IW-AUTH-1]', async () => {
      const auth = authenticator();
      for (let n = 0; n < 3; n += 1)
        expect(await auth.verifyDm1({ ...attempt('s1'), first: true })).toHaveProperty('challenge');
      expect(await auth.verifyDm1(attempt('s1'))).not.toHaveProperty('challenge');
    });

    it('challenges for md5 where basic is offered, even when it is right [IW-AUTH-1]', async () => {
      expect(await authenticator().verifyDm1(attempt('s', basic('Bruce2', 'OhBehave')))).toMatchObject({
        ok: false,
        status: 401,
        challenge: { scheme: 'md5' },
      });
    });

    it('reads a Cred without Type as the scheme that is demanded', async () => {
      const auth = authenticator();
      const nonce = await logIn(auth, 's1');
      expect(await auth.verifyDm1(attempt('s2', { meta: {}, data: md5(nonce).data }))).toMatchObject({
        ok: true,
      });
    });
  });

  describe('basic and none', () => {
    it('accepts the right password only', async () => {
      const auth = authenticator({ dm1: 'basic' });
      expect(await auth.verifyDm1(attempt('a', basic('Bruce2', 'OhBehave')))).toEqual({
        ok: true,
        status: 212,
        scheme: 'basic',
        at: now,
      });
      for (const cred of [basic('Bruce2', 'x'), basic('x', 'OhBehave'), { meta: {}, data: '%%%' }]) {
        const verdict = await auth.verifyDm1(attempt(`b${cred.data}`, cred));
        expect(verdict).toMatchObject({ ok: false, status: 401, challenge: { scheme: 'basic' } });
      }
    });

    it('lets a device use its own scheme', async () => {
      await registry.register({ id: 'D', auth: 'basic' });
      expect(await authenticator().verifyDm1(attempt('s', basic('Bruce2', 'OhBehave')))).toMatchObject({
        ok: true,
      });
    });

    it('registers at first contact where nothing is demanded', async () => {
      expect(await authenticator({ dm1: 'none' }).verifyDm1(attempt('s', undefined, 'new'))).toMatchObject({
        ok: true,
        status: 212,
        scheme: 'none',
      });
      expect(await registry.get('new')).toMatchObject({ protocol: 'dm1' });
    });
  });

  describe('hmac', () => {
    it('proves every message by itself, each with a new nonce [IW-AUTH-1]', async () => {
      const auth = authenticator({ dm1: 'hmac' });
      const body = Buffer.from('<SyncML/>');
      const signed = (nonce: Uint8Array, over = body) => ({
        ...attempt('s'),
        request: {
          headers: {
            'x-syncml-hmac': formatHmacHeader({ username: 'Bruce2', mac: hmac(HASH, nonce, over) }),
          },
          body,
        },
      });
      const first = await auth.verifyDm1({ ...attempt('s'), request: { headers: {}, body } });
      let nonce = (!first.ok && first.challenge?.nonce) || new Uint8Array();
      for (let i = 0; i < 3; i += 1) {
        const verdict = await auth.verifyDm1(signed(nonce));
        expect(verdict).toMatchObject({ ok: true, status: 200, scheme: 'hmac' });
        nonce = (verdict.ok && verdict.nextNonce) || new Uint8Array();
      }
      expect(await auth.verifyDm1(signed(nonce, Buffer.from('<other/>')))).toMatchObject({ ok: false });
    });
  });

  describe('unknown devices', () => {
    it('look like known ones with a wrong password, and leave nothing behind', async () => {
      const auth = authenticator();
      const stranger = await auth.verifyDm1(attempt('s1', md5(Buffer.alloc(16)), 'X'));
      const known = await auth.verifyDm1(attempt('s2', md5(Buffer.alloc(16)), 'D'));
      const shape = (v: typeof known) => ({ ...v, challenge: !v.ok && v.challenge?.nonce?.length });
      expect(shape(stranger)).toEqual(shape(known));
      expect(await registry.get('X')).toBeUndefined();
      expect(await store.db.selectFrom('nonces').selectAll().where('device_id', '=', 'X').execute()).toEqual(
        [],
      );
      const second = await auth.verifyDm1(attempt('s1', md5(Buffer.alloc(16)), 'X'));
      expect(second).not.toHaveProperty('challenge');
    });

    it('are refused at once where the configuration says 404', async () => {
      const verdict = await authenticator({ unknownDevice: 404 }).verifyDm1(attempt('s', undefined, 'X'));
      expect(verdict).toMatchObject({ ok: false, status: 404 });
      expect(verdict).not.toHaveProperty('challenge');
    });

    it('are refused also with the account that stands in for them', async () => {
      const auth = authenticator({ dm1: 'basic' });
      const verdict = await auth.verifyDm1(attempt('s', basic('nobody', 'no password is this one'), 'X'));
      expect(verdict.ok).toBe(false);
    });
  });

  describe('a device that keeps failing', () => {
    it('is slowed down, counted, and let in again after the wait [IW-AUTH-5]', async () => {
      const auth = authenticator({ dm1: 'basic' });
      for (let i = 0; i < 5; i += 1) {
        expect(await auth.wait('D')).toBe(0);
        await auth.verifyDm1(attempt(`s${i}`, basic('Bruce2', 'wrong')));
      }
      expect(failures).toHaveLength(5);
      expect(await auth.wait('D')).toBe(1000);
      expect(await auth.verifyDm1(attempt('s', basic('Bruce2', 'OhBehave')))).toMatchObject({
        ok: false,
        status: 403,
      });
      now += 1000;
      expect(await auth.verifyDm1(attempt('t', basic('Bruce2', 'OhBehave')))).toMatchObject({ ok: true });
      expect(await registry.get('D')).toMatchObject({ failures: 0 });
    });

    it('waits ever longer, yet never more than a minute, and restarts do not help it [IW-AUTH-5]', async () => {
      let auth = authenticator({ dm1: 'basic' });
      const waits: number[] = [];
      for (let i = 0; i < 20; i += 1) {
        await auth.verifyDm1(attempt(`s${i}`, basic('Bruce2', 'wrong')));
        waits.push(await auth.wait('D'));
        now += waits.at(-1) ?? 0;
      }
      expect(waits.slice(4, 12)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
      await auth.verifyDm1(attempt('last', basic('Bruce2', 'wrong')));
      await restart();
      auth = authenticator({ dm1: 'basic' });
      expect(await auth.wait('D')).toBe(60_000);
      expect(await auth.wait('other')).toBe(0);
    });

    it('is not slowed down by whoever fails in its name elsewhere [IW-AUTH-5]', async () => {
      const auth = authenticator({ dm1: 'basic' });
      now += 1;
      for (let i = 0; i < 9; i += 1)
        await auth.verifyDm1({ ...attempt(`s${i}`, basic('Bruce2', 'wrong')), peer: '192.0.2.1' });
      expect(await auth.wait('D', '192.0.2.1')).toBe(1000);
      expect(await auth.wait('D', '198.51.100.1')).toBe(0);
      const own = { ...attempt('own', basic('Bruce2', 'OhBehave')), peer: '198.51.100.1' };
      expect(await auth.verifyDm1(own)).toMatchObject({ ok: true });
    });

    it('does not count a first message without Cred as a failure', async () => {
      const auth = authenticator();
      for (let i = 0; i < 10; i += 1) await auth.verifyDm1(attempt(`s${i}`));
      expect(failures).toEqual([]);
      expect(await auth.wait('D')).toBe(0);
    });
  });
});
