import type { SessionContext } from '../../interworking/context.ts';
import type { EffectKind, EffectOf, ResultOf } from '../../interworking/script.ts';
import type { Also } from '../../store/engine.ts';
import type { DeviceRequest } from './request.ts';

/** Effects that reach beyond the session and so need somebody to perform them. */
export type PerformedKind = Exclude<EffectKind, 'device.exchange' | 'note'>;

/** Whose effect it is. */
export interface PerformedFor {
  readonly sessionId: string;
  readonly context: SessionContext;
  /** Number of the backend exchange: the same when it is performed again after a crash. */
  readonly step?: number;
  /**
   * For changes that mean nothing without the session's entries: they save a transaction, and a crash
   * cannot come between. Absent where no session writes anything.
   */
  readonly also?: Also;
  /**
   * The device's message as it came, while it waits for its answer: HMAC credentials stand in its
   * headers and cover its bytes. Absent when a session is ended or taken over without one.
   */
  readonly request?: DeviceRequest;
  /** What was found about that message before its session took it. */
  readonly verdict?: ResultOf<'authenticate'> | undefined;
}

/**
 * One function per effect. `backend.exchange` and `transfer` resolve to a `failed` event rather than
 * reject; a rejection of theirs becomes one. A rejection of the others ends the session. After a crash
 * an effect whose result was not yet journaled is performed again, so each must bear that.
 */
export type Performers = {
  readonly [K in PerformedKind]: (effect: EffectOf<K>, whose: PerformedFor) => Promise<ResultOf<K>>;
};
