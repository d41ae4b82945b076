import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../gateway/config/config.ts';
import { importDevicesFile } from '../gateway/registry/importCsv.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import { loadPacks, SHIPPED_PACKS } from '../mo/pack/files.ts';
import { openStore, type Store } from '../store/store.ts';
import { seconds } from '../support/durations.ts';
import type { Logger } from '../support/log.ts';
import { adminApp } from './adminApp.ts';
import { adminToken } from './adminToken.ts';
import { Certificates } from './certificates.ts';
import { DEVICE_PATH, deviceListener } from './deviceEndpoint.ts';
import { interactionPages } from './interactionApp.ts';
import { createMetrics } from './metrics.ts';
import { createNotifications } from './notifications.ts';
import { type Handlers, openPorts } from './openPorts.ts';
import { createOutbound } from './outbound.ts';
import { createRecords } from './records.ts';
import { repositoryListener } from './repositoryEndpoint.ts';
import { createSessionParts } from './sessionParts.ts';
import { startUpkeep } from './upkeep.ts';
import { VERSION } from './version.ts';

/** A gateway that serves. */
export interface Gateway {
  readonly urls: {
    /** Where device messages are POSTed, as listened on. */
    readonly devices: string;
    /** Root of the admin port. */
    readonly admin: string;
    /** Root under which devices are told to come back. */
    readonly public: string;
  };
  readonly token: string;
  /** The token is in no configuration: whoever starts the gateway has to say it once. */
  readonly tokenGenerated: boolean;
  /**
   * Reads certificates, keys and authorities again; sessions under way do not notice. What cannot be used
   * is logged, and what was there before stays in use.
   */
  reload(): void;
  /** Refuses new sessions, finishes what is in flight, parks the rest in the store and closes it. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly log: Logger;
  /** Longest wait for messages in flight at a stop, in milliseconds. */
  readonly drainMs?: number;
}

type State = 'starting' | 'serving' | 'draining' | 'stopped';

/** Things to undo, last first, when a later step of the start fails or the gateway stops. */
type Undo = (() => Promise<void> | void)[];

/**
 * Starts everything that `config` describes. Throws `configuration` or `mapping`, with what is wrong
 * where, and leaves nothing open behind it then.
 */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const undo: Undo = [];
  try {
    return await assemble(config, options, undo);
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

async function unwind(undo: Undo): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

async function assemble(config: Config, options: GatewayOptions, undo: Undo): Promise<Gateway> {
  const { log } = options;
  const { limits } = config;
  let state: State = 'starting';
  const { token, generated } = adminToken(config);
  const mappings = loadPacks([SHIPPED_PACKS, ...config.mappings]);
  const store = await openStore(config.store);
  undo.push(() => store.close());
  const handlers: Handlers = {};
  const { devices, admin, publicUrl } = await openPorts(config, handlers, (port) => {
    undo.push(() => port.close());
  });

  const records = createRecords({ config, store, publicUrl, log, wakeDelivery: () => worker.wake() });
  const { registry, interactions } = records;
  undo.push(() => registry.flush());
  const outbound = createOutbound(config);
  const certificates = new Certificates(devices.tls, outbound.tls, log);
  undo.push(() => outbound.client.close());
  undo.push(() => interactions.close());
  const metrics = createMetrics({ live: () => runner.live, expiries: () => certificates.expiries() });
  const node = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const shared = { config, store, publicUrl, metrics, log, node };
  const notifications = createNotifications({ ...shared, ...records, ...outbound });
  const { wakeups } = notifications;
  const { port, runner, worker } = createSessionParts({ ...shared, records, outbound, wakeups, mappings });
  if (config.devices !== undefined) await importAtStart(registry, config.devices, log);

  handlers.devices = deviceListener(
    {
      handle: (request) => port.handle(request),
      messageBytes: limits.messageBytes,
      closed: () => state === 'starting' || state === 'stopped',
      failed: (error) => log.debug({ error }, 'device request refused'),
      answered: (status, time) => metrics.deviceRequest(status, time),
    },
    interactionPages(
      { interactions, failed: (error) => log.debug({ error }, 'page refused') },
      repositoryListener({
        repository: records.repository,
        transferBytes: limits.transferBytes,
        failed: (error) => log.debug({ error }, 'repository request refused'),
      }),
    ),
  );
  handlers.admin = adminApp({
    ...records,
    token,
    store,
    secrets: mappings.secrets,
    notifications,
    jobsNotify: config.notifications.jobs,
    backends: config.backends,
    metrics,
    log,
    version: VERSION,
    notReady: async () => [
      ...(state === 'serving' ? [] : [`the gateway is ${state}`]),
      ...((await reachable(store)) ? [] : ['the store cannot be reached']),
    ],
  });
  const timers = startUpkeep(config, { runner, store, records, wakeups, log });
  timers.push(certificates.watch());
  worker.start();
  notifications.worker.start();
  const drainMs = options.drainMs ?? seconds(10);
  state = 'serving';

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    state = 'draining';
    for (const timer of timers) clearInterval(timer);
    await runner.drain(drainMs);
    await Promise.all([worker.stop(drainMs), notifications.worker.stop(drainMs)]);
    state = 'stopped';
    await unwind(undo);
  };
  return {
    urls: { devices: `${devices.origin}${DEVICE_PATH}`, admin: admin.origin, public: publicUrl },
    token,
    tokenGenerated: generated,
    reload: () => certificates.reload(),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

async function importAtStart(registry: Registry, file: string, log: Logger): Promise<void> {
  const { imported, refused, problems } = await importDevicesFile(registry, file);
  log.info({ file, imported, refused }, 'devices imported');
  for (const problem of problems) log.warn({ file, ...problem }, 'device not imported');
}

async function reachable(store: Store): Promise<boolean> {
  const probe = store.db.selectFrom('devices').select('id').limit(1).execute();
  const late = new Promise<false>((resolve) => setTimeout(resolve, seconds(2), false).unref());
  return Promise.race([
    probe.then(
      () => true,
      () => false,
    ),
    late,
  ]);
}
