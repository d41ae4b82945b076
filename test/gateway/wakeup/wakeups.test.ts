import { afterEach, beforeEach, expect, it } from 'vitest';
import { userHash } from '../../../src/dm1/auth/digests.ts';
import { decodePackage0, RESYNC_NONCES, verifyPackage0 } from '../../../src/dm1/notification/package0.ts';
import { BackendNonces } from '../../../src/gateway/auth/backendNonces.ts';
import { JobQueue } from '../../../src/gateway/jobs/jobs.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { Notifier } from '../../../src/gateway/wakeup/notifier.ts';
import type { Push, Transport } from '../../../src/gateway/wakeup/transports/transport.ts';
import { Wakeups } from '../../../src/gateway/wakeup/wakeups.ts';
import { WakeupWorker } from '../../../src/gateway/wakeup/worker.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { DragomanError, type ErrorCode } from '../../../src/support/errors.ts';
import { onEveryEngine } from '../../store/engines.ts';
import { clear } from '../clear.ts';

const HOUR = 3_600_000;
const ID = 'IMEI:1';
const DMS = { protocol: 'dm2', url: 'http://dms/', serverId: 'dms' } as never;

onEveryEngine('notifications', (newUrl) => {
  let url: string | undefined;
  let store: Store;
  let wakeups: Wakeups;
  let registry: Registry;
  let notifier: Notifier;
  let now: number;
  let sent: Push[];
  let fault: ErrorCode | undefined;
  let held: Promise<void> | undefined;

  const transport: Transport = {
    type: 'webhook',
    async send(push) {
      sent.push(push);
      await held;
      if (fault !== undefined) throw new DragomanError(fault, 'No.');
    },
  };

  beforeEach(async () => {
    url ??= await newUrl();
    store = await openStore(url);
    await clear(store);
    await store.db.deleteFrom('sessions').execute();
    await store.db.deleteFrom('notifications').execute();
    now = 1_700_000_000_000;
    sent = [];
    fault = undefined;
    held = undefined;
    restart();
    await registry.register({ id: ID, serverUsername: 'gw', serverPassword: 'pw' });
  });
  afterEach(() => store.close());

  function restart(): void {
    wakeups = new Wakeups(store, { notificationHours: 1, now: () => now });
    registry = new Registry(store);
    const transports = {
      hook: { type: 'webhook', url: 'http://hook/', body: 'json', auth: { type: 'none' } },
    } as const;
    notifier = new Notifier({
      registry,
      wakeups,
      own: { serverId: 'gw', deviceUrl: 'http://gw/dm' },
      now: () => now,
      config: {
        backends: { dms: DMS },
        limits: { notificationHours: 1 },
        notifications: { via: 'hook', transports, jobs: false, repeats: 2, repeatSeconds: 60 },
      },
    });
  }

  function worker(node = 'a') {
    return new WakeupWorker({
      wakeups,
      registry,
      nonces: new BackendNonces(store),
      jobs: new JobQueue(store),
      transports: new Map([['hook', transport]]),
      own: { serverId: 'gw', deviceUrl: 'http://gw/dm' },
      repeats: 2,
      repeatSeconds: 60,
      limits: { backendSeconds: 30, notificationHours: 1 },
      log: { info: () => {}, warn: () => {}, error: (line) => expect(line).toBeUndefined() },
      node,
      now: () => now,
      random: () => 0.5,
    });
  }

  /** One round of one node, at this moment. */
  async function round(node?: string) {
    await worker(node).round();
  }
  const ask = () => notifier.ask(ID, { form: 'trigger' });
  const answer = (number: number | undefined, sessionId = 's1') =>
    wakeups.answer(
      { deviceId: ID, sessionId },
      { kind: 'wakeup.answer', ...(number === undefined ? {} : { number }) },
    );

  async function session(state: 'live' | 'done') {
    await store.db.deleteFrom('sessions').execute();
    const row = {
      id: 's',
      key: null,
      device_id: ID,
      protocol: 'dm1',
      backend: 'x',
      opened_at: 1,
      updated_at: 1,
    } as const;
    await store.db
      .insertInto('sessions')
      .values({ ...row, state, deadline: 1, node: 'n' })
      .execute();
  }

  it('are repeated while no session answers, under one number and with both nonces of resynchronisation, then expire [IW-NOT-1] [IW-NOT-2]', async () => {
    const { id, number } = await ask();
    const times: number[] = [];
    for (const start = now; now <= start + 2 * HOUR; now += 10_000) {
      const before = sent.length;
      await round();
      if (sent.length > before) times.push((now - start) / 1000);
    }
    expect(times).toEqual([0, 60, 180]);
    expect(sent.map(({ copy }) => copy)).toEqual([1, 2, 3]);
    const read = sent.map(({ body }) => decodePackage0(body));
    expect(read.map(({ notification }) => notification.sessionId)).toEqual([number, number, number]);
    const hash = userHash('gw', 'pw');
    const used = read.map((one) =>
      RESYNC_NONCES.findIndex((nonce) => verifyPackage0(one, hash, nonce) === 'stored'),
    );
    expect(used).toEqual([0, 1, 0]);
    expect(await wakeups.get(id)).toMatchObject({
      state: 'expired',
      sent: 3,
      detail: 'After 1 h, no session answered it',
    });
  });

  it('are made first with the nonce that the device gave, then with those of resynchronisation, and with no other device’s [IW-NOT-1] [1x§9.6]', async () => {
    const given = Buffer.from('sixteen bytes it');
    const nonces = new BackendNonces(store);
    await nonces.put(ID, { nonce: given.toString('base64') });
    await nonces.put(ID, { backend: 'dms', nonce: Buffer.from('for a server').toString('base64') });
    await ask();
    for (let n = 0; n < 20; n += 1) {
      await round();
      now += 60_000;
    }
    const hash = userHash('gw', 'pw');
    const made = sent.map(({ body }) =>
      [given, ...RESYNC_NONCES].findIndex(
        (nonce) => verifyPackage0(decodePackage0(body), hash, nonce) === 'stored',
      ),
    );
    expect(made).toEqual([0, 1, 2]);
    // A device that lost its nonce finds the same of both of its tries.
    expect(sent.map(({ body }) => verifyPackage0(decodePackage0(body), hash, given))).toEqual([
      'stored',
      'resync',
      'resync',
    ]);
  });

  it('are tried again with back-off while the transport fails, as one copy, until they expire [IW-NOT-1]', async () => {
    fault = 'backend-failed';
    const { id } = await ask();
    const times: number[] = [];
    const start = now;
    for (let one = await wakeups.get(id); one?.state === 'waiting'; one = await wakeups.get(id)) {
      const before = sent.length;
      now = one.nextAt - 1;
      await round();
      expect(sent).toHaveLength(before);
      now = one.nextAt;
      await round();
      if (sent.length > before) times.push((now - start) / 1000);
    }
    expect(now - start).toBeLessThan(2 * HOUR);
    expect(times.slice(0, 7)).toEqual([0, 2, 6, 14, 30, 62, 126]);
    expect(Math.max(...times.slice(1).map((at, i) => at - times[i]!))).toBeLessThanOrEqual(600);
    expect(new Set(sent.map(({ copy }) => copy))).toEqual(new Set([1]));
    expect(await wakeups.get(id)).toMatchObject({
      state: 'expired',
      sent: 0,
      detail: 'After 1 h, it could not be sent: No.',
    });
  });

  it('fail at once where no repeat mends it, and stay answerable [IW-NOT-2]', async () => {
    fault = 'backend-refused';
    const { id, number } = await ask();
    await round();
    expect(await wakeups.get(id)).toMatchObject({ state: 'failed', detail: 'No.' });
    await answer(number);
    expect(await wakeups.get(id)).toMatchObject({ state: 'answered', sessionId: 's1' });
  });

  it('are sent by one of many nodes, and by another when that one died [IW-NOT-1]', async () => {
    const { id } = await ask();
    await Promise.all([round('a'), round('b'), round('c')]);
    expect(sent).toHaveLength(1);
    // A node that died while it was at it: the lease runs out.
    const second = await ask();
    await wakeups.claim('dead', 90_000, 10);
    await round('b');
    expect(sent).toHaveLength(1);
    now += 90_000;
    restart();
    await round('b');
    expect(sent.map((push) => push.id)).toEqual(expect.arrayContaining([id, second.id]));
    // What the dead node says now says nothing any more.
    await wakeups.retry(second.id, 'dead', now, 'late');
    expect(await wakeups.get(second.id)).toMatchObject({ state: 'sent', sent: 1 });
  });

  it('wait while their device has a live session [IW-NOT-2] [IW-SES-3]', async () => {
    await ask();
    await session('live');
    await round();
    expect(sent).toHaveLength(0);
    await session('done');
    await round();
    expect(sent).toHaveLength(1);
  });

  it('that a session answers while their transport takes them are not sent again [IW-NOT-2]', async () => {
    const { id, number } = await ask();
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const one = worker();
    await one.begin();
    await answer(number);
    release();
    await one.stop(1000);
    expect(await wakeups.get(id)).toMatchObject({ state: 'answered', sessionId: 's1' });
    now += HOUR;
    await round();
    expect(sent).toHaveLength(1);
  });

  it('are answered once, the same however often the effect is performed [IW-NOT-2]', async () => {
    const { id, number } = await ask();
    await round();
    const first = await answer(number);
    expect(first).toEqual({ at: now, answers: { id, askedBy: 'api', number } });
    restart();
    expect(await answer(number)).toEqual(first);
    expect(await answer(number, 's2')).toMatchObject({ answers: { id, again: true } });
    expect(await wakeups.get(id)).toMatchObject({ sessionId: 's1' });
    expect(await answer(undefined, 's3')).toEqual({ at: now });
  });

  it('of a server are one, however often and wherever it asks at once [IW-NOT-2]', async () => {
    // OC 2: SERVER-ID "dms", NOTIFICATION-ID 7.
    const bytes = Uint8Array.from(Buffer.from('2100' + '13646d73' + '220007', 'hex'));
    await registry.register({ id: 'IMEI:2' });
    await store.db.updateTable('devices').set({ protocol: 'dm2' }).execute();
    registry = new Registry(store);
    restart();
    const all = await Promise.all([1, 2, 3, 4].map(() => notifier.receive(ID, bytes)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(await notifier.receive('IMEI:2', bytes)).toMatchObject({ number: 7, askedNumber: 7 });
    // 16 bits come round: after its time the same number is a new request.
    now += 2 * HOUR;
    expect((await notifier.receive(ID, bytes)).id).not.toBe(all[0]!.id);
  });

  it('of one device never share a number, and are bounded [IW-NOT-2]', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, ask));
    expect(new Set(asked.map(({ number }) => number)).size).toBe(8);
    for (let i = 8; i < 100; i += 1) await ask();
    await expect(ask()).rejects.toMatchObject({ code: 'overload' });
  });

  it('are forgotten once they ended and are old', async () => {
    const { id } = await ask();
    const ended = await ask();
    await wakeups.withdraw(ended.id);
    expect(await wakeups.prune(now + 1)).toBe(1);
    expect(await wakeups.get(id)).toBeDefined();
    expect(await wakeups.get(ended.id)).toBeUndefined();
  });
});
