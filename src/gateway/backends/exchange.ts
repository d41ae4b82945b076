import type { BackendEvent, BackendRequest } from '../../interworking/script.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { BackendConfig, Limits } from '../config/config.ts';
import type { OutboundClient } from '../outbound/client.ts';
import type { OutboundGuard } from '../outbound/guard.ts';
import type { Registry } from '../registry/registry.ts';
import type { Backend, ExchangeOf } from './backend.ts';
import type { BuiltinBackend } from './builtin.ts';
import { Dm1Backend } from './dm1.ts';
import { Dm2Backend } from './dm2.ts';

export interface BackendsOptions {
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly limits: Pick<Limits, 'messageBytes' | 'backendSeconds'>;
  readonly registry: Registry;
  readonly guard: OutboundGuard;
  readonly client: OutboundClient;
  readonly builtin: BuiltinBackend;
  readonly now?: Clock;
}

/** All configured backends by name. */
export class Backends {
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #now: Clock;

  constructor(options: BackendsOptions) {
    this.#now = options.now ?? systemClock;
    this.#backends = new Map(
      Object.entries(options.backends).map(([name, config]) => [name, connect(name, config, options)]),
    );
  }

  /** Performs `backend.exchange`; failures come back as an event, never as an exception. */
  async exchange(name: string, send: BackendRequest, whose: ExchangeOf): Promise<BackendEvent> {
    try {
      const backend = this.#backends.get(name);
      if (!backend) throw new DragomanError('configuration', `There is no backend "${name}".`);
      const answer = await backend.exchange(send, whose);
      return { ...answer, at: this.#now() };
    } catch (error) {
      const known =
        error instanceof DragomanError
          ? error
          : new DragomanError('internal', 'The exchange failed for a reason of our own.', { cause: error });
      return {
        kind: 'failed',
        at: this.#now(),
        code: known.code,
        detail: `backend ${name}: ${known.detail}`,
      };
    }
  }
}

function connect(name: string, config: BackendConfig, options: BackendsOptions): Backend {
  switch (config.protocol) {
    case 'builtin':
      return options.builtin;
    case 'dm1':
      return new Dm1Backend(name, config, options);
    case 'dm2':
      return new Dm2Backend(config, options, name);
  }
}
