import { afterEach, expect, it } from 'vitest';
import type { BodyElement } from '../../../src/dm1/message.ts';
import { DeliveryQueue } from '../../../src/gateway/outbox/deliveryQueue.ts';
import { Outbox } from '../../../src/gateway/outbox/outbox.ts';
import { OutboxWorker } from '../../../src/gateway/outbox/worker.ts';
import { Reports } from '../../../src/gateway/reports/reports.ts';
import type { DeviceRequest, DeviceResponse } from '../../../src/gateway/sessions/devicePort.ts';
import type { SessionContext } from '../../../src/interworking/context.ts';
import type { BackendEvent, BackendRequest } from '../../../src/interworking/script.ts';
import { chooseScript } from '../../../src/interworking/sessions.ts';
import { loadPacks, SHIPPED_PACKS } from '../../../src/mo/pack/files.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { onEveryEngine } from '../../store/engines.ts';
import {
  dm1Request,
  dm2Request,
  OPENING,
  toyContext,
  toyGateway,
  toyPerformers,
  WBXML,
  XML,
} from '../sessions/toySession.ts';

const mappings = loadPacks([SHIPPED_PACKS]);

/** A process that stops for ever at the boundary with that number. */
class Mortal {
  readonly died: Promise<void>;
  readonly seen: string[] = [];
  readonly #at: number;
  #die: () => void = () => {};

  constructor(at: number) {
    this.#at = at;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  readonly boundary = (where: string): Promise<void> => {
    this.seen.push(where);
    if (this.seen.length !== this.#at) return Promise.resolve();
    this.#die();
    return new Promise(() => {});
  };

  /** `target`, dying before and after each of these methods. */
  wrap<T extends object>(target: T, methods: readonly (keyof T & string)[]): T {
    return new Proxy(target, {
      get: (_proxy, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (!methods.some((method) => method === key)) return value.bind(target);
        return async (...args: unknown[]) => {
          await this.boundary(`before ${String(key)}`);
          const result: unknown = await value.apply(target, args);
          await this.boundary(`after ${String(key)}`);
          return result;
        };
      },
    });
  }
}

interface World {
  /** What the backend was told, in order. */
  readonly told: string[];
  /** The backend fails while a session lasts, so that the worker has to deliver. */
  readonly failsSessions: boolean;
  now: number;
}

/** One life of a node on `store`, with the real scripts, outbox and worker, and a backend that is `world`. */
function node(store: Store, world: World, mortal: Mortal) {
  const now = () => world.now;
  const limits = { execReportHours: 1, now };
  const queue = mortal.wrap(new DeliveryQueue(store, limits), ['claim', 'renew', 'done', 'retry']);
  const reports = new Reports(store, { ...limits, deviceUrl: '' });
  const outbox = mortal.wrap(new Outbox(store, reports, queue, limits), ['keep', 'settle']);
  const exchange = async (send: BackendRequest, deviceId: string): Promise<BackendEvent> => {
    await mortal.boundary('before exchange');
    if (send.protocol === 'dm2') {
      const alerts = ('package1' in send ? send.package1.Alert : send.package3.Alert) ?? [];
      for (const { Data } of alerts) if (Data) world.told.push(`${deviceId} ${String(Data['DM1x'])}`);
    }
    await mortal.boundary('after exchange');
    return { kind: 'package2', at: world.now, package2: { CMD: [['END']] } };
  };
  const contextOf = (opening: SessionContext['opening'], id: string, at: number) => ({
    ...toyContext(opening, id, at),
    mappings,
  });
  const sessions = mortal.wrap(store.sessions, ['commit']);
  const mortalStore = new Proxy(store, {
    get: (_proxy, key) => {
      if (key === 'sessions') return sessions;
      const value: unknown = Reflect.get(store, key, store);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
  const whose = (deviceId: string, sessionId: string) => ({ deviceId, sessionId, backend: 'toy' });
  const gateway = toyGateway(mortalStore, {
    now,
    limits: { sessionSeconds: 10 },
    starter: {
      mappings,
      script: chooseScript,
      start: async (opening, id, at) => contextOf(opening, id, at),
    },
    performers: {
      ...toyPerformers({ acts: [] }),
      'backend.exchange': async ({ send }, { context }) =>
        world.failsSessions
          ? { kind: 'failed', at: world.now, code: 'backend-failed', detail: 'down' }
          : exchange(send, context.device.id),
      'alert.keep': (effect, { context, sessionId }) =>
        outbox.keep(whose(context.device.id, sessionId), effect),
      'alert.settle': (effect, { context, sessionId, also }) =>
        outbox.settle({ ...whose(context.device.id, sessionId), ...(also && { also }) }, effect),
    },
  });
  const worker = new OutboxWorker({
    queue,
    giveUpReports: () => outbox.giveUpReports(),
    context: async (id, _backend, at) => contextOf({ protocol: 'dm2', package1: {} }, id, at),
    exchange: (send, { context }) => exchange(send, context.device.id),
    save: async () => ({ at: world.now }),
    limits: { alertHours: 1, backendSeconds: 1 },
    log: { info() {}, warn() {}, error() {} },
    node: `node-${Math.random()}`,
    now,
  });
  return { gateway, worker };
}

const alert = (value: string) => ({ AlertType: 'urn:example:event', DataType: 'chr', Data: { DM1x: value } });
const legacyAlert = (value: string): BodyElement => ({
  kind: 'Alert',
  cmdId: value,
  code: '1226',
  items: [{ meta: { type: 'org.example.event', format: 'chr' }, data: value }],
});

const FIRST_WORDS: Record<string, (id: string) => DeviceRequest> = {
  'DM 1.x XML': (id) =>
    dm1Request(id, { body: [...OPENING, legacyAlert('7'), legacyAlert('8')], encoding: XML }),
  'DM 1.x WBXML': (id) =>
    dm1Request(id, { body: [...OPENING, legacyAlert('7'), legacyAlert('8')], encoding: WBXML }),
  'DM 2.0': (id) => dm2Request(id, 'initiation', { MOS: [], Alert: [alert('7'), alert('8')] }),
};

onEveryEngine('an accepted alert', (newUrl) => {
  const open: Store[] = [];
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });

  /** The device says its alerts, is answered, and leaves; the node dies at boundary `at`; all comes to rest. */
  async function live(url: string, request: DeviceRequest, at: number, world: World) {
    const mortal = new Mortal(at);
    const reopen = async () => {
      const store = await openStore(url);
      open.push(store);
      return store;
    };
    let store = await reopen();
    let { gateway, worker } = node(store, world, mortal);
    let dead = false;
    let reply: DeviceResponse | undefined;
    const work = async (task: () => Promise<unknown>) => {
      if (dead) {
        await task();
        return;
      }
      await Promise.race([task(), mortal.died]);
      if (mortal.seen.length < at || at === 0) return;
      dead = true;
      store = await reopen();
      ({ gateway, worker } = node(store, world, new Mortal(0)));
      if (!reply) reply = await gateway.port.handle(request);
    };
    await work(async () => {
      reply = await gateway.port.handle(request);
    });
    // Nothing more comes of the device: its session ends, leases pass, the worker does the rest.
    for (let round = 0; round < 3; round += 1) {
      world.now += 60_000;
      await work(() => gateway.runner.sweep());
      await work(async () => {
        worker.start(60_000);
        for (let quiet = 0; quiet < 3; quiet += 1) {
          await worker.idle();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await worker.stop(1000);
      });
    }
    expect(reply?.status).toBe(200);
    const waiting = await store.db.selectFrom('outbox').select('id').where('state', '=', 'waiting').execute();
    return { boundaries: mortal.seen, waiting };
  }

  it.each(
    Object.keys(FIRST_WORDS).flatMap((name) => [
      [name, 'its session'] as const,
      [name, 'one of its own'] as const,
    ]),
  )(
    'of a %s device is delivered in %s, at least once and in order, wherever the process dies [IW-ALERT-6]',
    async (name, where) => {
      const url = await newUrl();
      const world: World = { told: [], failsSessions: where !== 'its session', now: 1_000_000 };
      const request = FIRST_WORDS[name]!;
      const { boundaries } = await live(url, request('D0'), 0, world);
      expect(world.told).toEqual(['D0 7', 'D0 8']);
      expect(boundaries.length).toBeGreaterThan(8);
      for (let at = 1; at <= boundaries.length; at += 1) {
        const { waiting } = await live(url, request(`D${at}`), at, world);
        const own = world.told.filter((each) => each.startsWith(`D${at} `));
        const death = `death ${boundaries[at - 1]} (${at}): ${own.join()}`;
        expect(waiting, death).toEqual([]);
        expect([...new Set(own)], death).toEqual([`D${at} 7`, `D${at} 8`]);
        // Only what was under way may come twice.
        expect(own.length, death).toBeLessThanOrEqual(4);
        for (const store of open.splice(0)) await store.close();
      }
    },
    120_000,
  );
});
