import { childNamed, type MoNode, plainValue } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';
import { type Address, type AddressType, AUTH_LEVELS, type AuthEntry, type DmAccount } from './account.ts';

/** MOID of the account object of DM 1.2 (1x§13). */
export const DMACC_MOID = 'urn:oma:mo:oma-dm-dmacc:1.0';

const ADDRESS_TYPES: readonly AddressType[] = ['URI', 'IPv4', 'IPv6'];

/** The account as a DMAcc 1.2 subtree (1x§13.3); unnamed nodes are numbered from 1. */
export function toDmAcc(account: DmAccount, name = account.serverId): MoNode {
  return {
    name,
    format: 'node',
    type: DMACC_MOID,
    children: [
      text('AppID', 'w7'),
      text('ServerID', account.serverId),
      ...optional('Name', account.name),
      ...optional('PrefConRef', account.prefConRef),
      ...list('ToConRef', account.conRefs, ({ ref }) => [text('ConRef', ref)]),
      ...list('AppAddr', account.addresses, ({ addr, type, ports }) => [
        text('Addr', addr),
        ...optional('AddrType', type),
        ...list('Port', ports, (port) => [text('PortNbr', String(port))]),
      ]),
      ...optional('AAuthPref', account.authPref),
      ...list('AppAuth', account.auth, (entry) => [
        text('AAuthLevel', entry.level),
        ...optional('AAuthType', entry.type),
        ...optional('AAuthName', entry.name),
        ...optional('AAuthSecret', entry.secret),
        ...(entry.data === undefined
          ? []
          : [leaf('AAuthData', 'bin' as const, 'application/octet-stream', entry.data)]),
      ]),
    ],
  };
}

function leaf(name: string, format: 'chr' | 'bin', type: string, value: string | Uint8Array): MoNode {
  return { name, format, type, value };
}

function text(name: string, value: string): MoNode {
  return leaf(name, 'chr', 'text/plain', value);
}

function optional(name: string, value: string | undefined): readonly MoNode[] {
  return value === undefined ? [] : [text(name, value)];
}

function list<T>(
  name: string,
  entries: readonly T[] | undefined,
  content: (entry: T) => readonly MoNode[],
): readonly MoNode[] {
  if (entries === undefined || entries.length === 0) return [];
  const children = entries.map((entry, i) => ({
    name: String(i + 1),
    format: 'node' as const,
    children: content(entry),
  }));
  return [{ name, format: 'node', children }];
}

/**
 * Reads a DMAcc 1.2 subtree, whatever its unnamed nodes are called.
 *
 * @throws DragomanError `bad-value` that names the node; never its value
 */
export function fromDmAcc(root: MoNode): DmAccount {
  const serverId = textOf(root, 'ServerID');
  if (serverId === undefined || serverId === '') throw wrong(root.name, 'ServerID', 'is missing');
  const appId = textOf(root, 'AppID');
  if (appId !== undefined && appId !== 'w7') throw wrong(root.name, 'AppID', 'is not w7');
  const conRefs = entries(root, 'ToConRef').flatMap((entry) => {
    const ref = textOf(entry, 'ConRef');
    return ref === undefined ? [] : [{ ref }];
  });
  const name = textOf(root, 'Name');
  const prefConRef = textOf(root, 'PrefConRef');
  const authPref = textOf(root, 'AAuthPref');
  return {
    serverId,
    ...(name !== undefined && { name }),
    addresses: entries(root, 'AppAddr').map((entry) => addressOf(root.name, entry)),
    ...(prefConRef !== undefined && { prefConRef }),
    ...(conRefs.length > 0 && { conRefs }),
    ...(authPref !== undefined && { authPref }),
    auth: entries(root, 'AppAuth').map((entry) => authOf(root.name, entry)),
  };
}

function addressOf(account: string, entry: MoNode): Address {
  const addr = textOf(entry, 'Addr');
  if (addr === undefined) throw wrong(account, 'AppAddr/Addr', 'is missing');
  const typeText = textOf(entry, 'AddrType')?.trim();
  const type = ADDRESS_TYPES.find((each) => each.toLowerCase() === typeText?.toLowerCase());
  if (typeText !== undefined && typeText !== '' && type === undefined)
    throw wrong(account, 'AppAddr/AddrType', `is none of ${ADDRESS_TYPES.join(', ')}`);
  const ports = entries(entry, 'Port').flatMap((port) => {
    const number = textOf(port, 'PortNbr');
    if (number === undefined) return [];
    const parsed = readPort(number);
    if (parsed === undefined) throw wrong(account, 'AppAddr/Port/PortNbr', 'is no port number');
    return [parsed];
  });
  return { addr, ...(type !== undefined && { type }), ...(ports.length > 0 && { ports }) };
}

function authOf(account: string, entry: MoNode): AuthEntry {
  const levelText = textOf(entry, 'AAuthLevel')?.trim();
  const level = AUTH_LEVELS.find((each) => each === levelText);
  if (level === undefined) throw wrong(account, 'AppAuth/AAuthLevel', `is none of ${AUTH_LEVELS.join(', ')}`);
  const type = textOf(entry, 'AAuthType')?.trim();
  const name = textOf(entry, 'AAuthName');
  const secret = textOf(entry, 'AAuthSecret');
  const value = plainValue(childNamed(entry, 'AAuthData')?.value);
  const data = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return {
    level,
    ...(type !== undefined && type !== '' && { type }),
    ...(name !== undefined && { name }),
    ...(secret !== undefined && { secret }),
    ...(data !== undefined && { data }),
  };
}

/** A decimal port number, or `undefined`. */
export function readPort(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return number > 0 && number < 65_536 ? number : undefined;
}

function entries(node: MoNode, name: string): readonly MoNode[] {
  return childNamed(node, name)?.children ?? [];
}

function textOf(node: MoNode, name: string): string | undefined {
  const value = plainValue(childNamed(node, name)?.value);
  return value === undefined || typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
}

function wrong(account: string, node: string, reason: string): DragomanError {
  return new DragomanError('bad-value', `DM account ${account}: ${node} ${reason}.`);
}
