import { withoutAnswer } from '../../interworking/answerUrl.ts';
import { secretDigest } from '../../support/ids.ts';
import { REPORT_PARAMETER } from './reports.ts';

/** A URL that a device posted to, without the secret in it. */
export interface PostedUrl {
  /** For keys and logs: a report token is replaced by its digest (IW-WR-3). */
  readonly shown: string;
  readonly reportToken?: string;
  /** Number of the notification that brought the device here (IW-NOT-2). */
  readonly notifiedAs?: number;
}

const TOKEN = new RegExp(`([?&]${REPORT_PARAMETER}=)([^&#]*)`);

const NOTIFICATION = /[?&]notification=(\d{1,5})(?=$|[&#])/;

/** The URL of a session that a notification in bit fields asks for: it has no other place for a number. */
export function notifiedUrl(deviceUrl: string, number: number): string {
  return `${deviceUrl}?notification=${number}`;
}

export function readPostedUrl(posted: string): PostedUrl {
  const url = withoutAnswer(posted);
  if (!url.includes('?')) return { shown: url };
  const notified = NOTIFICATION.exec(url);
  if (notified) {
    // Later messages may come without it: the session is the same.
    return { shown: url.replace(notified[0], ''), notifiedAs: Number(notified[1]) };
  }
  const match = TOKEN.exec(url);
  if (!match) return { shown: url };
  const [whole, head = '', token = ''] = match;
  return { shown: url.replace(whole, `${head}${secretDigest(token)}`), reportToken: token };
}
