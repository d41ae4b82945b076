import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import type { DataRepository } from '../gateway/repository/repository.ts';
import { securityHeaders } from './adminApp.ts';
import { answerProblems, noSuchRoute } from './problem.ts';
import { readBody } from './requestBody.ts';

export interface DevicePages {
  readonly repository: DataRepository;
  readonly transferBytes: number;
  failed(error: unknown): void;
}

/** What the device port serves beside messages: the Data Repository. */
export function devicePages({ repository, transferBytes, failed }: DevicePages): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(securityHeaders);
  app.all('/repository/:token', async (request, response) => {
    const body = await bodyOf(request, response, transferBytes);
    if (body === null) return;
    const deviceId = deviceHeader(request);
    const answer = await repository.handle({
      method: request.method,
      token: request.params.token,
      headers: request.headers as Record<string, string | undefined>,
      ...(body === undefined ? {} : { body }),
      ...(deviceId === undefined ? {} : { deviceId }),
    });
    response.status(answer.status);
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    response.end(answer.body);
  });
  app.use(noSuchRoute);
  app.use(answerProblems((error) => failed(error)));
  return app;
}

/** The body of an upload, `undefined` for a method without one, `null` when the device went away. */
async function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<Uint8Array | null | undefined> {
  if (request.method !== 'PUT' && request.method !== 'POST') return undefined;
  return (await readBody(request, response, limit)) ?? null;
}

/** The names under which a 2.0 client tells its identity (IW-SES-2). */
function deviceHeader({ headers }: IncomingMessage): string | undefined {
  for (const name of ['omadm-devid', 'x-omadmdeviceid', 'x-omadmdevid']) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
