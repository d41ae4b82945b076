import { Buffer } from 'node:buffer';
import { DragomanError } from '../../support/errors.ts';

export type UiMode = 'unspecified' | 'background' | 'informative' | 'interaction';

/** The notification of the first draft (its section "Pkg#0, Server initiation", 20§1.3). */
export interface BitNotification {
  readonly uiMode: UiMode;
  readonly initiator: 'user' | 'server';
  /** DevDetail is wanted in the first message. */
  readonly sendDevDetail: boolean;
  /** So are the MOIDs that the device supports, */
  readonly sendSupportedMo: boolean;
  /** and the place of each instance. */
  readonly sendAllMoInstances: boolean;
  /** Where the session is opened; the device must use HTTPS towards it. ASCII, at most 255 octets. */
  readonly url: string;
}

/** 2.0, in tenths. */
const VERSION = 20;
const UI_MODES: readonly UiMode[] = Object.freeze([
  'unspecified',
  'background',
  'informative',
  'interaction',
]);
const FIXED = 5;

/**
 * Fields in order, bits in brackets: version (10), ui-mode (2), initiator (1), send-devdetail (1),
 * send-supported-mo (1), send-all-mo-instances (1), reserved (16, written 0), URL length (8), URL.
 * Throws DragomanError `bad-value` for a URL that does not fit.
 */
export function buildBitNotification(what: BitNotification): Uint8Array {
  const url = Buffer.from(what.url, 'latin1');
  if (!isUrl(what.url) || url.length > 255) {
    throw new DragomanError('bad-value', 'The URL of a notification is 1 to 255 printable ASCII characters.');
  }
  const bits =
    (VERSION << 6) |
    (UI_MODES.indexOf(what.uiMode) << 4) |
    (what.initiator === 'server' ? 0b1000 : 0) |
    (what.sendDevDetail ? 0b0100 : 0) |
    (what.sendSupportedMo ? 0b0010 : 0) |
    (what.sendAllMoInstances ? 0b0001 : 0);
  return Uint8Array.from([bits >> 8, bits & 0xff, 0, 0, url.length, ...url]);
}

/** Reads what {@link buildBitNotification} writes; reserved bits are passed over. Throws `malformed`. */
export function parseBitNotification(bytes: Uint8Array): BitNotification {
  const [high, low, , , length] = bytes;
  if (high === undefined || low === undefined || length === undefined) {
    throw malformed(`it has ${bytes.length} octets, its fixed part alone ${FIXED}`);
  }
  const bits = (high << 8) | low;
  const version = bits >> 6;
  if (version !== VERSION) throw malformed(`its version is ${version}, not ${VERSION}`);
  if (bytes.length !== FIXED + length) {
    throw malformed(`its URL should have ${length} octets and has ${bytes.length - FIXED}`);
  }
  const url = Buffer.from(bytes.subarray(FIXED)).toString('latin1');
  if (!isUrl(url)) throw malformed('its URL is empty or not printable ASCII');
  return {
    uiMode: UI_MODES[(bits >> 4) & 0b11] ?? 'unspecified',
    initiator: (bits & 0b1000) === 0 ? 'user' : 'server',
    sendDevDetail: (bits & 0b0100) !== 0,
    sendSupportedMo: (bits & 0b0010) !== 0,
    sendAllMoInstances: (bits & 0b0001) !== 0,
    url,
  };
}

function isUrl(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function malformed(what: string): DragomanError {
  return new DragomanError('malformed', `The notification cannot be read: ${what}.`);
}
