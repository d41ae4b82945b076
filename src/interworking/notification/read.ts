import { type UiMode as Dm1UiMode, decodePackage0 } from '../../dm1/notification/package0.ts';
import { CONNECTION_TYPE, parseBitNotification, parseNotification } from '../../dm2/notification/index.ts';
import { DragomanError } from '../../support/errors.ts';
import {
  CONNECTIONS,
  NOTIFICATION_FORMS,
  type NotificationForm,
  type UiMode,
  type WakeRequest,
} from './wakeRequest.ts';

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
  return NOTIFICATION_FORMS.find((form) => refusal(form, bytes) === undefined);
}

/** Why the bytes are no notification of that form; `undefined` when they are one. */
function refusal(form: NotificationForm, bytes: Uint8Array): string | undefined {
  try {
    READERS[form](bytes);
    return undefined;
  } catch (error) {
    if (error instanceof DragomanError) return error.detail.replace(/\.$/, '');
    throw error;
  }
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
  if (form !== undefined) return READERS[form](bytes);
  const reasons = NOTIFICATION_FORMS.map((each) => `${each}: ${refusal(each, bytes)}`).join('; ');
  throw new DragomanError(
    'malformed',
    `The notification is none: neither a DM 1.x trigger, nor options of DM 2.0, nor the bit fields of its draft (${reasons}).`,
  );
}

const READERS: Readonly<Record<NotificationForm, (bytes: Uint8Array) => ReadNotification>> = {
  trigger: readTrigger,
  options: readOptions,
  bits: readBits,
};

function readTrigger(bytes: Uint8Array): ReadNotification {
  const { notification } = decodePackage0(bytes);
  const { version, serverId, sessionId, uiMode, initiator, vendorSpecific } = notification;
  if (version < 10 || version > 13) {
    throw malformed(DIGEST, `version ${version / 10} is none of 1.0 to 1.3`);
  }
  const [low = 0, ...unused] = bytes.subarray(DIGEST + 1, DIGEST + 5);
  if ((low & 7) !== 0 || unused.some((byte) => byte !== 0)) {
    throw malformed(DIGEST + 1, 'bits for future use are set');
  }
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

function malformed(offset: number, reason: string): DragomanError {
  return new DragomanError('malformed', `byte ${offset}: ${reason}.`);
}
