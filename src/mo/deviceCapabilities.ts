/**
 * What a device may be found to support, or not. Sessions learn it from answers and the registry keeps it;
 * a profile in a mapping pack settles it for a model.
 */
export const DEVICE_CAPABILITIES = {
  atomic: 'carries out an Atomic, all or nothing',
  atomicAlone: 'wants a single write in an Atomic as well',
  sequence: 'carries out a Sequence',
  correlator: 'brings a Correlator back',
  listStruct: 'answers `?list=Struct`',
  listStructData: 'answers `?list=StructData`',
  listTnds: 'answers `?list=TNDS`',
  prop: 'answers `?prop=Type`',
  noVersionNodes: 'has neither FwV nor SwV below `./DevDetail`',
  respURI: 'comes back to the RespURI; one that does not has to bear credentials in every message',
  alert1100: 'shows messages (Alert 1100)',
  alert1101: 'asks for confirmation (1101)',
  alert1102: 'takes text (1102)',
  alert1103: 'offers a choice (1103)',
  alert1104: 'offers choices of several (1104)',
  get: 'answers GET of DM 2.0 with data',
  cv: 'answers a validator of DM 2.0',
  show: 'carries out SHOW of DM 2.0',
  variables: 'resolves variables in a ServerURI of DM 2.0',
  oneCommandPerPackage: 'gets the commands of DM 2.0 one by one',
} as const;

export type DeviceCapability = keyof typeof DEVICE_CAPABILITIES;
