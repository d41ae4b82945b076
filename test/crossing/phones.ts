import { PRESETS } from '../../src/simulator/index.ts';
import type { LegacyCapability, LegacyDeviceOptions } from '../../src/simulator/legacyDevice/options.ts';
import type { DmVersion } from '../../src/simulator/syncml.ts';
import { PHONE_TREE } from '../../src/simulator/trees.ts';

/** A legacy device of some kind, for suites that every kind has to pass. */
export interface Phone {
  readonly name: string;
  readonly device: Pick<LegacyDeviceOptions, 'encoding' | 'preset' | 'tree'>;
  readonly encoding: 'xml' | 'wbxml';
  /** The SessionID of all its sessions, where it has but one. */
  readonly onlySession?: string;
  /** Takes nothing but 212 for a welcome, so it has credentials and its server asks for them. */
  readonly needs212: boolean;
  /** Versions of DM that such devices speak. */
  readonly versions: readonly DmVersion[];
  /** What an operator has to tell the gateway of it: where its settings are, when it cannot say so. */
  readonly config: { readonly mappings?: readonly string[] };
  /** What tests may expect of it. */
  readonly has: (capability: LegacyCapability) => boolean;
}

const phone = (encoding: 'xml' | 'wbxml', preset?: string): Phone => {
  const { missing = [], sessionId, quirks = {} } = PRESETS[preset ?? 'plain']!;
  const silent =
    missing.includes('prop') &&
    ['list', 'listStruct'].some((list) => missing.includes(list as LegacyCapability));
  return {
    name: preset === undefined ? `in ${encoding}` : `(${preset}, ${encoding})`,
    device: { encoding, ...(preset !== undefined && { preset, tree: PHONE_TREE }) },
    encoding,
    ...(sessionId === '1' && { onlySession: sessionId }),
    needs212: quirks.needs212 ?? false,
    // [MS-MDM] knows DM 1.2 alone.
    versions: preset === 'windows-like' ? ['1.2'] : ['1.1', '1.2', '1.3'],
    config: silent ? { mappings: ['fixtures/packs'] } : {},
    has: (capability) => !missing.includes(capability),
  };
};

/**
 * One that has everything, in both encodings, and the families seen in the field (1x§16.2). Every suite
 * with a legacy device runs over them, save `windows`, which is of one family's own objects.
 */
export const PHONES: readonly Phone[] = [
  phone('xml'),
  phone('wbxml'),
  phone('xml', 'koneki-like'),
  phone('wbxml', 'libdmclient-like'),
  phone('xml', 'hs20-like'),
  phone('wbxml', 'sequence-stopper'),
  phone('xml', 'windows-like'),
];
