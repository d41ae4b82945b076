import { type ColumnDataType, type Kysely, type Migration, sql } from 'kysely';
import type { EngineName } from '../engine.ts';

/** Alerts wait for their backend in lanes, and asynchronous EXECs for their reports (IW-ALERT-6, IW-EXEC-2, IW-WR-3). */
export function outbox(engine: EngineName): Migration {
  const time: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigint';

  return {
    async up(db: Kysely<unknown>) {
      const add = (name: string, type: ColumnDataType) =>
        db.schema.alterTable('outbox').addColumn(name, type).execute();
      await add('lane', 'text');
      await add('session_id', 'text');
      await add('url', 'text');
      await add('report_id', 'text');
      await add('detail', 'text');
      await add('claimed_by', 'text');
      await add('created_at', time);
      await db.schema
        .createIndex('outbox_waiting')
        .on('outbox')
        .column('next_at')
        .where(sql.ref('state'), '=', sql.lit('waiting'))
        .execute();
      await db.schema
        .createIndex('outbox_lane')
        .on('outbox')
        .columns(['device_id', 'lane', 'seq'])
        .where(sql.ref('state'), '=', sql.lit('waiting'))
        .execute();

      await db.schema
        .createTable('reports')
        .addColumn('id', 'text', (c) => c.primaryKey().notNull())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('direction', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('correlator', 'text')
        .addColumn('token_hash', 'text', (c) => c.unique())
        .addColumn('uri', 'text', (c) => c.notNull())
        .addColumn('client_uri', 'text', (c) => c.notNull())
        .addColumn('server_uri', 'text')
        .addColumn('backend', 'text', (c) => c.notNull())
        .addColumn('session_id', 'text', (c) => c.notNull())
        .addColumn('job_id', 'text')
        .addColumn('alert', 'text')
        .addColumn('created_at', time, (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addColumn('expires_at', time, (c) => c.notNull())
        .execute();
      const pending = (name: string, column: string) =>
        db.schema
          .createIndex(name)
          .on('reports')
          .column(column)
          .where(sql.ref('state'), '=', sql.lit('pending'))
          .execute();
      await pending('reports_device', 'device_id');
      await pending('reports_expires', 'expires_at');
      await db.schema.createIndex('reports_job').on('reports').column('job_id').execute();
      await db.schema.createIndex('reports_updated').on('reports').column('updated_at').execute();
    },
  };
}
