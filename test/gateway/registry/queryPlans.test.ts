import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/store.ts';

/** What runs for every message or every failed login must not grow with the fleet. */
describe('hot queries go by an index', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
  });
  afterAll(() => store.close());

  it.each([
    ["select * from devices where id = 'x'", /SEARCH devices USING INDEX/],
    ["select * from devices where username = 'x' order by id limit 1", /USING INDEX devices_username/],
    ["select * from devices where id > 'x' order by id limit 100", /SEARCH devices USING INDEX/],
    [
      "select * from jobs where device_id = 'D' and state = 'queued' order by seq limit 1",
      /^SEARCH jobs USING INDEX jobs_device \(device_id=\? AND state=\?\)$/,
    ],
    ["select * from jobs where id = 'x'", /SEARCH jobs USING INDEX/],
    [
      "select * from nonces where device_id = 'D' and party in ('device', 'challenge')",
      /SEARCH nonces USING INDEX/,
    ],
    ["select * from repository where token_hash = 'x'", /SEARCH repository USING INDEX/],
    [
      "select * from outbox where device_id = 'D' and kind = 'received' order by seq desc limit 9",
      /SEARCH outbox USING INDEX outbox_device/,
    ],
  ])('%s', async (query, plan) => {
    const explain = store.prepare<[], { detail: string }>(() => ({
      ...store.db.selectFrom('devices').selectAll().compile(),
      sql: `explain query plan ${query}`,
      parameters: [],
    }));
    expect((await explain())[0]?.detail).toMatch(plan);
  });
});
