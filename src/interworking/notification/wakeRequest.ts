/** The three forms of Package#0: the 1.x trigger, the options of DM 2.0, the bit fields of its first draft. */
export const NOTIFICATION_FORMS = ['trigger', 'options', 'bits'] as const;

export type NotificationForm = (typeof NOTIFICATION_FORMS)[number];

export const UI_MODES = ['unspecified', 'background', 'informative', 'interaction'] as const;

/** How much the user shall notice. */
export type UiMode = (typeof UI_MODES)[number];

export const CONNECTIONS = ['any', 'cellular', 'wlan', 'wireline'] as const;

/** What the device shall connect by. */
export type Connection = (typeof CONNECTIONS)[number];

/** What a notification asks of a device, in terms of none of its forms (IW-NOT-1, IW-NOT-2). */
export interface WakeRequest {
  /** SERVER-ID; absent in bit fields. */
  readonly serverId?: string;
  /** NOTIFICATION-ID or session id, 16 bits; bit fields have none. */
  readonly id?: number;
  readonly uiMode?: UiMode;
  readonly initiator?: 'user' | 'server';
  readonly connection?: Connection;
  /** The first message shall list the objects. */
  readonly listObjects?: boolean;
  /** Bit fields: DevDetail and the place of each instance are wanted as well. */
  readonly devDetail?: boolean;
  readonly instances?: boolean;
  /** Vendor-specific trigger body. */
  readonly vendorSpecific?: Uint8Array;
  /** Options of later versions, by number. */
  readonly unknownOptions?: readonly { readonly number: number; readonly value: Uint8Array }[];
  /** The Package#0 that asked, with its server's own digest. */
  readonly original?: { readonly form: NotificationForm; readonly bytes: Uint8Array };
}

/** What could not cross, with the rule that says so. */
export interface NotificationNote {
  readonly rule: 'IW-NOT-1' | 'IW-NOT-2';
  readonly text: string;
}
