import { sql } from 'kysely';
import { openStore } from '../../src/store/store.ts';
import { type Exchange, recordL2n, TEMPLATE_ID } from '../crossing/l2n.ts';
import type { Child } from '../peers/child.ts';

/** Starts a gateway with more configuration than its store. */
export type StartGateway = (options: Readonly<Record<string, unknown>>) => Promise<Child>;

export interface Fleet {
  /** URL of a store with devices `1` to `count`, each as if discovered. */
  readonly store: string;
  /** A session of any of them. */
  readonly exchanges: readonly Exchange[];
}

/**
 * Fills the SQLite file `path` with `count` devices: one is discovered by a gateway that `start` starts and
 * this stops again, the others are copies of its row under other identifiers.
 */
export async function fleet(start: StartGateway, path: string, count: number): Promise<Fleet> {
  const url = `sqlite:${path}`;
  const gateway = await start({ store: url });
  const exchanges = await recordL2n(gateway.url, { encoding: 'xml' });
  await gateway.stop();
  const store = await openStore(url);
  try {
    const row = await store.db.selectFrom('devices').selectAll().executeTakeFirstOrThrow();
    const id = sql`printf('IMEI:%015d', n)`;
    const columns = Object.keys(row).map((column) => sql.ref(column));
    const values = Object.entries(row).map(([column, value]) => {
      if (column === 'id') return id;
      const holdsId = typeof value === 'string' && value.includes(TEMPLATE_ID);
      return holdsId ? sql`replace(${sql.ref(column)}, ${TEMPLATE_ID}, ${id})` : sql.ref(column);
    });
    await sql`
      insert into devices (${sql.join(columns)})
      with recursive counted(n) as (select 1 union all select n + 1 from counted where n < ${count})
      select ${sql.join(values)} from counted, (select * from devices where id = ${TEMPLATE_ID})
    `.execute(store.db);
  } finally {
    await store.close();
  }
  return { store: url, exchanges };
}
