import { Router } from 'express';
import type { BootstrapBody, Bootstrapper } from '../../gateway/bootstrap/bootstrapper.ts';
import { encodeBase64 } from '../../mo/lexical.ts';
import { allowOnly } from '../problem.ts';
import { checkBody, jsonBody } from '../validate.ts';

const BODY_BYTES = 16 * 1024;

/** `/api/devices/{id}/bootstrap`: an account for this gateway (IW-BOOT-1). */
export function bootstrapRoutes(bootstrapper: Bootstrapper): Router {
  const router = Router();
  router
    .route('/api/devices/:id/bootstrap')
    .post(jsonBody(BODY_BYTES), async (request, response) => {
      const body = checkBody<BootstrapBody>('Bootstrap', request.body, 'bad-value');
      const { document, ...rest } = await bootstrapper.bootstrap(request.params.id, body);
      response.status(201).json({ ...rest, document: encodeBase64(document) });
    })
    .all(allowOnly('POST'));
  return router;
}
