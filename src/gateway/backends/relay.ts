import { HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import { type CodecLimits, decodeMessage, defaultEncoding, encodeMessage } from '../../dm1/codec.ts';
import { answerForKept } from '../../dm1/keepBack.ts';
import { readdressBytes, readdressMessage } from '../../dm1/readdress.ts';
import { DM1_FORMS, DM1_TYPES } from '../../dm1/tables/mediaTypes.ts';
import { outgrows, transcoded } from '../../dm1/transcode.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { BackendRequest, HttpAnswer } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import type { OutboundResponse } from '../outbound/client.ts';
import type { RelayedRequest } from './backend.ts';

/** Headers that sign every byte of the body: SyncML's own and the one of Windows (1x§9.5, §15.1). */
const SIGNATURES = [HMAC_HEADER, 'ms-signature'] as const;

/** Headers of a device that are meant for its server; the rest is between it and the gateway. */
const PASSED = [
  ...SIGNATURES,
  'user-agent',
  'accept-language',
  'authorization',
  // 1x§15.1
  'devicetoken',
  'mdm-genericalert',
  'client-request-id',
  'ms-cv',
  'useragentorigin',
] as const;

type Relay = Extract<BackendRequest, { protocol: 'relay' }>;

/**
 * The device's message as its server gets it: signed ones as they came, others with the addresses changed;
 * written anew only where the server is configured for the other encoding.
 *
 * @throws DragomanError `too-large` where that would make it larger than the server takes, `forbidden` where
 *   a signed one would have to say what the server may not do
 */
export function relayedRequest(
  request: RelayedRequest,
  relay: Omit<Relay, 'protocol' | 'url'>,
  limits: CodecLimits,
): { body: Uint8Array; headers: Record<string, string> } {
  const type = request.headers['content-type'] ?? '';
  const came = DM1_FORMS[essence(type) ?? ''] ?? 'xml';
  const headers: Record<string, string> = { 'content-type': type, accept: DM1_TYPES[came] };
  for (const name of PASSED) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  const { form = came, max, kept = [] } = relay;
  if (SIGNATURES.some((name) => headers[name] !== undefined)) {
    if (kept.length === 0) return { body: request.body, headers };
    throw new DragomanError(
      'forbidden',
      'What the server may not do cannot be said in a message that is signed.',
    );
  }
  const asItCame = form === came && kept.length === 0;
  const body = asItCame ? readdressBytes(request.body, form, relay.addresses, limits) : anew();
  if (outgrows(request.body.length, body.length, max, form !== came)) {
    throw new DragomanError(
      'too-large',
      `The device's message of ${request.body.length} bytes would have ${body.length} for the server, which takes ${max}.`,
    );
  }
  if (form === came) return { body, headers };
  return { body, headers: { ...headers, 'content-type': DM1_TYPES[form], accept: DM1_TYPES[form] } };

  function anew(): Uint8Array {
    const { message, encoding } = decodeMessage(request.body, came, limits);
    const told = readdressMessage(answerForKept(message, kept), relay.addresses);
    if (form === came) return encodeMessage(told, encoding);
    return encodeMessage(
      transcoded(told, form, relay.open).message,
      defaultEncoding(form, message.header.verDTD),
    );
  }
}

/** The configured URL with what the device added to its own: clients tell in its query how the session came about (1x§15.1). */
export function withQueryOf({ url = '' }: RelayedRequest, configured: string): string {
  const mark = url.indexOf('?');
  if (mark < 0) return configured;
  const to = new URL(configured);
  to.search = to.search === '' ? url.slice(mark) : `${to.search}&${url.slice(mark + 1)}`;
  return to.href;
}

/** What HTTP asks of the device itself: credentials, or to come again later. */
const ASKS: Readonly<Record<number, string>> = {
  401: 'www-authenticate',
  429: 'retry-after',
  503: 'retry-after',
};

/** An answer that only the device can do something about; `undefined`: it is for the gateway. */
export function passedAnswer({ status, headers }: OutboundResponse): HttpAnswer | undefined {
  const name = ASKS[status];
  const value = name === undefined ? undefined : headers[name];
  return name === undefined || value === undefined ? undefined : { status, headers: { [name]: value } };
}
