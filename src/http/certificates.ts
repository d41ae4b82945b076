import type { OutboundTls } from '../gateway/outbound/tls.ts';
import { seconds } from '../support/durations.ts';
import type { Logger } from '../support/log.ts';
import type { Listening } from './listen.ts';

/** How soon files that were replaced without a word are noticed. */
const WATCHED = seconds(10);

/** The certificates of both sides, and how they are taken over while sessions go on (IW-AUTH-4). */
export class Certificates {
  readonly #device: Listening['tls'];
  readonly #outbound: OutboundTls;
  readonly #log: Logger;

  constructor(device: Listening['tls'], outbound: OutboundTls, log: Logger) {
    this.#device = device;
    this.#outbound = outbound;
    this.#log = log;
  }

  /** Reads all files again. What cannot be used is logged, and what was there before stays in use. */
  reload(): void {
    for (const [files, side] of this.#sides()) {
      try {
        side.reload();
        this.#log.info({ files }, 'certificates were read again');
      } catch (error) {
        this.#log.error({ files, error }, 'Certificates cannot be used; those before stay in use.');
      }
    }
  }

  /** Reloads when a file changes, until the timer is cleared. */
  watch(): NodeJS.Timeout {
    return setInterval(() => {
      if (this.#sides().some(([, side]) => side.changed())) this.reload();
    }, WATCHED).unref();
  }

  /** When each certificate ends, milliseconds since 1970, by the key of the configuration that names it. */
  expiries(): Readonly<Record<string, number>> {
    return {
      ...(this.#device && { 'listen.tls': this.#device.expires() }),
      ...this.#outbound.expiries(),
    };
  }

  #sides(): (readonly [string, Pick<OutboundTls, 'changed' | 'reload'>])[] {
    return [...(this.#device ? [['listen.tls', this.#device] as const] : []), ['outbound', this.#outbound]];
  }
}
