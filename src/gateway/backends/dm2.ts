import { readPackage2, writePackage } from '../../dm2/codec.ts';
import { JSON_LIMITS } from '../../dm2/json.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import { MEDIA_TYPE, type Package2 } from '../../dm2/packages.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Dm2BackendConfig } from '../config/config.ts';
import type { OutboundResponse } from '../outbound/client.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';
import { HttpCredentials } from './httpAuth.ts';
import { type PostTools, post } from './post.ts';

/** What a Package#2 may be called; servers exist that know no other JSON type. */
const ACCEPTED: ReadonlySet<string | undefined> = new Set([MEDIA_TYPE.package2, 'application/json']);

/** A DM 2.0 server: the gateway is its client (20§2.1). */
export class Dm2Backend implements Backend {
  readonly #config: Dm2BackendConfig;
  readonly #tools: PostTools;
  readonly #credentials: HttpCredentials;
  readonly #name: string | undefined;

  /** Without a `name` it is one that no configuration names: it is shown no certificate. */
  constructor(config: Dm2BackendConfig, tools: PostTools, name?: string) {
    this.#config = config;
    this.#tools = tools;
    this.#name = name;
    this.#credentials = new HttpCredentials(config.auth);
  }

  async exchange(send: BackendRequest, { deviceId }: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol !== 'dm2') throw wrongProtocol(send);
    const opening = 'package1' in send;
    const response = await post(this.#tools, {
      url: send.url ?? this.#config.url,
      configuredUrl: this.#config.url,
      ...(this.#name !== undefined && { backend: this.#name }),
      headers: {
        'content-type': opening ? MEDIA_TYPE.package1 : MEDIA_TYPE.package3,
        accept: MEDIA_TYPE.package2,
        'omadm-devid': deviceId,
      },
      body: writePackage(opening ? send.package1 : send.package3, { getMember: this.#config.getMember }),
      credentials: this.#credentials,
    });
    const accept = response.headers['omadm-accept'];
    const package2 = this.#read(response);
    return { kind: 'package2', package2, ...(accept === undefined ? {} : { accept }) };
  }

  #read({ status, headers, body }: OutboundResponse): Package2 {
    // No content is nothing to do.
    if (status === 204) return { CMD: [] };
    if (!ACCEPTED.has(essence(headers['content-type']))) {
      throw new DragomanError(
        'backend-failed',
        `The answer is ${headers['content-type'] ?? 'without a Content-Type'} where ${MEDIA_TYPE.package2} is due.`,
      );
    }
    try {
      return readPackage2(body, { limits: { ...JSON_LIMITS, bytes: this.#tools.limits.messageBytes } });
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      throw new DragomanError('backend-failed', `The answer is no Package#2: ${error.detail}`, {
        cause: error,
      });
    }
  }
}
