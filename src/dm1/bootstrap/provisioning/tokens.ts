/**
 * WBXML tokens of the WAP provisioning document (OMA ProvCont 1.1; libwbxml has the same but for the spelling of TETRA). Tags have one
 * page, attributes and their values two; page 1 holds what applications such as w7 need.
 */

export const TAGS = Object.freeze({ 'wap-provisioningdoc': 0x05, characteristic: 0x06, parm: 0x07 });

export type AttributeName = 'version' | 'type' | 'name' | 'value';

/** Page, first token, attribute; then the values that this token and the next ones imply, none for a bare start. */
type StartRow = readonly [page: number, token: number, name: AttributeName, values?: string];

const STARTS: readonly StartRow[] = Object.freeze([
  // page 0
  [0, 0x45, 'version'],
  [0, 0x46, 'version', '1.0'],
  [0, 0x50, 'type'],
  [
    0,
    0x51,
    'type',
    'PXLOGICAL PXPHYSICAL PORT VALIDITY NAPDEF BOOTSTRAP VENDORCONFIG CLIENTIDENTITY PXAUTHINFO NAPAUTHINFO ACCESS',
  ],
  [0, 0x05, 'name'],
  [
    0,
    0x07,
    'name',
    'NAME NAP-ADDRESS NAP-ADDRTYPE CALLTYPE VALIDUNTIL AUTHTYPE AUTHNAME AUTHSECRET LINGER BEARER NAPID COUNTRY NETWORK INTERNET PROXY-ID PROXY-PROVIDER-ID DOMAIN PROVURL PXAUTH-TYPE PXAUTH-ID PXAUTH-PW STARTPAGE BASAUTH-ID BASAUTH-PW PUSHENABLED PXADDR PXADDRTYPE TO-NAPID PORTNBR SERVICE LINKSPEED DNLINKSPEED LOCAL-ADDR LOCAL-ADDRTYPE CONTEXT-ALLOW TRUST MASTER SID SOC WSP-VERSION PHYSICAL-PROXY-ID CLIENT-ID DELIVERY-ERR-SDU DELIVERY-ORDER TRAFFIC-CLASS MAX-SDU-SIZE MAX-BITRATE-UPLINK MAX-BITRATE-DNLINK RESIDUAL-BER SDU-ERROR-RATIO TRAFFIC-HANDL-PRIO TRANSFER-DELAY GUARANTEED-BITRATE-UPLINK GUARANTEED-BITRATE-DNLINK PXADDR-FQDN PROXY-PW PPGAUTH-TYPE',
  ],
  [0, 0x47, 'name', 'PULLENABLED DNS-ADDR MAX-NUM-RETRY FIRST-RETRY-TIMEOUT REREG-THRESHOLD T-BIT'],
  [0, 0x4e, 'name', 'AUTH-ENTITY SPI'],
  [0, 0x06, 'value'],
  // page 1
  [1, 0x50, 'type'],
  [1, 0x53, 'type', 'PORT'],
  [1, 0x58, 'type', 'CLIENTIDENTITY'],
  [1, 0x55, 'type', 'APPLICATION APPADDR APPAUTH'],
  [1, 0x59, 'type', 'RESOURCE'],
  [1, 0x05, 'name'],
  [1, 0x07, 'name', 'NAME'],
  [1, 0x14, 'name', 'INTERNET'],
  [1, 0x1c, 'name', 'STARTPAGE'],
  [1, 0x22, 'name', 'TO-NAPID PORTNBR SERVICE'],
  [
    1,
    0x2e,
    'name',
    'AACCEPT AAUTHDATA AAUTHLEVEL AAUTHNAME AAUTHSECRET AAUTHTYPE ADDR ADDRTYPE APPID APROTOCOL PROVIDER-ID TO-PROXY URI RULE',
  ],
  [1, 0x06, 'value'],
]);

/** Page, first token, the values of it and of the next ones. */
const VALUES: readonly (readonly [page: number, token: number, values: string])[] = Object.freeze([
  [0, 0x85, 'IPV4 IPV6 E164 ALPHA APN SCODE TETRA-ITSI MAN'],
  [0, 0x90, 'ANALOG-MODEM V.120 V.110 X.31 BIT-TRANSPARENT DIRECT-ASYNCHRONOUS-DATA-SERVICE'],
  [0, 0x9a, 'PAP CHAP HTTP-BASIC HTTP-DIGEST WTLS-SS MD5'],
  [
    0,
    0xa2,
    'GSM-USSD GSM-SMS ANSI-136-GUTS IS-95-CDMA-SMS IS-95-CDMA-CSD IS-95-CDMA-PACKET ANSI-136-CSD ANSI-136-GPRS GSM-CSD GSM-GPRS AMPS-CDPD PDC-CSD PDC-PACKET IDEN-SMS IDEN-CSD IDEN-PACKET FLEX/REFLEX PHS-SMS PHS-CSD TETRA-SDS TETRA-PACKET ANSI-136-GHOST MOBITEX-MPAK CDMA2000-1X-SIMPLE-IP CDMA2000-1X-MOBILE-IP',
  ],
  [0, 0xc5, 'AUTOBAUDING'],
  [
    0,
    0xca,
    'CL-WSP CO-WSP CL-SEC-WSP CO-SEC-WSP CL-SEC-WTA CO-SEC-WTA OTA-HTTP-TO OTA-HTTP-TLS-TO OTA-HTTP-PO OTA-HTTP-TLS-PO',
  ],
  [0, 0xe0, 'AAA HA'],
  [1, 0x86, 'IPV6 E164 ALPHA'],
  [1, 0x8d, 'APPSRV OBEX'],
  [1, 0x90, ', HTTP- BASIC DIGEST'],
]);

/** What an attribute start token says. */
export interface AttributeStart {
  readonly name: AttributeName;
  /** Value, or beginning of it, that the token implies. */
  readonly value?: string;
}

const key = (page: number, token: number): number => (page << 8) | token;

/** By `page << 8 | token`. */
export const START_OF: ReadonlyMap<number, AttributeStart> = new Map(
  STARTS.flatMap(([page, token, name, values]) =>
    values === undefined
      ? [[key(page, token), { name }] as const]
      : values.split(' ').map((value, i) => [key(page, token + i), { name, value }] as const),
  ),
);

/** By `page << 8 | token`. */
export const VALUE_OF: ReadonlyMap<number, string> = new Map(
  VALUES.flatMap(([page, token, values]) =>
    values.split(' ').map((value, i) => [key(page, token + i), value] as const),
  ),
);

/** `name` or `name=value` to `page << 8 | token`; the first page that has it, as other writers choose. */
export const START_TOKENS: ReadonlyMap<string, number> = first(
  [...START_OF].map(([token, { name, value }]) => [value === undefined ? name : `${name}=${value}`, token]),
);

export const VALUE_TOKENS: ReadonlyMap<string, number> = first(
  [...VALUE_OF].map(([token, value]) => [value, token]),
);

function first(pairs: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [text, token] of pairs) if (!found.has(text)) found.set(text, token);
  return found;
}
