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
        .orderBy('opened_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (device !== undefined) query = query.where('device_id', '=', device);
      if (state !== undefined) query = query.where('state', '=', state);
      if (before) {
        query = query.where((eb) =>
          eb.or([
            eb('opened_at', '<', before.at),
            eb.and([eb('opened_at', '=', before.at), eb('id', '<', before.id)]),
          ]),
        );
      }
      const rows = await query.execute();
      const page = rows.slice(0, limit);
      const last = page[page.length - 1];
      const next = rows.length > limit && last ? `${last.opened_at}~${last.id}` : undefined;
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

function readCursor(text: string | undefined): { at: number; id: string } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,16})~(.+)$/s.exec(text);
  if (!match) {
    throw new DragomanError('bad-value', 'The query parameter before must be the `next` of an earlier page.');
  }
  return { at: Number(match[1]), id: match[2] ?? '' };
}

function entryView(entry: TraceEntry): object {
  return { ...entry, at: new Date(Number(entry.at)).toISOString() };
}

function sessionView(row: Omit<SessionRow, 'context' | 'key'>): object {
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
