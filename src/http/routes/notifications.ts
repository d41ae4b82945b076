import express, { type Request, type RequestHandler, Router } from 'express';
import { NOTIFICATION_TYPE } from '../../dm1/notification/package0.ts';
import type { Registry } from '../../gateway/registry/registry.ts';
import type { Notifier, NotifyBody } from '../../gateway/wakeup/notifier.ts';
import type { Wakeup } from '../../gateway/wakeup/wakeup.ts';
import type { Wakeups } from '../../gateway/wakeup/wakeups.ts';
import { encodeBase64 } from '../../mo/lexical.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { checkBody, jsonBody, pageLimit } from '../validate.ts';

export interface NotificationRoutes {
  readonly notifier: Notifier;
  readonly wakeups: Wakeups;
  readonly registry: Registry;
}

/** Media types under which a server's own Package#0 is taken. */
const BINARY: readonly string[] = [NOTIFICATION_TYPE, 'application/octet-stream'];
const BODY_BYTES = 16 * 1024;

/** `/api/devices/{id}/notify`, `/api/devices/{id}/notifications` and `/api/notifications/{id}` (IW-NOT-1). */
export function notificationRoutes({ notifier, wakeups, registry }: NotificationRoutes): Router {
  const router = Router();
  const known = async (id: string): Promise<Wakeup> => {
    const wakeup = await wakeups.get(id);
    if (wakeup) return wakeup;
    throw new DragomanError(
      'not-found',
      `There is no notification ${JSON.stringify(id)}; ended ones are kept for limits.traceHours.`,
    );
  };

  router
    .route('/api/devices/:id/notify')
    .post(jsonOrPackage0, async (request: Request<{ id: string }>, response) => {
      const { id } = request.params;
      const wakeup = Buffer.isBuffer(request.body)
        ? await notifier.receive(id, request.body)
        : await notifier.ask(id, checkBody<NotifyBody>('Notify', request.body, 'bad-value'));
      response.status(202).location(`/api/notifications/${wakeup.id}`).json(wakeupView(wakeup));
    })
    .all(allowOnly('POST'));

  router
    .route('/api/devices/:id/notifications')
    .get(async (request, response) => {
      const { id } = request.params;
      const limit = pageLimit(request);
      if (!(await registry.get(id))) {
        throw new DragomanError('not-found', `There is no device ${JSON.stringify(id)}.`);
      }
      response.json({ notifications: (await wakeups.list(id, limit)).map(wakeupView) });
    })
    .all(allowOnly('GET'));

  router
    .route('/api/notifications/:notification')
    .get(async (request, response) => {
      response.json(wakeupView(await known(request.params.notification)));
    })
    .delete(async (request, response) => {
      const { id } = await known(request.params.notification);
      if (!(await wakeups.withdraw(id))) {
        throw new DragomanError(
          'exists',
          `The notification is ${(await known(id)).state}; only one under way can be withdrawn.`,
        );
      }
      response.status(204).end();
    })
    .all(allowOnly('GET', 'DELETE'));

  return router;
}

const parseJson = jsonBody(BODY_BYTES);
const parseBinary = express.raw({ limit: BODY_BYTES, type: () => true });

const jsonOrPackage0: RequestHandler<{ id: string }> = (request, response, next) => {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (BINARY.includes(type)) {
    parseBinary(request, response, (error?: unknown) => {
      // A request without a body leaves none: it is an empty notification.
      if (!Buffer.isBuffer(request.body)) request.body = Buffer.alloc(0);
      next(error);
    });
  } else parseJson(request, response, next);
};

/** A notification as the API shows it. */
function wakeupView(wakeup: Wakeup): object {
  const { id, deviceId, number, askedBy, askedNumber, form, request, via, address, state } = wakeup;
  const { attempts, sent, sessionId, jobId, detail, notes } = wakeup;
  const { vendorSpecific, unknownOptions, original: _bytes, id: _number, ...asked } = request;
  const time = (at: number) => new Date(at).toISOString();
  const open = state === 'waiting' || state === 'sent';
  return {
    id,
    device: deviceId,
    number,
    askedBy,
    ...(askedNumber === undefined ? {} : { askedNumber }),
    form,
    ...asked,
    ...(vendorSpecific === undefined ? {} : { vendorSpecific: encodeBase64(vendorSpecific) }),
    ...(unknownOptions === undefined
      ? {}
      : { unknownOptions: unknownOptions.map((option) => option.number) }),
    via,
    ...(address === undefined ? {} : { address }),
    state,
    attempts,
    sent,
    ...(sessionId === undefined ? {} : { session: sessionId }),
    ...(jobId === undefined ? {} : { job: jobId }),
    ...(detail === undefined ? {} : { detail }),
    notes,
    createdAt: time(wakeup.createdAt),
    updatedAt: time(wakeup.updatedAt),
    ...(open ? { nextAt: time(wakeup.nextAt) } : {}),
    expiresAt: time(wakeup.expiresAt),
  };
}
