import { Router } from 'express';
import { type Alert, SESSION_ALERT } from '../../dm2/packages.ts';
import type { Registry } from '../../gateway/registry/registry.ts';
import type { Store } from '../../store/store.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { pageLimit } from '../validate.ts';

interface AlertView {
  readonly at: string;
  readonly session: string;
  readonly alert: Alert;
}

/** Says that a session begins, not what happened on the device. */
const OPENINGS: ReadonlySet<string> = new Set(Object.values(SESSION_ALERT));
const MOST_ENTRIES = 2000;

/** `/api/devices/{id}/alerts`, in DM 2.0 terms whatever the device speaks, from what backends were sent. */
export function alertRoutes(store: Store, registry: Registry): Router {
  const router = Router();
  router
    .route('/api/devices/:id/alerts')
    .get(async (request, response) => {
      const { id } = request.params;
      const limit = pageLimit(request);
      if (!(await registry.get(id))) {
        throw new DragomanError('not-found', `There is no device ${JSON.stringify(id)}.`);
      }
      const rows = await store.db
        .selectFrom('sessions')
        .innerJoin('journal', 'journal.session_id', 'sessions.id')
        .select(['journal.session_id', 'journal.at', 'journal.meta'])
        .where('sessions.device_id', '=', id)
        .where('journal.kind', '=', 'backend.exchange')
        .where('journal.meta', 'like', '%"Alert"%')
        .orderBy('journal.at', 'desc')
        .limit(MOST_ENTRIES)
        .execute();
      const alerts: AlertView[] = [];
      for (const { session_id, at, meta } of rows) {
        if (alerts.length >= limit) break;
        for (const alert of alertsOf(meta)) {
          alerts.push({ at: new Date(Number(at)).toISOString(), session: session_id, alert });
        }
      }
      response.json({ alerts: alerts.slice(0, limit) });
    })
    .all(allowOnly('GET'));
  return router;
}

interface ExchangeMeta {
  readonly request?: {
    readonly package1?: { readonly Alert?: readonly Alert[] };
    readonly package3?: { readonly Alert?: readonly Alert[] };
  };
}

function alertsOf(meta: string): readonly Alert[] {
  const { request } = JSON.parse(meta) as ExchangeMeta;
  const alerts = request?.package1?.Alert ?? request?.package3?.Alert ?? [];
  return alerts.filter((alert) => !OPENINGS.has(alert.AlertType));
}
