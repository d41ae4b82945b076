export {
  type BitNotification,
  buildBitNotification,
  parseBitNotification,
  type UiMode,
} from './bitFields.ts';
export type { NotificationCredential } from './digest.ts';
export {
  type BuildOptions,
  buildNotification,
  type Notification,
  type NotificationToWrite,
  parseNotification,
} from './notification.ts';
export { CONNECTION_TYPE, OPTION, OPTIONS } from './options.ts';
export {
  checkReplay,
  NO_NOTIFICATIONS,
  type ReplayState,
  type ReplayVerdict,
  type ReplayWindow,
} from './replay.ts';
export { type NotificationVerdict, verifyNotification } from './verify.ts';
