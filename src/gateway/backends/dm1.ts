import { HMAC_HEADER } from '../../dm1/auth/hmacHeader.ts';
import {
  type CodecLimits,
  DEFAULT_LIMITS,
  decodeMessage,
  defaultEncoding,
  encodeMessage,
} from '../../dm1/codec.ts';
import { DM1_FORMS, DM1_TYPES } from '../../dm1/tables/mediaTypes.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import { accountForBackend, presentTo } from '../auth/present.ts';
import type { Dm1BackendConfig } from '../config/config.ts';
import type { OutboundResponse } from '../outbound/client.ts';
import type { Registry } from '../registry/registry.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';
import { type PostTools, post } from './post.ts';
import { passedAnswer, relayedRequest, withQueryOf } from './relay.ts';

/** How servers label their answers; XML also goes under its general names. */
const FORMS: Readonly<Record<string, 'xml' | 'wbxml'>> = Object.freeze({
  ...DM1_FORMS,
  'application/xml': 'xml',
  'text/xml': 'xml',
});

/** A DM 1.x server: the gateway is its client. */
export class Dm1Backend implements Backend {
  readonly #name: string;
  readonly #config: Dm1BackendConfig;
  readonly #tools: PostTools;
  readonly #registry: Registry;

  constructor(name: string, config: Dm1BackendConfig, tools: PostTools & { readonly registry: Registry }) {
    this.#name = name;
    this.#config = config;
    this.#tools = tools;
    this.#registry = tools.registry;
  }

  async exchange(send: BackendRequest, whose: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol === 'dm2') throw wrongProtocol(send);
    return send.protocol === 'relay' ? this.#relay(send, whose) : this.#send(send, whose);
  }

  async #send(send: Extract<BackendRequest, { protocol: 'dm1' }>, { deviceId }: ExchangeOf) {
    const presented = send.present
      ? presentTo(
          send.message,
          send.present,
          await accountForBackend(this.#registry, this.#config, deviceId),
          `The legacy server ${this.#name}`,
        )
      : { message: send.message };
    const form = send.form ?? this.#config.encoding ?? 'xml';
    const body = encodeMessage(presented.message, defaultEncoding(form, send.message.header.verDTD));
    const type = DM1_TYPES[form];
    const response = await this.#post(send.url, body, {
      'content-type': form === 'xml' ? `${type}; charset=utf-8` : type,
      accept: `${DM1_TYPES.wbxml}, ${DM1_TYPES.xml}`,
      ...presented.headers?.(body),
    });
    return { kind: 'dm1', message: this.#read(response).message } as const;
  }

  /** Passes the device's message on and brings the server's back in its own bytes (IW-REL-1). */
  async #relay(send: Extract<BackendRequest, { protocol: 'relay' }>, { request }: ExchangeOf) {
    if (!request) {
      throw new DragomanError(
        'backend-failed',
        'The message to pass on is not at hand: its device has left.',
      );
    }
    const { body, headers } = relayedRequest(request, send, this.#limits());
    const to = send.url ?? withQueryOf(request, this.#config.url);
    const takes = (answer: OutboundResponse) => passedAnswer(answer) !== undefined;
    const response = await this.#post(to, body, headers, takes).catch(ofTheAnswer);
    const passed = passedAnswer(response);
    if (passed) return { kind: 'http', ...passed } as const;
    const { form, message } = this.#read(response);
    const mac = response.headers[HMAC_HEADER];
    const raw = { form, body: response.body, ...(mac !== undefined && { mac }) };
    return { kind: 'dm1', message, raw } as const;
  }

  #post(
    url: string | undefined,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    takes?: (answer: OutboundResponse) => boolean,
  ) {
    const configuredUrl = this.#config.url;
    return post(this.#tools, {
      url: url ?? configuredUrl,
      configuredUrl,
      backend: this.#name,
      headers,
      body,
      ...(takes && { takes }),
    });
  }

  #limits(): CodecLimits {
    return { ...DEFAULT_LIMITS, bytes: this.#tools.limits.messageBytes };
  }

  #read({ headers, body }: OutboundResponse) {
    if (body.length === 0) throw new DragomanError('backend-failed', 'The answer is empty.');
    const form = FORMS[essence(headers['content-type']) ?? ''] ?? sniffed(body);
    if (!form) {
      throw new DragomanError(
        'backend-failed',
        `The answer is ${headers['content-type'] ?? 'without a Content-Type'} where SyncML is due.`,
      );
    }
    try {
      return { form, message: decodeMessage(body, form, this.#limits()).message };
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      throw new DragomanError('backend-failed', `The answer is no SyncML: ${error.detail}`, { cause: error });
    }
  }
}

/** Servers exist that leave the type out or send a general one: a WBXML version byte or a root element tells. */
function sniffed(body: Uint8Array): 'xml' | 'wbxml' | undefined {
  const [first = 0] = body;
  if (first >= 1 && first <= 3) return 'wbxml';
  const head = Buffer.from(body.subarray(0, 512)).toString('latin1');
  return /<(?:[\w.-]+:)?SyncML[\s>]/.test(head) ? 'xml' : undefined;
}

/** `too-large` is said of what a relay would send; of what it gets the server is to blame. */
function ofTheAnswer(error: unknown): never {
  if (!(error instanceof DragomanError) || error.code !== 'too-large') throw error;
  throw new DragomanError('backend-failed', error.detail, { cause: error });
}
