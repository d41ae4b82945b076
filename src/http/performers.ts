import type { DeviceAuthenticator } from '../gateway/auth/authenticator.ts';
import type { BackendNonces } from '../gateway/auth/backendNonces.ts';
import type { Backends } from '../gateway/backends/exchange.ts';
import type { Interactions } from '../gateway/interaction/interactions.ts';
import { fillRequest } from '../gateway/objects/fill.ts';
import type { ObjectStore } from '../gateway/objects/objects.ts';
import type { OutboundGuard } from '../gateway/outbound/guard.ts';
import type { Transfers } from '../gateway/outbound/transfer.ts';
import type { Outbox } from '../gateway/outbox/outbox.ts';
import type { Registry } from '../gateway/registry/registry.ts';
import { isRefusal, type Reports } from '../gateway/reports/reports.ts';
import type { DataRepository } from '../gateway/repository/repository.ts';
import type { PerformedFor, Performers } from '../gateway/sessions/performers.ts';
import type { Wakeups } from '../gateway/wakeup/wakeups.ts';
import type { Metrics } from './metrics.ts';

export interface PerformerParts {
  readonly backends: Backends;
  readonly transfers: Transfers;
  readonly repository: DataRepository;
  readonly objects: ObjectStore;
  readonly authenticator: DeviceAuthenticator;
  readonly registry: Registry;
  readonly backendNonces: BackendNonces;
  readonly outbox: Outbox;
  readonly reports: Reports;
  readonly guard: OutboundGuard;
  readonly interactions: Interactions;
  readonly wakeups: Wakeups;
  readonly metrics: Metrics;
}

/** Connects each effect of a session script with the part of the gateway that performs it. */
export function performers(parts: PerformerParts): Performers {
  const { backends, transfers, repository, authenticator, registry, backendNonces, metrics } = parts;
  const { objects, outbox, reports, guard, interactions, wakeups } = parts;
  const place = ({ sessionId, context, also }: PerformedFor) => ({
    deviceId: context.device.id,
    sessionId,
    ...(also && { also }),
  });
  const session = (whose: PerformedFor) => ({ ...place(whose), backend: whose.context.backend.name });
  return {
    'backend.exchange': async ({ send }, whose) => {
      const { name } = whose.context.backend;
      const began = performance.now();
      const filled = await fillRequest(send, (stored) => objects.read(stored));
      const event = await backends.exchange(name, filled, {
        ...place(whose),
        ...(whose.step !== undefined && { step: whose.step }),
        ...(whose.request && { request: whose.request }),
      });
      const result = event.kind === 'failed' ? event.code : 'ok';
      metrics.backendCall(name, result, (performance.now() - began) / 1000);
      if (result === 'outbound-refused') metrics.outboundRefused();
      return event;
    },
    transfer: async ({ transfer }, { sessionId }) => {
      const event = await transfers.transfer(transfer, sessionId);
      if (event.kind === 'failed' && event.code === 'outbound-refused') metrics.outboundRefused();
      return event;
    },
    'repository.offer': ({ body, contentType }, whose) =>
      repository.offer(place(whose), { body, contentType }),
    'repository.expect': (_effect, whose) => repository.expect(place(whose)),
    'repository.collect': ({ urls }, whose) => repository.collect(place(whose), urls),
    'object.append': (piece, whose) => objects.append(place(whose), piece),
    'object.load': async ({ stored }) => ({ at: Date.now(), body: await objects.read(stored) }),
    authenticate: ({ header, cred }, whose) =>
      authenticator.verifyDm1({
        ...place(whose),
        header,
        ...(cred === undefined ? {} : { cred }),
        ...(whose.request && { request: whose.request, peer: whose.request.peer ?? '' }),
      }),
    'registry.save': async ({ patch }, whose) => {
      const { id } = whose.context.device;
      // A relayed device is met when its server accepts it; all others when they authenticate here.
      if (patch.protocol !== undefined) await registry.firstContact(id, patch.protocol);
      await registry.apply(id, patch);
      if (patch.backendNonce) await backendNonces.put(id, patch.backendNonce);
      if (patch.ownNonce !== undefined) await backendNonces.put(id, { nonce: patch.ownNonce });
      return { at: Date.now() };
    },
    'interaction.open': (effect, whose) => interactions.open(place(whose), effect),
    'interaction.wait': ({ url }, whose) => interactions.wait(place(whose), url),
    'alert.keep': (effect, whose) => outbox.keep(session(whose), effect),
    'alert.settle': (effect, whose) => outbox.settle(session(whose), effect),
    'report.expect': (effect, whose) => reports.expect(session(whose), effect),
    'report.promise': async (effect, whose) =>
      (await refusal(guard, effect.serverUri)) ?? reports.promise(session(whose), effect),
    'url.check': async ({ url }) => (await refusal(guard, url)) ?? { at: Date.now() },
    'report.close': (effect, whose) => outbox.close(session(whose), effect),
    'wakeup.answer': (effect, whose) => wakeups.answer(place(whose), effect),
  };
}

/** Why nothing may be sent there, if so; a name that cannot be resolved just now is no reason. */
async function refusal(guard: OutboundGuard, url: string) {
  try {
    await guard.check(url);
  } catch (error) {
    if (isRefusal(error)) return { at: Date.now(), refused: error.code, detail: error.detail };
  }
  return undefined;
}
