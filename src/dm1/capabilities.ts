/** Features that a protocol version does not have; what is not named may be there and is tried (1x§1.1). */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  // Correlator, ?list= and TNDS came with 1.2.
  'DM/1.1': ['listStruct', 'listStructData', 'listTnds', 'correlator', 'tnds'],
};

/** What a version declares of a device's capabilities, before the device itself says otherwise. */
export function declaredCapabilities(verProto: string): Readonly<Record<string, boolean>> {
  return Object.fromEntries((ABSENT[verProto] ?? []).map((name) => [name, false]));
}
