/** The node of DevInfo behind each placeholder that stands for one; packs say where a device has it. */
const NODES: Readonly<Record<string, string>> = Object.freeze({
  MNC: 'MNC',
  MCC: 'MCC',
  CMNC: 'CMNC',
  CMCC: 'CMCC',
  MAN: 'Man',
  MOD: 'Mod',
});

/** Placeholders of a ServerURI, as the first draft's table "URL Parameters" lists them (20§5). */
export const URL_PARAMETERS: readonly string[] = Object.freeze([...Object.keys(NODES), 'IMEI']);

/**
 * Values for `expandServerUri`: those of the table, and DevID of the approved protocol. `devInfo` has the
 * nodes by their approved names. What is unavailable has no value and fails the command: the draft left
 * open what to write then, and a made-up one would fetch something wrong (20§5).
 */
export function urlParameterValues(
  deviceId: string,
  devInfo: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(Object.entries(NODES).map(([token, node]) => [token, devInfo[node]])),
    IMEI: /^(?:urn:)?imei:(.+)$/i.exec(deviceId)?.[1] ?? /^\d{14,16}$/.exec(deviceId)?.[0],
    DevID: deviceId,
  };
}
