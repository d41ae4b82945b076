import { type ColumnDataType, type Kysely, type Migration, sql } from 'kysely';
import type { EngineName } from '../engine.ts';

/** First layout of the store. */
export function initial(engine: EngineName): Migration {
  const blob: ColumnDataType = engine === 'sqlite' ? 'blob' : 'bytea';
  const serial: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigserial';
  const time: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigint';

  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('devices')
        .addColumn('id', 'text', (c) => c.primaryKey().notNull())
        .addColumn('protocol', 'text')
        .addColumn('dialect', 'text')
        .addColumn('username', 'text')
        .addColumn('user_hash', 'text')
        .addColumn('ha1', 'text')
        .addColumn('auth', 'text')
        .addColumn('dev_info', 'text', (c) => c.notNull().defaultTo('{}'))
        .addColumn('mounts', 'text', (c) => c.notNull().defaultTo('[]'))
        .addColumn('capabilities', 'text', (c) => c.notNull().defaultTo('{}'))
        .addColumn('validators', 'text', (c) => c.notNull().defaultTo('{}'))
        .addColumn('server_cred', 'text')
        .addColumn('first_seen', time)
        .addColumn('last_seen', time)
        .addColumn('sessions_ended', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('failures', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('failed_at', time)
        .execute();
      await db.schema.createIndex('devices_last_seen').on('devices').column('last_seen').execute();
      await db.schema.createIndex('devices_username').on('devices').column('username').execute();

      await db.schema
        .createTable('nonces')
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('party', 'text', (c) => c.notNull())
        .addColumn('nonce', blob, (c) => c.notNull())
        .addColumn('used', 'integer', (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addPrimaryKeyConstraint('nonces_pk', ['device_id', 'party'])
        .execute();

      await db.schema
        .createTable('sessions')
        .addColumn('id', 'text', (c) => c.primaryKey().notNull())
        .addColumn('key', 'text', (c) => c.unique())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('protocol', 'text', (c) => c.notNull())
        .addColumn('backend', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('opened_at', time, (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addColumn('deadline', time, (c) => c.notNull())
        .addColumn('ending', 'text')
        .addColumn('detail', 'text')
        .addColumn('context', 'text', (c) => c.notNull())
        .addColumn('node', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createIndex('sessions_device')
        .on('sessions')
        .columns(['device_id', 'opened_at'])
        .execute();
      await db.schema
        .createIndex('sessions_live_device')
        .on('sessions')
        .column('device_id')
        .where(sql.ref('key'), 'is not', null)
        .execute();
      await db.schema.createIndex('sessions_opened').on('sessions').column('opened_at').execute();
      await db.schema
        .createIndex('sessions_ended')
        .on('sessions')
        .column('updated_at')
        .where(sql.ref('state'), '<>', sql.lit('live'))
        .execute();
      await db.schema
        .createIndex('sessions_deadline')
        .on('sessions')
        .column('deadline')
        .where(sql.ref('state'), '=', sql.lit('live'))
        .execute();

      const journal = db.schema
        .createTable('journal')
        .addColumn('session_id', 'text', (c) => c.notNull())
        .addColumn('seq', 'integer', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('at', time, (c) => c.notNull())
        .addColumn('meta', 'text', (c) => c.notNull())
        .addColumn('body', blob)
        .addPrimaryKeyConstraint('journal_pk', ['session_id', 'seq']);
      await journal.execute();

      await db.schema
        .createTable('repository')
        .addColumn('token_hash', 'text', (c) => c.primaryKey().notNull())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('session_id', 'text')
        .addColumn('direction', 'text', (c) => c.notNull())
        .addColumn('content_type', 'text')
        .addColumn('body', blob)
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('created_at', time, (c) => c.notNull())
        .addColumn('expires_at', time, (c) => c.notNull())
        .execute();
      await db.schema.createIndex('repository_expires').on('repository').column('expires_at').execute();
      await db.schema.createIndex('repository_session').on('repository').column('session_id').execute();

      await db.schema
        .createTable('jobs')
        .addColumn('seq', serial, (c) => autoIncrement(engine, c.primaryKey().notNull()))
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('commands', 'text', (c) => c.notNull())
        .addColumn('status', 'text')
        .addColumn('created_at', time, (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addColumn('detail', 'text')
        .addColumn('session_id', 'text')
        .execute();
      await db.schema.createIndex('jobs_device').on('jobs').columns(['device_id', 'state', 'seq']).execute();
      await db.schema.createIndex('jobs_session').on('jobs').column('session_id').execute();

      await db.schema
        .createTable('outbox')
        .addColumn('seq', serial, (c) => autoIncrement(engine, c.primaryKey().notNull()))
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('backend', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('payload', 'text', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('next_at', time, (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('outbox_due').on('outbox').columns(['state', 'next_at']).execute();
      await db.schema.createIndex('outbox_device').on('outbox').columns(['device_id', 'seq']).execute();
    },
  };
}

function autoIncrement<B extends { autoIncrement(): B }>(engine: EngineName, column: B): B {
  return engine === 'sqlite' ? column.autoIncrement() : column;
}
