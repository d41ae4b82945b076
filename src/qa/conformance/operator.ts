import type { RawCommand } from '../../dm2/packages.ts';
import { DragomanError } from '../../support/errors.ts';

/** Whoever makes the server under test do its work. */
export interface Operator {
  /** Has it send these commands to the device, one list in each Package#2. */
  queue(work: readonly (readonly RawCommand[])[]): Promise<void>;
  /** Has it send the device a Package#0 at this `udp:` or `http:` address. */
  notify(address: string): Promise<void>;
}

/** The admin port of a Dragoman under test. */
export class DragomanOperator implements Operator {
  readonly #origin: string;
  readonly #token: string;
  readonly #device: string;

  constructor(origin: string, token: string, deviceId: string) {
    this.#origin = origin.replace(/\/+$/, '');
    this.#token = token;
    this.#device = `/api/devices/${encodeURIComponent(deviceId)}`;
  }

  async queue(work: readonly (readonly RawCommand[])[]): Promise<void> {
    for (const CMD of work) await this.#call('POST', `${this.#device}/commands`, { CMD });
  }

  async notify(address: string): Promise<void> {
    const { protocol, host } = new URL(address);
    // A webhook is the gateway's own matter; a datagram goes to whatever address the device has.
    const body = { form: 'options', ...(protocol === 'udp:' && { address: host }) };
    await this.#call('POST', `${this.#device}/notify`, body);
  }

  async #call(method: string, path: string, body: unknown): Promise<void> {
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.ok) return;
    throw new DragomanError(
      'bad-value',
      `${method} ${path} answers ${response.status}: ${text.slice(0, 500)}`,
    );
  }
}
