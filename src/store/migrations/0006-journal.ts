import { type ColumnDataType, type Kysely, type Migration, sql } from 'kysely';
import type { EngineName } from '../engine.ts';

/**
 * What is written for every message, laid out for few dirty pages: entries that became durable together
 * are one row of the journal; the context of a session stands in its opening entry, so that the row that
 * changes is short; ids sort by time, which spares two indexes, and one more serves keys and devices.
 */
export function journal(engine: EngineName): Migration {
  const sqlite = engine === 'sqlite';
  const blob: ColumnDataType = sqlite ? 'blob' : 'bytea';
  const time: ColumnDataType = sqlite ? 'integer' : 'bigint';
  const bytes = sqlite ? sql`length(j.body)` : sql`octet_length(j.body)`;
  const opened = sqlite
    ? sql`json_set(j.meta, '$.context', json(s.context))`
    : sql`jsonb_set(j.meta::jsonb, '{context}', s.context::jsonb)::text`;

  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('new_journal')
        .addColumn('session_id', 'text', (c) => c.notNull())
        .addColumn('seq', 'integer', (c) => c.notNull())
        .addColumn('entries', 'text', (c) => c.notNull())
        .addColumn('bodies', blob)
        .addPrimaryKeyConstraint('new_journal_pk', ['session_id', 'seq'])
        .execute();
      await sql`
        insert into new_journal (session_id, seq, entries, bodies)
        select j.session_id, j.seq,
          j.kind || ' ' || j.at || ' ' || coalesce(cast(${bytes} as text), '-') || ' ' ||
            case when j.kind = 'open' then ${opened} else j.meta end,
          j.body
        from journal j join sessions s on s.id = j.session_id`.execute(db);
      await db.schema.dropTable('journal').execute();
      await db.schema.alterTable('new_journal').renameTo('journal').execute();

      const sessions = db.schema
        .createTable('new_sessions')
        .addColumn('id', 'text', (c) => c.primaryKey().notNull())
        .addColumn('key', 'text')
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('protocol', 'text', (c) => c.notNull())
        .addColumn('backend', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('opened_at', time, (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addColumn('deadline', time, (c) => c.notNull())
        .addColumn('ending', 'text')
        .addColumn('detail', 'text')
        .addColumn('node', 'text', (c) => c.notNull());
      await (sqlite ? sessions.modifyEnd(sql`without rowid`) : sessions).execute();
      const columns = sql.raw(
        'id, key, device_id, protocol, backend, state, opened_at, updated_at, deadline, ending, detail, node',
      );
      await sql`insert into new_sessions (${columns}) select ${columns} from sessions`.execute(db);
      await db.schema.dropTable('sessions').execute();
      await db.schema.alterTable('new_sessions').renameTo('sessions').execute();
      await db.schema
        .createIndex('sessions_device_key')
        .unique()
        .on('sessions')
        .columns(['device_id', 'key'])
        .execute();
      await db.schema
        .createIndex('sessions_deadline')
        .on('sessions')
        .column('deadline')
        .where(sql.ref('state'), '=', sql.lit('live'))
        .execute();
    },
  };
}
