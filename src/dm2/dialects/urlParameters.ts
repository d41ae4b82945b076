import { untyped } from './identity.ts';

/** Placeholders of the early dialects, as the first draft's table "URL Parameters" lists them (20§5). */
export const URL_PARAMETERS: readonly string[] = Object.freeze([
  'MNC',
  'MCC',
  'CMNC',
  'CMCC',
  'MAN',
  'MOD',
  'IMEI',
]);

export interface UrlParameterSources {
  readonly deviceId: string;
  /** DevInfo by its approved names. */
  readonly devInfo: Readonly<Record<string, string | undefined>>;
  /** Codes of the SIM. */
  readonly sim?: { readonly mcc: string; readonly mnc: string };
  /** Codes of the network in use; absent where it is no cellular one. */
  readonly network?: { readonly mcc: string; readonly mnc: string };
}

/**
 * Values for `expandServerUri`. What is unavailable has no value and fails the command: the draft left
 * open what to write then, and a made-up one would fetch something wrong (20§5).
 */
export function urlParameterValues(from: UrlParameterSources): Record<string, string | undefined> {
  return {
    MNC: from.sim?.mnc,
    MCC: from.sim?.mcc,
    CMNC: from.network?.mnc,
    CMCC: from.network?.mcc,
    MAN: from.devInfo['Man'],
    MOD: from.devInfo['Mod'],
    IMEI: /^IMEI:.|^\d{14,16}$/i.test(from.deviceId) ? untyped(from.deviceId) : undefined,
    DevID: from.deviceId,
  };
}
