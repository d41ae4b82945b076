import { decodeBase64, encodeBase64 } from '../../mo/lexical.ts';
import { DragomanError } from '../../support/errors.ts';
import type { Address, AddressType, AuthEntry, AuthLevel, ConnectionRef, DmAccount } from './account.ts';
import { readPort } from './dmacc.ts';
import {
  type Characteristic,
  type Parm,
  type ProvisioningDocument,
  parmOf,
  typed,
} from './provisioning/document.ts';

/** Media types of a CP profile (1x§14). */
export const CP_WBXML = 'application/vnd.wap.connectivity-wbxml';
export const CP_XML = 'text/vnd.wap.connectivity-xml';

const CP_TYPES: Readonly<Record<AddressType, string | undefined>> = Object.freeze({
  URI: undefined,
  IPv4: 'IPV4',
  IPv6: 'IPV6',
});

/** A CP profile: its DM accounts, and the characteristics that describe proxies, access points and the rest. */
export interface CpProfile {
  readonly version?: string;
  readonly accounts: readonly DmAccount[];
  readonly others: readonly Characteristic[];
  /** How many of the others stand before the accounts; all of them when absent. */
  readonly accountsAt?: number;
}

/**
 * The provisioning document for accounts: an APPLICATION w7 each (1x§14). PrefConRef and AAuthPref have no
 * place in it; nor has an entry of level HTTP that is no HTTP type.
 *
 * @throws DragomanError `bad-value`
 */
export function toProvisioning(profile: CpProfile): ProvisioningDocument {
  return {
    version: profile.version ?? '1.1',
    characteristics: [
      ...profile.others.slice(0, profile.accountsAt),
      ...profile.accounts.map(application),
      ...(profile.accountsAt === undefined ? [] : profile.others.slice(profile.accountsAt)),
    ],
  };
}

function application(account: DmAccount): Characteristic {
  return {
    type: 'APPLICATION',
    parms: [
      { name: 'APPID', value: 'w7' },
      { name: 'PROVIDER-ID', value: account.serverId },
      ...parm('NAME', account.name),
      ...(account.conRefs ?? []).map(({ ref, kind }) => ({
        name: kind === 'proxy' ? 'TO-PROXY' : 'TO-NAPID',
        value: ref,
      })),
      ...(account.init === undefined ? [] : [{ name: 'INIT', value: account.init ? '1' : '0' }]),
      ...(account.more?.parms ?? []),
    ],
    characteristics: [
      ...account.addresses.map(appAddr),
      ...account.auth.map(appAuth),
      ...(account.more?.characteristics ?? []),
    ],
  };
}

function parm(name: string, value: string | undefined): readonly Parm[] {
  return value === undefined ? [] : [{ name, value }];
}

function appAddr({ addr, type, ports }: Address): Characteristic {
  return {
    type: 'APPADDR',
    parms: [{ name: 'ADDR', value: addr }, ...parm('ADDRTYPE', type && CP_TYPES[type])],
    characteristics: (ports ?? []).map((port) => ({
      type: 'PORT',
      parms: [{ name: 'PORTNBR', value: String(port) }],
      characteristics: [],
    })),
  };
}

const CP_LEVELS: Readonly<Record<AuthLevel, string>> = Object.freeze({
  CLCRED: 'APPSRV',
  SRVCRED: 'CLIENT',
  OBEX: 'OBEX',
  HTTP: 'APPSRV',
});

function appAuth({ level, type, name, secret, data }: AuthEntry): Characteristic {
  if (level === 'HTTP' && !isHttp(type)) {
    throw new DragomanError(
      'bad-value',
      'An AppAuth entry of level HTTP needs type HTTP-BASIC or HTTP-DIGEST to go into a CP profile.',
    );
  }
  return {
    type: 'APPAUTH',
    parms: [
      { name: 'AAUTHLEVEL', value: CP_LEVELS[level] },
      ...parm('AAUTHTYPE', type),
      ...parm('AAUTHNAME', name),
      ...parm('AAUTHSECRET', secret),
      ...parm('AAUTHDATA', data && encodeBase64(data)),
    ],
    characteristics: [],
  };
}

function isHttp(type: string | undefined): boolean {
  return type !== undefined && /^HTTP-/i.test(type);
}

/**
 * The accounts of a provisioning document; what is no DM account comes back as it is.
 *
 * @throws DragomanError `bad-value` that names account and parameter; never a value
 */
export function fromProvisioning(document: ProvisioningDocument): CpProfile {
  const { characteristics } = document;
  const accounts = typed(characteristics, 'APPLICATION').filter(isDm);
  const others = characteristics.filter((each) => !accounts.includes(each));
  const first = characteristics.findIndex((each) => accounts.includes(each));
  return {
    ...(document.version !== undefined && { version: document.version }),
    accounts: accounts.map(accountOf),
    others,
    ...(first >= 0 && first < others.length && { accountsAt: first }),
  };
}

function isDm(application: Characteristic): boolean {
  return parmOf(application, 'APPID')?.toLowerCase() === 'w7';
}

function accountOf(application: Characteristic): DmAccount {
  const serverId = parmOf(application, 'PROVIDER-ID');
  if (serverId === undefined || serverId === '') throw wrong('w7', 'PROVIDER-ID', 'is missing');
  const name = parmOf(application, 'NAME');
  const init = parmOf(application, 'INIT');
  const conRefs = application.parms.flatMap(({ name: parmName, value }): ConnectionRef[] => {
    const kind = { 'TO-PROXY': 'proxy' as const, 'TO-NAPID': 'nap' as const }[parmName.toUpperCase()];
    return kind === undefined || value === undefined ? [] : [{ ref: value, kind }];
  });
  const appAddrs = typed(application.characteristics, 'APPADDR');
  const plain = appAddrs.length > 0 ? [] : addressesOf(application);
  return {
    serverId,
    ...(name !== undefined && { name }),
    addresses: [...plain, ...appAddrs.map((each) => addressOf(serverId, each))],
    ...(conRefs.length > 0 && { conRefs }),
    auth: typed(application.characteristics, 'APPAUTH').map((each) => authOf(serverId, each)),
    // A flag without value means yes.
    ...(init !== undefined && { init: init !== '0' }),
    ...moreOf(application),
  };
}

const KNOWN_PARMS = new Set(['APPID', 'PROVIDER-ID', 'NAME', 'TO-PROXY', 'TO-NAPID', 'INIT', 'ADDR']);
const KNOWN_CHARACTERISTICS = new Set(['APPADDR', 'APPAUTH']);

function moreOf(application: Characteristic): Pick<DmAccount, 'more'> {
  const parms = application.parms.filter(({ name }) => !KNOWN_PARMS.has(name.toUpperCase()));
  const characteristics = application.characteristics.filter(
    ({ type }) => !KNOWN_CHARACTERISTICS.has(type.toUpperCase()),
  );
  return parms.length + characteristics.length === 0 ? {} : { more: { parms, characteristics } };
}

/** ADDR may stand right in the APPLICATION, several times. */
function addressesOf({ parms }: Characteristic): readonly Address[] {
  return parms.flatMap(({ name, value }) =>
    name.toUpperCase() === 'ADDR' && value !== undefined ? [{ addr: value }] : [],
  );
}

function addressOf(serverId: string, characteristic: Characteristic): Address {
  const addr = parmOf(characteristic, 'ADDR');
  if (addr === undefined) throw wrong(serverId, 'APPADDR/ADDR', 'is missing');
  const typeText = parmOf(characteristic, 'ADDRTYPE')?.toUpperCase();
  const ports = typed(characteristic.characteristics, 'PORT').flatMap((port) => {
    const text = parmOf(port, 'PORTNBR');
    if (text === undefined) return [];
    const number = readPort(text);
    if (number === undefined) throw wrong(serverId, 'APPADDR/PORT/PORTNBR', 'is no port number');
    return [number];
  });
  const type = addressType(serverId, typeText);
  return { addr, ...(type !== undefined && { type }), ...(ports.length > 0 && { ports }) };
}

function addressType(serverId: string, text: string | undefined): AddressType | undefined {
  switch (text) {
    case undefined:
    case '':
      return undefined;
    case 'IPV4':
      return 'IPv4';
    case 'IPV6':
      return 'IPv6';
    case 'URI':
    case 'ALPHA':
      return 'URI';
    default:
      throw wrong(serverId, 'APPADDR/ADDRTYPE', 'is none of IPV4, IPV6, ALPHA');
  }
}

function authOf(serverId: string, characteristic: Characteristic): AuthEntry {
  const type = parmOf(characteristic, 'AAUTHTYPE')?.trim();
  const name = parmOf(characteristic, 'AAUTHNAME');
  const secret = parmOf(characteristic, 'AAUTHSECRET');
  const data = parmOf(characteristic, 'AAUTHDATA');
  return {
    level: levelOf(serverId, parmOf(characteristic, 'AAUTHLEVEL'), type),
    ...(type !== undefined && type !== '' && { type }),
    ...(name !== undefined && { name }),
    ...(secret !== undefined && { secret }),
    // base64 by the samples (1x§14); text that is none is the nonce itself.
    ...(data !== undefined && { data: decodeBase64(data) ?? new TextEncoder().encode(data) }),
  };
}

function levelOf(serverId: string, text: string | undefined, type: string | undefined): AuthLevel {
  // Without a level the credentials are those that the client presents.
  switch (text?.trim().toUpperCase() ?? 'APPSRV') {
    case 'APPSRV':
      return isHttp(type) ? 'HTTP' : 'CLCRED';
    case 'CLIENT':
      return 'SRVCRED';
    case 'OBEX':
      return 'OBEX';
    default:
      throw wrong(serverId, 'APPAUTH/AAUTHLEVEL', 'is none of APPSRV, CLIENT, OBEX');
  }
}

function wrong(account: string, parmName: string, reason: string): DragomanError {
  return new DragomanError('bad-value', `DM account ${account}: ${parmName} ${reason}.`);
}
