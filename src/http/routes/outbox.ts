import { Router } from 'express';
import type { DeliveryQueue } from '../../gateway/outbox/deliveryQueue.ts';
import { readPayload } from '../../gateway/outbox/payload.ts';
import type { OutboxRow } from '../../store/schema.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { pageLimit } from '../validate.ts';

const STATES: Readonly<Record<string, OutboxRow['state']>> = Object.freeze({
  waiting: 'waiting',
  delivered: 'done',
  dead: 'failed',
});

/** `/api/outbox`: alerts on their way to their backends, and dead letters, to be tried again or thrown away (IW-ALERT-6). */
export function outboxRoutes(deliveries: DeliveryQueue): Router {
  const router = Router();
  const known = async (id: string): Promise<OutboxRow> => {
    const row = await deliveries.get(id);
    if (row) return row;
    throw new DragomanError(
      'not-found',
      `There is no alert ${JSON.stringify(id)}; settled ones are kept for limits.traceHours.`,
    );
  };
  router
    .route('/api/outbox')
    .get(async (request, response) => {
      const { device, state, before } = request.query;
      const limit = pageLimit(request);
      if (state !== undefined && (typeof state !== 'string' || !Object.hasOwn(STATES, state))) {
        throw new DragomanError('bad-command', `state: must be one of ${Object.keys(STATES).join(', ')}.`);
      }
      if (before !== undefined && (typeof before !== 'string' || !/^\d{1,15}$/.test(before))) {
        throw new DragomanError('bad-command', 'before: must be the `next` of another page.');
      }
      const rows = await deliveries.list({
        limit: limit + 1,
        ...(typeof device === 'string' && { deviceId: device }),
        ...(state !== undefined && { state: STATES[state]! }),
        ...(before !== undefined && { before: Number(before) }),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      response.json({
        alerts: page.map(view),
        ...(rows.length > limit && last && { next: String(last.seq) }),
      });
    })
    .all(allowOnly('GET'));

  router
    .route('/api/outbox/:alert')
    .get(async (request, response) => {
      response.json(view(await known(request.params.alert)));
    })
    .delete(async (request, response) => {
      const row = await known(request.params.alert);
      if (!(await deliveries.discard(row.id))) throw notDead(row);
      response.status(204).end();
    })
    .all(allowOnly('GET', 'DELETE'));

  router
    .route('/api/outbox/:alert/retry')
    .post(async (request, response) => {
      const row = await known(request.params.alert);
      if (!(await deliveries.revive(row.id))) throw notDead(row);
      response.status(202).json(view(await known(row.id)));
    })
    .all(allowOnly('POST'));
  return router;
}

function notDead({ state }: OutboxRow): DragomanError {
  return new DragomanError('exists', `The alert is ${nameOf(state)}; this is for dead letters only.`);
}

function nameOf(state: OutboxRow['state']): string | undefined {
  return Object.keys(STATES).find((name) => STATES[name] === state);
}

function view(row: OutboxRow): object {
  const time = (at: number | null) => new Date(Number(at ?? 0)).toISOString();
  const { protocol, alert, correlator } = readPayload(row.payload);
  return {
    id: row.id,
    device: row.device_id,
    backend: row.backend,
    ...(row.url !== null && { serverUri: row.url }),
    state: nameOf(row.state),
    attempts: Number(row.attempts),
    ...(row.detail !== null && { reason: row.detail }),
    createdAt: time(row.created_at),
    // Of one that is settled: when that was.
    [row.state === 'waiting' ? 'nextAt' : 'settledAt']: time(row.next_at),
    protocol,
    alert,
    ...(correlator !== undefined && { correlator }),
  };
}
