import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/dm1/codec.ts';
import type { Encoding, SyncMLMessage } from '../../../src/dm1/message.ts';
import type { Peer } from './play.ts';

/** Puts the wire between a machine and its peer: every message is encoded, checked against `limit`, and decoded. */
export function overWire(peer: Peer, encoding: Encoding, limit = Number.POSITIVE_INFINITY): Peer {
  const travel = (message: SyncMLMessage, most: number): SyncMLMessage => {
    const bytes = encodeMessage(message, encoding);
    expect(bytes.length).toBeLessThanOrEqual(most);
    return decodeMessage(bytes, encoding.form).message;
  };
  return (sent, present) => {
    const answer = peer(travel(sent, limit), present);
    return answer && travel(answer, Number.POSITIVE_INFINITY);
  };
}

/** A message of a recorded session: the body behind the HTTP header. */
export function capture(name: string) {
  const bytes = readFileSync(new URL(`../../../fixtures/captures/libdmclient/${name}.http`, import.meta.url));
  const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  return decodeMessage(body, name.includes('wbxml') ? 'wbxml' : 'xml');
}
