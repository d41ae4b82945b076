import { type UiMode as Dm1UiMode, decodePackage0 } from '../../dm1/notification/package0.ts';
import { CONNECTION_TYPE, parseBitNotification, parseNotification } from '../../dm2/notification/index.ts';
import { DragomanError } from '../../support/errors.ts';
import { CONNECTIONS, type NotificationForm, type UiMode, type WakeRequest } from './wakeRequest.ts';

/** A Package#0 of any form, read; nothing of it is verified yet. */
export interface ReadNotification {
  readonly form: NotificationForm;
  readonly request: WakeRequest;
  /** TIMESTAMP, seconds since 1970. */
  readonly timestamp?: number;
  /** Whether it carries a digest at all. */
  readonly hasDigest: boolean;
}

export const UI_MODE_OF_DM1: Readonly<Record<Dm1UiMode, UiMode>> = Object.freeze({
  'not-specified': 'unspecified',
  background: 'background',
  informative: 'informative',
  'user-interaction': 'interaction',
});

const DIGEST = 16;

/**
 * Tells the form of a Package#0 by its bytes: the version and the 27 zero bits behind a trigger's digest, VER
 * of the options (20§2.2), the version of the bit fields (20§1.3). `undefined` for what is none.
 */
export function notificationForm(bytes: Uint8Array): NotificationForm | undefined {
  const [high = 0, low = 0, ...unused] = bytes.subarray(DIGEST, DIGEST + 5);
  const version = (high << 2) | (low >> 6);
  const zeros = (low & 7) === 0 && unused.length === 3 && unused.every((byte) => byte === 0);
  if (version >= 10 && version <= 13 && zeros && reads(() => readTrigger(bytes))) return 'trigger';
  if (reads(() => parseNotification(bytes))) return 'options';
  if (reads(() => parseBitNotification(bytes))) return 'bits';
  return undefined;
}

/**
 * Reads a Package#0 of the given form, or of the one that its bytes have.
 *
 * @throws DragomanError `malformed` or `too-large`
 */
export function readNotification(bytes: Uint8Array, form = notificationForm(bytes)): ReadNotification {
  const read = readAs(bytes, form);
  return { ...read, request: { ...read.request, original: { form: read.form, bytes } } };
}

function readAs(bytes: Uint8Array, form: NotificationForm | undefined): ReadNotification {
  switch (form) {
    case 'trigger':
      return readTrigger(bytes);
    case 'options':
      return readOptions(bytes);
    case 'bits':
      return readBits(bytes);
    default:
      throw new DragomanError(
        'malformed',
        'The notification is none: neither a DM 1.x trigger, nor options of DM 2.0, nor the bit fields of its draft.',
      );
  }
}

function readTrigger(bytes: Uint8Array): ReadNotification {
  const { notification } = decodePackage0(bytes);
  const { serverId, sessionId, uiMode, initiator, vendorSpecific } = notification;
  return {
    form: 'trigger',
    hasDigest: true,
    request: {
      serverId,
      id: sessionId,
      uiMode: UI_MODE_OF_DM1[uiMode],
      initiator: initiator === 'server' ? 'server' : 'user',
      ...(vendorSpecific !== undefined && { vendorSpecific }),
    },
  };
}

function readOptions(bytes: Uint8Array): ReadNotification {
  const { serverId, notificationId, connectionTypes, digest, timestamp, reqMos, unknown } =
    parseNotification(bytes);
  // Best first; values of later versions say nothing here.
  const connection = connectionTypes
    ?.map((value) => CONNECTIONS.find((name) => CONNECTION_TYPE[name] === value))
    .find((name) => name !== undefined);
  return {
    form: 'options',
    hasDigest: digest !== undefined,
    ...(timestamp !== undefined && { timestamp }),
    request: {
      ...(serverId !== undefined && { serverId }),
      ...(notificationId !== undefined && { id: notificationId }),
      ...(connection !== undefined && { connection }),
      ...(reqMos && { listObjects: true }),
      ...(unknown.length > 0 && { unknownOptions: unknown }),
    },
  };
}

function readBits(bytes: Uint8Array): ReadNotification {
  const { uiMode, initiator, sendDevDetail, sendSupportedMo, sendAllMoInstances } =
    parseBitNotification(bytes);
  return {
    form: 'bits',
    hasDigest: false,
    request: {
      uiMode,
      initiator,
      ...(sendDevDetail && { devDetail: true }),
      ...(sendSupportedMo && { listObjects: true }),
      ...(sendAllMoInstances && { instances: true }),
    },
  };
}

function reads(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
