import type { BackendNonces } from '../gateway/auth/backendNonces.ts';
import { Bootstrapper } from '../gateway/bootstrap/bootstrapper.ts';
import type { Config } from '../gateway/config/config.ts';
import type { JobQueue } from '../gateway/jobs/jobs.ts';
import type { OutboundClient } from '../gateway/outbound/client.ts';
import type { OutboundGuard } from '../gateway/outbound/guard.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import { Notifier } from '../gateway/wakeup/notifier.ts';
import { makeTransports } from '../gateway/wakeup/transports/transports.ts';
import { Wakeups } from '../gateway/wakeup/wakeups.ts';
import { WakeupWorker } from '../gateway/wakeup/worker.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../support/log.ts';
import { DEVICE_PATH } from './deviceEndpoint.ts';
import type { Metrics } from './metrics.ts';

export interface NotificationParts {
  readonly config: Config;
  readonly store: Store;
  readonly registry: Registry;
  readonly backendNonces: BackendNonces;
  readonly jobs: JobQueue;
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Name of this node in the store. */
  readonly node: string;
  /** Origin under which devices reach the gateway. */
  readonly publicUrl: string;
}

export interface Notifications {
  readonly wakeups: Wakeups;
  readonly notifier: Notifier;
  readonly worker: WakeupWorker;
  readonly bootstrapper: Bootstrapper;
}

/** Everything that reaches out to devices (IW-NOT-1, IW-BOOT-1); the worker is not started yet. */
export function createNotifications(parts: NotificationParts): Notifications {
  const { config, store, registry, backendNonces, jobs, guard, client, metrics, log, node, publicUrl } =
    parts;
  const { limits, notifications, serverId } = config;
  const own = { serverId, deviceUrl: `${publicUrl}${DEVICE_PATH}` };
  const wakeups = new Wakeups(store, { ...limits, wake: () => worker.wake() });
  const transports = makeTransports(notifications.transports, { guard, client, limits });
  const worker = new WakeupWorker({
    wakeups,
    registry,
    nonces: backendNonces,
    jobs,
    transports,
    own,
    repeats: notifications.repeats,
    repeatSeconds: notifications.repeatSeconds,
    limits,
    log,
    node,
    tried: (via, result) => metrics.notified(via, result),
  });
  return {
    wakeups,
    worker,
    notifier: new Notifier({ registry, wakeups, config, own }),
    bootstrapper: new Bootstrapper({ registry, config, transports, own }),
  };
}

/** Where the configured transports lead: the operator trusts those origins. */
export function transportUrls({ notifications }: Config): readonly string[] {
  return Object.values(notifications.transports).flatMap((t) => (t.type === 'udp' ? [] : [t.url]));
}
