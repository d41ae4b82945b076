import { Router } from 'express';
import { readTrace, type TraceEntry } from '../../gateway/sessions/trace.ts';
import type { SecretPaths } from '../../mo/secretPaths.ts';
import type { SessionRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { DragomanError } from '../../support/errors.ts';
import { allowOnly } from '../problem.ts';
import { traceText } from '../traceText.ts';
import { choiceQuery, pageLimit, textQuery } from '../validate.ts';

/** `/api/sessions` and one session's trace. */
export function sessionRoutes(store: Store, secrets: SecretPaths): Router {
  const router = Router();

  router
    .route('/api/sessions')
    .get(async (request, response) => {
      const limit = pageLimit(request);
      const device = textQuery(request, 'device');
      const state = choiceQuery(request, 'state', ['live', 'done', 'failed']);
      const before = readCursor(textQuery(request, 'before'));
      let query = store.db
        .selectFrom('sessions')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (device !== undefined) query = query.where('device_id', '=', device);
      if (state !== undefined) query = query.where('state', '=', state);
      if (before !== undefined) query = query.where('id', '<', before);
      const rows = await query.execute();
      const page = rows.slice(0, limit);
      const last = page[page.length - 1];
      const next = rows.length > limit && last ? last.id : undefined;
      response.json({ sessions: page.map(sessionView), next });
    })
    .all(allowOnly('GET'));

  router
    .route('/api/sessions/:id')
    .get(async (request, response) => {
      const { id } = request.params;
      const trace = await readTrace(store, id, secrets);
      if (!trace) {
        throw new DragomanError(
          'not-found',
          `There is no session ${JSON.stringify(id)}; ended ones are kept for limits.traceHours.`,
        );
      }
      if (request.accepts(['application/json', 'text/plain']) === 'text/plain') {
        response.type('text/plain').send(traceText(trace));
      } else response.json({ ...sessionView(trace.session), trace: trace.entries.map(entryView) });
    })
    .all(allowOnly('GET'));

  return router;
}

/** Ids sort by the time of the opening, so that one of them is where the next page begins. */
function readCursor(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[0-9a-z]{9}-[0-9a-f-]{18}$/.test(text)) {
    throw new DragomanError('bad-value', 'The query parameter before must be the `next` of an earlier page.');
  }
  return text;
}

function entryView(entry: TraceEntry): object {
  return { ...entry, at: new Date(Number(entry.at)).toISOString() };
}

function sessionView(row: Omit<SessionRow, 'key'>): object {
  return {
    id: row.id,
    device: row.device_id,
    protocol: row.protocol,
    backend: row.backend,
    state: row.state,
    openedAt: new Date(Number(row.opened_at)).toISOString(),
    updatedAt: new Date(Number(row.updated_at)).toISOString(),
    ...(row.ending === null ? {} : { ending: row.ending }),
    ...(row.detail === null ? {} : { detail: row.detail }),
  };
}
