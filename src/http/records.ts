import { BackendNonces } from '../gateway/auth/backendNonces.ts';
import { NonceStore } from '../gateway/auth/nonces.ts';
import type { Config } from '../gateway/config/config.ts';
import { Interactions } from '../gateway/interaction/interactions.ts';
import { JobQueue } from '../gateway/jobs/jobs.ts';
import { ReceivedAlerts } from '../gateway/jobs/receivedAlerts.ts';
import { ObjectStore } from '../gateway/objects/objects.ts';
import { DeliveryQueue } from '../gateway/outbox/deliveryQueue.ts';
import { Outbox } from '../gateway/outbox/outbox.ts';
import { Registry } from '../gateway/registry/registry.ts';
import { JobReports } from '../gateway/reports/jobReports.ts';
import { Reports } from '../gateway/reports/reports.ts';
import { DataRepository } from '../gateway/repository/repository.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../support/log.ts';
import { DEVICE_PATH } from './deviceEndpoint.ts';

export interface RecordParts {
  readonly config: Config;
  readonly store: Store;
  /** Origin under which devices reach the gateway. */
  readonly publicUrl: string;
  readonly log: Logger;
  /** There is something to deliver that no session delivers. */
  wakeDelivery(): void;
}

/** What the gateway remembers beside its sessions, each kind of it in tables of its own. */
export interface Records {
  readonly registry: Registry;
  readonly nonces: NonceStore;
  readonly backendNonces: BackendNonces;
  readonly jobs: JobQueue;
  readonly jobReports: JobReports;
  readonly alerts: ReceivedAlerts;
  readonly reports: Reports;
  readonly outbox: Outbox;
  readonly deliveries: DeliveryQueue;
  readonly objects: ObjectStore;
  readonly repository: DataRepository;
  readonly interactions: Interactions;
}

export function createRecords({ config, store, publicUrl, log, wakeDelivery }: RecordParts): Records {
  const { limits } = config;
  const deviceUrl = `${publicUrl}${DEVICE_PATH}`;
  const jobReports = new JobReports(store, limits);
  const reports = new Reports(store, { ...limits, deviceUrl });
  const objects = new ObjectStore(store);
  const deliveries = new DeliveryQueue(store, { wake: wakeDelivery });
  return {
    registry: new Registry(store, {
      cachedDevices: limits.cachedDevices,
      onError: (error) => log.error({ error }, 'Counts of sessions could not be written.'),
    }),
    nonces: new NonceStore(store),
    backendNonces: new BackendNonces(store),
    jobs: new JobQueue(store, { jobsPerDevice: limits.jobsPerDevice, reports: jobReports, deviceUrl }),
    jobReports,
    alerts: new ReceivedAlerts(store),
    reports,
    outbox: new Outbox(store, reports, deliveries, limits),
    deliveries,
    objects,
    repository: new DataRepository(store, { publicUrl, ...limits }, objects),
    interactions: new Interactions(store, { publicUrl, ...limits }),
  };
}
