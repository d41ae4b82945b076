import {
  checkReplay,
  NO_NOTIFICATIONS,
  type NotificationCredential,
  parseNotification,
  type ReplayState,
  verifyNotification,
} from '../../dm2/notification/index.ts';
import { DragomanError } from '../../support/errors.ts';

/** What the DM account of a client says of the server that may wake it up. */
export interface NotificationAccount {
  /** SrvID of the account. */
  readonly serverId: string;
  /** Auth/Noti of the account; with it, a notification without a right digest is ignored. */
  readonly credential?: NotificationCredential;
}

export type TakenNotification =
  | { readonly ignored: string }
  | { readonly ignored?: never; readonly notificationId?: number };

/** Decides which notifications of a client's server start a session, each once (20§2.2). */
export class NotificationInbox {
  readonly #account: NotificationAccount | undefined;
  #seen: ReplayState = NO_NOTIFICATIONS;

  constructor(account: NotificationAccount | undefined) {
    this.#account = account;
  }

  /** `now` in seconds since 1970. */
  take(bytes: Uint8Array, now: number): TakenNotification {
    const account = this.#account;
    try {
      const notification = parseNotification(bytes);
      const { serverId, notificationId } = notification;
      if (account === undefined || serverId !== account.serverId) {
        return { ignored: `there is no account of ${serverId ?? 'a server without name'}` };
      }
      const proved = verifyNotification(bytes, account.credential, {
        required: account.credential !== undefined,
      });
      if (!proved.ok) return { ignored: proved.reason };
      const { verdict, state } = checkReplay(notification, bytes, this.#seen, now);
      this.#seen = state;
      if (verdict !== 'fresh') return { ignored: verdict };
      return notificationId === undefined ? {} : { notificationId };
    } catch (error) {
      if (error instanceof DragomanError) return { ignored: error.code };
      throw error;
    }
  }
}
