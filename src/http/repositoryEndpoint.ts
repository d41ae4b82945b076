import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IDENTITY_HEADERS } from '../dm2/dialects/index.ts';
import type { DataRepository } from '../gateway/repository/repository.ts';
import { plain, refuse, send } from './plainAnswer.ts';
import { receiveBody } from './requestBody.ts';

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
  const uploads = request.method === 'PUT' || request.method === 'POST';
  const deviceId = deviceHeader(request);
  const {
    status,
    headers,
    body: document,
  } = await repository.handle({
    method: request.method ?? '',
    token,
    headers: request.headers as Record<string, string | undefined>,
    ...(uploads && { body: (receiver) => receiveBody(request, response, transferBytes, receiver) }),
    ...(deviceId === undefined ? {} : { deviceId }),
  });
  if (response.destroyed) return;
  response.writeHead(status, { ...INERT, ...headers });
  if (document === undefined || document instanceof Uint8Array) response.end(document);
  else await pipeline(Readable.from(document, { objectMode: false }), response);
}

/** The names under which a 2.0 client tells its identity (IW-SES-2). */
function deviceHeader({ headers }: IncomingMessage): string | undefined {
  for (const name of IDENTITY_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
