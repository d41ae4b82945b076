import { DIALECTS, type Dialect, READ_LIMITS } from '../../dm2/dialects/index.ts';
import { essence } from '../../dm2/mediaTypes.ts';
import type { BackendRequest } from '../../interworking/script.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Dm2BackendConfig } from '../config/config.ts';
import type { OutboundResponse } from '../outbound/client.ts';
import { type Backend, type BackendAnswer, type ExchangeOf, wrongProtocol } from './backend.ts';
import { HttpCredentials } from './httpAuth.ts';
import { type PostTools, post } from './post.ts';

/** What commands may be called beside their own type: servers exist that know no other, and files on a share. */
const ALSO_ACCEPTED: Readonly<Record<string, string>> = Object.freeze({
  'application/vnd.oma.dm.request+json': 'application/json',
  'application/dm20': 'text/plain',
});

/** Where nobody says otherwise, a device's own choice stands. */
const DEFAULT_GET_MEMBER = 'MO';

/** A DM 2.0 server: the gateway is its client (20§2.1), in the dialect that it is configured with. */
export class Dm2Backend implements Backend {
  readonly #config: Dm2BackendConfig;
  readonly #tools: PostTools;
  readonly #credentials: HttpCredentials;
  readonly #name: string | undefined;
  readonly #dialect: Dialect;

  /** Without a `name` it is one that no configuration names: it is shown no certificate. */
  constructor(config: Dm2BackendConfig, tools: PostTools, name?: string) {
    this.#config = config;
    this.#tools = tools;
    this.#name = name;
    this.#dialect = DIALECTS[config.dialect];
    this.#credentials = new HttpCredentials(config.auth);
  }

  async exchange(send: BackendRequest, { deviceId, request }: ExchangeOf): Promise<BackendAnswer> {
    if (send.protocol !== 'dm2') throw wrongProtocol(send);
    const { headers, body: written, lost } = this.#write(send, deviceId);
    const body = send.unchanged && request && !this.#renames(send) ? request.body : written;
    const response = await post(this.#tools, {
      url: send.url ?? this.#config.url,
      configuredUrl: this.#config.url,
      ...(this.#name !== undefined && { backend: this.#name }),
      headers,
      body,
      credentials: this.#credentials,
    });
    const accept = response.headers['omadm-accept'];
    const { package2, msgId, tolerated } = this.#read(response);
    const remarks = [...lost, ...tolerated];
    return {
      kind: 'package2',
      package2,
      ...(accept === undefined ? {} : { accept }),
      ...(msgId === undefined ? {} : { msgId }),
      ...(remarks.length === 0 ? {} : { remarks }),
    };
  }

  #write(send: Extract<BackendRequest, { protocol: 'dm2' }>, deviceId: string) {
    if ('package1' in send) {
      const { package1, devInfo = {}, items = [] } = send;
      return this.#dialect.writeOpening({ deviceId, package1, devInfo, items });
    }
    const { package3, msgId } = send;
    const report = { package3, ...(msgId === undefined ? {} : { msgId }) };
    return this.#dialect.writeStatus(report, deviceId, { getMember: this.#config.getMember });
  }

  /** GET data goes under the member that the configuration names, wherever the device put it (IW-GET-2). */
  #renames(send: Extract<BackendRequest, { protocol: 'dm2' }>): boolean {
    if ('package1' in send || this.#config.getMember === DEFAULT_GET_MEMBER) return false;
    return send.package3.Status.some(({ MO }) => MO !== undefined);
  }

  #read({ status, headers, body }: OutboundResponse): ReturnType<Dialect['readPackage2']> {
    // No content is nothing to do.
    if (status === 204) return { package2: { CMD: [] }, tolerated: [] };
    const { commands } = this.#dialect.mediaTypes;
    const type = essence(headers['content-type']);
    if (type !== commands && (type === undefined || type !== ALSO_ACCEPTED[commands])) {
      throw new DragomanError(
        'backend-failed',
        `The answer is ${headers['content-type'] ?? 'without a Content-Type'} where ${commands} is due.`,
      );
    }
    const bytes = this.#tools.limits.messageBytes;
    const limits = { ...READ_LIMITS, bytes, json: { ...READ_LIMITS.json, bytes } };
    try {
      return this.#dialect.readPackage2({ headers, body }, limits);
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      throw new DragomanError('backend-failed', `The answer is no Package#2: ${error.detail}`, {
        cause: error,
      });
    }
  }
}
