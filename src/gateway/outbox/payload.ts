import type { DeviceAlert } from '../../interworking/script.ts';
import { readTagged, writeTagged } from '../sessions/taggedJson.ts';

/** Tells alerts that are to be delivered from those that the built-in backend keeps in the same table. */
export const KIND = 'alert';

/** What is delivered: the alert as its device said it, and the Correlator that it brings back (IW-WR-3). */
export type Payload = DeviceAlert & { readonly correlator?: string };

export function writePayload(payload: Payload): string {
  return writeTagged(payload);
}

export function readPayload(text: string): Payload {
  return readTagged(text) as Payload;
}
