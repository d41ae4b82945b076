import type { ColumnDataType, Kysely, Migration } from 'kysely';
import type { EngineName } from '../engine.ts';

/** Pages on which users answer UI alerts (IW-UI-1). */
export function interactions(engine: EngineName): Migration {
  const time: ColumnDataType = engine === 'sqlite' ? 'integer' : 'bigint';
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('interactions')
        .addColumn('token_hash', 'text', (c) => c.primaryKey().notNull())
        .addColumn('device_id', 'text', (c) => c.notNull())
        .addColumn('session_id', 'text', (c) => c.notNull())
        .addColumn('alert', 'text', (c) => c.notNull())
        .addColumn('lang', 'text')
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('answer', 'text')
        .addColumn('created_at', time, (c) => c.notNull())
        .addColumn('seen_at', time)
        .addColumn('expires_at', time, (c) => c.notNull())
        .execute();
      await db.schema.createIndex('interactions_expires').on('interactions').column('expires_at').execute();
    },
  };
}
