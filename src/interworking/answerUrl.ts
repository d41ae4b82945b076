/**
 * Where a 2.0 client sends its answer to one package of a session, the `n`th: CONT takes it there where
 * the answer could have the very bytes of the one before, for 2.0 messages bear no number (IW-SES-4).
 */
export function answerUrl(deviceUrl: string, n: number): string {
  return `${deviceUrl}${deviceUrl.includes('?') ? '&' : '?'}answers=${n}`;
}

const ANSWERS = /[?&]answers=\d{1,9}$/;

/** A posted URL without that number: the session is the same. */
export function withoutAnswer(url: string): string {
  return url.includes('?') ? url.replace(ANSWERS, '') : url;
}
