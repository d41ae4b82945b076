import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataRepository } from '../../../src/gateway/repository/repository.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

const place = { deviceId: 'D', sessionId: 's1' };
const document = { body: Buffer.from('{"a":1}'), contentType: 'application/vnd.oma.dm.mo+json' };

onEveryEngine('Data Repository', (newUrl) => {
  let store: Store;
  let now: number;
  let repository: DataRepository;
  const open = () =>
    new DataRepository(store, {
      publicUrl: 'http://gw.example',
      repositorySeconds: 900,
      transferBytes: 100,
      now: () => now,
    });
  beforeAll(async () => {
    store = await openStore(await newUrl());
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await clear(store);
    now = 1_000_000;
    repository = open();
  });

  const tokenOf = (url: string) => url.slice('http://gw.example/repository/'.length);
  /** The client has answered for what it transferred. */
  const goesOn = (places: 'used' | 'all' = 'used') =>
    store.sessions.commit([{ id: place.sessionId, entries: [], places }]);
  const request = (method: string, url: string, more: object = {}) =>
    repository.handle({ method, token: tokenOf(url), headers: {}, ...more });

  describe('a document on offer', () => {
    it('is fetched exactly as it was put there, until its session goes on [IW-WR-1]', async () => {
      const { url, at } = await repository.offer(place, document);
      expect(at).toBe(now);
      expect(url).toMatch(/^http:\/\/gw\.example\/repository\/[A-Za-z0-9_-]{43}$/);
      expect(await request('HEAD', url)).toMatchObject({ status: 200 });
      const headers = { 'if-none-match': '*', range: 'bytes=0-1', 'if-modified-since': 'x' };
      expect(await request('GET', url, { headers })).toEqual({
        status: 200,
        headers: {
          'content-type': document.contentType,
          'content-length': '7',
          'cache-control': 'no-store',
        },
        body: document.body,
      });
      // The transfer may have broken off on its way.
      expect(await request('GET', url)).toMatchObject({ status: 200, body: document.body });
      await goesOn();
      expect(await request('GET', url)).toMatchObject({ status: 410 });
      expect(await request('HEAD', url)).toMatchObject({ status: 410 });
    });

    it('survives a restart, and is not kept once its session went on', async () => {
      const { url } = await repository.offer(place, document);
      const { url: later } = await repository.offer(place, document);
      const { url: foreign } = await repository.offer({ ...place, sessionId: 's2' }, document);
      repository = open();
      for (const each of [url, foreign]) expect(await request('GET', each)).toMatchObject({ status: 200 });
      await goesOn();
      const kept = async () => {
        const rows = await store.db.selectFrom('repository').select(['state', 'body']).execute();
        return rows.map(({ state, body }) => [state, body !== null]).sort();
      };
      expect(await kept()).toEqual([
        ['closed', false],
        ['open', true],
        ['taken', true],
      ]);
      // Of a later package; its session may end before it comes to that.
      expect(await request('HEAD', later)).toMatchObject({ status: 200 });
      await goesOn('all');
      expect(await request('GET', later)).toMatchObject({ status: 410 });
      expect(await request('GET', foreign)).toMatchObject({ status: 200 });
      expect((await kept()).filter(([, body]) => body)).toHaveLength(1);
    });

    it('leaves no token in the store', async () => {
      const { url } = await repository.offer(place, document);
      const rows = await store.db.selectFrom('repository').selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain(tokenOf(url));
    });

    it('is for its device: another is refused and uses nothing up', async () => {
      const { url } = await repository.offer(place, document);
      expect(await request('GET', url, { deviceId: 'E' })).toMatchObject({ status: 403 });
      expect(await request('GET', url, { deviceId: 'D' })).toMatchObject({ status: 200 });
    });

    it('goes to its device while others race for it', async () => {
      const { url } = await repository.offer(place, document);
      const answers = await Promise.all(
        ['E', 'D', 'F', 'D'].map((deviceId) => request('GET', url, { deviceId })),
      );
      expect(answers.map((a) => a.status)).toEqual([403, 200, 403, 200]);
    });

    it('expires', async () => {
      const { url } = await repository.offer(place, document);
      now += 900_000 - 1;
      expect(await request('HEAD', url)).toMatchObject({ status: 200 });
      now += 1;
      expect(await request('GET', url)).toMatchObject({ status: 410 });
      expect(await repository.prune()).toBe(1);
      expect(await request('GET', url)).toMatchObject({ status: 404 });
    });

    it.each(['PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'])('does not take %s', async (method) => {
      const { url } = await repository.offer(place, document);
      expect(await request(method, url)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
      expect(await request('GET', url)).toMatchObject({ status: 200 });
    });
  });

  describe('a place for an upload', () => {
    it.each([
      ['PUT', 204],
      ['POST', 201],
    ])(
      'takes a %s, again until its session goes on, and is collected with its type [IW-RD-1]',
      async (method, status) => {
        const { url } = await repository.expect(place);
        const more = { headers: { 'content-type': 'text/plain' }, body: Buffer.from('hello') };
        expect(await request(method, url, { ...more, body: Buffer.from('hel') })).toMatchObject({ status });
        expect(await request(method, url, more)).toMatchObject({ status });
        await goesOn();
        expect(await request(method, url, { ...more, body: Buffer.from('late') })).toMatchObject({
          status: 410,
        });
        repository = open();
        expect(await repository.collect(place, [url])).toEqual({
          at: now,
          uploads: [{ contentType: 'text/plain', body: Buffer.from('hello') }],
        });
      },
    );

    it('gives null for what was not uploaded, not expected or not for this device', async () => {
      const { url } = await repository.expect(place);
      const offered = await repository.offer(place, document);
      const empty = await repository.expect(place);
      await request('PUT', url, { body: Buffer.from('x') });
      const urls = [url, offered.url, empty.url, 'http://gw.example/repository/none'];
      const { uploads } = await repository.collect(place, urls);
      expect(uploads.map((u) => u !== null)).toEqual([true, false, false, false]);
      expect((await repository.collect({ ...place, deviceId: 'E' }, [url])).uploads).toEqual([null]);
    });

    it('takes an empty document for what it is', async () => {
      const { url } = await repository.expect(place);
      await request('PUT', url);
      expect((await repository.collect(place, [url])).uploads).toEqual([
        { contentType: 'application/octet-stream', body: Buffer.alloc(0) },
      ]);
    });

    it('refuses what is too large and still takes what is not', async () => {
      const { url } = await repository.expect(place);
      expect(await request('PUT', url, { body: Buffer.alloc(101) })).toMatchObject({ status: 413 });
      expect(await request('PUT', url, { body: Buffer.alloc(100) })).toMatchObject({ status: 204 });
    });

    it('is not fetched', async () => {
      const { url } = await repository.expect(place);
      expect(await request('GET', url)).toMatchObject({ status: 405, headers: { allow: 'PUT, POST' } });
    });
  });

  describe('an address that names nothing', () => {
    it.each(['', 'short', '../../etc/passwd', 'x'.repeat(43), 'é'.repeat(43), 'x'.repeat(100_000)])(
      'is 404: %j',
      async (token) => {
        expect(await repository.handle({ method: 'GET', token, headers: {} })).toMatchObject({ status: 404 });
      },
    );
  });
});
