import { Router } from 'express';
import type { ReceivedAlerts } from '../../gateway/jobs/receivedAlerts.ts';
import type { Registry } from '../../gateway/registry/registry.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { pageLimit } from '../validate.ts';

/** `/api/devices/{id}/alerts`: what the built-in backend was told, in DM 2.0 terms whatever the device speaks. */
export function alertRoutes(alerts: ReceivedAlerts, registry: Registry): Router {
  const router = Router();
  router
    .route('/api/devices/:id/alerts')
    .get(async (request, response) => {
      const { id } = request.params;
      const limit = pageLimit(request);
      if (!(await registry.get(id))) {
        throw new DragomanError('not-found', `There is no device ${JSON.stringify(id)}.`);
      }
      const list = await alerts.list(id, limit);
      response.json({ alerts: list.map(({ at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() })) });
    })
    .all(allowOnly('GET'));
  return router;
}
