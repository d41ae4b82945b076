import express, { type Express, type RequestHandler } from 'express';
import type { BackendConfig } from '../gateway/config/config.ts';
import type { JobQueue } from '../gateway/jobs/jobs.ts';
import type { ReceivedAlerts } from '../gateway/jobs/receivedAlerts.ts';
import type { DeliveryQueue } from '../gateway/outbox/deliveryQueue.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import type { SecretPaths } from '../mo/secretPaths.ts';
import type { Store } from '../store/store.ts';
import { newId } from '../support/ids.ts';
import type { Logger } from '../support/log.ts';
import { requireToken } from './adminToken.ts';
import type { Metrics } from './metrics.ts';
import type { Notifications } from './notifications.ts';
import { openApi } from './openapi.ts';
import { allowOnly, answerProblems, noSuchRoute } from './problem.ts';
import { alertRoutes } from './routes/alerts.ts';
import { backendRoutes } from './routes/backends.ts';
import { bootstrapRoutes } from './routes/bootstrap.ts';
import { deviceRoutes } from './routes/devices.ts';
import { healthRoutes, metricsRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { outboxRoutes } from './routes/outbox.ts';
import { sessionRoutes } from './routes/sessions.ts';

export interface AdminParts {
  readonly token: string;
  /** Nodes whose values no trace shows. */
  readonly secrets: SecretPaths;
  readonly store: Store;
  readonly registry: Registry;
  readonly jobs: JobQueue;
  readonly alerts: ReceivedAlerts;
  readonly deliveries: DeliveryQueue;
  readonly notifications: Pick<Notifications, 'notifier' | 'wakeups' | 'bootstrapper'>;
  /** Whether a queued job wakes its device where its request does not say. */
  readonly jobsNotify: boolean;
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly version: string;
  /** Why no device should be sent here now; empty when all is well. */
  notReady(): Promise<readonly string[]>;
}

const BODY_BYTES = 2 * 1024 * 1024;
const IMPORT_BYTES = 256 * 1024 * 1024;

/** The REST API, metrics and health. */
export function adminApp(parts: AdminParts): Express {
  const { store, registry, jobs, metrics, log } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(requestIds(log), securityHeaders);
  app.use(healthRoutes(parts.notReady));
  app.use(requireToken(parts.token, () => metrics.authFailed('admin')));
  app.use(metricsRoutes(metrics.registry));
  const description = openApi(parts.version);
  app
    .route('/openapi.json')
    .get((_request, response) => {
      response.json(description);
    })
    .all(allowOnly('GET'));
  const { notifier, wakeups, bootstrapper } = parts.notifications;
  app.use(
    deviceRoutes({
      registry,
      jobs,
      notifier,
      jobsNotify: parts.jobsNotify,
      bodyBytes: BODY_BYTES,
      importBytes: IMPORT_BYTES,
    }),
    notificationRoutes({ notifier, wakeups, registry }),
    bootstrapRoutes(bootstrapper),
  );
  app.use(
    jobRoutes(jobs),
    alertRoutes(parts.alerts, registry),
    outboxRoutes(parts.deliveries),
    sessionRoutes(store, parts.secrets),
    backendRoutes(parts.backends),
  );
  app.use(noSuchRoute);
  app.use(
    answerProblems((error, response) => {
      const line = { request: response.getHeader('X-Request-Id'), code: error.code, cause: error.cause };
      if (error.row.fault === 'ours' && error.code !== 'overload') log.error(line, error.detail);
      else log.debug(line, error.detail);
    }),
  );
  return app;
}

/** Every request has an id, its own or one of ours, in the answer and in the log. */
function requestIds(log: Logger): RequestHandler {
  return (request, response, next) => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : newId('req');
    response.setHeader('X-Request-Id', id);
    const began = performance.now();
    response.once('finish', () => {
      const ms = Math.round((performance.now() - began) * 10) / 10;
      log.debug(
        { request: id, method: request.method, path: request.path, status: response.statusCode, ms },
        'admin',
      );
    });
    next();
  };
}

/** Nothing of the admin port belongs into a frame, a cache or another origin's hands. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  next();
};
