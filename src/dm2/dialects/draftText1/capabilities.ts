import type { Dm2Verb } from '../../command.ts';
import type { DialectCapabilities } from '../capabilities.ts';
import type { IdentityHeader } from '../identity.ts';
import type { Tnds20Style } from '../tnds20/document.ts';

const VERBS: readonly Dm2Verb[] = ['HGET', 'HPUT', 'HPOST', 'DELETE', 'EXEC', 'SHOW', 'DEFAULT', 'END'];

export const CAPABILITIES: DialectCapabilities = Object.freeze({
  verbs: new Set(VERBS),
  carriesWrongCommands: false,
  dataInStatus: 'none',
  commandsCarryMsgId: true,
  openingCarriesDevInfo: true,
  statusCarriesAlerts: false,
  endsByEmptyDocument: false,
  locationAlwaysReported: false,
  showPauses: true,
  showNeedsReturnUrl: true,
  execServerUriForcesAsync: false,
  defaultOpensSession: true,
  everything: 'star',
  resolvesVariables: false,
  cacheValidators: false,
  notification: 'bit-fields',
});

export const IDENTITY_HEADER: IdentityHeader = 'x-omadmdeviceid';

export const STYLE: Tnds20Style = Object.freeze({ cacheValidators: CAPABILITIES.cacheValidators });
