import { type DialectCapabilities, TEN_VERBS } from '../capabilities.ts';

export const CAPABILITIES: DialectCapabilities = Object.freeze({
  verbs: new Set(TEN_VERBS),
  carriesWrongCommands: true,
  readVerb: 'GET',
  dataInStatus: 'member',
  commandsCarryMsgId: false,
  openingCarriesDevInfo: false,
  statusCarriesAlerts: true,
  endsByEmptyDocument: false,
  locationAlwaysReported: false,
  showPauses: false,
  showNeedsReturnUrl: false,
  execServerUriForcesAsync: true,
  defaultOpensSession: false,
  everything: 'none',
  resolvesVariables: false,
  cacheValidators: false,
  notification: 'options',
});
