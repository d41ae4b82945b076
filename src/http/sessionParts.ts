import { Admission } from '../gateway/auth/admission.ts';
import { DeviceAuthenticator } from '../gateway/auth/authenticator.ts';
import { accountForDevice, presentTo } from '../gateway/auth/present.ts';
import { BuiltinBackend } from '../gateway/backends/builtin.ts';
import { Backends } from '../gateway/backends/exchange.ts';
import type { Config } from '../gateway/config/config.ts';
import { Transfers } from '../gateway/outbound/transfer.ts';
import { outboxExchange } from '../gateway/outbox/exchange.ts';
import { OutboxWorker } from '../gateway/outbox/worker.ts';
import { DevicePort } from '../gateway/sessions/devicePort.ts';
import { SessionRunner } from '../gateway/sessions/runner.ts';
import { createWire } from '../gateway/sessions/wire.ts';
import type { Wakeups } from '../gateway/wakeup/wakeups.ts';
import type { MappingSet } from '../mo/mapping.ts';
import type { Store } from '../store/store.ts';
import { systemClock } from '../support/durations.ts';
import { matchesGlob } from '../support/glob.ts';
import { type Logger, withoutRedaction } from '../support/log.ts';
import { DEVICE_PATH } from './deviceEndpoint.ts';
import { authenticatesDm1, deviceGate } from './deviceGate.ts';
import type { Metrics } from './metrics.ts';
import type { Outbound } from './outbound.ts';
import { performers } from './performers.ts';
import type { Records } from './records.ts';
import { deliveryContext, sessionStarter } from './starter.ts';

export interface SessionNeeds {
  readonly config: Config;
  readonly store: Store;
  readonly records: Records;
  readonly outbound: Outbound;
  readonly wakeups: Wakeups;
  readonly mappings: MappingSet;
  /** Origin under which devices reach the gateway. */
  readonly publicUrl: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Name of this node in the store. */
  readonly node: string;
}

/** What carries sessions; the worker is not started yet. */
export interface SessionParts {
  /** Takes the messages of devices. */
  readonly port: DevicePort;
  readonly runner: SessionRunner;
  /** Delivers the alerts that no session delivered. */
  readonly worker: OutboxWorker;
}

export function createSessionParts(needs: SessionNeeds): SessionParts {
  const { config, store, records, outbound, wakeups, mappings, publicUrl, metrics, log, node } = needs;
  const { limits } = config;
  const { guard, client } = outbound;
  const {
    registry,
    nonces,
    backendNonces,
    jobs,
    jobReports,
    alerts,
    reports,
    outbox,
    objects,
    interactions,
  } = records;
  const authenticator = new DeviceAuthenticator({
    registry,
    nonces,
    policy: { ...config.deviceAuth, unknownDevice: config.unknownDevice },
    log,
    onFailure: () => metrics.authFailed('device'),
  });
  const builtin = new BuiltinBackend(jobs, alerts, jobReports);
  const backends = new Backends({ backends: config.backends, limits, registry, guard, client, builtin });
  const starterParts = { config, publicUrl, registry, mappings, backendNonces };
  const wire = createWire(limits);
  const transfers = new Transfers(guard, client, limits, systemClock, objects);
  const runner = new SessionRunner({
    store,
    starter: sessionStarter({ ...starterParts, reports }),
    performers: performers({ ...records, backends, transfers, guard, authenticator, wakeups, metrics }),
    wire,
    present: async (message, present, deviceId) =>
      presentTo(message, present, await accountForDevice(registry, deviceId), `device ${deviceId}`),
    ...authenticatesDm1(authenticator),
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
    queue: records.deliveries,
    giveUpReports: () => outbox.giveUpReports(),
    context: deliveryContext(starterParts),
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
  const admission = new Admission(limits.requestsPerDevice);
  const port = new DevicePort({
    ...deviceGate({ runner, authenticator, interactions, admission }),
    wire,
    dialectOf: (id) => config.dialects.find((row) => matchesGlob(row.deviceId, id))?.dialect,
    deviceUrl: `${publicUrl}${DEVICE_PATH}`,
    limits,
    metrics,
    log: withoutRedaction(log),
  });
  return { port, runner, worker };
}
