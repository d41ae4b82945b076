import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceRow, JournalEntry, SessionRow } from '../../src/store/schema.ts';
import { newSessionId } from '../../src/store/sessions.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { onEveryEngine } from './engines.ts';

function sessionRow(id: string, over: Partial<SessionRow> = {}): SessionRow {
  return {
    id,
    key: `dm1|D|${id}`,
    device_id: 'D',
    protocol: 'dm1',
    backend: 'console',
    state: 'live',
    opened_at: 1_700_000_000_000,
    updated_at: 1_700_000_000_000,
    deadline: 1_700_000_300_000,
    ending: null,
    detail: null,
    node: 'a',
    ...over,
  };
}

function entry(session: string, seq: number, body: Uint8Array | null = null): JournalEntry {
  return { session_id: session, seq, kind: 'note', at: 1_700_000_000_000 + seq, meta: '{"x":"é"}', body };
}

onEveryEngine('store', (newUrl) => {
  const open: Store[] = [];
  async function fresh(): Promise<Store> {
    const store = await openStore(await newUrl());
    open.push(store);
    return store;
  }
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });

  it('puts rows of a journal in other words, together with what is written then, or not at all', async () => {
    const { sessions } = await fresh();
    const id = newSessionId(1_700_000_000_000);
    const bytes = Buffer.from([0, 255, 7]);
    await sessions.commit([{ id, open: sessionRow(id), entries: [entry(id, 0, bytes), entry(id, 1)] }]);
    await sessions.commit([{ id, entries: [entry(id, 2, bytes)] }]);
    const rewrites = (await sessions.rows(id)).slice(0, 1).map((row) => ({
      ...row,
      ...{ entries: row.entries.replace('é', '***'), bodies: Buffer.from([1, 2, 3]) },
    }));
    const [refused] = await sessions.commit([{ id, entries: [entry(id, 2)], rewrites }]);
    expect(refused).toBeDefined();
    expect((await sessions.entries(id))[0]!.meta).toBe('{"x":"é"}');
    expect(await sessions.commit([{ id, entries: [entry(id, 3)], rewrites }])).toEqual([undefined]);
    const after = await sessions.entries(id);
    expect(after.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(after.map(({ meta }) => meta)).toEqual(['{"x":"***"}', '{"x":"é"}', '{"x":"é"}', '{"x":"é"}']);
    expect(after.map(({ body }) => body && [...body])).toEqual([[1, 2, 3], null, [0, 255, 7], null]);
  });

  it('keeps text, times, bytes and defaults as they were', async () => {
    const store = await fresh();
    await store.db
      .insertInto('devices')
      .values({
        id: 'IMEI:1',
        protocol: 'dm1',
        dialect: null,
        username: 'ü',
        user_hash: null,
        ha1: null,
        auth: null,
        server_cred: null,
        first_seen: 1_700_000_000_123,
        last_seen: null,
        failed_at: null,
      })
      .execute();
    await store.db
      .insertInto('nonces')
      .values({
        device_id: 'IMEI:1',
        party: 'device',
        nonce: Uint8Array.of(0, 255, 7),
        used: 0,
        updated_at: 5,
      })
      .execute();
    const device = await store.db.selectFrom('devices').selectAll().executeTakeFirstOrThrow();
    expect(device).toMatchObject({
      username: 'ü',
      first_seen: 1_700_000_000_123,
      dev_info: '{}',
      failures: 0,
    });
    const { nonce } = await store.db.selectFrom('nonces').selectAll().executeTakeFirstOrThrow();
    expect([...nonce]).toEqual([0, 255, 7]);
  });

  it('numbers jobs in the order of their arrival', async () => {
    const store = await fresh();
    for (const id of ['c', 'a', 'b']) {
      await store.db
        .insertInto('jobs')
        .values({
          id,
          device_id: 'D',
          state: 'queued',
          commands: '[]',
          status: null,
          created_at: 1,
          updated_at: 1,
          detail: null,
          session_id: null,
        })
        .execute();
    }
    const rows = await store.db.selectFrom('jobs').select(['id', 'seq']).orderBy('seq').execute();
    expect(rows.map((r) => r.id)).toEqual(['c', 'a', 'b']);
    expect(rows.every((r) => typeof r.seq === 'number')).toBe(true);
  });

  it('runs a query compiled once with new parameters', async () => {
    const store = await fresh();
    const byId = store.prepare<[string], DeviceRow>((slot) =>
      store.db.selectFrom('devices').selectAll().where('id', '=', slot<string>(0)).compile(),
    );
    const seen = store.prepareChange<[number, string]>((slot) =>
      store.db
        .updateTable('devices')
        .set({ last_seen: slot<number>(0) })
        .where('id', '=', slot<string>(1))
        .compile(),
    );
    await store.db
      .insertInto('devices')
      .values([
        {
          id: 'a',
          protocol: null,
          dialect: null,
          username: null,
          user_hash: null,
          ha1: null,
          auth: null,
          server_cred: null,
          first_seen: null,
          last_seen: null,
          failed_at: null,
        },
        {
          id: 'b',
          protocol: null,
          dialect: null,
          username: null,
          user_hash: null,
          ha1: null,
          auth: null,
          server_cred: null,
          first_seen: null,
          last_seen: null,
          failed_at: null,
        },
      ])
      .execute();
    expect(await seen(9, 'b')).toBe(1);
    expect(await seen(9, 'zzz')).toBe(0);
    expect((await byId('b'))[0]).toMatchObject({ id: 'b', last_seen: 9 });
    expect((await byId('a'))[0]).toMatchObject({ id: 'a', last_seen: null });
    expect(await byId('c')).toEqual([]);
  });

  it('stores sessions and journals of one commit together', async () => {
    const store = await fresh();
    const body = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
    const outcome = await store.sessions.commit([
      { id: 's1', open: sessionRow('s1'), entries: [entry('s1', 0, body), entry('s1', 1)] },
      {
        id: 's2',
        open: sessionRow('s2'),
        patch: { state: 'done', key: null, ending: 'refused' },
        entries: [entry('s2', 0)],
      },
    ]);
    expect(outcome).toEqual([undefined, undefined]);
    expect(await store.sessions.keyedOf('D')).toEqual([sessionRow('s1')]);
    expect(await store.sessions.byId('s2')).toMatchObject({ state: 'done', key: null, ending: 'refused' });
    const rows = await store.sessions.entries('s1');
    expect(rows.map((r) => [r.seq, r.at, r.meta])).toEqual([
      [0, 1_700_000_000_000, '{"x":"é"}'],
      [1, 1_700_000_000_001, '{"x":"é"}'],
    ]);
    expect(Buffer.compare(Buffer.from(rows[0]!.body!), Buffer.from(body))).toBe(0);
    expect(await store.sessions.countLive()).toBe(1);
  });

  it('refuses a taken place in a journal without harm to the other sessions of the commit', async () => {
    const store = await fresh();
    await store.sessions.commit([{ id: 's1', open: sessionRow('s1'), entries: [entry('s1', 0)] }]);
    const [first, second] = await store.sessions.commit([
      { id: 's1', patch: { updated_at: 99 }, entries: [entry('s1', 0), entry('s1', 1)] },
      { id: 's3', open: sessionRow('s3'), entries: [entry('s3', 0)] },
    ]);
    expect(first).toBeInstanceOf(Error);
    expect(second).toBeUndefined();
    expect((await store.sessions.entries('s1')).length).toBe(1);
    expect((await store.sessions.byId('s1'))?.updated_at).toBe(1_700_000_000_000);
    expect((await store.sessions.entries('s3')).length).toBe(1);
  });

  it('frees the key of a replaced session for its successor in the same commit [IW-SES-3]', async () => {
    const store = await fresh();
    await store.sessions.commit([{ id: 'old', open: sessionRow('old', { key: 'k' }), entries: [] }]);
    const outcome = await store.sessions.commit([
      { id: 'new', open: sessionRow('new', { key: 'k' }), entries: [] },
      { id: 'old', patch: { key: null }, entries: [] },
    ]);
    expect(outcome).toEqual([undefined, undefined]);
    expect((await store.sessions.keyedOf('D')).map(({ id }) => id)).toEqual(['new']);
    const [refused] = await store.sessions.commit([
      { id: 'third', open: sessionRow('third', { key: 'k' }), entries: [] },
    ]);
    expect(refused).toBeInstanceOf(Error);
  });

  it('lets one node claim an overdue session [IW-SES-11]', async () => {
    const store = await fresh();
    await store.sessions.commit([
      { id: 's1', open: sessionRow('s1', { deadline: 10 }), entries: [] },
      { id: 's2', open: sessionRow('s2', { deadline: 5 }), entries: [] },
      { id: 's3', open: sessionRow('s3', { deadline: 50 }), entries: [] },
    ]);
    const due = await store.sessions.overdue(10, 10);
    expect(due.map((row) => row.id)).toEqual(['s2', 's1']);
    const claims = await Promise.all(['a', 'b'].map((node) => store.sessions.claim(due[0]!, node, 100)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect((await store.sessions.overdue(10, 10)).map((row) => row.id)).toEqual(['s1']);
  });

  it('purges what has ended and is old, and nothing else', async () => {
    const store = await fresh();
    const [live, old, touched, young] = [1, 1, 2, 8].map(newSessionId) as [string, string, string, string];
    const opened = (id: string, over: Partial<SessionRow>) => ({
      id,
      open: sessionRow(id, over),
      entries: [entry(id, 0)],
    });
    await store.sessions.commit([
      opened(live, { updated_at: 1 }),
      opened(old, { updated_at: 4, state: 'done', key: null }),
      opened(touched, { updated_at: 9, state: 'failed', key: null }),
      opened(young, { updated_at: 9, state: 'done', key: null }),
    ]);
    expect(await store.sessions.purge(5)).toBe(1);
    const left = await Promise.all([live, old, touched, young].map((id) => store.sessions.entries(id)));
    expect(left.map((entries) => entries.length)).toEqual([1, 0, 1, 1]);
    expect(await store.sessions.byId(old)).toBeUndefined();
    expect(await store.sessions.purge(10)).toBe(2);
  });

  it('keeps with the entries of a session what was changed elsewhere for it, or neither', async () => {
    const store = await fresh();
    const mark = (n: number) => (store.name === 'sqlite' ? '?' : `$${n}`);
    const also = [
      {
        sql: `insert into nonces (device_id, party, nonce, used, updated_at) values (${[1, 2, 3, 4, 5].map(mark).join(', ')})`,
        params: ['D', 'device', Buffer.of(1), 0, 1],
      },
    ];
    const nonces = () => store.db.selectFrom('nonces').selectAll().execute();
    await store.sessions.commit([{ id: 's1', open: sessionRow('s1'), entries: [entry('s1', 0)] }]);
    const refused = await store.sessions.commit([{ id: 's1', entries: [entry('s1', 0)], also }]);
    expect(refused[0]).toBeInstanceOf(Error);
    expect(await nonces()).toEqual([]);
    expect(await store.sessions.commit([{ id: 's1', entries: [entry('s1', 1)], also }])).toEqual([undefined]);
    expect(await nonces()).toHaveLength(1);
  });

  it('keeps hot statements out of a transaction that Kysely has open', async () => {
    const store = await fresh();
    const failed = store.db
      .transaction()
      .execute(async (trx) => {
        await trx
          .insertInto('nonces')
          .values({ device_id: 'D', party: 'device', nonce: Uint8Array.of(1), used: 0, updated_at: 1 })
          .execute();
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new Error('rolled back');
      })
      .catch((error: Error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.sessions.commit([{ id: 's1', open: sessionRow('s1'), entries: [entry('s1', 0)] }]);
    expect(await failed).toBe('rolled back');
    expect(await store.db.selectFrom('nonces').selectAll().execute()).toEqual([]);
    expect((await store.sessions.entries('s1')).length).toBe(1);
  });

  it('is brought up to date by several processes at once', async () => {
    const url = await newUrl();
    const script = join(import.meta.dirname, 'openOnce.ts');
    const loader = join(import.meta.dirname, 'typescript.mjs');
    const run = promisify(execFile);
    const outputs = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, ['--import', loader, script, url])),
    );
    expect(outputs.map((o) => o.stdout.trim())).toEqual(['ready', 'ready', 'ready']);
  }, 60_000);
});

describe('store addresses', () => {
  it('opens a store in memory', async () => {
    const store = await openStore('sqlite::memory:');
    expect(await store.sessions.countLive()).toBe(0);
    await store.close();
  });

  it('refuses other schemes with a hint', async () => {
    await expect(openStore('mysql://x')).rejects.toThrow(/sqlite:PATH/);
  });

  it('says what is wrong with a path that cannot be opened', async () => {
    await expect(openStore('sqlite:/dev/null/x.db')).rejects.toThrow(/cannot be opened/);
  });
});
