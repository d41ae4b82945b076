import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Admission } from '../gateway/auth/admission.ts';
import { DeviceAuthenticator } from '../gateway/auth/authenticator.ts';
import { BackendNonces } from '../gateway/auth/backendNonces.ts';
import { NonceStore } from '../gateway/auth/nonces.ts';
import { accountForDevice, presentTo } from '../gateway/auth/present.ts';
import { BuiltinBackend } from '../gateway/backends/builtin.ts';
import { Backends } from '../gateway/backends/exchange.ts';
import type { CertificateFiles, Config } from '../gateway/config/config.ts';
import { Interactions } from '../gateway/interaction/interactions.ts';
import { JobQueue } from '../gateway/jobs/jobs.ts';
import { ReceivedAlerts } from '../gateway/jobs/receivedAlerts.ts';
import { ObjectStore } from '../gateway/objects/objects.ts';
import { OutboundClient } from '../gateway/outbound/client.ts';
import { OutboundGuard } from '../gateway/outbound/guard.ts';
import { OutboundTls } from '../gateway/outbound/tls.ts';
import { Transfers } from '../gateway/outbound/transfer.ts';
import { outboxExchange } from '../gateway/outbox/exchange.ts';
import { Outbox } from '../gateway/outbox/outbox.ts';
import { OutboxWorker } from '../gateway/outbox/worker.ts';
import { importDevicesFile } from '../gateway/registry/importCsv.ts';
import { Registry } from '../gateway/registry/registry.ts';
import { JobReports } from '../gateway/reports/jobReports.ts';
import { Reports } from '../gateway/reports/reports.ts';
import { DataRepository } from '../gateway/repository/repository.ts';
import { DevicePort } from '../gateway/sessions/devicePort.ts';
import { SessionRunner } from '../gateway/sessions/runner.ts';
import { createWire } from '../gateway/sessions/wire.ts';
import type { Wakeups } from '../gateway/wakeup/wakeups.ts';
import { loadPacks, SHIPPED_PACKS } from '../mo/pack/files.ts';
import { openStore, type Store } from '../store/store.ts';
import { hours, minutes, seconds, systemClock } from '../support/durations.ts';
import { DragomanError } from '../support/errors.ts';
import { matchesGlob } from '../support/glob.ts';
import { type Logger, withoutRedaction } from '../support/log.ts';
import { adminApp } from './adminApp.ts';
import { generateToken } from './adminToken.ts';
import { Certificates } from './certificates.ts';
import { DEVICE_PATH, deviceListener } from './deviceEndpoint.ts';
import { authenticatesDm1, deviceGate } from './deviceGate.ts';
import { interactionPages } from './interactionApp.ts';
import { type Listening, listen } from './listen.ts';
import { createMetrics } from './metrics.ts';
import { createNotifications, transportUrls } from './notifications.ts';
import { performers } from './performers.ts';
import { repositoryListener } from './repositoryEndpoint.ts';
import { deliveryContext, sessionStarter } from './starter.ts';
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

  // The ports open first, refusing, as the public URL may depend on the port that was free.
  const handlers: Handlers = {};
  const listening = await openPorts(config, handlers, undo);
  const publicUrl = publicOrigin(config.publicUrl, listening.devices);

  const registry = new Registry(store, {
    cachedDevices: limits.cachedDevices,
    onError: (error) => log.error({ error }, 'Counts of sessions could not be written.'),
  });
  undo.push(() => registry.flush());
  const jobReports = new JobReports(store, limits);
  const jobs = new JobQueue(store, {
    jobsPerDevice: limits.jobsPerDevice,
    reports: jobReports,
    deviceUrl: `${publicUrl}${DEVICE_PATH}`,
  });
  const alerts = new ReceivedAlerts(store);
  const trusted = Object.values(config.backends).flatMap((b) => (b.protocol === 'builtin' ? [] : [b.url]));
  const guard = new OutboundGuard({
    allow: config.outbound.allow,
    trusted: [...trusted, ...transportUrls(config)],
  });
  const outboundTls = new OutboundTls({
    ...(config.outbound.ca === undefined ? {} : { ca: config.outbound.ca }),
    backends: ownCertificates(config),
  });
  const client = new OutboundClient(outboundTls);
  const certificates = new Certificates(listening.devices.tls, outboundTls, log);
  undo.push(() => client.close());
  const objects = new ObjectStore(store);
  const repository = new DataRepository(store, { publicUrl, ...limits }, objects);
  const interactions = new Interactions(store, { publicUrl, ...limits });
  undo.push(() => interactions.close());
  const metrics = createMetrics({ live: () => runner.live, expiries: () => certificates.expiries() });
  const authenticator = new DeviceAuthenticator({
    registry,
    nonces: new NonceStore(store),
    policy: { ...config.deviceAuth, unknownDevice: config.unknownDevice },
    log,
    onFailure: () => metrics.authFailed('device'),
  });
  const backendNonces = new BackendNonces(store);
  const builtin = new BuiltinBackend(jobs, alerts, jobReports);
  const backends = new Backends({ backends: config.backends, limits, registry, guard, client, builtin });
  const reports = new Reports(store, { ...limits, deviceUrl: `${publicUrl}${DEVICE_PATH}` });
  const outbox = new Outbox(store, reports, { ...limits, wake: () => worker.wake() });
  const node = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const parts = { config, publicUrl, registry, mappings, backendNonces };
  const deviceUrl = `${publicUrl}${DEVICE_PATH}`;
  const notifications = createNotifications({
    config,
    store,
    registry,
    jobs,
    guard,
    client,
    metrics,
    log,
    node,
    deviceUrl,
  });
  const { wakeups } = notifications;
  const wire = createWire(limits);
  const runner = new SessionRunner({
    store,
    starter: sessionStarter({ ...parts, reports }),
    performers: performers({
      backends,
      outbox,
      reports,
      guard,
      transfers: new Transfers(guard, client, limits, systemClock, objects),
      repository,
      objects,
      interactions,
      authenticator,
      registry,
      backendNonces,
      wakeups,
      metrics,
    }),
    wire,
    present: async (message, present, deviceId) =>
      presentTo(message, present, await accountForDevice(registry, deviceId), `device ${deviceId}`),
    authenticate: authenticatesDm1(authenticator),
    readStored: (stored) => objects.read(stored),
    limits,
    metrics,
    log,
    node,
    ended: ({ id, deviceId, backend }) => {
      outbox.released(id);
      const given = config.backends[backend]?.protocol;
      // Jobs go out in sessions of the built-in backend alone; one that is configured no longer may have been it.
      const fromQueue = given === undefined || given === 'builtin';
      const noted = [
        registry.sessionEnded(deviceId),
        fromQueue && jobs.sessionEnded(deviceId, id),
        objects.release(id),
      ];
      Promise.all(noted).catch((error: unknown) => log.error({ session: id, error }, 'ending not noted'));
    },
  });
  const worker = new OutboxWorker({
    outbox,
    context: deliveryContext(parts),
    exchange: outboxExchange({
      backends: config.backends,
      configured: backends,
      builtin,
      tools: { guard, client, limits },
    }),
    save: async ({ patch }, { context }) => {
      if (patch.backendNonce) await backendNonces.put(context.device.id, patch.backendNonce);
      return { at: Date.now() };
    },
    reported: (deviceId, sent) => jobReports.take(deviceId, sent),
    limits,
    log,
    node,
  });
  const port = new DevicePort({
    ...deviceGate({
      runner,
      authenticator,
      interactions,
      admission: new Admission(limits.requestsPerDevice),
    }),
    wire,
    dialectOf: (id) => config.dialects.find((row) => matchesGlob(row.deviceId, id))?.dialect,
    deviceUrl: `${publicUrl}${DEVICE_PATH}`,
    limits,
    metrics,
    log: withoutRedaction(log),
  });
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
        repository,
        transferBytes: limits.transferBytes,
        failed: (error) => log.debug({ error }, 'repository request refused'),
      }),
    ),
  );
  handlers.admin = adminApp({
    token,
    store,
    secrets: mappings.secrets,
    registry,
    jobs,
    alerts,
    outbox,
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
  const timers = startTimers(config, {
    runner,
    store,
    jobs,
    alerts,
    outbox,
    reports,
    repository,
    objects,
    interactions,
    wakeups,
    log,
  });
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
    urls: {
      devices: `${listening.devices.origin}${DEVICE_PATH}`,
      admin: listening.admin.origin,
      public: publicUrl,
    },
    token,
    tokenGenerated: generated,
    reload: () => certificates.reload(),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

interface Handlers {
  devices?: Parameters<typeof listen>[0];
  admin?: Parameters<typeof listen>[0];
}

async function openPorts(
  config: Config,
  handlers: Handlers,
  undo: Undo,
): Promise<{ devices: Listening; admin: Listening }> {
  const { requestSeconds } = config.limits;
  const via =
    (name: keyof Handlers): Parameters<typeof listen>[0] =>
    (request, response) => {
      const handler = handlers[name];
      if (handler) handler(request, response);
      else response.writeHead(503, { 'Retry-After': '2', Connection: 'close' }).end();
    };
  const devices = await listen(via('devices'), {
    address: config.listen.devices,
    key: 'listen.devices',
    requestSeconds,
    handlerContinues: true,
    ...(config.listen.tls === undefined ? {} : { tls: config.listen.tls }),
  });
  undo.push(() => devices.close());
  const admin = await listen(via('admin'), {
    address: config.listen.admin,
    key: 'listen.admin',
    requestSeconds,
  });
  undo.push(() => admin.close());
  return { devices, admin };
}

function ownCertificates({ backends }: Config): Record<string, CertificateFiles> {
  const found: Record<string, CertificateFiles> = {};
  for (const [name, backend] of Object.entries(backends)) {
    if (backend.protocol !== 'builtin' && backend.tls) found[name] = backend.tls;
  }
  return found;
}

/** The configured URL, with the port that was bound where it was left to chance. */
function publicOrigin(configured: string, { port }: Listening): string {
  const url = new URL(configured);
  if (url.port !== '0') return configured;
  url.port = String(port);
  return url.href.replace(/\/+$/, '');
}

function adminToken({ admin }: Config): { token: string; generated: boolean } {
  if (admin.token !== undefined) return { token: admin.token, generated: false };
  if (admin.tokenFile === undefined) return { token: generateToken(), generated: true };
  let token: string;
  try {
    token = readFileSync(admin.tokenFile, 'utf8').trim();
  } catch (error) {
    throw new DragomanError('configuration', `admin.tokenFile: ${admin.tokenFile} cannot be read.`, {
      cause: error,
    });
  }
  if (token.length < 8) {
    throw new DragomanError(
      'configuration',
      `admin.tokenFile: ${admin.tokenFile} holds no token of 8 characters or more.`,
    );
  }
  return { token, generated: false };
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

interface Kept {
  readonly runner: SessionRunner;
  readonly store: Store;
  readonly jobs: JobQueue;
  readonly alerts: ReceivedAlerts;
  readonly outbox: Outbox;
  readonly reports: Reports;
  readonly repository: DataRepository;
  readonly objects: ObjectStore;
  readonly interactions: Interactions;
  readonly wakeups: Wakeups;
  readonly log: Logger;
}

/** What happens without any message: silent devices are given up, old records forgotten. */
function startTimers(
  { limits }: Config,
  { runner, store, jobs, alerts, outbox, reports, repository, objects, interactions, wakeups, log }: Kept,
): NodeJS.Timeout[] {
  const every = (ms: number, what: string, work: () => Promise<unknown>) => {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => log.error({ error }, `${what} failed`))
        .finally(() => {
          busy = false;
        });
    }, ms);
    return timer.unref();
  };
  return [
    every(Math.min(seconds(5), seconds(limits.sessionSeconds) / 4), 'sweep', () => runner.sweep()),
    every(minutes(1), 'pruning of the repository', () => repository.prune()),
    every(minutes(5), 'pruning of objects', () =>
      objects.prune(Date.now() - seconds(limits.repositorySeconds)),
    ),
    every(minutes(5), 'pruning of pages', () => interactions.prune()),
    every(minutes(10), 'pruning', async () => {
      const before = Date.now() - hours(limits.traceHours);
      await store.sessions.purge(before);
      await jobs.prune(before);
      await alerts.prune(before);
      await outbox.prune(before);
      await reports.prune(before);
      await wakeups.prune(before);
    }),
  ];
}
