import { Buffer, isUtf8 } from 'node:buffer';
import { DragomanError } from '../../support/errors.ts';
import { digestOf, type NotificationCredential } from './digest.ts';
import { OPTION, type OptionName, optionOf } from './options.ts';
import { readTlv, type Tlv, writeTlv } from './tlv.ts';

/** Package#0 of the approved protocol (20§2.2). */
export interface Notification {
  /** SERVER-ID: SrvID of the account. */
  readonly serverId?: string;
  /** PREFERRED-CON-TYPE, best first; one octet in what is written by the specification's own words. */
  readonly connectionTypes?: readonly number[];
  /** NOTIFICATION-ID, 0 to 65535. */
  readonly notificationId?: number;
  /** SHA256-DIGEST as received. */
  readonly digest?: Uint8Array;
  /** TIMESTAMP, whole seconds since 1970. */
  readonly timestamp?: number;
  /** REQ-MOS: Package#1 shall list the objects. */
  readonly reqMos: boolean;
  /** Options of later versions; a receiver passes them over. */
  readonly unknown: readonly { readonly number: number; readonly value: Uint8Array }[];
}

/** What is to be written; the digest is made where a credential is given. */
export interface NotificationToWrite extends Partial<Omit<Notification, 'digest' | 'serverId'>> {
  readonly serverId: string;
}

export interface BuildOptions {
  readonly credential?: NotificationCredential;
  /** Octets of TIMESTAMP, 1 to 8; default 4, enough until 2106 (20§15 Q3). */
  readonly timestampWidth?: number;
}

/** A notification longer than this is none: an SMS carries less, a push message hardly more. */
const LONGEST_NOTIFICATION = 4_096;

/**
 * Builds a notification. With a credential it carries the digest over everything else (20§2.2, three
 * steps). Throws DragomanError `bad-value` or `too-large` for what no option can hold.
 */
export function buildNotification(what: NotificationToWrite, options: BuildOptions = {}): Uint8Array {
  const { credential, timestampWidth = 4 } = options;
  const found: Tlv[] = [{ number: OPTION.serverId, value: Buffer.from(what.serverId, 'utf8') }];
  if (what.connectionTypes !== undefined) {
    found.push({ number: OPTION.connectionType, value: octets(what.connectionTypes) });
  }
  if (what.notificationId !== undefined) {
    found.push({ number: OPTION.notificationId, value: unsigned(what.notificationId, 2, 'NOTIFICATION-ID') });
  }
  if (credential !== undefined) found.push({ number: OPTION.digest, value: new Uint8Array(32) });
  if (what.timestamp !== undefined) {
    found.push({ number: OPTION.timestamp, value: unsigned(what.timestamp, timestampWidth, 'TIMESTAMP') });
  }
  if (what.reqMos === true) found.push({ number: OPTION.reqMos, value: new Uint8Array(0) });
  for (const { number, value } of what.unknown ?? []) {
    if (optionOf(number) !== undefined) {
      throw new DragomanError('bad-value', `Option ${number} is a known one and has a member of its own.`);
    }
    found.push({ number, value });
  }
  found.sort((a, b) => a.number - b.number);
  for (const { number, value } of found) checkLength(number, value);
  const bytes = writeTlv(found);
  if (bytes.length > LONGEST_NOTIFICATION) {
    throw new DragomanError('too-large', `The notification would have ${bytes.length} octets.`);
  }
  if (credential !== undefined) {
    const at = digestPlace(bytes);
    if (at !== undefined) bytes.set(digestOf(bytes, at, credential), at);
  }
  return bytes;
}

/**
 * Reads a notification; whether its digest is right, `verifyNotification` says. Throws DragomanError
 * `malformed` or `too-large`. A known option that stands twice, or has a length that it cannot have, is
 * malformed; SERVER-ID and the others may be missing, "mandatory" there means to be supported.
 */
export function parseNotification(bytes: Uint8Array): Notification {
  if (bytes.length > LONGEST_NOTIFICATION) {
    throw new DragomanError(
      'too-large',
      `The notification has ${bytes.length} octets; the limit is ${LONGEST_NOTIFICATION}.`,
    );
  }
  const known = new Map<OptionName, Uint8Array>();
  const unknown: { number: number; value: Uint8Array }[] = [];
  for (const { number, value } of readTlv(bytes)) {
    const row = optionOf(number);
    if (row === undefined) {
      unknown.push({ number, value: value.slice() });
      continue;
    }
    checkLength(number, value);
    if (known.has(row[0])) throw malformed(`${row[1].name} stands twice`);
    known.set(row[0], value);
  }
  const serverId = known.get('serverId');
  if (serverId !== undefined && !isUtf8(serverId)) throw malformed('SERVER-ID is not UTF-8');
  const connectionType = known.get('connectionType');
  const notificationId = known.get('notificationId');
  const digest = known.get('digest');
  const timestamp = known.get('timestamp');
  return {
    ...(serverId === undefined ? {} : { serverId: Buffer.from(serverId).toString('utf8') }),
    ...(connectionType === undefined ? {} : { connectionTypes: [...connectionType] }),
    ...(notificationId === undefined ? {} : { notificationId: number(notificationId, 'NOTIFICATION-ID') }),
    ...(digest === undefined ? {} : { digest: digest.slice() }),
    ...(timestamp === undefined ? {} : { timestamp: number(timestamp, 'TIMESTAMP') }),
    reqMos: known.has('reqMos'),
    unknown,
  };
}

/** Index of the digest's 32 octets; `undefined` when there is none. Throws as {@link parseNotification}. */
export function digestPlace(bytes: Uint8Array): number | undefined {
  const digest = readTlv(bytes).find((option) => option.number === OPTION.digest);
  if (digest !== undefined) checkLength(digest.number, digest.value);
  return digest?.at;
}

function checkLength(optionNumber: number, value: Uint8Array): void {
  const row = optionOf(optionNumber)?.[1];
  if (row === undefined || (value.length >= row.least && value.length <= row.most)) return;
  const due = row.least === row.most ? `${row.least}` : `${row.least} to ${row.most}`;
  throw malformed(`${row.name} has ${value.length} octets where ${due} are due`);
}

function malformed(what: string): DragomanError {
  return new DragomanError('malformed', `The notification is malformed: ${what}.`);
}

function octets(values: readonly number[]): Uint8Array {
  if (values.some((value) => !Number.isInteger(value) || value < 0 || value > 255)) {
    throw new DragomanError('bad-value', 'A connection type is one octet.');
  }
  return Uint8Array.from(values);
}

/** Big-endian; eight octets hold every safe integer. */
function unsigned(value: number, width: number, name: string): Uint8Array {
  if (!Number.isInteger(width) || width < 1 || width > 8) {
    throw new DragomanError('bad-value', `${name} is 1 to 8 octets wide.`);
  }
  if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** width) {
    throw new DragomanError('bad-value', `${name} does not fit ${width} octets.`);
  }
  const bytes = new Uint8Array(width);
  for (let rest = value, i = width - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function number(bytes: Uint8Array, name: string): number {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(value)) throw malformed(`${name} lies beyond any clock`);
  return value;
}
