import type { Address, AuthEntry, DmAccount } from '../../dm1/bootstrap/account.ts';
import { childNamed, descendant, type MoNode, plainValue } from '../../mo/node.ts';
import { DragomanError } from '../../support/errors.ts';

/** MOID of the account object of DM 2.0 (20§1.2 C12). */
export const DMACC20_MOID = 'urn:oma:mo:oma-dm-dmacc:1.2';
/** Name of its root (20§6.1). */
export const DMACC20_ROOT = 'dm-dmacc';

/** A sentence for each thing that could not cross (IW-BOOT-1). */
type Notes = string[];

/**
 * The account as a DM 2.0 object (20§10.2). What the client presents becomes Auth/Trsp (name in Data, password
 * in Secret), what the server presents Auth/Noti: the secret behind the digest of notifications on both sides.
 */
export function toDmAcc20(account: DmAccount, notes: Notes): MoNode {
  const { serverId, name, addresses, auth } = account;
  const [address] = addresses;
  if (!address) throw new DragomanError('bad-value', `DM account ${serverId}: it has no address.`);
  const client = auth.find(({ level }) => level === 'CLCRED') ?? auth.find(({ level }) => level === 'HTTP');
  const server = auth.find(({ level }) => level === 'SRVCRED');
  const credentials = [
    ...(server === undefined
      ? []
      : [
          interior('Noti', [
            leaf('Type', 'int', '0'),
            bin('Data', server.data),
            bin('Secret', server.secret),
          ]),
        ]),
    ...(client === undefined
      ? []
      : [interior('Trsp', [bin('Data', client.name), bin('Secret', client.secret)])]),
  ];
  noteLosses(account, [client, server], notes);
  return {
    name: DMACC20_ROOT,
    format: 'node',
    type: DMACC20_MOID,
    children: [
      leaf('SrvID', 'chr', serverId),
      leaf('SrvURI', 'chr', uriOf(address)),
      leaf('Name', 'chr', name ?? serverId),
      ...(credentials.length > 0 ? [interior('Auth', credentials)] : []),
    ],
  };
}

function noteLosses(
  { serverId, addresses, conRefs, prefConRef, authPref, auth, init }: DmAccount,
  used: readonly (AuthEntry | undefined)[],
  notes: Notes,
): void {
  const lost = (what: string) =>
    notes.push(`Account ${serverId}: ${what} left out; a 2.0 account has no place for it.`);
  if (addresses.length > 1) lost(`${addresses.length - 1} further addresses are`);
  if ((conRefs?.length ?? 0) > 0 || prefConRef !== undefined) lost('the connection references are');
  if (authPref !== undefined) lost('AAuthPref is');
  if (init !== undefined) lost('INIT is');
  for (const { level, type } of auth.filter((entry) => !used.includes(entry))) {
    lost(`an ${level} credential${type === undefined ? '' : ` of type ${type}`} is`);
  }
  if (used[0]?.data !== undefined) lost('the nonce of the client credential is');
}

function uriOf({ addr, ports }: Address): string {
  const [port] = ports ?? [];
  if (port === undefined || !URL.canParse(addr)) return addr;
  const url = new URL(addr);
  if (url.port !== '' || !/^https?:$/.test(url.protocol)) return addr;
  url.port = String(port);
  return url.href;
}

/** Reads a DM 2.0 account; throws `bad-value` that names the node, never its value. */
export function fromDmAcc20(root: MoNode, notes: Notes): DmAccount {
  const serverId = textAt(root, 'SrvID');
  const addr = textAt(root, 'SrvURI');
  if (!serverId) throw new DragomanError('bad-value', 'DM account: SrvID is missing.');
  if (!addr) throw new DragomanError('bad-value', `DM account ${serverId}: SrvURI is missing.`);
  const name = textAt(root, 'Name');
  const trsp = descendant(root, ['Auth', 'Trsp']);
  const noti = descendant(root, ['Auth', 'Noti']);
  for (const [path, what] of LOST_20) {
    if (descendant(root, path)) {
      notes.push(`Account ${serverId}: ${what} left out; a 1.x account has no place for it.`);
    }
  }
  const data = noti && bytesAt(noti, 'Data');
  return {
    serverId,
    ...(name !== undefined && name !== '' && { name }),
    addresses: [{ addr, type: 'URI' }],
    auth: [
      ...(trsp === undefined
        ? []
        : [{ level: 'CLCRED' as const, type: 'DIGEST', ...nameAndSecret(trsp, 'Data', serverId) }]),
      ...(noti === undefined
        ? []
        : [
            {
              level: 'SRVCRED' as const,
              type: 'DIGEST',
              name: serverId,
              ...nameAndSecret(noti, undefined, serverId),
              ...(data !== undefined && data.length > 0 && { data }),
            },
          ]),
    ],
  };
}

const LOST_20: readonly (readonly [readonly string[], string])[] = [
  [['Perm'], 'Perm, the objects asked for at bootstrap, is'],
  [['Auth', 'Bootstrap'], 'Auth/Bootstrap, the keys of the bootstrap server, is'],
  [['Push'], 'Push is'],
];

function nameAndSecret(node: MoNode, nameNode: string | undefined, account: string): Partial<AuthEntry> {
  const text = (member: string) => {
    const bytes = bytesAt(node, member);
    if (bytes === undefined || bytes.length === 0) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new DragomanError(
        'bad-value',
        `DM account ${account}: Auth/${node.name}/${member} is no text, which a 1.x credential needs.`,
      );
    }
  };
  const name = nameNode === undefined ? undefined : text(nameNode);
  const secret = text('Secret');
  return { ...(name !== undefined && { name }), ...(secret !== undefined && { secret }) };
}

function textAt(node: MoNode, name: string): string | undefined {
  const value = plainValue(childNamed(node, name)?.value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
}

function bytesAt(node: MoNode, name: string): Uint8Array | undefined {
  const value = plainValue(childNamed(node, name)?.value);
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

function interior(name: string, children: readonly MoNode[]): MoNode {
  return { name, format: 'node', children };
}

function leaf(name: string, format: 'chr' | 'int', value: string): MoNode {
  return { name, format, value };
}

function bin(name: string, value: string | Uint8Array | undefined): MoNode {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return { name, format: 'bin', value: bytes ?? new Uint8Array(0) };
}
