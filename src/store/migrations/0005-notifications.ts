import { type ColumnDataType, type Kysely, type Migration, sql } from 'kysely';
import type { EngineName } from '../engine.ts';

/** Notifications on their way to devices, how each device is reached, and bootstraps under way (IW-NOT, IW-BOOT). */
export function notifications(engine: EngineName): Migration {
  const time: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigint';
  return {
    async up(db: Kysely<unknown>) {
      const device = (name: string, type: ColumnDataType) =>
        db.schema.alterTable('devices').addColumn(name, type).execute();
      await device('notify_via', 'text');
      await device('notify_address', 'text');
      await device('notify_server', 'text');
      await device('notify_secret', 'text');
      await device('notify_data', 'text');
      await device('bootstrapped_at', time);
      await db.schema
        .createTable('notifications')
        .addColumn('id', 'text', (c) => c.primaryKey().notNull())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('number', 'integer', (c) => c.notNull())
        .addColumn('asked_number', 'integer')
        .addColumn('asked_by', 'text', (c) => c.notNull())
        .addColumn('source', 'text')
        .addColumn('form', 'text', (c) => c.notNull())
        .addColumn('request', 'text', (c) => c.notNull())
        .addColumn('via', 'text', (c) => c.notNull())
        .addColumn('address', 'text')
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('sent', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('next_at', time, (c) => c.notNull())
        .addColumn('expires_at', time, (c) => c.notNull())
        .addColumn('created_at', time, (c) => c.notNull())
        .addColumn('updated_at', time, (c) => c.notNull())
        .addColumn('session_id', 'text')
        .addColumn('job_id', 'text')
        .addColumn('detail', 'text')
        .addColumn('notes', 'text', (c) => c.notNull().defaultTo('[]'))
        .addColumn('claimed_by', 'text')
        .execute();
      const open = sql.ref('state');
      await db.schema
        .createIndex('notifications_due')
        .on('notifications')
        .column('next_at')
        .where(open, 'in', sql`('waiting', 'sent')`)
        .execute();
      await db.schema
        .createIndex('notifications_number')
        .unique()
        .on('notifications')
        .columns(['device_id', 'number'])
        .where(open, 'in', sql`('waiting', 'sent')`)
        .execute();
      await db.schema
        .createIndex('notifications_source')
        .unique()
        .on('notifications')
        .columns(['device_id', 'source'])
        .execute();
      await db.schema
        .createIndex('notifications_device')
        .on('notifications')
        .columns(['device_id', 'created_at'])
        .execute();
      await db.schema.createIndex('notifications_updated').on('notifications').column('updated_at').execute();
    },
  };
}
