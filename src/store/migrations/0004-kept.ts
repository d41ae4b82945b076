import type { Kysely, Migration } from 'kysely';

/** What backends left with a device for later sessions: defaults, subscriptions, fetched documents (IW-DEF-1, IW-SUB-1). */
export function kept(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('devices')
        .addColumn('kept', 'text', (c) => c.notNull().defaultTo('{}'))
        .execute();
    },
  };
}
