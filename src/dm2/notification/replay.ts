import { createHash } from 'node:crypto';
import type { Notification } from './notification.ts';

/** Notifications that a receiver has acted on; kept by whoever calls, oldest first. */
export interface ReplayState {
  readonly seen: readonly SeenNotification[];
}

export interface SeenNotification {
  /** SERVER-ID and NOTIFICATION-ID, or a hash of the bytes where no id is given. */
  readonly key: string;
  /** When it may be forgotten, seconds since 1970: by then its timestamp is stale, or it was long ago. */
  readonly until: number;
}

export const NO_NOTIFICATIONS: ReplayState = Object.freeze({ seen: Object.freeze([]) });

export interface ReplayWindow {
  /** Seconds by which TIMESTAMP may lie in the past; default 300. */
  readonly past?: number;
  /** Seconds by which it may lie in the future, for clocks differ; default 60. */
  readonly future?: number;
  /** Seconds for which one without TIMESTAMP is remembered; default 86,400. */
  readonly remember?: number;
  /** Most notifications remembered; default 1,024. */
  readonly most?: number;
}

export type ReplayVerdict =
  | { readonly verdict: 'fresh'; readonly state: ReplayState }
  /** Came before: it starts no second session (IW-NOT-2). */
  | { readonly verdict: 'duplicate'; readonly state: ReplayState }
  /** TIMESTAMP lies outside the window. */
  | { readonly verdict: 'stale' | 'early'; readonly state: ReplayState }
  /** Too many to remember; forgetting one early would let it be replayed. */
  | { readonly verdict: 'overflow'; readonly state: ReplayState };

/**
 * Whether a verified notification is new (TIMESTAMP against replay, NOTIFICATION-ID against
 * duplicates, 20§2.2). `now` is in seconds since 1970. Call it after the digest has been verified, or
 * anybody could fill the state.
 */
export function checkReplay(
  notification: Notification,
  bytes: Uint8Array,
  state: ReplayState,
  now: number,
  window: ReplayWindow = {},
): ReplayVerdict {
  const { past = 300, future = 60, remember = 86_400, most = 1_024 } = window;
  const { timestamp } = notification;
  const seen = state.seen.some(({ until }) => until < now)
    ? state.seen.filter(({ until }) => until >= now)
    : state.seen;
  const kept: ReplayState = seen === state.seen ? state : { seen };
  if (timestamp !== undefined && timestamp < now - past) return { verdict: 'stale', state: kept };
  if (timestamp !== undefined && timestamp > now + future) return { verdict: 'early', state: kept };
  const key = keyOf(notification, bytes);
  if (seen.some((one) => one.key === key)) return { verdict: 'duplicate', state: kept };
  if (seen.length >= most) return { verdict: 'overflow', state: kept };
  const until = timestamp === undefined ? now + remember : timestamp + past;
  return { verdict: 'fresh', state: { seen: [...seen, { key, until }] } };
}

function keyOf({ serverId = '', notificationId }: Notification, bytes: Uint8Array): string {
  return notificationId === undefined
    ? createHash('sha256').update(bytes).digest('base64')
    : JSON.stringify([serverId, notificationId]);
}
