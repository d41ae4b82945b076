import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/store.ts';

/** What every alert and every look for work costs must not grow with what was delivered or reported before. */
describe('queries of the outbox and of reports go by an index', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
  });
  afterAll(() => store.close());

  it.each([
    [
      `select o.* from outbox o where o.state = 'waiting' and o.next_at <= 1
        and not exists (select 1 from outbox e where e.device_id = o.device_id and e.lane = o.lane
          and e.state = 'waiting' and e.seq < o.seq)
        and (o.url is not null or not exists
          (select 1 from sessions s where s.device_id = o.device_id and s.state = 'live'))
        order by o.next_at, o.seq limit 8`,
      [
        /SEARCH o USING INDEX outbox_(waiting|due)/,
        /SEARCH e USING (COVERING )?INDEX outbox_lane/,
        /SEARCH s USING INDEX/,
      ],
    ],
    [
      `select id from outbox where device_id = 'D' and lane = 'l' and state = 'waiting' and session_id is null limit 1`,
      [/SEARCH outbox USING INDEX outbox_lane/],
    ],
    [
      `update outbox set next_at = 1 where state = 'waiting' and next_at + 0 > 1
        and device_id = (select device_id from outbox where id = 'a')
        and lane = (select lane from outbox where id = 'a')`,
      [/SEARCH outbox USING INDEX outbox_lane/, /SEARCH outbox USING INDEX .*id=/],
    ],
    [
      `update outbox set next_at = 1 where device_id = 'D' and lane = 'l' and state = 'waiting' and next_at + 0 < 1`,
      [/SEARCH outbox USING INDEX outbox_lane/],
    ],
    [
      `select * from reports where device_id = 'D' and state = 'pending' and direction = 'l2n' order by created_at`,
      [/SEARCH reports USING INDEX reports_device/],
    ],
    [
      `select * from reports where state = 'pending' and expires_at <= 1 order by expires_at limit 100`,
      [/SEARCH reports USING INDEX reports_expires/],
    ],
    [`select * from reports where token_hash = 'x'`, [/SEARCH reports USING INDEX/]],
    [`select * from reports where job_id in ('a', 'b')`, [/SEARCH reports USING INDEX reports_job/]],
  ])('%s', async (query, plans) => {
    const explain = store.prepare<[], { detail: string }>(() => ({
      ...store.db.selectFrom('devices').selectAll().compile(),
      sql: `explain query plan ${query}`,
      parameters: [],
    }));
    const found = (await explain()).map(({ detail }) => detail).join('\n');
    for (const plan of plans) expect(found).toMatch(plan);
    expect(found).not.toMatch(/\bSCAN (o|e|s|outbox|reports)\b/);
  });
});
