import { readPackage1, readPackage3, writePackage } from '../../dm2/codec.ts';
import { MEDIA_TYPE } from '../../dm2/packages.ts';
import type { Dm2Wire } from './ports.ts';

/** The approved DM 2.0 packages. */
export const approvedDm2: Dm2Wire = Object.freeze({
  requestType: MEDIA_TYPE.package2,
  readPackage1: (body: Uint8Array) => readPackage1(body),
  readPackage3: (body: Uint8Array) => readPackage3(body),
  writePackage2: (pkg) => writePackage(pkg),
} satisfies Dm2Wire);
