import type { SyncHdr } from '../message.ts';

const DTDS: ReadonlySet<string> = new Set(['1.1', '1.2']);
const PROTOCOLS: ReadonlySet<string> = new Set(['DM/1.1', 'DM/1.2', 'DM/1.3']);

/** Why a message's version cannot be spoken: 505 for its DTD, 513 for its protocol (1x§1.1). */
export function unsupportedVersion(header: SyncHdr): { code: 505 | 513; reason: string } | undefined {
  if (!DTDS.has(header.verDTD.trim())) {
    return { code: 505, reason: `VerDTD "${header.verDTD}" is none of 1.1 and 1.2` };
  }
  if (!PROTOCOLS.has(header.verProto.trim())) {
    return { code: 513, reason: `VerProto "${header.verProto}" is none of DM/1.1, DM/1.2 and DM/1.3` };
  }
  return undefined;
}
