import { DragomanError } from '../../../support/errors.ts';
import { clientUriOf, parseClientUri } from '../../clientUri.ts';
import type { MoItem, SerializationItem } from '../../packages.ts';
import { isTree } from '../../serializationItem.ts';
import { isSameDevice } from '../identity.ts';

/** The object of one of the two, whatever its version (20§1.2 C13). */
const OBJECT = /^urn:oma:mo:oma-dm-(devinfo|devdetail):/;

/** Nodes that DevInfo of the approved protocol took over from DevDetail (20§10.1). */
const FROM_DEVDETAIL: readonly string[] = ['DevType', 'OEM', 'FwV', 'SwV', 'HwV'];
const OF_DEVINFO: readonly string[] = ['DevID', 'Man', 'Mod', 'DmV', 'Lang'];

/**
 * DevInfo of the approved protocol from the objects of a first message. Throws `malformed` when the body
 * names another device than the header; a DevID that only lacks its type is completed (20§1.3).
 */
export function devInfoOf(items: readonly SerializationItem[], deviceId: string): Record<string, string> {
  const info: Record<string, string> = {};
  for (const { ClientURI, MOData } of items) {
    const object = OBJECT.exec(ClientURI)?.[1];
    const uri = object === undefined ? undefined : parseClientUri(ClientURI, { bareInstance: true });
    if (uri === undefined || 'error' in uri || uri.path.length > 0) continue;
    const root = Object.values(MOData)[0];
    if (!isTree(root)) continue;
    for (const name of object === 'devinfo' ? [...OF_DEVINFO, ...FROM_DEVDETAIL] : FROM_DEVDETAIL) {
      const value = Object.hasOwn(root, name) ? root[name] : undefined;
      if (typeof value === 'string') info[name] ??= value;
    }
  }
  const said = info['DevID'];
  if (said !== undefined && !isSameDevice(deviceId, said)) {
    throw new DragomanError('malformed', 'DevID in the body names another device than the header.');
  }
  return said === undefined ? info : { ...info, DevID: deviceId };
}

/**
 * The objects for a first message: those given, and DevInfo and DevDetail from `devInfo` where they lack, at
 * the place that the list of objects gives them.
 */
export function withDeviceInformation(
  items: readonly SerializationItem[],
  devInfo: Readonly<Record<string, string>>,
  deviceId: string,
  mos: readonly MoItem[] = [],
): SerializationItem[] {
  const there = new Set(items.map((item) => OBJECT.exec(item.ClientURI)?.[1]));
  const made: SerializationItem[] = [];
  if (!there.has('devinfo')) {
    made.push(objectOf(mos, 'devinfo', { DevID: deviceId, ...picked(devInfo, OF_DEVINFO), DmV: '2.0' }));
  }
  const detail = picked(devInfo, FROM_DEVDETAIL);
  if (!there.has('devdetail') && Object.keys(detail).length > 0)
    made.push(objectOf(mos, 'devdetail', detail));
  return [...made, ...items];
}

function objectOf(mos: readonly MoItem[], name: string, content: Record<string, string>): SerializationItem {
  const { MOID, MIID } = mos.find((item) => OBJECT.exec(item.MOID)?.[1] === name) ?? {
    MOID: `urn:oma:mo:oma-dm-${name}:1.0`,
    MIID: [],
  };
  return {
    ClientURI: clientUriOf(MOID, MIID[0]),
    MOData: { [`dm-${name}`]: content },
  };
}

function picked(from: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
