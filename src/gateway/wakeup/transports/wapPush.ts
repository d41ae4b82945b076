import { secOf } from '../../../dm1/bootstrap/security.ts';
import { DM_APPLICATION_ID, encodePush } from '../../../dm1/notification/push.ts';
import { DragomanError } from '../../../support/errors.ts';
import { applicationOf, type Push } from './transport.ts';

/** The push as a connectionless WSP PDU (1x§10.2), what port 2948 of a device awaits. */
export function wapPush(push: Pick<Push, 'copy' | 'contentType' | 'protection' | 'body'>): Uint8Array {
  const { protection } = push;
  return encodePush({
    transactionId: push.copy & 0xff,
    type: push.contentType,
    ...(applicationOf(push) !== undefined && { applicationId: DM_APPLICATION_ID }),
    ...(protection !== undefined && { sec: secNumber(protection.sec) }),
    ...(protection?.mac !== undefined && { mac: protection.mac }),
    body: push.body,
  });
}

/** WSP has a number for SEC; the names of the DM profile have the places that `secOf` reads back. */
function secNumber(sec: string): number {
  if (/^\d{1,3}$/.test(sec)) return Number(sec);
  for (const number of [0, 1, 2]) if (secOf('dm', String(number)) === sec) return number;
  throw new DragomanError('bad-value', `SEC ${sec} is none of the DM profile.`);
}
