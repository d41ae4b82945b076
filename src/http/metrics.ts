import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything that `/metrics` shows. Names are stable: dashboards and alerts rely on them. */
export interface Metrics {
  readonly registry: Registry;
  /** A message that came in (`in`) or was answered (`out`); `result` is `ok` or an error code. */
  message(dialect: string, direction: 'in' | 'out', result: string): void;
  sessionEnded(ending: string): void;
  backendCall(backend: string, result: string, seconds: number): void;
  outboundRefused(): void;
  /** A try to send a notification: `sent`, `failed` (to be tried again) or `refused`. */
  notified(via: string, result: string): void;
  authFailed(where: 'device' | 'admin'): void;
  journalFlushed(seconds: number): void;
  deviceRequest(status: number, seconds: number): void;
}

const SHORT = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const LONG = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is looked up when somebody asks. */
export interface MetricSources {
  /** Sessions that are held in memory now. */
  live(): number;
  /** When each certificate ends, milliseconds since 1970, by its key in the configuration. */
  expiries(): Readonly<Record<string, number>>;
}

export function createMetrics({ live, expiries }: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'dragoman_' });
  const messages = new Counter({
    name: 'dragoman_messages_total',
    help: 'Device messages by dialect, direction and result',
    labelNames: ['dialect', 'direction', 'result'] as const,
    registers,
  });
  new Gauge({
    name: 'dragoman_sessions_live',
    help: 'Sessions held in memory',
    registers,
    collect() {
      this.set(live());
    },
  });
  new Gauge({
    name: 'dragoman_certificate_expiry_timestamp_seconds',
    help: 'When a certificate of ours ends, seconds since 1970',
    labelNames: ['files'] as const,
    registers,
    collect() {
      this.reset();
      for (const [files, at] of Object.entries(expiries())) this.set({ files }, at / 1000);
    },
  });
  const endings = new Counter({
    name: 'dragoman_session_endings_total',
    help: 'Sessions by how they ended',
    labelNames: ['ending'] as const,
    registers,
  });
  const backend = new Histogram({
    name: 'dragoman_backend_seconds',
    help: 'Time for one exchange with a backend',
    labelNames: ['backend', 'result'] as const,
    buckets: LONG,
    registers,
  });
  const refusals = new Counter({
    name: 'dragoman_outbound_refusals_total',
    help: 'Requests that the outbound guard refused',
    registers,
  });
  const notifications = new Counter({
    name: 'dragoman_notifications_total',
    help: 'Tries to send notifications to devices by transport and result',
    labelNames: ['via', 'result'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'dragoman_auth_failures_total',
    help: 'Refused credentials of devices and of the admin port',
    labelNames: ['where'] as const,
    registers,
  });
  const flush = new Histogram({
    name: 'dragoman_journal_flush_seconds',
    help: 'Time to make a batch of journal entries durable',
    buckets: SHORT,
    registers,
  });
  const requests = new Histogram({
    name: 'dragoman_device_request_seconds',
    help: 'Time from a device message to its answer, backends included',
    labelNames: ['status'] as const,
    buckets: LONG,
    registers,
  });
  return {
    registry,
    message: (dialect, direction, result) => messages.inc({ dialect, direction, result }),
    sessionEnded: (ending) => endings.inc({ ending }),
    backendCall: (name, result, seconds) => backend.observe({ backend: name, result }, seconds),
    outboundRefused: () => refusals.inc(),
    notified: (via, result) => notifications.inc({ via, result }),
    authFailed: (where) => failures.inc({ where }),
    journalFlushed: (seconds) => flush.observe(seconds),
    deviceRequest: (status, seconds) => requests.observe({ status: String(status) }, seconds),
  };
}
