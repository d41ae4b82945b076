import { Kysely, Migrator } from 'kysely';
import { expect, it } from 'vitest';
import type { Engine } from '../../src/store/engine.ts';
import { migrations } from '../../src/store/migrations/all.ts';
import { PostgresEngine } from '../../src/store/postgres.ts';
import { SqliteEngine } from '../../src/store/sqlite.ts';
import { openStore } from '../../src/store/store.ts';
import { onEveryEngine } from './engines.ts';

/** Tables of the first layout that a later one replaced. */
interface Former {
  sessions: Record<string, string | number | null>;
  journal: Record<string, string | number | Uint8Array | null>;
}

onEveryEngine('a store of an earlier version', (newUrl) => {
  it('keeps its sessions and their journals', async () => {
    const url = await newUrl();
    const engine: Engine = url.startsWith('sqlite:')
      ? new SqliteEngine(url.slice('sqlite:'.length))
      : new PostgresEngine(url);
    const db = new Kysely<Former>({ dialect: engine.dialect });
    await new Migrator({ db, provider: migrations(engine.name) }).migrateTo('0004-kept');
    const session = {
      id: '0mwq196yf-06b156a0-0d89-4e88',
      key: 'k',
      device_id: 'D',
      protocol: 'dm1',
      backend: 'b',
      state: 'live',
      opened_at: 1,
      updated_at: 2,
      deadline: 3,
      ending: null,
      detail: null,
      node: 'n',
    };
    await db
      .insertInto('sessions')
      .values({ ...session, context: '{"at":1}' })
      .execute();
    const entry = (seq: number, kind: string, meta: string, body: Uint8Array | null) => ({
      session_id: session.id,
      seq,
      kind,
      at: 1_700_000_000_000 + seq,
      meta,
      body,
    });
    await db
      .insertInto('journal')
      .values([
        entry(0, 'open', '{"h":"ü"}', Uint8Array.of(0, 10, 255)),
        entry(1, 'end', '{"a":"b c"}', null),
      ])
      .execute();
    await db.destroy();

    const store = await openStore(url);
    try {
      expect(await store.sessions.keyedOf('D')).toEqual([session]);
      const [open, end] = await store.sessions.entries(session.id);
      expect({ ...open, meta: JSON.parse(open!.meta), body: [...open!.body!] }).toEqual({
        ...entry(0, 'open', '', null),
        meta: { h: 'ü', context: { at: 1 } },
        body: [0, 10, 255],
      });
      expect(end).toEqual(entry(1, 'end', '{"a":"b c"}', null));
    } finally {
      await store.close();
    }
  });
});
