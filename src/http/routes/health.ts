import { Router } from 'express';
import type { Registry } from 'prom-client';
import { allowOnly } from '../problem.ts';

/** `/livez` and `/readyz`: open to everyone, as probes carry no token. */
export function healthRoutes(notReady: () => Promise<readonly string[]>): Router {
  const router = Router();
  router
    .route('/livez')
    .get((_request, response) => {
      response.json({ status: 'ok' });
    })
    .all(allowOnly('GET'));
  router
    .route('/readyz')
    .get(async (_request, response) => {
      const reasons = await notReady();
      if (reasons.length === 0) response.json({ status: 'ok' });
      else response.status(503).json({ status: 'not ready', reasons });
    })
    .all(allowOnly('GET'));
  return router;
}

/** `/metrics` in the text format of Prometheus. */
export function metricsRoutes(registry: Registry): Router {
  const router = Router();
  router
    .route('/metrics')
    .get(async (_request, response) => {
      response.setHeader('Content-Type', registry.contentType);
      response.end(await registry.metrics());
    })
    .all(allowOnly('GET'));
  return router;
}
