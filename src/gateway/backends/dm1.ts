import { DEFAULT_LIMITS, decodeMessage, defaultEncoding, encodeMessage } from '../../dm1/codec.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import { accountForBackend, presentTo } from '../auth/present.ts';
import type { Dm1BackendConfig } from '../config/config.ts';
import type { OutboundResponse } from '../outbound/client.ts';
import type { Registry } from '../registry/registry.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';
import { type PostTools, post } from './post.ts';

/** Content types of SyncML messages; the ones without `.dm` are obsolete and still in use (1x§1.5). */
const FORMS: Readonly<Record<string, 'xml' | 'wbxml'>> = Object.freeze({
  'application/vnd.syncml.dm+xml': 'xml',
  'application/vnd.syncml.dm+wbxml': 'wbxml',
  'application/vnd.syncml+xml': 'xml',
  'application/vnd.syncml+wbxml': 'wbxml',
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

  async exchange(send: BackendRequest, { deviceId }: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol !== 'dm1') throw wrongProtocol(send);
    const presented = send.present
      ? presentTo(
          send.message,
          send.present,
          await accountForBackend(this.#registry, this.#config, deviceId),
          `The legacy server ${this.#name}`,
        )
      : { message: send.message };
    const { encoding: form } = this.#config;
    const body = encodeMessage(presented.message, defaultEncoding(form, send.message.header.verDTD));
    const type = `application/vnd.syncml.dm+${form}`;
    const response = await post(this.#tools, {
      url: send.url ?? this.#config.url,
      configuredUrl: this.#config.url,
      backend: this.#name,
      headers: {
        'content-type': form === 'xml' ? `${type}; charset=utf-8` : type,
        accept: 'application/vnd.syncml.dm+wbxml, application/vnd.syncml.dm+xml',
        ...presented.headers?.(body),
      },
      body,
    });
    return { kind: 'dm1', message: this.#read(response) };
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
      const limits = { ...DEFAULT_LIMITS, bytes: this.#tools.limits.messageBytes };
      return decodeMessage(body, form, limits).message;
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
