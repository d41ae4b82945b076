import {
  encodePackage0,
  NOTIFICATION_TYPE,
  NOTIFICATION_VERSION,
  RESYNC_NONCES,
} from '../../dm1/notification/package0.ts';
import {
  buildBitNotification,
  buildNotification,
  CONNECTION_TYPE,
  type NotificationCredential,
} from '../../dm2/notification/index.ts';
import { DragomanError } from '../../support/errors.ts';
import { readNotification, UI_MODE_OF_DM1 } from './read.ts';
import type { NotificationForm, NotificationNote, WakeRequest } from './wakeRequest.ts';

/** What the digests are made with; which part is needed depends on the form. */
export interface NotificationKeys {
  /** Trigger: B64(H(serverId:password)) of the server's account at the device (1x§9.2). */
  readonly userHash?: string;
  /** Trigger: the nonce that the device gave the server; without one that of resynchronisation. */
  readonly nonce?: Uint8Array;
  /** Options: Secret and Data of Auth/Noti. */
  readonly credential?: NotificationCredential;
}

export interface WriteNotification {
  readonly form: NotificationForm;
  readonly request: WakeRequest & { readonly serverId: string; readonly id: number };
  readonly keys: NotificationKeys;
  /** Bit fields: where the session is to be opened. */
  readonly url: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

export interface WrittenNotification {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly notes: readonly NotificationNote[];
}

/** Media type of each form. DM 2.0 registered none; its notifications travel as bytes. */
export const NOTIFICATION_TYPES: Readonly<Record<NotificationForm, string>> = Object.freeze({
  trigger: NOTIFICATION_TYPE,
  options: 'application/octet-stream',
  bits: 'application/octet-stream',
});

/**
 * The notification in the form that the device understands, with the digest of that form (IW-NOT-1). What the
 * form has no place for is noted.
 *
 * @throws DragomanError `bad-value` for what no form can hold, or when a trigger has no key for its digest
 */
export function writeNotification(what: WriteNotification): WrittenNotification {
  const contentType = NOTIFICATION_TYPES[what.form];
  const { original } = what.request;
  if (original && passes(what, original)) {
    const text = "Sent in its server's own bytes: the digest stays valid, and no key of ours is on file.";
    return { bytes: original.bytes, contentType, notes: [{ rule: 'IW-NOT-1', text }] };
  }
  return { ...FORMS[what.form](what), contentType, notes: losses(what) };
}

/** Whether a server's own bytes serve where the gateway cannot sign: same form, same number (IW-REL-1). */
function passes(
  { form, request, keys }: WriteNotification,
  original: NonNullable<WakeRequest['original']>,
): boolean {
  if (original.form !== form || form === 'bits') return false;
  if ((form === 'trigger' ? keys.userHash : keys.credential) !== undefined) return false;
  return readNotification(original.bytes, form).request.id === request.id;
}

const FORMS: Readonly<Record<NotificationForm, (what: WriteNotification) => { bytes: Uint8Array }>> = {
  trigger: ({ request, keys }) => {
    if (keys.userHash === undefined) {
      throw new DragomanError(
        'bad-value',
        'A DM 1.x notification needs a digest: register serverUsername and serverPassword for the device.',
      );
    }
    const uiMode = DM1_UI_MODES.find((mode) => UI_MODE_OF_DM1[mode] === request.uiMode) ?? 'not-specified';
    const { serverId, id, initiator, vendorSpecific } = request;
    const notification = {
      version: NOTIFICATION_VERSION,
      uiMode,
      initiator: initiator === 'user' ? ('client' as const) : ('server' as const),
      sessionId: id,
      serverId,
      ...(vendorSpecific !== undefined && { vendorSpecific }),
    };
    return { bytes: encodePackage0(notification, keys.userHash, keys.nonce ?? RESYNC_NONCES[0]!) };
  },
  options: ({ request, keys, timestamp }) => {
    const { serverId, id, connection, listObjects, unknownOptions } = request;
    const notification = {
      serverId,
      notificationId: id,
      connectionTypes: [CONNECTION_TYPE[connection ?? 'any']],
      timestamp,
      // The gateway needs the objects of its devices whatever its own asker wants (IW-INV-4).
      reqMos: listObjects ?? true,
      ...(unknownOptions !== undefined && { unknown: unknownOptions }),
    };
    const credential = keys.credential;
    return { bytes: buildNotification(notification, credential === undefined ? {} : { credential }) };
  },
  bits: ({ request, url }) => ({
    bytes: buildBitNotification({
      uiMode: request.uiMode ?? 'unspecified',
      initiator: request.initiator ?? 'server',
      sendDevDetail: request.devDetail ?? false,
      sendSupportedMo: request.listObjects ?? true,
      sendAllMoInstances: request.instances ?? true,
      url,
    }),
  }),
};

const DM1_UI_MODES = Object.keys(UI_MODE_OF_DM1) as (keyof typeof UI_MODE_OF_DM1)[];

/** Members that a form has no place for, and what the notes call them. */
const NO_PLACE: Readonly<Record<NotificationForm, readonly (keyof WakeRequest)[]>> = {
  trigger: ['connection', 'unknownOptions'],
  options: ['uiMode', 'vendorSpecific'],
  bits: ['connection', 'vendorSpecific', 'unknownOptions'],
};
const NAMES: Readonly<Partial<Record<keyof WakeRequest, string>>> = {
  connection: 'the preferred connection type',
  uiMode: 'the ui-mode',
  vendorSpecific: 'the vendor-specific trigger body',
  unknownOptions: 'options of a later version',
};
const SAYS_NOTHING: ReadonlySet<unknown> = new Set([undefined, 'any', 'unspecified']);

function losses({ form, request, keys }: WriteNotification): NotificationNote[] {
  const notes = NO_PLACE[form]
    .filter((member) => !SAYS_NOTHING.has(request[member]))
    .map((member): NotificationNote => {
      const value = request[member];
      const told = typeof value === 'string' ? ` (${value})` : '';
      return {
        rule: 'IW-NOT-2',
        text: `Left out: ${NAMES[member]}${told}; the device's form has no place for it.`,
      };
    });
  if (form === 'options' && keys.credential === undefined) {
    notes.push({
      rule: 'IW-NOT-1',
      text: 'Sent without SHA256-DIGEST: no notifySecret is on file for the device.',
    });
  }
  if (form === 'bits') {
    notes.push({ rule: 'IW-NOT-1', text: 'The bit fields of the draft have no place for a digest.' });
  }
  return notes;
}
