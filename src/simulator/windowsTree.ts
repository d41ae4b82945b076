import type { TreeNotation } from './treeFile.ts';

const READ_ONLY = ['Get'];
const SETTING = ['Add', 'Delete', 'Get', 'Replace'];
const leaf = ($value: string | number | boolean, $access: readonly string[] = READ_ONLY): TreeNotation => ({
  $access: [...$access],
  $value,
});
const fixed = { $permanent: true, $access: READ_ONLY };

const policy = (area: string, name: string, value: number): TreeNotation => ({
  ...fixed,
  Config: {
    ...fixed,
    $access: ['Add', 'Get'],
    [area]: { $permanent: false, $access: SETTING, [name]: leaf(value, SETTING) },
  },
  Result: { ...fixed, [area]: { $access: READ_ONLY, [name]: leaf(value) } },
});

const profile = (): TreeNotation => ({
  ...fixed,
  $access: ['Add', 'Get'],
  EnableFirewall: leaf(true, SETTING),
  DefaultInboundAction: leaf(1, SETTING),
});

/** A Windows device (1x§15.5): DevInfo, DevDetail and the most used configuration service providers. */
export const WINDOWS_TREE: TreeNotation = {
  $access: ['Get'],
  DevInfo: {
    ...fixed,
    DevId: leaf('urn:uuid:0'),
    Man: leaf('Contoso'),
    Mod: leaf('Book 3'),
    DmV: leaf('1.3'),
    Lang: leaf('en-US'),
  },
  DevDetail: {
    ...fixed,
    URI: { ...fixed, MaxDepth: leaf('0'), MaxTotLen: leaf('0'), MaxSegLen: leaf('0') },
    DevTyp: leaf('Desktop'),
    OEM: leaf('Contoso'),
    FwV: leaf('1.4'),
    SwV: leaf('10.0.22631.3447'),
    HwV: leaf('A'),
    LrgObj: leaf(true),
  },
  Device: {
    ...fixed,
    Vendor: {
      ...fixed,
      MSFT: {
        ...fixed,
        Policy: policy('Camera', 'AllowCamera', 1),
        Reboot: {
          ...fixed,
          RebootNow: { $access: ['Exec', 'Get'], $permanent: true, $format: 'null', $value: '' },
          Schedule: { ...fixed, $access: ['Add', 'Get'] },
        },
        DMClient: {
          ...fixed,
          Provider: {
            ...fixed,
            'Contoso MDM': {
              $access: ['Get'],
              EntDMID: leaf('4711', SETTING),
              UPN: leaf('ann@contoso.example'),
              Poll: { $access: ['Add', 'Get'], NumberOfFirstRetries: leaf(5, SETTING) },
            },
          },
        },
      },
    },
  },
  User: { ...fixed, Vendor: { ...fixed, MSFT: { ...fixed, Policy: policy('Start', 'HideSleep', 0) } } },
  Vendor: {
    ...fixed,
    MSFT: {
      ...fixed,
      Update: {
        ...fixed,
        ApprovedUpdates: { ...fixed, $access: ['Add', 'Get'] },
        InstallableUpdates: {
          ...fixed,
          'a317dafe-baf4-453f-b232-a7075efae36e': {
            $access: READ_ONLY,
            Type: leaf('Security'),
            RevisionNumber: leaf(200),
          },
        },
        LastSuccessfulScanTime: leaf('2026-01-01T00:00:00Z'),
      },
      Firewall: {
        ...fixed,
        MdmStore: {
          ...fixed,
          Global: { ...fixed, $access: ['Add', 'Get'], PolicyVersionSupported: leaf(542) },
          DomainProfile: profile(),
          PrivateProfile: profile(),
          PublicProfile: profile(),
          FirewallRules: {
            ...fixed,
            $access: ['Add', 'Get'],
            'Rule 1/2': {
              $permanent: false,
              $access: SETTING,
              Name: leaf('Web', SETTING),
              Enabled: leaf(true, SETTING),
            },
          },
        },
      },
    },
  },
};
