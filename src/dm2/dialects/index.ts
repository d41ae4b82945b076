import { approved } from './approved/dialect.ts';
import type { DialectName } from './capabilities.ts';
import type { Dialect } from './dialect.ts';
import { draftJson } from './draftJson/dialect.ts';
import { draftText1 } from './draftText1/dialect.ts';
import { draftText2 } from './draftText2/dialect.ts';
import { draftText3 } from './draftText3/dialect.ts';

/** Every dialect by its name. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = Object.freeze({
  approved,
  'draft-json': draftJson,
  'draft-text-1': draftText1,
  'draft-text-2': draftText2,
  'draft-text-3': draftText3,
});

export const DIALECT_NAMES: readonly DialectName[] = Object.freeze(Object.keys(DIALECTS) as DialectName[]);

export type { DialectCapabilities, DialectName } from './capabilities.ts';
export { CLIENT_TYPES, type ClientPackage, type Detected, detectDialect } from './detect.ts';
export type {
  CommandDocument,
  Dialect,
  Opening,
  ReadCommands,
  ReadLimits,
  ReadPackage2,
  StatusReport,
  Tolerated,
  TransferDocument,
  WireMessage,
  WrittenMessage,
} from './dialect.ts';
export { everythingAsked, SUPPORTED_OBJECTS } from './everything.ts';
export { deviceIdOf, IDENTITY_HEADERS } from './identity.ts';
export { READ_LIMITS } from './limits.ts';
export {
  nextMsgId,
  placeOfCommands,
  placeOfStatus,
  type SessionFault,
  type SessionSoFar,
} from './messageOrder.ts';
export { asCommands, asPackage2 } from './package2.ts';
export { type ShowReturn, showReturn, withShowReturn } from './showUri.ts';
export { ONLY_INSTANCE } from './text/address.ts';
export { URL_PARAMETERS, urlParameterValues } from './urlParameters.ts';
