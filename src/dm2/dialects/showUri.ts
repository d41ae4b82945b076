/** The URL that tells a first-draft client that the browser is done (20§5, 20§1.2 C7). */
export interface ShowReturn {
  /** `close` hides the browser, `continue` leaves it open for a later SHOW. */
  readonly kind: 'close' | 'continue';
  readonly url: string;
}

const FIELD = /[?&](close|continue)=([^&#]*)/i;

/** Reads `Close=` or `Continue=` of a SHOW's ServerURI; the URL may stand there escaped or as it is. */
export function showReturn(serverUri: string): ShowReturn | undefined {
  const match = FIELD.exec(serverUri);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined || value === '') return undefined;
  return { kind: name.toLowerCase() === 'close' ? 'close' : 'continue', url: unescaped(value) };
}

/** The ServerURI with the return URL in its query, unless it has one. */
export function withShowReturn(serverUri: string, { kind, url }: ShowReturn): string {
  if (showReturn(serverUri) !== undefined) return serverUri;
  const hash = serverUri.indexOf('#');
  const address = hash < 0 ? serverUri : serverUri.slice(0, hash);
  const field = `${kind === 'close' ? 'Close' : 'Continue'}=${encodeURIComponent(url)}`;
  return `${address}${address.includes('?') ? '&' : '?'}${field}${hash < 0 ? '' : serverUri.slice(hash)}`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
