import type { BackendEvent, BackendRequest } from '../../interworking/script.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import type { BuiltinBackend } from '../backends/builtin.ts';
import { Dm2Backend } from '../backends/dm2.ts';
import type { Backends } from '../backends/exchange.ts';
import type { PostTools } from '../backends/post.ts';
import type { BackendConfig } from '../config/config.ts';
import { END_ALONE } from '../jobs/jobs.ts';
import type { PerformedFor } from '../sessions/performers.ts';

export interface OutboxExchangeParts {
  readonly backends: Readonly<Record<string, BackendConfig>>;
  readonly configured: Backends;
  readonly builtin: BuiltinBackend;
  readonly tools: PostTools;
  readonly now?: Clock;
}

/**
 * Exchanges of deliveries. The built-in backend takes alerts only: it hands out no job where no device
 * is. Its ServerURIs get no credentials; those of other backends get theirs at their own origin.
 */
export function outboxExchange({
  backends,
  configured,
  builtin,
  tools,
  now = systemClock,
}: OutboxExchangeParts): (send: BackendRequest, whose: PerformedFor) => Promise<BackendEvent> {
  return async (send, { sessionId, context }) => {
    const { name } = context.backend;
    const deviceId = context.device.id;
    const config = backends[name];
    if (config?.protocol !== 'builtin' || send.protocol !== 'dm2') {
      return configured.exchange(name, send, { deviceId, sessionId });
    }
    try {
      if (send.url === undefined) {
        await builtin.receive(deviceId, 'package1' in send ? (send.package1.Alert ?? []) : []);
        return { kind: 'package2', at: now(), package2: END_ALONE };
      }
      const there = new Dm2Backend(
        {
          protocol: 'dm2',
          url: send.url,
          dialect: 'approved',
          serverId: '',
          auth: { type: 'none' },
          values: config.values,
          getMember: config.getMember,
          transfers: 'direct',
        },
        tools,
      );
      return { ...(await there.exchange(send, { deviceId, sessionId })), at: now() };
    } catch (error) {
      if (!(error instanceof DragomanError)) throw error;
      return { kind: 'failed', at: now(), code: error.code, detail: error.detail };
    }
  };
}
