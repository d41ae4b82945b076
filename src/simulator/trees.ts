import { SimTree, type UriLimits } from './tree.ts';
import { type MoInstance, readInstances, readTree, type TreeNotation } from './treeFile.ts';

const READ_ONLY = ['Get'];
const EXEC = { $access: ['Exec', 'Get'], $permanent: true };
const URL_LEAF = { $access: ['Get', 'Replace'], $value: '' };

const fumo = (type?: string): TreeNotation => ({
  ...(type === undefined ? {} : { $type: type }),
  $permanent: true,
  PkgName: { $access: ['Get', 'Replace'], $value: 'base' },
  PkgVersion: { $access: ['Get', 'Replace'], $value: '1.0.0' },
  Download: { ...EXEC, PkgURL: URL_LEAF },
  Update: { ...EXEC, PkgData: { $access: ['Replace'], $format: 'bin', $value: '' } },
  DownloadAndUpdate: { ...EXEC, PkgURL: URL_LEAF },
  State: { $access: READ_ONLY, $value: 10 },
});

const scomo = (type?: string): TreeNotation => ({
  ...(type === undefined ? {} : { $type: type }),
  Download: {},
  Inventory: {
    Delivered: {},
    Deployed: {
      Component1: {
        ID: 'com.example.browser',
        PkgIDRef: 'pkg-browser-1',
        Name: 'Browser',
        Description: 'Web browser',
        Version: '1.2',
        EnvType: 'native',
        Status: 10,
        State: 20,
        Operations: { $permanent: true, Activate: EXEC, Deactivate: EXEC, Remove: EXEC },
      },
    },
  },
});

const lawmo = (type?: string): TreeNotation => ({
  ...(type === undefined ? {} : { $type: type }),
  $permanent: true,
  State: { $access: READ_ONLY, $value: 30 },
  AvailableWipeList: {
    $permanent: true,
    Photos: {
      ListItemName: { $access: READ_ONLY, $value: 'Photos' },
      ToBeWiped: { $access: ['Get', 'Replace'], $value: false },
    },
  },
  LAWMOConfig: { NotifyUser: { $access: ['Get', 'Replace'], $value: true } },
  Operations: { FullyLock: EXEC, PartiallyLock: EXEC, UnLock: EXEC, FactoryReset: EXEC, Wipe: EXEC },
});

const diagmon = (type?: string): TreeNotation => ({
  Battery: {
    ...(type === undefined ? {} : { $type: type }),
    $permanent: true,
    DiagMonID: { $access: READ_ONLY, $value: 'battery' },
    Status: { $access: READ_ONLY, $value: 'Inactive' },
    Operations: { Start: EXEC, Stop: EXEC },
    ConfigParms: { Interval: { $access: ['Get', 'Replace'], $value: 60 } },
    DiagMonData: {
      Level: { $access: READ_ONLY, $value: 87 },
      Charging: { $access: READ_ONLY, $value: false },
    },
  },
});

/** A DM 1.2 phone: DevInfo, DevDetail, DMAcc, FUMO, SCOMO with one deployed component, LAWMO, DiagMon. */
export const PHONE_TREE: TreeNotation = {
  $permanent: false,
  $access: ['Add', 'Get'],
  DevInfo: {
    $type: 'urn:oma:mo:oma-dm-devinfo:1.0',
    $permanent: true,
    $access: READ_ONLY,
    DevId: { $access: READ_ONLY, $value: 'IMEI:493005100592800' },
    Man: { $access: READ_ONLY, $value: 'Example' },
    Mod: { $access: READ_ONLY, $value: 'One' },
    DmV: { $access: READ_ONLY, $value: '1.2' },
    Lang: { $access: READ_ONLY, $value: 'en-US' },
  },
  DevDetail: {
    $type: 'urn:oma:mo:oma-dm-devdetail:1.0',
    $permanent: true,
    $access: READ_ONLY,
    URI: {
      MaxDepth: { $access: READ_ONLY, $value: '0' },
      MaxTotLen: { $access: READ_ONLY, $value: '0' },
      MaxSegLen: { $access: READ_ONLY, $value: '0' },
    },
    DevTyp: { $access: READ_ONLY, $value: 'smartphone' },
    OEM: { $access: READ_ONLY, $value: 'Example' },
    FwV: { $access: READ_ONLY, $value: '1.0.0' },
    SwV: { $access: READ_ONLY, $value: '10' },
    HwV: { $access: READ_ONLY, $value: 'A' },
    LrgObj: { $access: READ_ONLY, $value: true },
  },
  DMAcc: {
    $permanent: true,
    operator: {
      $permanent: false,
      $type: 'urn:oma:mo:oma-dm-dmacc:1.0',
      AppID: { $access: READ_ONLY, $value: 'w7' },
      ServerID: { $access: READ_ONLY, $value: 'dms.example' },
      Name: 'Operator',
      AppAddr: { 1: { Addr: 'https://dms.example/dm', AddrType: 'URI', Port: { 1: { PortNbr: '443' } } } },
      AAuthPref: 'DIGEST',
      AppAuth: {
        client: {
          AAuthLevel: 'CLCRED',
          AAuthType: 'DIGEST',
          AAuthName: 'phone',
          AAuthSecret: { $access: ['Replace'], $value: 'not-readable' },
          AAuthData: { $access: ['Replace'], $format: 'bin', $value: 'AAAA' },
        },
      },
    },
  },
  FUMO: { $permanent: true, fw: fumo('urn:oma:mo:oma-fumo:1.0') },
  SCOMO: { ...scomo('urn:oma:mo:oma-scomo:1.0'), $permanent: false },
  LAWMO: lawmo('urn:oma:mo:oma-lawmo:1.0'),
  DiagMon: { $permanent: true, ...diagmon('urn:oma:mo:oma-diagmon:1.0') },
  Settings: {
    $type: 'urn:example:mo:settings:1.0',
    Wallpaper: { $format: 'bin', $value: 'AAECAwQF' },
    Ringtone: 'Default',
    Volume: 5,
    Roaming: false,
  },
};

/** The same device as a DM 2.0 client shows it. */
export const DM2_OBJECTS: readonly TreeNotation[] = [
  {
    moid: 'urn:oma:mo:oma-dm-devinfo:1.2',
    miid: 'devinfo',
    root: 'DevInfo',
    tree: {
      $permanent: true,
      $access: READ_ONLY,
      DevID: { $access: READ_ONLY, $value: 'IMEI:493005100592801' },
      Man: { $access: READ_ONLY, $value: 'Example' },
      Mod: { $access: READ_ONLY, $value: 'Two' },
      DmV: { $access: READ_ONLY, $value: '2.0' },
      Lang: { $access: READ_ONLY, $value: 'en-US' },
      DevType: { $access: READ_ONLY, $value: 'smartphone' },
      OEM: { $access: READ_ONLY, $value: 'Example' },
      FwV: { $access: READ_ONLY, $value: '2.0.0' },
      SwV: { $access: READ_ONLY, $value: '12' },
      HwV: { $access: READ_ONLY, $value: 'B' },
    },
  },
  {
    moid: 'urn:oma:mo:oma-dm-dmacc:1.2',
    miid: 'operator',
    root: 'DMAcc',
    tree: {
      SrvID: { $access: READ_ONLY, $value: 'dms.example' },
      SrvURI: { $access: READ_ONLY, $value: 'https://dms.example/dm' },
      Name: { $access: READ_ONLY, $value: 'Operator' },
    },
  },
  { moid: 'urn:oma:mo:oma-fumo:1.0', miid: 'fumo1', root: 'fumo', tree: fumo() },
  { moid: 'urn:oma:mo:oma-scomo:1.0', miid: 'SCOMO1', root: 'scomo', tree: scomo() },
  { moid: 'urn:oma:mo:oma-lawmo:1.0', miid: 'lawmo1', root: 'lawmo', tree: lawmo() },
  { moid: 'urn:oma:mo:oma-diagmon:1.0', miid: 'battery', root: 'diagmon', tree: diagmon()['Battery'] },
  {
    moid: 'urn:oma:mo:oma-sessioninfomo:1.0',
    miid: 'session',
    root: 'sessioninfo',
    tree: { CBT: { $access: READ_ONLY, $value: '3' }, ROAMING: { $access: READ_ONLY, $value: '0' } },
  },
  {
    moid: 'urn:example:mo:settings:1.0',
    miid: 'settings1',
    root: 'Settings',
    tree: {
      Wallpaper: { $format: 'bin', $value: 'AAECAwQF' },
      Ringtone: 'Default',
      Volume: 5,
      Roaming: false,
    },
  },
];

/** A fresh tree of the default phone, with `deviceId` as its `./DevInfo/DevId`. */
export function phoneTree(deviceId?: string): SimTree {
  return treeFrom(PHONE_TREE, deviceId);
}

/** A tree from any notation; address limits are those that its own `./DevDetail/URI` tells. */
export function treeFrom(source: unknown, deviceId?: string): SimTree {
  const root = readTree(source);
  const devId = root.children?.get('DevInfo')?.children?.get('DevId');
  if (devId && deviceId !== undefined) devId.value = deviceId;
  return new SimTree(root, uriLimits(root.children?.get('DevDetail')?.children?.get('URI')?.children));
}

function uriLimits(uri: ReadonlyMap<string, { value?: unknown }> | undefined): UriLimits {
  const number = (name: string) => Number(uri?.get(name)?.value ?? 0) || 0;
  return { maxDepth: number('MaxDepth'), maxTotLen: number('MaxTotLen'), maxSegLen: number('MaxSegLen') };
}

/** Fresh instances of the default 2.0 device, with `deviceId` as its DevInfo/DevID. */
export function dm2Instances(deviceId?: string): MoInstance[] {
  return instancesFrom(DM2_OBJECTS, deviceId);
}

export function instancesFrom(source: unknown, deviceId?: string): MoInstance[] {
  const instances = readInstances(source);
  if (deviceId === undefined) return instances;
  for (const { moid, node } of instances) {
    const devId = moid.includes('devinfo') ? node.children?.get('DevID') : undefined;
    if (devId) devId.value = deviceId;
  }
  return instances;
}
