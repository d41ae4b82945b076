import { DragomanError } from '../../support/errors.ts';

/** Headers in which a DM 2.0 client names itself, newest first (20§1.2 C2, IW-SES-2). */
export const IDENTITY_HEADERS = Object.freeze(['omadm-devid', 'x-omadmdevid', 'x-omadmdeviceid'] as const);

export type IdentityHeader = (typeof IDENTITY_HEADERS)[number];

type Headers = Readonly<Record<string, string | undefined>>;

const LONGEST = 512;

/** The identity that the headers give. Throws `malformed` where they give none, several or a junk one. */
export function deviceIdOf(headers: Headers): string {
  const ids = new Set<string>();
  for (const name of IDENTITY_HEADERS) {
    const id = headers[name]?.trim();
    if (id !== undefined && id !== '') ids.add(id);
  }
  const [id] = ids;
  if (id === undefined) {
    throw new DragomanError('malformed', 'No header names the device; send OMADM-DevID.');
  }
  if (ids.size > 1) throw new DragomanError('malformed', 'The identity headers name different devices.');
  if (id.length > LONGEST || /[^\x20-\x7e\x80-\uffff]/.test(id)) {
    throw new DragomanError('malformed', 'The identity header holds no device identity.');
  }
  return id;
}

/** Whether two ids name one device: early clients leave the type (`IMEI:`) out within a body (20§1.3). */
export function isSameDevice(id: string, other: string): boolean {
  return id === other || untyped(id) === other || id === untyped(other);
}

/** The id without the type in front of it. */
function untyped(id: string): string {
  return /^(?:IMEI|ESN|MEID|UUID):/i.test(id) ? id.slice(id.indexOf(':') + 1) : id;
}
