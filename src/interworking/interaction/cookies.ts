/** A cookie of one dialogue (RFC 6265); nothing of it outlives that. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Only for exactly this host. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
}

const MOST_COOKIES = 50;
const LONGEST_COOKIE = 4096;

/**
 * The jar after a response.
 * @param header Set-Cookie, several joined by a comma
 * @param now milliseconds since 1970
 */
export function storeCookies(
  jar: readonly Cookie[],
  header: string | undefined,
  url: string,
  now: number,
): readonly Cookie[] {
  if (header === undefined) return jar;
  let kept = jar;
  // The comma of a date stands before a blank and digits, that between cookies before a name and `=`.
  for (const text of header.split(/,(?=\s*[^\s;,=]+=)/)) {
    const read = readCookie(text, new URL(url), now);
    if (!read) continue;
    const { cookie, expired } = read;
    kept = kept.filter(
      ({ name, domain, path }) => name !== cookie.name || domain !== cookie.domain || path !== cookie.path,
    );
    if (!expired) kept = [...kept, cookie].slice(-MOST_COOKIES);
  }
  return kept;
}

function readCookie(
  text: string,
  url: URL,
  now: number,
): { readonly cookie: Cookie; readonly expired: boolean } | undefined {
  if (text.length > LONGEST_COOKIE) return undefined;
  const [pair = '', ...rest] = text.split(';');
  const at = pair.indexOf('=');
  const name = pair.slice(0, at).trim();
  if (at < 0 || name === '') return undefined;
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const [key = '', ...value] = part.split('=');
      return [key.trim().toLowerCase(), value.join('=').trim()];
    }),
  );
  const host = url.hostname.toLowerCase();
  const wanted = attributes.get('domain')?.replace(/^\./, '').toLowerCase();
  // A cookie for a whole domain needs a host below it; one for a bare top level serves nobody here.
  if (wanted && wanted !== host && !(host.endsWith(`.${wanted}`) && wanted.includes('.'))) return undefined;
  const path = attributes.get('path');
  const maxAge = attributes.get('max-age');
  const expires = Date.parse(attributes.get('expires') ?? '');
  const secure = attributes.has('secure');
  if (secure && url.protocol !== 'https:') return undefined;
  return {
    cookie: {
      name,
      value: pair.slice(at + 1).trim(),
      domain: wanted || host,
      hostOnly: !wanted,
      path: path?.startsWith('/') ? path : defaultPath(url.pathname),
      secure,
    },
    expired:
      maxAge !== undefined && /^-?\d+$/.test(maxAge)
        ? Number(maxAge) <= 0
        : !Number.isNaN(expires) && expires <= now,
  };
}

function defaultPath(pathname: string): string {
  const at = pathname.lastIndexOf('/');
  return at <= 0 ? '/' : pathname.slice(0, at);
}

/** The Cookie header for a request; `undefined` when no cookie goes there. */
export function cookieHeader(jar: readonly Cookie[], address: string): string | undefined {
  const url = new URL(address);
  const host = url.hostname.toLowerCase();
  const going = jar.filter(
    ({ domain, hostOnly, path, secure }) =>
      (host === domain || (!hostOnly && host.endsWith(`.${domain}`))) &&
      (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)) &&
      (!secure || url.protocol === 'https:'),
  );
  if (going.length === 0) return undefined;
  const ordered = [...going].sort((a, b) => b.path.length - a.path.length);
  return ordered.map(({ name, value }) => `${name}=${value}`).join('; ');
}
