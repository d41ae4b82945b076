import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/dm2/packages.ts';
import { DeliveryQueue } from '../../../src/gateway/outbox/deliveryQueue.ts';
import { Outbox } from '../../../src/gateway/outbox/outbox.ts';
import { OutboxWorker, type WorkerOptions } from '../../../src/gateway/outbox/worker.ts';
import { Reports } from '../../../src/gateway/reports/reports.ts';
import type { BackendRequest } from '../../../src/interworking/script.ts';
import { loadPacks, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import type { Statement } from '../../../src/store/engine.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';
import { toyContext } from '../sessions/toySession.ts';

const HOUR = 3_600_000;
const mappings = loadPacks([SHIPPED_PACKS]);
const alert = (value: string): Alert => ({
  AlertType: 'urn:example:event',
  DataType: 'chr',
  Data: { DM1x: value },
});
const said = (value: string) => ({ protocol: 'dm2' as const, alert: alert(value) });

onEveryEngine('the outbox', (newUrl) => {
  let url: string | undefined;
  let store: Store;
  let outbox: Outbox;
  let queue: DeliveryQueue;
  let reports: Reports;
  let now: number;
  const workers: OutboxWorker[] = [];

  beforeEach(async () => {
    url ??= await newUrl();
    now = 1_000_000;
    store = await openStore(url);
    await clear(store);
    await store.db.deleteFrom('sessions').execute();
    restart();
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop(1000);
    await store.close();
  });

  function restart(): void {
    const limits = { execReportHours: 2, now: () => now };
    reports = new Reports(store, { ...limits, deviceUrl: 'https://gw/dm' });
    queue = new DeliveryQueue(store, limits);
    outbox = new Outbox(store, reports, queue, limits);
  }

  const whose = (deviceId: string, sessionId = `s-${deviceId}`) => ({ deviceId, sessionId, backend: 'dms' });
  const keep = (deviceId: string, values: string[], sessionId?: string, first = 0) =>
    outbox.keep(whose(deviceId, sessionId), { kind: 'alert.keep', first, alerts: values.map(said) });

  async function session(id: string, deviceId: string, state: 'live' | 'done'): Promise<void> {
    await store.db.deleteFrom('sessions').where('id', '=', id).execute();
    await store.db
      .insertInto('sessions')
      .values({
        id,
        device_id: deviceId,
        state,
        key: null,
        protocol: 'dm2',
        backend: 'dms',
        opened_at: now,
        updated_at: now,
        deadline: now,
        node: 'n',
      })
      .execute();
  }

  /** A backend that says `verdict` to what it is sent, and remembers what it took. */
  function worker(
    verdict: (value: string, url?: string) => string | undefined = () => undefined,
    options: Partial<WorkerOptions> = {},
  ) {
    const taken: string[] = [];
    const lines: object[] = [];
    const log = {
      info: () => {},
      warn: (line: object) => void lines.push(line),
      error: (l: object) => void lines.push(l),
    };
    const made = new OutboxWorker({
      queue,
      giveUpReports: () => outbox.giveUpReports(),
      context: async (deviceId, backend, at) => {
        const context = toyContext({ protocol: 'dm2', package1: {} }, deviceId, at);
        return backend === 'dms' ? { ...context, mappings } : undefined;
      },
      exchange: async (send: BackendRequest, { context }) => {
        if (send.protocol !== 'dm2' || !('package1' in send)) throw new Error('only Package#1 is due');
        const [, first] = send.package1.Alert ?? [];
        const value = String(first?.Data?.['DM1x'] ?? first?.AlertType);
        const failure = verdict(value, send.url);
        if (failure !== undefined) {
          const code = failure === 'refused' ? 'backend-refused' : 'backend-failed';
          return { kind: 'failed', at: now, code, detail: `it says ${failure}` };
        }
        taken.push(`${context.device.id} ${value}${send.url === undefined ? '' : ` at ${send.url}`}`);
        return { kind: 'package2', at: now, package2: { CMD: [['END']] } };
      },
      save: async () => ({ at: now }),
      limits: { alertHours: 1, backendSeconds: 30 },
      log,
      node: 'node-1',
      now: () => now,
      random: () => 0.5,
      ...options,
    });
    workers.push(made);
    return { worker: made, taken, lines };
  }

  /** Has a worker do all that is due now. */
  async function work(made: OutboxWorker): Promise<void> {
    made.start(60_000);
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await made.idle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await made.stop(1000);
  }

  const states = async () => (await queue.list({})).map(({ id, state }) => `${id} ${state}`).sort();

  describe('keeps', () => {
    it('an alert once, however often the effect is performed [IW-ALERT-6]', async () => {
      const first = await keep('D', ['a', 'b']);
      restart();
      expect(await keep('D', ['a', 'b'])).toEqual(first);
      expect(first.places).toEqual([{ to: 'session' }, { to: 'session' }]);
      expect(await states()).toEqual(['s-D.0 waiting', 's-D.1 waiting']);
      await outbox.settle(whose('D'), { kind: 'alert.settle', settled: [{ n: 0 }, { n: 1, refused: 'no' }] });
      expect(await states()).toEqual(['s-D.0 done', 's-D.1 failed']);
      expect((await queue.list({ state: 'failed' }))[0]?.detail).toBe('no');
    });

    it('what became of it together with what its session writes, or not at all [IW-ALERT-6]', async () => {
      await keep('D', ['a', 'b']);
      await keep('D', ['later'], 's2');
      const also: Statement[] = [];
      const settled = [{ n: 0 }, { n: 1, refused: 'no' }];
      const effect = { kind: 'alert.settle', settled } as const;
      await outbox.settle({ ...whose('D'), also: (change) => void also.push(change) }, effect);
      const waiting = ['s-D.0 waiting', 's-D.1 waiting', 's2.0 waiting'];
      expect(await states()).toEqual(waiting);
      const taken = { id: 'none', entries: [], patch: { ending: 'x' }, also };
      const entry = { session_id: 's-D', seq: 0, kind: 'note', at: now, meta: '{}', body: null } as const;
      await session('s-D', 'D', 'live');
      expect(await store.sessions.commit([{ id: 's-D', entries: [entry] }])).toEqual([undefined]);
      // Another node has written at that place.
      expect(await store.sessions.commit([{ ...taken, id: 's-D', entries: [entry] }])).not.toEqual([
        undefined,
      ]);
      expect(await states()).toEqual(waiting);
      await queue.retry((await queue.get('s-D.0'))!, now + HOUR, 'not yet');
      const next = { ...entry, seq: 1 };
      expect(await store.sessions.commit([{ ...taken, id: 's-D', entries: [next] }])).toEqual([undefined]);
      expect(await states()).toEqual(['s-D.0 done', 's-D.1 failed', 's2.0 waiting']);
      expect(Number((await queue.get('s2.0'))!.next_at)).toBe(now);
    });

    it('for its live session what that may deliver, and later alerts behind earlier ones [IW-ALERT-6]', async () => {
      await session('s-D', 'D', 'live');
      await keep('D', ['a']);
      const { worker: idle, taken } = worker();
      await work(idle);
      expect(taken).toEqual([]);
      await session('s-D', 'D', 'done');
      expect((await keep('D', ['b', 'c'], 's2')).places).toEqual([{ to: 'later' }, { to: 'later' }]);
      expect((await keep('E', ['x'], 's3')).places).toEqual([{ to: 'session' }]);
      const busy = worker();
      await work(busy.worker);
      expect(busy.taken.filter((each) => each.startsWith('D'))).toEqual(['D a', 'D b', 'D c']);
    });
  });

  describe('delivers', () => {
    it('with exponential back-off until the backend took it, those behind it waiting [IW-ALERT-6]', async () => {
      await keep('D', ['a', 'b']);
      let down = true;
      const { worker: made, taken } = worker(() => (down ? 'nothing' : undefined));
      const waits: number[] = [];
      for (let attempt = 0; attempt < 12; attempt += 1) {
        await work(made);
        const [b, a] = await queue.list({});
        expect(a).toMatchObject({ state: 'waiting', attempts: attempt + 1, detail: 'it says nothing' });
        expect(Number(b!.attempts)).toBe(0);
        waits.push(Number(a!.next_at) - now);
        now = Number(a!.next_at);
      }
      expect(waits.slice(0, 4)).toEqual([2000, 4000, 8000, 16_000]);
      expect(Math.max(...waits)).toBe(600_000);
      down = false;
      await work(made);
      expect(taken).toEqual(['D a', 'D b']);
    });

    it('nothing twice at once, with several nodes on one store [IW-ALERT-6]', async () => {
      for (let d = 0; d < 20; d += 1) await keep(`D${d}`, ['a', 'b', 'c']);
      const other = await openStore(url!);
      try {
        const theirs = new DeliveryQueue(other, { now: () => now });
        const one = worker();
        const two = worker(undefined, { queue: theirs, node: 'node-2' });
        await Promise.all([work(one.worker), work(two.worker)]);
        await work(one.worker);
        const all = [...one.taken, ...two.taken];
        expect(all).toHaveLength(60);
        expect(new Set(all).size).toBe(60);
        for (const taken of [one.taken, two.taken]) {
          for (let d = 0; d < 20; d += 1) {
            const own = taken.filter((each) => each.startsWith(`D${d} `));
            expect(own).toEqual([...own].sort());
          }
        }
        await two.worker.stop(1000);
      } finally {
        await other.close();
      }
    });

    it('again what a node that died had claimed, once its lease is over [IW-ALERT-6]', async () => {
      await keep('D', ['a']);
      expect(await queue.claim('dead', 60_000, 8)).toHaveLength(1);
      const { worker: made, taken } = worker();
      await work(made);
      expect(taken).toEqual([]);
      now += 60_000;
      await work(made);
      expect(taken).toEqual(['D a']);
    });

    it('not what another node has taken over meanwhile [IW-ALERT-6]', async () => {
      await keep('D', ['a']);
      const [row] = await queue.claim('node-1', 10, 8);
      now += 10;
      await queue.claim('node-2', 60_000, 8);
      const { worker: made, taken } = worker();
      await expect(made.deliver(row!)).rejects.toThrow();
      expect(taken).toEqual([]);
    });

    it('past a poison alert: refused ones are dead letters, and other devices never wait [IW-ALERT-6]', async () => {
      await keep('D', ['poison', 'good']);
      await keep('E', ['stuck']);
      await keep('F', ['fine']);
      const {
        worker: made,
        taken,
        lines,
      } = worker((value) => (value === 'poison' ? 'refused' : value === 'stuck' ? 'busy' : undefined));
      await work(made);
      expect(taken.sort()).toEqual(['D good', 'F fine']);
      expect(await states()).toEqual(['s-D.0 failed', 's-D.1 done', 's-E.0 waiting', 's-F.0 done']);
      expect(lines).toMatchObject([{ alert: 's-D.0', reason: 'it says refused' }]);
    });

    it('until limits.alertHours have passed, then it is a dead letter with the reason [IW-ALERT-6]', async () => {
      await keep('D', ['a']);
      const { worker: made } = worker(() => 'busy');
      await work(made);
      now += HOUR;
      await work(made);
      const [row] = await queue.list({ state: 'failed' });
      expect(row).toMatchObject({ detail: 'Given up after 1 h: it says busy' });
    });

    it('waits for a backend that left the configuration [IW-ALERT-6]', async () => {
      await outbox.keep(
        { ...whose('D'), backend: 'gone' },
        { kind: 'alert.keep', first: 0, alerts: [said('a')] },
      );
      const { worker: made } = worker();
      await work(made);
      expect(await queue.list({})).toMatchObject([
        { state: 'waiting', detail: 'There is no backend "gone".' },
      ]);
    });

    it('forgets what was settled long ago, never what waits', async () => {
      await keep('D', ['a']);
      await keep('E', ['b']);
      await outbox.settle(whose('D'), { kind: 'alert.settle', settled: [{ n: 0 }] });
      expect(await queue.prune(now + 1)).toBe(1);
      expect(await states()).toEqual(['s-E.0 waiting']);
    });
  });

  describe('with reports', () => {
    const promise = (n: number, serverUri: string, deviceId = 'D') =>
      reports.promise(whose(deviceId), {
        kind: 'report.promise',
        n,
        serverUri,
        uri: './FUMO/fw/Update',
        clientUri: 'urn:oma:mo:oma-fumo:1.0/fw/Update',
      });
    const legacy = (correlator: string | undefined, source = './FUMO/fw/Update') => ({
      protocol: 'dm1' as const,
      alert: {
        kind: 'Alert' as const,
        cmdId: '1',
        code: '1226',
        ...(correlator !== undefined && { correlator }),
        items: [{ source: { uri: source }, meta: { type: 'org.example.done', format: 'chr' }, data: '200' }],
      },
    });

    it('keeps one promise, with the last Correlator, however often it is performed [IW-EXEC-2]', async () => {
      // It is stored with the journal entry that names it, so only what no device has seen is made again.
      const first = await promise(3, 'https://dms/r');
      restart();
      const again = await promise(3, 'https://dms/r');
      expect((await promise(4, 'https://dms/r')).correlator).not.toBe(again.correlator);
      expect(first.correlator).toMatch(/^[\w-]{12}$/);
      const kept = await outbox.keep(whose('D'), {
        kind: 'alert.keep',
        first: 5,
        alerts: [legacy(first.correlator), legacy(again.correlator), legacy(again.correlator)],
      });
      expect(kept.places.map(({ to }) => to)).toEqual(['session', 'report', 'session']);
    });

    it('gives the alert that brings a Correlator back to its ServerURI, not to the backend [IW-EXEC-2]', async () => {
      const one = await promise(0, 'https://dms/one');
      const two = await promise(1, 'https://dms/two');
      const effect = {
        kind: 'alert.keep' as const,
        first: 2,
        alerts: [legacy(two.correlator), legacy('unknown'), legacy(undefined), legacy(undefined)],
      };
      const kept = await outbox.keep(whose('D'), effect);
      expect(kept.places.map(({ to }) => to)).toEqual(['report', 'session', 'report', 'session']);
      expect(one.correlator).not.toBe(two.correlator);
      const { worker: made, taken } = worker();
      await work(made);
      expect(taken.filter((each) => each.includes(' at ')).sort()).toEqual([
        'D 200 at https://dms/one',
        'D 200 at https://dms/two',
      ]);
      // Performed again after a crash: the reports are not taken a second time.
      expect((await outbox.keep(whose('D'), effect)).places).toEqual(kept.places);
    });

    it('gives a report up after limits.execReportHours and says so at ServerURI [IW-EXEC-2]', async () => {
      await promise(0, 'https://dms/one');
      await promise(1, 'https://dms/two', 'E');
      await outbox.close(whose('E'), { kind: 'report.close', n: 1 });
      now += 2 * HOUR - 1;
      const { worker: made, taken } = worker();
      await work(made);
      expect(taken).toEqual([]);
      now += 1;
      await work(made);
      expect(taken).toEqual(['D urn:x-dragoman:at:exec:no-report at https://dms/one']);
      // It is too late now.
      expect(
        (await outbox.keep(whose('D'), { kind: 'alert.keep', first: 5, alerts: [legacy(undefined)] })).places,
      ).toEqual([{ to: 'session' }]);
    });

    it('ends a promise at once for a device that was done at once, once [IW-EXEC-2]', async () => {
      await promise(0, 'https://dms/one');
      const close = { kind: 'report.close' as const, n: 0, alert: alert('now') };
      await outbox.close(whose('D'), close);
      await outbox.close(whose('D'), close);
      const { worker: made, taken } = worker();
      await work(made);
      expect(taken).toEqual(['D now at https://dms/one']);
    });

    it('is not held up by a live session of the device [IW-EXEC-2]', async () => {
      await session('s-D', 'D', 'live');
      await promise(0, 'https://dms/one');
      await outbox.close(whose('D'), { kind: 'report.close', n: 0, alert: alert('now') });
      const { worker: made, taken } = worker();
      await work(made);
      expect(taken).toHaveLength(1);
    });
  });
});
