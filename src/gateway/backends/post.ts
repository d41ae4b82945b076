import { seconds } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Limits } from '../config/config.ts';
import type { OutboundClient, OutboundResponse } from '../outbound/client.ts';
import type { OutboundGuard } from '../outbound/guard.ts';
import type { HttpCredentials } from './httpAuth.ts';

export interface PostTools {
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  readonly limits: Pick<Limits, 'messageBytes' | 'backendSeconds'>;
}

export interface Post {
  /** Where to; any but the configured origin has to pass the guard (IW-SES-9). */
  readonly url: string;
  readonly configuredUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Presented to the configured origin only. */
  readonly credentials?: HttpCredentials;
  /** Whose certificate is shown, to the configured origin only. */
  readonly backend?: string;
  /** Answers other than 2xx that are no failure to the caller. */
  readonly takes?: (response: OutboundResponse) => boolean;
}

/**
 * Posts a message to a backend and gives its 2xx answer. Throws `backend-failed` with what the operator
 * has to know about any other.
 */
export async function post(
  tools: PostTools,
  { url, configuredUrl, headers, body, credentials, backend, takes }: Post,
): Promise<OutboundResponse> {
  const target = await tools.guard.check(url);
  const atHome = target.url.origin === new URL(configuredUrl).origin;
  const ours = atHome ? credentials : undefined;
  // As do those of a relayed device: it gave them for the server that is configured (RFC 9110 §11.5).
  const { authorization: _, ...elsewhere } = headers;
  const passed = atHome ? headers : elsewhere;
  const uri = `${target.url.pathname}${target.url.search}`;
  const bounds = { bytes: tools.limits.messageBytes, timeout: seconds(tools.limits.backendSeconds) };
  const attempt = () =>
    tools.client.request(
      target,
      { method: 'POST', headers: { ...passed, ...ours?.header('POST', uri) }, body },
      bounds,
      atHome ? backend : undefined,
    );
  let response = await attempt();
  if (response.status === 401 && ours?.challenged(response.headers['www-authenticate'])) {
    response = await attempt();
  }
  if ((response.status < 200 || response.status > 299) && !takes?.(response)) {
    throw refusal(response, target.url.origin);
  }
  return response;
}

/** 4xx that a later try may not meet again. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 421, 423, 425, 429]);

function refusal({ status, headers }: OutboundResponse, origin: string): DragomanError {
  const failed = (detail: string) => new DragomanError('backend-failed', detail);
  if (status >= 300 && status < 400) {
    const to = headers['location'];
    const where = to !== undefined && URL.canParse(to, origin) ? ` to ${new URL(to, origin).origin}` : '';
    return failed(`${origin} redirects${where} (HTTP ${status}); configure the URL that it should be.`);
  }
  if (status === 401 || status === 407) return failed(`${origin} refuses our credentials (HTTP ${status}).`);
  if (status === 403) return failed(`${origin} forbids the request (HTTP 403).`);
  if (status >= 400 && status < 500 && !PASSING.has(status)) {
    return new DragomanError('backend-refused', `${origin} refuses the message (HTTP ${status}).`);
  }
  return failed(`${origin} answers HTTP ${status}.`);
}
