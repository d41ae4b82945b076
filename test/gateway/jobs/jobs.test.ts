import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BuiltinBackend } from '../../../src/gateway/backends/builtin.ts';
import { JobQueue } from '../../../src/gateway/jobs/jobs.ts';
import { ReceivedAlerts } from '../../../src/gateway/jobs/receivedAlerts.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

const END = { CMD: [['END']] };
const get = (uri: string) => ({ CMD: [['GET', uri]] });

onEveryEngine('jobs', (newUrl) => {
  let url: string | undefined;
  let store: Store;
  let jobs: JobQueue;
  let alerts: ReceivedAlerts;
  let backend: BuiltinBackend;
  let now: number;
  beforeEach(async () => {
    url ??= await newUrl();
    now = 1000;
    await restart();
    await clear(store);
  });
  afterEach(async () => {
    await store.close();
  });

  async function restart(): Promise<void> {
    await store?.close().catch(() => undefined);
    store = await openStore(String(url));
    jobs = new JobQueue(store, { now: () => now, jobsPerDevice: 5 });
    alerts = new ReceivedAlerts(store, () => now);
    backend = new BuiltinBackend(jobs, alerts);
  }

  const state = async (id: string) => (await jobs.get(id))?.state;

  describe('enqueue', () => {
    it('takes a Package#2 and leaves END out, for the gateway ends sessions itself', async () => {
      const job = await jobs.enqueue('D', { CMD: [['GET', 'urn:a//x'], ['END']] });
      expect(job).toMatchObject({
        state: 'queued',
        deviceId: 'D',
        commands: [['GET', 'urn:a//x']],
        status: [],
      });
      expect(await jobs.get(job.id)).toEqual(job);
      expect(await jobs.get('job_x')).toBeUndefined();
    });

    it.each([
      [{}, 'bad-command', 'no array "CMD"'],
      [null, 'bad-command', 'no array "CMD"'],
      [{ CMD: [] }, 'bad-command', 'no command to execute'],
      [{ CMD: [['END']] }, 'bad-command', 'no command to execute'],
      [{ CMD: [['GET', 'a'], 'GET'] }, 'bad-command', 'CMD[1]: must be an array of strings'],
      [
        {
          CMD: [
            ['GET', 'a'],
            ['GET', 1],
          ],
        },
        'bad-command',
        'CMD[1]: must be an array of strings',
      ],
      [{ CMD: [['GET', 'a'], ['GET', 'b'], ['HGET']] }, 'bad-command', 'CMD[2]: HGET takes'],
      [{ CMD: [['FLY', 'x']] }, 'not-implemented', 'CMD[0]: The command "FLY"'],
      [{ CMD: [['CONT', 'http://x/']] }, 'bad-command', 'CMD[0]: CONT'],
      [{ CMD: [['GET', 'x'.repeat(2_000_000)]] }, 'too-large', 'larger than'],
    ])('refuses %j', async (body, code, detail) => {
      await expect(jobs.enqueue('D', body)).rejects.toMatchObject({
        code,
        detail: expect.stringContaining(detail),
      });
      expect(await jobs.list('D')).toEqual([]);
    });

    it('refuses more than may wait for one device', async () => {
      for (let i = 0; i < 5; i += 1) await jobs.enqueue('D', get(`${i}`));
      await expect(jobs.enqueue('D', get('x'))).rejects.toMatchObject({ code: 'overload' });
      await jobs.enqueue('other', get('x'));
    });
  });

  describe('a session with the built-in backend', () => {
    const session = { deviceId: 'D', sessionId: 's1' };
    const open = (alert?: object[]) =>
      backend.exchange({ protocol: 'dm2', package1: alert ? { Alert: alert as never } : {} }, session);
    const report = (...codes: number[]) =>
      backend.exchange({ protocol: 'dm2', package3: { Status: codes.map((sc) => ({ sc })) } }, session);

    it('ends at once, END alone, when nothing waits [IW-SES-8]', async () => {
      expect(await open()).toEqual({ kind: 'package2', package2: END });
    });

    it('hands out one job in each package, in order, and keeps what the device said', async () => {
      const first = await jobs.enqueue('D', get('1'));
      const second = await jobs.enqueue('D', get('2'));
      await jobs.enqueue('other', get('3'));
      expect(await open()).toMatchObject({ package2: get('1') });
      expect(await state(first.id)).toBe('sent');
      now = 2000;
      expect(await report(200)).toMatchObject({ package2: get('2') });
      expect(await jobs.get(first.id)).toMatchObject({
        state: 'done',
        status: [{ sc: 200 }],
        updatedAt: 2000,
      });
      expect(await report(404)).toMatchObject({ package2: END });
      expect(await jobs.get(second.id)).toMatchObject({ state: 'done', status: [{ sc: 404 }] });
      expect((await jobs.list('other'))[0]).toMatchObject({ state: 'queued' });
    });

    it('keeps GET data and places of new instances with the job', async () => {
      const job = await jobs.enqueue('D', get('1'));
      await open();
      const Status = [{ sc: 200, URI: ['urn:a/1'], MO: [{ ClientURI: 'urn:a', MOData: { x: '1' } }] }];
      await backend.exchange({ protocol: 'dm2', package3: { Status } }, session);
      expect((await jobs.get(job.id))?.status).toEqual(Status);
    });

    it('takes jobs that arrive while the session runs', async () => {
      await jobs.enqueue('D', get('1'));
      await open();
      await jobs.enqueue('D', get('2'));
      expect(await report(200)).toMatchObject({ package2: get('2') });
    });

    it('does not let a poison job block those behind it', async () => {
      const poison = await jobs.enqueue('D', get('poison'));
      const good = await jobs.enqueue('D', get('good'));
      await open();
      expect(await report(500)).toMatchObject({ package2: get('good') });
      expect(await jobs.get(poison.id)).toMatchObject({ state: 'done', status: [{ sc: 500 }] });
      await report(200);
      expect(await state(good.id)).toBe('done');
    });

    it('trusts no answer that has another number of items [IW-SES-12]', async () => {
      const job = await jobs.enqueue('D', {
        CMD: [
          ['GET', 'a'],
          ['GET', 'b'],
        ],
      });
      await open();
      await report(200);
      expect(await jobs.get(job.id)).toMatchObject({
        state: 'failed',
        detail: 'the answer has 1 Status items for 2 commands',
      });
    });

    it('fails a job whose session broke and goes on with the next: nothing is executed twice [IW-SES-4]', async () => {
      const broken = await jobs.enqueue('D', get('crash'));
      const next = await jobs.enqueue('D', get('next'));
      await open();
      await restart();
      const later = await backend.exchange(
        { protocol: 'dm2', package1: {} },
        { ...session, sessionId: 's2' },
      );
      expect(later).toMatchObject({ package2: get('next') });
      expect(await jobs.get(broken.id)).toMatchObject({
        state: 'failed',
        detail: expect.stringContaining('unknown outcome'),
      });
      expect(await state(next.id)).toBe('sent');
    });

    it('fails what was sent when the session ends without an answer', async () => {
      const job = await jobs.enqueue('D', get('1'));
      await open();
      await jobs.sessionEnded('D', 'another');
      expect(await state(job.id)).toBe('sent');
      await jobs.sessionEnded('D', 's1');
      expect(await state(job.id)).toBe('failed');
    });

    it('gives a session that resumes after a restart the job that it had', async () => {
      const job = await jobs.enqueue('D', get('1'));
      await open();
      await restart();
      expect(await open()).toMatchObject({ package2: get('1') });
      expect(await report(200)).toMatchObject({ package2: END });
      expect(await state(job.id)).toBe('done');
    });

    it('answers a report that is performed again with the same job, not the one behind it', async () => {
      const [a, b] = [await jobs.enqueue('D', get('a')), await jobs.enqueue('D', get('b'))];
      const send = { protocol: 'dm2' as const, package3: { Status: [{ sc: 200 }] } };
      await backend.exchange({ protocol: 'dm2', package1: {} }, { ...session, step: 3 });
      const answer = await backend.exchange(send, { ...session, step: 7 });
      await restart();
      expect(await backend.exchange(send, { ...session, step: 7 })).toEqual(answer);
      expect([await state(a.id), await state(b.id)]).toEqual(['done', 'sent']);
      await backend.exchange(send, { ...session, step: 9 });
      expect(await jobs.get(b.id)).toMatchObject({ state: 'done' });
      expect(await jobs.get(b.id)).not.toHaveProperty('detail');
    });

    it('survives a restart with jobs of a device that is offline', async () => {
      const job = await jobs.enqueue('D', get('1'));
      await restart();
      expect(await state(job.id)).toBe('queued');
      expect(await jobs.pending('D')).toBe(true);
      expect(await open()).toMatchObject({ package2: get('1') });
    });

    it('keeps alerts for the operator, without those that open every session', async () => {
      const routine = { AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' };
      const alert = { AlertType: 'urn:oma:at:fumo:1.0:Done', Data: { DM1x: '200' }, DataType: 'chr' };
      await open([routine, alert]);
      await restart();
      expect(await alerts.list('D')).toEqual([{ id: expect.stringMatching(/^alert_/), at: 1000, alert }]);
      expect(await alerts.list('other')).toEqual([]);
      expect(await alerts.prune(1001)).toBe(1);
    });
  });

  describe('housekeeping', () => {
    it('withdraws what has not been sent', async () => {
      const job = await jobs.enqueue('D', get('1'));
      expect(await jobs.cancel(job.id)).toBe(true);
      expect(await jobs.cancel(job.id)).toBe(false);
      expect(await jobs.pending('D')).toBe(false);
      expect(await jobs.get(job.id)).toMatchObject({ state: 'failed', detail: 'withdrawn' });
    });

    it('forgets finished jobs only', async () => {
      const waiting = await jobs.enqueue('D', get('1'));
      const gone = await jobs.enqueue('D', get('2'));
      await jobs.cancel(gone.id);
      now = 9000;
      expect(await jobs.prune(5000)).toBe(1);
      expect(await state(waiting.id)).toBe('queued');
    });
  });
});
