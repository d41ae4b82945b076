import { afterEach, beforeEach, expect, it } from 'vitest';
import { JobReports } from '../../../src/gateway/reports/jobReports.ts';
import { Reports } from '../../../src/gateway/reports/reports.ts';
import { readPostedUrl } from '../../../src/gateway/reports/reportUrl.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { secretDigest } from '../../../src/support/ids.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

const HOUR = 3_600_000;
const FUMO = 'urn:oma:mo:oma-fumo:1.0';

onEveryEngine('reports', (newUrl) => {
  let url: string | undefined;
  let store: Store;
  let reports: Reports;
  let now: number;
  beforeEach(async () => {
    url ??= await newUrl();
    now = 1_000_000;
    store = await openStore(url);
    await clear(store);
    reports = new Reports(store, { deviceUrl: 'https://gw/dm', execReportHours: 1, now: () => now });
  });
  afterEach(() => store.close());

  const whose = { deviceId: 'D', sessionId: 's', backend: 'legacy' };
  const expectOne = (n: number) =>
    reports.expect(whose, {
      kind: 'report.expect',
      n,
      correlator: 'c',
      uri: './FUMO/x/Update',
      clientUri: `${FUMO}/x/Update`,
    });
  const tokenOf = (text: string) => new URL(text).searchParams.get('report') ?? '';

  it('know a token of their device while it is awaited, and keep its hash only [IW-WR-3]', async () => {
    const { url: given } = await expectOne(0);
    expect(given).toMatch(/^https:\/\/gw\/dm\?report=[\w-]{43}$/);
    const token = tokenOf(given);
    expect(await reports.byToken('D', token)).toMatchObject({ id: 's.0', correlator: 'c' });
    expect(await reports.byToken('E', token)).toEqual({ unknown: 'it is none of this device' });
    expect(await reports.byToken('D', token.toLowerCase())).toHaveProperty('unknown');
    expect(await reports.byToken('D', `${token}'`)).toEqual({ unknown: 'it is none of ours' });
    const [row] = await store.db.selectFrom('reports').selectAll().execute();
    expect(JSON.stringify(row)).not.toContain(token);
    expect(row?.token_hash).toBe(secretDigest(token));
    await reports.end('s.0', 'done');
    expect(await reports.byToken('D', token)).toMatchObject({
      unknown: expect.stringContaining('came before'),
    });
  });

  it('expire [IW-WR-3]', async () => {
    const { url: given } = await expectOne(0);
    now += HOUR;
    expect(await reports.byToken('D', tokenOf(given))).toEqual({ unknown: 'it has expired' });
    expect(await reports.awaited('D', 'n2l')).toEqual([]);
    expect(await reports.overdue()).toHaveLength(1);
  });

  it('give a URL that works when the effect is performed again after a crash [IW-WR-3]', async () => {
    const first = tokenOf((await expectOne(0)).url);
    const second = tokenOf((await expectOne(0)).url);
    expect(await reports.byToken('D', first)).toHaveProperty('unknown');
    expect(await reports.byToken('D', second)).toMatchObject({ id: 's.0' });
    expect(await reports.awaited('D', 'n2l')).toHaveLength(1);
  });

  it('are forgotten once they are over', async () => {
    await expectOne(0);
    await expectOne(1);
    await reports.end('s.0', 'cancelled');
    expect(await reports.prune(now + 1)).toBe(1);
    expect(await reports.awaited('D', 'n2l')).toHaveLength(1);
  });

  it('of jobs join alerts from the executed node, oldest EXEC first [IW-EXEC-2]', async () => {
    const jobs = new JobReports(store, { execReportHours: 1, now: () => now });
    const job = {
      seq: 1,
      id: 'job_1',
      device_id: 'D',
      state: 'sent' as const,
      commands: JSON.stringify([
        ['EXEC', `${FUMO}//Update`],
        ['GET', `${FUMO}//State`],
        ['EXEC', `${FUMO}/fw/Update`],
        ['EXEC', `${FUMO}//Download`],
      ]),
      status: null,
      created_at: now,
      updated_at: now,
      detail: null,
      session_id: 's',
    };
    const status = [{ sc: 202 }, { sc: 202 }, { sc: 202 }, { sc: 200 }];
    await jobs.await(job, status);
    await jobs.await(job, status);
    const from = (uri: string, AlertType = 'urn:done') => ({ AlertType, SourceURI: uri });
    await jobs.take('other', [from(`${FUMO}/fw/Update`)]);
    await jobs.take('D', [
      from(`${FUMO}/fw/Update`, 'org.openmobilealliance.dm.firmwareupdate.userrequest'),
      from(`${FUMO}/fw/Other`),
      { AlertType: 'urn:from:nowhere' },
    ]);
    expect((await jobs.of(['job_1'])).get('job_1')).toEqual([
      { command: 0, state: 'awaited' },
      { command: 2, state: 'awaited' },
    ]);
    await jobs.take('D', [from(`${FUMO}/fw/Update`)]);
    expect((await jobs.of(['job_1', 'job_2'])).get('job_1')).toEqual([
      { command: 0, state: 'done', alert: from(`${FUMO}/fw/Update`) },
      { command: 2, state: 'awaited' },
    ]);
  });
});

it('a posted URL is shown without the token in it [IW-WR-3]', () => {
  const token = 'A'.repeat(43);
  expect(readPostedUrl(`/dm?report=${token}`)).toEqual({
    shown: `/dm?report=${secretDigest(token)}`,
    reportToken: token,
  });
  expect(readPostedUrl(`/dm?a=1&report=${token}&b=2`)).toEqual({
    shown: `/dm?a=1&report=${secretDigest(token)}&b=2`,
    reportToken: token,
  });
  expect(readPostedUrl('/dm')).toEqual({ shown: '/dm' });
  expect(readPostedUrl('/dm?myreport=1')).toEqual({ shown: '/dm?myreport=1' });
});
