import { DEFAULT_LIMITS, decodeMessage, encodeMessage, maskCreds } from '../../dm1/codec.ts';
import { DIALECTS, READ_LIMITS } from '../../dm2/dialects/index.ts';
import type { Wire } from './ports.ts';

/** The codecs of both generations, bounded by `limits`. */
export function createWire(limits: { readonly messageBytes: number }): Wire {
  const bytes = limits.messageBytes;
  const dm1Limits = { ...DEFAULT_LIMITS, bytes, text: bytes };
  return {
    readDm1: (body, form) => decodeMessage(body, form, dm1Limits),
    maskDm1: maskCreds,
    writeDm1: encodeMessage,
    dm2: DIALECTS,
    dm2Limits: { ...READ_LIMITS, bytes, json: { ...READ_LIMITS.json, bytes } },
  };
}
