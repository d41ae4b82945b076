import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userHash } from '../../../src/dm1/auth/digests.ts';
import { importDevices, importDevicesFile } from '../../../src/gateway/registry/importCsv.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

onEveryEngine('registry', (newUrl) => {
  let store: Store;
  let now: number;
  let registry: Registry;
  const fresh = () => new Registry(store, { now: () => now });
  beforeAll(async () => {
    store = await openStore(await newUrl());
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await clear(store);
    now = 1_000_000;
    registry = fresh();
  });

  describe('register', () => {
    it('keeps hashes only [IW-AUTH-5]', async () => {
      expect(
        await registry.register({
          id: 'D',
          username: 'Bruce2',
          password: 'OhBehave',
          serverUsername: 'srv',
          serverPassword: 'Sesame',
        }),
      ).toBe(true);
      const row = await store.db.selectFrom('devices').selectAll().executeTakeFirstOrThrow();
      expect(JSON.stringify(row)).not.toMatch(/OhBehave|Sesame/);
      expect(row.user_hash).toBe(userHash('Bruce2', 'OhBehave'));
      const record = await registry.get('D');
      expect(record?.account?.ha1['MD5']).toMatch(/^[0-9a-f]{32}$/);
      expect(record?.account?.ha1['SHA-256']).toMatch(/^[0-9a-f]{64}$/);
      expect(record?.serverAccount).toEqual({ username: 'srv', userHash: userHash('srv', 'Sesame') });
    });

    it('changes credentials and keeps what was learned', async () => {
      await registry.register({ id: 'D', username: 'u', password: 'one' });
      await registry.apply('D', { devInfo: { Man: 'Acme' } });
      expect(await registry.register({ id: 'D', username: 'u', password: 'two' })).toBe(false);
      const record = await registry.get('D');
      expect(record?.account?.userHash).toBe(userHash('u', 'two'));
      expect(record?.devInfo).toEqual({ Man: 'Acme' });
      await registry.register({ id: 'D', auth: 'basic' });
      expect(await registry.get('D')).toMatchObject({ auth: 'basic', account: { username: 'u' } });
    });

    it.each([
      [{ id: '' }, 'malformed'],
      [{ id: 'x'.repeat(256) }, 'malformed'],
      [{ id: 'a\nb' }, 'malformed'],
      [{ id: 'D', username: 'u' }, 'bad-value'],
      [{ id: 'D', username: 'a:b', password: 'p' }, 'bad-value'],
      [{ id: 'D', serverPassword: 'p' }, 'bad-value'],
    ])('refuses %o', async (registration, code) => {
      await expect(registry.register(registration)).rejects.toMatchObject({ code });
      expect(await registry.count()).toBe(0);
    });
  });

  describe('what sessions learn', () => {
    it('starts as nothing at the first contact', async () => {
      expect(await registry.snapshot('D')).toEqual({
        id: 'D',
        devInfo: {},
        mounts: [],
        capabilities: {},
        validators: {},
        kept: {},
        firstSession: true,
      });
      await registry.firstContact('D', 'dm1');
      expect(await registry.get('D')).toMatchObject({ protocol: 'dm1', firstSeen: now, lastSeen: now });
    });

    it('is merged member by member and survives a restart [IW-INV-1]', async () => {
      await registry.firstContact('D', 'dm1');
      const mount = { moid: 'urn:oma:mo:oma-fumo:1.0', miid: 'f', root: ['FUMO', 'f'] } as never;
      await registry.apply('D', {
        devInfo: { Man: 'Acme', FwV: '1' },
        capabilities: { a: true },
        mounts: [mount],
      });
      await registry.apply('D', {
        devInfo: { FwV: '2' },
        capabilities: { b: false },
        validators: { x: 'y' },
      });
      const expected = {
        devInfo: { Man: 'Acme', FwV: '2' },
        capabilities: { a: true, b: false },
        validators: { x: 'y' },
        mounts: [mount],
      };
      expect(await registry.snapshot('D')).toMatchObject(expected);
      expect(await fresh().snapshot('D')).toMatchObject(expected);
    });

    it('keeps what backends leave entry by entry, and forgets what they take back [IW-DEF-1] [IW-SUB-1]', async () => {
      await registry.firstContact('D', 'dm1');
      const subscription = { serverUri: 'https://a.example/', backend: 'dms', validator: 'v' };
      await Promise.all(
        ['urn:a//', 'urn:b//', '__proto__'].map((uri) =>
          registry.apply('D', { kept: { subscriptions: { [uri]: subscription } } }),
        ),
      );
      const source = { serverUri: 'https://b.example/', backend: 'dms' };
      await registry.apply('D', {
        kept: { subscriptions: { 'urn:a//': null, 'urn:c//': null }, defaults: { 'urn:m': source } },
      });
      const { kept } = await fresh().snapshot('D');
      expect(Object.keys(kept?.subscriptions ?? {}).sort()).toEqual(['__proto__', 'urn:b//']);
      expect(kept?.defaults).toEqual({ 'urn:m': source });
    });

    it('loses nothing when two sessions save at once', async () => {
      await registry.firstContact('D', 'dm1');
      const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
      await Promise.all(names.map((name) => registry.apply('D', { capabilities: { [name]: true } })));
      expect(Object.keys((await fresh().snapshot('D')).capabilities)).toHaveLength(20);
    });

    it('is refused for a device that is not there', async () => {
      await expect(registry.apply('D', {})).rejects.toMatchObject({ code: 'not-found' });
    });

    it('counts sessions, so that the first is known as such', async () => {
      await registry.firstContact('D', 'dm2');
      await registry.sessionEnded('D');
      expect((await registry.snapshot('D')).firstSession).toBe(false);
      expect((await fresh().snapshot('D')).firstSession).toBe(false);
    });

    it('costs no write when a device calls again within a minute', async () => {
      await registry.firstContact('D', 'dm1');
      now += 30_000;
      expect((await registry.firstContact('D', 'dm1')).lastSeen).toBe(1_000_000);
      now += 40_000;
      expect((await registry.firstContact('D', 'dm1')).lastSeen).toBe(now);
      expect((await registry.firstContact('D', 'dm2')).protocol).toBe('dm2');
    });
  });

  describe('list', () => {
    it('pages by id without gaps or repetition', async () => {
      await registry.registerRows(
        Array.from({ length: 250 }, (_, i) => ({ id: `D${String(i).padStart(4, '0')}` })),
      );
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await registry.list({ limit: 100, ...(after === undefined ? {} : { after }) });
        seen.push(...page.devices.map((d) => d.id));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toHaveLength(250);
      expect(new Set(seen).size).toBe(250);
    });

    it('filters by prefix and protocol, and takes wildcards for what they are', async () => {
      for (const id of ['IMEI:1', 'IMEI:2', 'imei:3', '%', '_']) await registry.firstContact(id, 'dm1');
      await registry.firstContact('IMEI:2', 'dm2');
      const ids = async (filter: object) => (await registry.list({ filter })).devices.map((d) => d.id);
      expect(await ids({ idPrefix: 'IMEI:' })).toEqual(['IMEI:1', 'IMEI:2']);
      expect(await ids({ idPrefix: '%' })).toEqual(['%']);
      expect(await ids({ protocol: 'dm2' })).toEqual(['IMEI:2']);
    });
  });

  describe('remove', () => {
    it('forgets the device and its nonces', async () => {
      await registry.firstContact('D', 'dm1');
      await store.db
        .insertInto('nonces')
        .values({ device_id: 'D', party: 'device', nonce: Buffer.alloc(16), used: 0, updated_at: 1 })
        .execute();
      expect(await registry.remove('D')).toBe(true);
      expect(await registry.remove('D')).toBe(false);
      expect(await registry.get('D')).toBeUndefined();
      expect(await store.db.selectFrom('nonces').selectAll().execute()).toEqual([]);
    });
  });

  describe('importing devices', () => {
    const load = (text: string) => importDevices(registry, [text]);

    it('reads columns in any order, quotes, line breaks in quotes, a byte order mark and CRLF', async () => {
      const text = '\uFEFFpassword,ID,username\r\n"a ""b"", c",D1,u1\r\n\r\n"two\nlines",D2, u2 \r\n,D3,\r\n';
      expect(await load(text)).toEqual({ imported: 3, problems: [], refused: 0 });
      expect((await registry.get('D1'))?.account?.userHash).toBe(userHash('u1', 'a "b", c'));
      expect((await registry.get('D2'))?.account?.userHash).toBe(userHash('u2', 'two\nlines'));
      expect(await registry.get('D3')).not.toHaveProperty('account');
    });

    it('gives the same result whatever pieces the file comes in', async () => {
      const text = '\uFEFFid,username,password\r\nD1,u,"p""\r\n1"\r\nD2,v,q';
      await importDevices(registry, [...text]);
      expect((await registry.get('D1'))?.account?.userHash).toBe(userHash('u', 'p"\r\n1'));
      expect((await registry.get('D2'))?.account?.userHash).toBe(userHash('v', 'q'));
    });

    it('keeps spaces of passwords and drops those of names', async () => {
      await load('id,username,password\n D , u , p \n');
      expect((await registry.get('D'))?.account?.userHash).toBe(userHash('u', ' p '));
    });

    it('names line and column of what is wrong and keeps the rest', async () => {
      const rows = ['A,u,p', ',u,p', 'B,u,', 'C,a:b,p', 'D,u,p,x', '"E\nE",u,p', 'F,u,p', 'G'];
      const result = await load(`id,username,password\n${rows.join('\n')}\n`);
      expect(result.problems).toEqual([
        { line: 3, column: 'id', message: 'is empty' },
        { line: 4, column: 'password', message: 'is empty' },
        { line: 5, column: 'username', message: 'A username holds no colon.' },
        { line: 6, message: 'has 4 fields where the header names 3' },
        { line: 7, column: 'id', message: expect.stringContaining('control characters') },
      ]);
      expect(result).toMatchObject({ imported: 3, refused: 5 });
      expect((await registry.list()).devices.map((d) => d.id)).toEqual(['A', 'F', 'G']);
    });

    it.each([
      ['', 'the file is empty'],
      ['name,password\n', 'there is no column "name"'],
      ['username,password\n', 'the column "id" is missing'],
      ['id,id\n', 'the column "id" stands there twice'],
    ])('refuses the header %j', async (text, message) => {
      await expect(load(text)).rejects.toMatchObject({
        code: 'configuration',
        detail: expect.stringContaining(message),
      });
    });

    it.each([
      ['id\nA\n"B', 'a quote is left open'],
      ['id\nA\n"B"x\n', 'there is text behind a closing quote'],
    ])('stops where quoting breaks: %j', async (text, message) => {
      const result = await load(text);
      expect(result).toMatchObject({ imported: 1, refused: 1 });
      expect(result.problems[0]).toMatchObject({
        line: 3,
        column: 'id',
        message: expect.stringContaining(message),
      });
    });

    it('changes nothing when it is repeated, and takes the last of two rows for one device', async () => {
      const text = 'id,username,password\nA,u,one\nA,u,two\n';
      await load(text);
      const before = await store.db.selectFrom('devices').selectAll().execute();
      await load(text);
      expect(await store.db.selectFrom('devices').selectAll().execute()).toEqual(before);
      expect((await registry.get('A'))?.account?.userHash).toBe(userHash('u', 'two'));
    });

    it('streams ten thousand devices', async () => {
      function* lines() {
        yield 'id,username,password\n';
        for (let i = 0; i < 10_000; i += 1) yield `D${i},u${i},p${i}\n`;
      }
      expect(await importDevices(registry, lines())).toMatchObject({ imported: 10_000 });
      expect(await registry.count()).toBe(10_000);
    });

    it('names a file that is not there', async () => {
      await expect(importDevicesFile(registry, '/nowhere.csv')).rejects.toMatchObject({
        code: 'configuration',
      });
    });
  });
});
