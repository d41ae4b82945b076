import type { Dm2Verb } from '../../command.ts';
import { type DialectCapabilities, TEN_VERBS } from '../capabilities.ts';

export const CAPABILITIES: DialectCapabilities = Object.freeze({
  verbs: new Set<Dm2Verb>([...TEN_VERBS, 'SUB', 'UNSUB']),
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
  resolvesVariables: true,
  cacheValidators: true,
  notification: 'options',
});
