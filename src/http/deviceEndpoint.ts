import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type CertificateClaim, certificateClaim } from '../gateway/auth/certificate.ts';
import { peerNetwork } from '../gateway/auth/peerNetwork.ts';
import type { DeviceRequest, DeviceResponse } from '../gateway/sessions/devicePort.ts';
import { plain, refuse, send } from './plainAnswer.ts';
import { readBody } from './requestBody.ts';

/** Where every dialect of both generations arrives. */
export const DEVICE_PATH = '/dm';

export interface DeviceEndpoint {
  /** The gateway's answer to a message; never rejects for what a device sent. */
  handle(request: DeviceRequest): Promise<DeviceResponse>;
  readonly messageBytes: number;
  /** True while no message may begin anything new: starting up or shutting down. */
  closed(): boolean;
  failed(error: unknown, request: IncomingMessage): void;
  answered(status: number, seconds: number): void;
}

/**
 * The device port's request handler: `POST /dm` goes to `endpoint` without any framework in between,
 * as it is the hot path; everything else goes to `rest`.
 */
export function deviceListener(endpoint: DeviceEndpoint, rest: RequestListener): RequestListener {
  return (request, response) => {
    if (!isDevicePath(request.url ?? '')) {
      rest(request, response);
      return;
    }
    const began = performance.now();
    answer(endpoint, request, response)
      .catch((error: unknown) => {
        endpoint.failed(error, request);
        refuse(response, error);
      })
      .finally(() => endpoint.answered(response.statusCode, (performance.now() - began) / 1000));
  };
}

function isDevicePath(url: string): boolean {
  if (!url.startsWith(DEVICE_PATH)) return false;
  const after = url[DEVICE_PATH.length];
  return after === undefined || after === '?' || after === '/';
}

async function answer(
  endpoint: DeviceEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') {
    response.setHeader('Allow', 'POST');
    send(response, plain(405, `Device messages are POSTed here, not sent by ${request.method}.`));
    return;
  }
  if (endpoint.closed()) {
    response.setHeader('Connection', 'close');
    send(response, plain(503, 'The gateway is starting or stopping. Try again shortly.'));
    return;
  }
  const body = await readBody(request, response, endpoint.messageBytes);
  if (body === undefined) return;
  send(response, await endpoint.handle(deviceRequest(request, response, body)));
}

function deviceRequest(request: IncomingMessage, response: ServerResponse, body: Uint8Array): DeviceRequest {
  const certificate = request.socket instanceof TLSSocket ? claimOf(request.socket) : undefined;
  return {
    headers: request.headers as DeviceRequest['headers'],
    body,
    url: request.url ?? DEVICE_PATH,
    peer: peerNetwork(request.socket.remoteAddress),
    delivered: new Promise((resolve) => {
      response.once('close', () => resolve(response.writableFinished));
    }),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

const claims = new WeakMap<TLSSocket, CertificateClaim | undefined>();

/** Read once for each connection: what was shown cannot change. */
function claimOf(socket: TLSSocket): CertificateClaim | undefined {
  if (!claims.has(socket)) {
    const { authorized, authorizationError: error } = socket;
    claims.set(socket, certificateClaim(socket.getPeerCertificate(), { authorized, error }));
  }
  return claims.get(socket);
}
