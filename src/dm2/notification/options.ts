/** Option numbers of Package#0 (20§2.2). */
export const OPTION = Object.freeze({
  serverId: 1,
  connectionType: 2,
  notificationId: 3,
  digest: 4,
  timestamp: 5,
  reqMos: 6,
} as const);

export type OptionName = keyof typeof OPTION;

export interface OptionRow {
  readonly number: number;
  /** The name in the specification. */
  readonly name: string;
  readonly format: 'Uint' | 'String' | 'Opaque' | 'Null';
  /** Octets of the value. */
  readonly least: number;
  readonly most: number;
}

/** The longest value that one length extension can give: 15 and an octet. */
export const LONGEST_VALUE = 15 + 255;

/** The six options (20§2.2); TIMESTAMP has no width in the sources, eight octets hold any (20§15 Q3). */
export const OPTIONS: Readonly<Record<OptionName, OptionRow>> = Object.freeze({
  serverId: { number: 1, name: 'SERVER-ID', format: 'String', least: 1, most: LONGEST_VALUE },
  connectionType: { number: 2, name: 'PREFERRED-CON-TYPE', format: 'Opaque', least: 1, most: LONGEST_VALUE },
  notificationId: { number: 3, name: 'NOTIFICATION-ID', format: 'Uint', least: 2, most: 2 },
  digest: { number: 4, name: 'SHA256-DIGEST', format: 'Opaque', least: 32, most: 32 },
  timestamp: { number: 5, name: 'TIMESTAMP', format: 'Opaque', least: 1, most: 8 },
  reqMos: { number: 6, name: 'REQ-MOS', format: 'Null', least: 0, most: 0 },
});

const BY_NUMBER: ReadonlyMap<number, readonly [OptionName, OptionRow]> = new Map(
  (Object.entries(OPTIONS) as [OptionName, OptionRow][]).map((entry) => [entry[1].number, entry]),
);

export function optionOf(number: number): readonly [OptionName, OptionRow] | undefined {
  return BY_NUMBER.get(number);
}

/** Values of PREFERRED-CON-TYPE. */
export const CONNECTION_TYPE = Object.freeze({ any: 0, cellular: 1, wlan: 2, wireline: 3 } as const);
