import { HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import { type CodecLimits, decodeMessage, defaultEncoding, encodeMessage } from '../../dm1/codec.ts';
import { type Readdressing, readdressBytes, readdressMessage } from '../../dm1/readdress.ts';
import { DM1_FORMS, DM1_TYPES } from '../../dm1/tables/mediaTypes.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { RelayedRequest } from './backend.ts';

/** Headers of a device that are meant for its server; the rest is between it and the gateway. */
const PASSED = ['user-agent', 'accept-language', 'authorization', HMAC_HEADER] as const;

/**
 * The device's message as its server gets it: signed ones as they came, others with the addresses changed;
 * written anew only where the server is configured for the other encoding.
 */
export function relayedRequest(
  request: RelayedRequest,
  changes: readonly Readdressing[],
  encoding: 'xml' | 'wbxml' | undefined,
  limits: CodecLimits,
): { body: Uint8Array; headers: Record<string, string> } {
  const type = request.headers['content-type'] ?? '';
  const form = DM1_FORMS[essence(type) ?? ''] ?? 'xml';
  const headers: Record<string, string> = { 'content-type': type, accept: DM1_TYPES[form] };
  for (const name of PASSED) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  if (headers[HMAC_HEADER] !== undefined) return { body: request.body, headers };
  if (encoding === undefined || encoding === form) {
    return { body: readdressBytes(request.body, form, changes, limits), headers };
  }
  const message = readdressMessage(decodeMessage(request.body, form, limits).message, changes);
  const body = encodeMessage(message, defaultEncoding(encoding, message.header.verDTD));
  return { body, headers: { ...headers, 'content-type': DM1_TYPES[encoding], accept: DM1_TYPES[encoding] } };
}

/** The configured URL with what the device added to its own: clients tell in its query how the session came about (1x§15.1). */
export function withQueryOf({ url = '' }: RelayedRequest, configured: string): string {
  const mark = url.indexOf('?');
  if (mark < 0) return configured;
  const to = new URL(configured);
  to.search = to.search === '' ? url.slice(mark) : `${to.search}&${url.slice(mark + 1)}`;
  return to.href;
}
