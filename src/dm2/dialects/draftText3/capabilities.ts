import type { Dm2Verb } from '../../command.ts';
import type { DialectCapabilities } from '../capabilities.ts';
import type { IdentityHeader } from '../identity.ts';
import type { Tnds20Style } from '../tnds20/document.ts';

const VERBS: readonly Dm2Verb[] = ['HGET', 'HPUT', 'HPOST', 'DELETE', 'EXEC', 'GET', 'SHOW', 'CONT', 'END'];

export const CAPABILITIES: DialectCapabilities = Object.freeze({
  verbs: new Set(VERBS),
  carriesWrongCommands: false,
  readVerb: 'GET',
  dataInStatus: 'json',
  commandsCarryMsgId: false,
  openingCarriesDevInfo: false,
  statusCarriesAlerts: false,
  endsByEmptyDocument: true,
  locationAlwaysReported: false,
  showPauses: true,
  showNeedsReturnUrl: false,
  execServerUriForcesAsync: false,
  defaultOpensSession: false,
  everything: 'no-uri',
  resolvesVariables: false,
  cacheValidators: true,
  notification: 'none',
});

export const IDENTITY_HEADER: IdentityHeader = 'x-omadmdevid';

export const STYLE: Tnds20Style = Object.freeze({ cacheValidators: CAPABILITIES.cacheValidators });
