import type { Dispatcher } from 'undici';
import type { StoredBytes } from '../../mo/stored.ts';
import type { Milliseconds } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';

export interface OutboundResponse {
  readonly status: number;
  /** Lower-case names; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The body, where the receiver put it elsewhere. */
  readonly stored?: StoredBytes;
}

/** Takes a body as it arrives. */
export interface BodyReceiver {
  /** A promise when the sender should wait for it. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): Promise<{ readonly body: Uint8Array; readonly stored?: StoredBytes }>;
}

export interface OutboundBounds {
  readonly bytes: number;
  readonly timeout: Milliseconds;
  /** When the time began to run, as `performance.now()` says; now by default. */
  readonly began?: number;
  /** Who takes the body of an answer with these headers; by default it is kept in memory. */
  readonly receiver?: (status: number, headers: OutboundResponse['headers']) => BodyReceiver;
}

/** The answer was not there, whole, when its time had passed. */
export class TookTooLong extends Error {}

/**
 * One request under way, and what comes of it. Streams, abort signals and iterators would cost several
 * times the exchange itself, so undici's own events are taken.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Rejects with `too-large`, {@link TookTooLong}, or what undici says. */
  readonly response: Promise<OutboundResponse>;
  readonly #bytes: number;
  readonly #timer: NodeJS.Timeout;
  #resolve!: (response: OutboundResponse) => void;
  #reject!: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #late: TookTooLong | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor({ bytes, timeout, began }: OutboundBounds) {
    this.#bytes = bytes;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const left = began === undefined ? timeout : Math.max(0, timeout - (performance.now() - began));
    this.#timer = setTimeout(() => this.#giveUp(new TookTooLong('no answer in time')), left);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until its time was over.
    if (this.#late) controller.abort(this.#late);
  }

  /** Comes for informational answers as well. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = flatten(headers);
    if (Number(this.#headers['content-length']) > this.#bytes) this.#giveUp(this.#tooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#bytes) this.#giveUp(this.#tooLarge());
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    const [first] = this.#chunks;
    const body = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#size);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer);
    this.#reject(error);
  }

  #giveUp(reason: Error): void {
    clearTimeout(this.#timer);
    this.#reject(reason);
    if (this.#controller) this.#controller.abort(reason);
    else this.#late = reason;
  }

  #tooLarge(): DragomanError {
    return new DragomanError('too-large', `The body is larger than ${this.#bytes} bytes.`);
  }
}

export function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) result[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
