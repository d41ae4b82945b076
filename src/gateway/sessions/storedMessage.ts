import { DEFAULT_LIMITS, decodeMessage, defaultEncoding, encodeMessage } from '../../dm1/codec.ts';
import type { SyncMLMessage } from '../../dm1/message.ts';
import { JSON_LIMITS, readJson } from '../../dm2/json.ts';

/** What a journal holds was within the limits when it came. */
const NO_LIMITS = { ...DEFAULT_LIMITS, bytes: Number.POSITIVE_INFINITY, text: Number.POSITIVE_INFINITY };

/** An XML message begins with '<' or a byte order mark; WBXML with its version, 1 to 3. */
export function isWbxml(body: Uint8Array): boolean {
  return (body[0] ?? 0) < 4;
}

/** A stored SyncML message in either encoding; throws `malformed`. */
export function readSyncml(body: Uint8Array): SyncMLMessage {
  return decodeMessage(body, isWbxml(body) ? 'wbxml' : 'xml', NO_LIMITS).message;
}

export function writeSyncml(message: SyncMLMessage): Uint8Array {
  return encodeMessage(message, defaultEncoding('xml', message.header.verDTD));
}

/**
 * The JSON of a stored package. Text commands are none, nor is TNDS20: names stand in it more than once, and
 * its secrets are told by their names alone.
 */
export function packageOf(body: Uint8Array): unknown {
  try {
    const json = readJson(body, { ...JSON_LIMITS, bytes: Number.POSITIVE_INFINITY });
    const tnds = typeof json === 'object' && json !== null && Object.hasOwn(json, 'TNDS20');
    return tnds ? undefined : json;
  } catch {
    return undefined;
  }
}
