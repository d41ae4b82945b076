import type { RequestListener } from 'node:http';
import express, { type Request, type Response } from 'express';
import { showReturn } from '../dm2/dialects/index.ts';
import type { Interactions } from '../gateway/interaction/interactions.ts';
import { deadEndPage, donePage, questionPage } from '../gateway/interaction/pages.ts';
import { answerOf, readPosted } from '../gateway/interaction/posted.ts';
import { PAGE_POLICY } from '../gateway/interaction/style.ts';
import { type PageLang, pageLang } from '../gateway/interaction/texts.ts';
import { securityHeaders } from './adminApp.ts';
import { asDragomanError } from './problem.ts';
import { readBody } from './requestBody.ts';

export interface InteractionPages {
  readonly interactions: Interactions;
  failed(error: unknown): void;
}

const PREFIX = '/interact/';
/** Longest answer in bytes; every text that an alert can ask for is far below. */
const ANSWER_BYTES = 256 * 1024;

/** `/interact/<token>`: pages for users (IW-UI-1). Everything else goes to `rest`. */
export function interactionPages(pages: InteractionPages, rest: RequestListener): RequestListener {
  const app = interactionApp(pages);
  return (request, response) => {
    if (request.url?.startsWith(PREFIX)) app(request, response);
    else rest(request, response);
  };
}

function interactionApp({ interactions, failed }: InteractionPages): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(securityHeaders);
  app.get(`${PREFIX}:token`, async (request, response) => {
    const view = await interactions.view(request.params.token, request.method === 'GET');
    if (view.kind !== 'open') return deadEnd(request, response, view.kind, lang(request, view));
    const { alert, secondsLeft } = view;
    send(response, 200, questionPage({ alert, secondsLeft, lang: lang(request, view) }));
  });
  app.post(`${PREFIX}:token`, async (request, response) => {
    const { token } = request.params;
    const view = await interactions.view(token, false);
    if (view.kind !== 'open') return deadEnd(request, response, view.kind, lang(request, view));
    const body = await readBody(request, response, ANSWER_BYTES);
    if (body === undefined) return;
    const { alert, secondsLeft } = view;
    const posted = readPosted(body);
    const read = answerOf(alert, posted);
    if (!read.ok) {
      const refused = { problem: read.problem, posted };
      send(response, 422, questionPage({ alert, secondsLeft, lang: lang(request, view), refused }));
      return;
    }
    const verdict = await interactions.answer(token, read.answer);
    if (verdict !== 'taken') return deadEnd(request, response, verdict, lang(request, view));
    if (showReturn(request.url) !== undefined) {
      // An early client takes the browser for done once this page is loaded (20§5); never a URL of the query.
      response.redirect(303, `${PREFIX}${token}/done`);
      return;
    }
    send(response, 200, donePage(alert, read.answer, lang(request, view)));
  });
  app.get(`${PREFIX}:token/done`, async (request, response) => {
    const view = await interactions.view(request.params.token, false);
    if (view.kind === 'used') send(response, 200, deadEndPage('used', lang(request, view)));
    else deadEnd(request, response, view.kind === 'open' ? 'unknown' : view.kind, lang(request, view));
  });
  app.use((request: Request, response: Response) => {
    deadEnd(request, response, 'unknown', lang(request, {}));
  });
  app.use(((thrown, request, response, next) => {
    const error = asDragomanError(thrown);
    failed(error);
    if (response.headersSent) next(thrown);
    else if (error.row.http === 500) send(response, 500, deadEndPage('unknown', lang(request, {})));
    else send(response, error.row.http, deadEndPage('unknown', lang(request, {})));
  }) satisfies express.ErrorRequestHandler);
  return app;
}

function lang(request: Request, view: { readonly lang?: string } | object): PageLang {
  const device = 'lang' in view ? view.lang : undefined;
  return pageLang(device, request.headers['accept-language']);
}

function deadEnd(
  _request: Request,
  response: Response,
  kind: 'used' | 'expired' | 'unknown',
  language: PageLang,
): void {
  send(response, kind === 'unknown' ? 404 : 410, deadEndPage(kind, language));
}

function send(response: Response, status: number, page: string): void {
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.status(status).end(page);
}
