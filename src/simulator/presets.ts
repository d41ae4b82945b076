import { DragomanError } from '../support/errors.ts';
import type { LegacyDeviceOptions } from './legacyDevice/options.ts';
import { WINDOWS_TREE } from './windowsTree.ts';

type Preset = Pick<
  LegacyDeviceOptions,
  | 'missing'
  | 'quirks'
  | 'sessionId'
  | 'maxMsgSize'
  | 'maxObjSize'
  | 'encoding'
  | 'userAgent'
  | 'query'
  | 'tree'
>;

/** Device families seen in the field (1x§16.2), as options of `LegacyDevice`. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  plain: {},
  'koneki-like': {
    missing: ['atomic', 'alert', 'ui'],
    quirks: { needs212: true, needsRespURI: true, credAlways: true, header212: true },
  },
  'libdmclient-like': {
    missing: ['copy', 'ui', 'list', 'tnds', 'largeObjects', 'prop', 'rollback'],
    quirks: {
      needs212: true,
      needsRespURI: true,
      silentAtomic: true,
      nulTerminatedLists: true,
      obsoleteContentType: true,
      devInfoReversed: true,
      tndsCode: 406,
    },
    sessionId: '1',
    maxMsgSize: 16384,
  },
  'hs20-like': {
    missing: [
      'delete',
      'copy',
      'sequence',
      'atomic',
      'alert',
      'ui',
      'list',
      'prop',
      'largeObjects',
      'correlator',
    ],
    quirks: { unsupportedCode: 501 },
    sessionId: '1',
    encoding: 'xml',
  },
  'sequence-stopper': { quirks: { sequenceStops: true } },
  'windows-like': {
    missing: ['copy', 'ui', 'listStruct', 'listTnds', 'tnds', 'prop', 'correlator'],
    quirks: { noListAtRoot: true, ignoresServerMeta: true, nextMessageAlert: true },
    sessionId: 'decimal',
    encoding: 'xml',
    maxMsgSize: 524288,
    userAgent: 'MSFT OMA DM Client/1.2.0.1',
    query: '?mode=Maintenance&Platform=WoA',
    tree: WINDOWS_TREE,
  },
};

/** The options with those of the named preset underneath; lists and quirks are joined. */
export function withPreset(options: LegacyDeviceOptions): LegacyDeviceOptions {
  if (options.preset === undefined) return options;
  const preset = PRESETS[options.preset];
  if (!preset) {
    throw new DragomanError(
      'configuration',
      `There is no preset ${options.preset}; choose one of ${Object.keys(PRESETS).join(', ')}.`,
    );
  }
  return {
    ...preset,
    ...options,
    missing: [...new Set([...(preset.missing ?? []), ...(options.missing ?? [])])],
    quirks: { ...preset.quirks, ...options.quirks },
  };
}
