import type { ColumnDataType, Kysely, Migration } from 'kysely';
import type { EngineName } from '../engine.ts';

/** Values too large for memory, in pieces (1x§8), and documents of the Data Repository that are made of such. */
export function objects(engine: EngineName): Migration {
  const blob: ColumnDataType = engine === 'sqlite' ? 'blob' : 'bytea';
  const time: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigint';
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('objects')
        .addColumn('object', 'text', (c) => c.notNull())
        .addColumn('start', time, (c) => c.notNull())
        .addColumn('ends', time, (c) => c.notNull())
        .addColumn('session_id', 'text', (c) => c.notNull())
        .addColumn('body', blob, (c) => c.notNull())
        .addColumn('created_at', time, (c) => c.notNull())
        .addPrimaryKeyConstraint('objects_place', ['object', 'start'])
        .execute();
      await db.schema.createIndex('objects_session').on('objects').column('session_id').execute();
      await db.schema.createIndex('objects_created').on('objects').column('created_at').execute();
      await db.schema.alterTable('repository').addColumn('content', 'text').execute();
    },
  };
}
