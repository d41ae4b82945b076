import { type DialectCapabilities, TEN_VERBS } from '../capabilities.ts';
import type { IdentityHeader } from '../identity.ts';
import type { Tnds20Style } from '../tnds20/document.ts';

export const CAPABILITIES: DialectCapabilities = Object.freeze({
  verbs: new Set(TEN_VERBS),
  carriesWrongCommands: false,
  readVerb: 'INCLUDE',
  dataInStatus: 'multipart',
  commandsCarryMsgId: false,
  openingCarriesDevInfo: false,
  statusCarriesAlerts: false,
  endsByEmptyDocument: false,
  locationAlwaysReported: true,
  showPauses: true,
  showNeedsReturnUrl: false,
  execServerUriForcesAsync: false,
  defaultOpensSession: true,
  everything: 'star',
  resolvesVariables: false,
  cacheValidators: false,
  notification: 'none',
});

export const IDENTITY_HEADER: IdentityHeader = 'x-omadmdevid';

export const STYLE: Tnds20Style = Object.freeze({ cacheValidators: CAPABILITIES.cacheValidators });
