/** `[IMEI]`, `[MCC]`, ...; what holds a colon is an IPv6 host. */
const PLACEHOLDER = /\[([^[\]:]*)\]/g;

/** The tokens of the placeholders in a ServerURI, each once, in order (20§5). */
export function placeholders(uri: string): string[] {
  return [...new Set(Array.from(uri.matchAll(PLACEHOLDER), (match) => match[1] ?? ''))];
}

/**
 * Replaces the placeholders of a ServerURI (20§5, IW-HPUT-1). Runs before any URL parsing, since
 * brackets are no URL characters, and percent-encodes what it inserts, so that a device's value cannot
 * reach into another part of the URL. A token without value is an error: answer 400, fetch nothing.
 */
export function expandServerUri(
  uri: string,
  values: Readonly<Record<string, string | undefined>>,
): { readonly url: string } | { readonly error: string } {
  let missing: string | undefined;
  const url = uri.replace(PLACEHOLDER, (whole, token: string) => {
    const value = Object.hasOwn(values, token) ? values[token] : undefined;
    if (value === undefined) {
      missing ??= token;
      return whole;
    }
    return encode(value);
  });
  return missing === undefined ? { url } : { error: missing };
}

function encode(value: string): string {
  return encodeURIComponent(value.replace(/\p{Cs}/gu, '\ufffd')).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The URL at which the early dialect opens the session that DEFAULT asked for (20§3.9, 20§5). */
export function withInitiatedBy(url: string, by: 'Device' | 'User'): string {
  const [address = '', fragment] = url.split('#', 2);
  const joint = address.includes('?') ? '&' : '?';
  return `${address}${joint}InitiatedBy=${by}${fragment === undefined ? '' : `#${fragment}`}`;
}
