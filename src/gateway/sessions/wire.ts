import { DEFAULT_LIMITS, decodeMessage, encodeMessage, maskCred } from '../../dm1/codec.ts';
import { readPackage1, readPackage3, writePackage } from '../../dm2/codec.ts';
import { MEDIA_TYPE } from '../../dm2/packages.ts';
import type { Dm2Wire, Wire } from './ports.ts';

/** The approved DM 2.0 packages. */
export const approvedDm2: Dm2Wire = Object.freeze({
  requestType: MEDIA_TYPE.package2,
  readPackage1: (body) => readPackage1(body),
  readPackage3: (body) => readPackage3(body),
  writePackage2: (pkg) => writePackage(pkg),
} satisfies Dm2Wire);

/** Both generations; drafts of 2.0 only where they are given. */
export function createWire(
  limits: { readonly messageBytes: number },
  drafts: Readonly<Record<string, Dm2Wire>> = {},
): Wire {
  const dm1Limits = { ...DEFAULT_LIMITS, bytes: limits.messageBytes, text: limits.messageBytes };
  return {
    readDm1: (body, form) => decodeMessage(body, form, dm1Limits),
    maskDm1: maskCred,
    writeDm1: encodeMessage,
    dm2: { ...drafts, approved: approvedDm2 },
  };
}
