import { secretDigest } from '../../support/ids.ts';
import { REPORT_PARAMETER } from './reports.ts';

/** A URL that a device posted to, without the secret in it. */
export interface PostedUrl {
  /** For keys and logs: a report token is replaced by its digest (IW-WR-3). */
  readonly shown: string;
  readonly reportToken?: string;
}

const TOKEN = new RegExp(`([?&]${REPORT_PARAMETER}=)([^&#]*)`);

export function readPostedUrl(url: string): PostedUrl {
  const match = url.includes('?') ? TOKEN.exec(url) : null;
  if (!match) return { shown: url };
  const [whole, head = '', token = ''] = match;
  return { shown: url.replace(whole, `${head}${secretDigest(token)}`), reportToken: token };
}
