import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/store.ts';

/** Looking for what is due runs every second, and finding what a session answers for each that was woken. */
describe('queries of notifications go by an index', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
  });
  afterAll(() => store.close());

  it.each([
    [
      `select n.* from notifications n where n.state in ('waiting', 'sent') and n.next_at <= 1 and not exists
        (select 1 from sessions s where s.device_id = n.device_id and s.state = 'live') order by n.next_at limit 16`,
      [/SEARCH n USING INDEX notifications_due/, /SEARCH s USING INDEX/],
    ],
    [
      `select * from notifications where device_id = 'D' and state <> 'withdrawn' order by created_at desc limit 100`,
      [/SEARCH notifications USING INDEX notifications_device/],
    ],
    [
      `select * from notifications where device_id = 'D' and source = 'x'`,
      [/SEARCH notifications USING INDEX notifications_source/],
    ],
  ])('%s', async (query, plans) => {
    const explain = store.prepare<[], { detail: string }>(() => ({
      ...store.db.selectFrom('devices').selectAll().compile(),
      sql: `explain query plan ${query}`,
      parameters: [],
    }));
    const found = (await explain()).map(({ detail }) => detail).join('\n');
    for (const plan of plans) expect(found).toMatch(plan);
    expect(found).not.toMatch(/\bSCAN (n|s|notifications)\b/);
  });
});
