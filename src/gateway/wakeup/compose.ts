import { RESYNC_NONCES } from '../../dm1/notification/package0.ts';
import { DIALECTS } from '../../dm2/dialects/index.ts';
import type { NotificationForm } from '../../interworking/notification/wakeRequest.ts';
import { type WrittenNotification, writeNotification } from '../../interworking/notification/write.ts';
import { DragomanError } from '../../support/errors.ts';
import type { DeviceRecord } from '../registry/device.ts';
import { notifiedUrl } from '../reports/reportUrl.ts';
import type { Wakeup } from './wakeup.ts';

/** What the gateway is called towards devices, and where they come to. */
export interface OwnPlace {
  readonly serverId: string;
  readonly deviceUrl: string;
}

/**
 * The form that a device understands, by what it spoke last (IW-NOT-1).
 *
 * @throws DragomanError `bad-value` where that is not known yet, `not-implemented` for one without notifications
 */
export function formOf(device: Pick<DeviceRecord, 'id' | 'protocol' | 'dialect'>): NotificationForm {
  if (device.protocol === undefined) {
    throw new DragomanError(
      'bad-value',
      'The device has had no session yet, so what it understands is not known: give `form` (trigger, options or bits).',
    );
  }
  if (device.protocol === 'dm1') return 'trigger';
  const dialect = Object.values(DIALECTS).find(({ name }) => name === device.dialect) ?? DIALECTS.approved;
  switch (dialect.capabilities.notification) {
    case 'options':
      return 'options';
    case 'bit-fields':
      return 'bits';
    case 'none':
      throw new DragomanError(
        'not-implemented',
        `Clients of ${dialect.name} know no notification; give \`form\` if this one does.`,
      );
  }
}

/**
 * The bytes of the next copy, with the device's own credentials (IW-NOT-1); throws `bad-value`. `given` is
 * the nonce that the device gave for the server's next credentials: the first copy of a trigger is made
 * with it, for that is what the device tries first, and the others with those of resynchronisation.
 */
export function compose(
  wakeup: Pick<Wakeup, 'form' | 'request' | 'number' | 'sent'>,
  device: DeviceRecord,
  own: OwnPlace,
  now: number,
  given?: Uint8Array,
): WrittenNotification {
  const { notify, serverAccount } = device;
  // The account's user name is the server identifier there (1x§9.2).
  const known = wakeup.form === 'trigger' ? serverAccount?.username : undefined;
  const nonces = given === undefined ? RESYNC_NONCES : [given, ...RESYNC_NONCES];
  const nonce = nonces[wakeup.sent % nonces.length]!;
  return writeNotification({
    form: wakeup.form,
    request: {
      ...wakeup.request,
      serverId: notify.serverId ?? known ?? own.serverId,
      id: wakeup.number,
    },
    keys: {
      ...(serverAccount !== undefined && { userHash: serverAccount.userHash }),
      nonce,
      ...(notify.secret !== undefined && {
        credential: {
          secret: Buffer.from(notify.secret, 'base64'),
          ...(notify.data !== undefined && { authData: Buffer.from(notify.data, 'base64') }),
        },
      }),
    },
    url: notifiedUrl(own.deviceUrl, wakeup.number),
    timestamp: Math.floor(now / 1000),
  });
}
