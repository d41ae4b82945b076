import { parseClientUri } from '../../dm2/clientUri.ts';
import type { Dm2Command, MoItem, StatusItem } from '../../dm2/packages.ts';
import type { Session } from '../session.ts';
import { delegationItem } from './delegation.ts';
import type { Right } from './model.ts';
import { isRestricted, isVisible, mayCreate, mayOnAll, own } from './rights.ts';

/**
 * Whether the backend may send this command to a 2.0 client (20§10.3). Which instances an address means is
 * the client's to find, so the backend needs the right on each that it may mean.
 */
export function isAllowed(s: Session, command: Dm2Command): boolean {
  if (!isRestricted(s)) return true;
  switch (command.verb) {
    case 'GET':
    case 'HPUT':
    case 'HPOST':
      return command.clientUris.every((text) => isAddressAllowed(s, text, 'read'));
    case 'SUB':
      return isAddressAllowed(s, command.clientUri, 'read');
    case 'HGET':
      return command.clientUri === undefined || isAddressAllowed(s, command.clientUri, 'write');
    case 'DELETE':
      return isAddressAllowed(s, command.clientUri, 'write');
    case 'EXEC':
      return isAddressAllowed(s, command.clientUri, 'execute');
    case 'DEFAULT':
      return mayCreate(s, s.context.mappings.canonical(command.moid));
    case 'UNSUB':
    case 'SHOW':
    case 'CONT':
    case 'END':
      return true;
  }
}

/** What is no address is left to the client to refuse. */
export function isAddressAllowed(s: Session, text: string, right: Right): boolean {
  const uri = parseClientUri(text);
  if ('error' in uri) return true;
  const { moid, instance, path, nv } = uri;
  const creates = right === 'write' && instance.kind === 'empty' && path.length === 0;
  if (creates && mayCreate(s, moid)) return true;
  const miid = instance.kind === 'named' ? instance.name : undefined;
  return mayOnAll(s, right, moid, miid) && (nv.length === 0 || mayOnAll(s, 'read', moid, miid));
}

/** What a client lists, as far as the backend has rights on it (20§2.4). */
export function visibleMos(s: Session, mos: readonly MoItem[]): MoItem[] {
  const listed = mos.flatMap((item): MoItem[] => {
    const { MOID: moid, MIID } = item;
    const shown = MIID.filter((miid) => isVisible(s, { moid, miid, root: [] }));
    return shown.length > 0 || (MIID.length === 0 && mayCreate(s, moid)) ? [{ ...item, MIID: shown }] : [];
  });
  return [...listed, ...delegationItem(s)];
}

/** Notes whose the instances are that an HGET made on a 2.0 client; it says where it put them (20§3.1). */
export function ownCreated(s: Session, command: Dm2Command, item: StatusItem): void {
  if (s.context.access === undefined || command.verb !== 'HGET' || item.sc !== 200) return;
  const places = command.clientUri === undefined ? (item.URI ?? []) : [command.clientUri];
  for (const text of places) {
    const uri = parseClientUri(text, { bareInstance: true });
    if ('error' in uri || uri.instance.kind !== 'named') continue;
    const moid = s.context.mappings.canonical(uri.moid);
    const { name: miid } = uri.instance;
    const made = { moid, miid, root: s.context.mappings.virtualRoot(moid, miid) };
    const same = s.everMounted.filter((mount) => s.instanceKey(mount) === s.instanceKey(made));
    if (same.some((mount) => !mount.absent)) continue;
    s.setMounts([...s.everMounted.filter((mount) => !same.includes(mount)), made]);
    own(s, made);
  }
}
