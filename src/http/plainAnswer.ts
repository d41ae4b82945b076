import type { ServerResponse } from 'node:http';
import type { DeviceResponse } from '../gateway/sessions/devicePort.ts';
import { asDragomanError, RETRY_AFTER_SECONDS } from './problem.ts';

/** An answer for a machine that has no use for more than a line of text. */
export function plain(status: number, text: string): DeviceResponse {
  const body = Buffer.from(`${text}\n`);
  return {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(body.length) },
    body,
  };
}

export function send(response: ServerResponse, { status, headers, body }: DeviceResponse): void {
  if (response.destroyed) return;
  if (status === 503 || status === 429) response.setHeader('Retry-After', String(RETRY_AFTER_SECONDS));
  response.writeHead(status, { ...headers });
  response.end(body);
}

/** A request that did not get as far as its handler's answer: too large, or our own fault. */
export function refuse(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const error = asDragomanError(thrown);
  response.setHeader('Connection', 'close');
  send(response, plain(error.row.http, `${error.code}: ${error.detail}`));
}
