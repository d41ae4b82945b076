import { digestOf } from '../../dm2/notification/digest.ts';
import {
  buildNotification,
  CONNECTION_TYPE,
  type NotificationCredential,
  type NotificationToWrite,
} from '../../dm2/notification/index.ts';
import { digestPlace } from '../../dm2/notification/notification.ts';

export type NotificationKind =
  | 'other VER'
  | 'OC too large'
  | 'other SERVER-ID'
  | 'wrong digest'
  | 'stale'
  | 'good'
  | 'again';

const DAY = 86_400;

/**
 * What a client is sent: notifications that it has to ignore, then one that it has to follow, then that
 * one again. Digests are proved only with a credential; without one a client has no means to.
 */
export function notificationsToSend({
  serverId,
  notificationId,
  credential,
  now = Math.floor(Date.now() / 1000),
}: {
  readonly serverId: string;
  readonly notificationId: number;
  readonly credential?: NotificationCredential;
  /** Seconds since 1970. */
  readonly now?: number;
}): readonly (readonly [NotificationKind, Uint8Array])[] {
  const good: NotificationToWrite = {
    serverId,
    connectionTypes: [CONNECTION_TYPE.any],
    notificationId,
    timestamp: now,
    reqMos: true,
  };
  const build = (more: Partial<NotificationToWrite> = {}, signedWith = credential) =>
    buildNotification({ ...good, ...more }, signedWith ? { credential: signedWith } : {});
  // Another id, or the good one would be taken for a duplicate.
  const other = { notificationId: 0 };
  return [
    ['other VER', firstOctet(build(other), (octet) => (octet & 0x0f) | 0x30, credential)],
    ['OC too large', firstOctet(build(other), (octet) => octet + 1, credential)],
    ['other SERVER-ID', build({ ...other, serverId: `${serverId}-another` })],
    ['stale', build({ ...other, timestamp: now - DAY })],
    ...(credential
      ? ([['wrong digest', build(other, { ...credential, secret: Buffer.from('another secret') })]] as const)
      : []),
    ['good', build()],
    ['again', build()],
  ];
}

/** With another first octet, and a digest that covers it: nothing else may be wrong with it. */
function firstOctet(
  good: Uint8Array,
  change: (octet: number) => number,
  credential: NotificationCredential | undefined,
): Uint8Array {
  const at = digestPlace(good);
  const [first = 0, ...others] = good;
  const bytes = Uint8Array.from([change(first), ...others]);
  if (at !== undefined && credential) bytes.set(digestOf(bytes, at, credential), at);
  return bytes;
}
