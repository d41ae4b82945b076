import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { DataRepository } from '../gateway/repository/repository.ts';
import { plain, refuse, send } from './plainAnswer.ts';
import { readBody } from './requestBody.ts';

export interface RepositoryEndpoint {
  readonly repository: DataRepository;
  readonly transferBytes: number;
  failed(error: unknown): void;
}

const PLACE = /^\/repository\/([^/?#]+)\/?(?:\?.*)?$/s;
/** What was put there is for a machine: no browser may take it for a page. */
const INERT = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/**
 * `/repository/<token>`, for clients and backends. A session of a 2.0 client comes here as often as to the
 * device port, so that no framework stands in between either. Nothing else is at other addresses.
 */
export function repositoryListener(endpoint: RepositoryEndpoint): RequestListener {
  return (request, response) => {
    const token = PLACE.exec(request.url ?? '')?.[1];
    if (token === undefined) send(response, plain(404, 'There is nothing at this address.'));
    else {
      answer(endpoint, token, request, response).catch((error: unknown) => {
        endpoint.failed(error);
        refuse(response, error);
      });
    }
  };
}

async function answer(
  { repository, transferBytes }: RepositoryEndpoint,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request, response, transferBytes);
  if (body === null) return;
  const deviceId = deviceHeader(request);
  const {
    status,
    headers,
    body: document,
  } = await repository.handle({
    method: request.method ?? '',
    token,
    headers: request.headers as Record<string, string | undefined>,
    ...(body === undefined ? {} : { body }),
    ...(deviceId === undefined ? {} : { deviceId }),
  });
  response.writeHead(status, { ...INERT, ...headers });
  response.end(document);
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
