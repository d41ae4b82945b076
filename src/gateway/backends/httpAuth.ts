import { createHash, randomBytes } from 'node:crypto';
import { formatBasic } from '../../dm2/httpAuth.ts';
import type { BackendAuth } from '../config/config.ts';

/** Digest algorithms that we can answer, best first (RFC 7616). */
const HASHES: Readonly<Record<string, string>> = Object.freeze({ 'SHA-256': 'sha256', MD5: 'md5' });

interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string;
  readonly opaque?: string;
  /** Without `qop` the response is that of RFC 2069. */
  readonly qop: boolean;
}

/** How requests to one backend authenticate themselves over HTTP (IW-AUTH-4). */
export class HttpCredentials {
  readonly #auth: BackendAuth;
  #challenge: Challenge | undefined;
  #count = 0;

  constructor(auth: BackendAuth) {
    this.#auth = auth;
  }

  /** The Authorization header for the next request, as far as it is known before a challenge. */
  header(method: string, uri: string): Readonly<Record<string, string>> {
    const { type, username = '', password = '' } = this.#auth;
    switch (type) {
      case 'basic':
        return { authorization: formatBasic(username, password) };
      case 'bearer':
        return { authorization: `Bearer ${password}` };
      case 'digest':
        return this.#challenge ? { authorization: this.#digest(this.#challenge, method, uri) } : {};
      default:
        return {};
    }
  }

  /** Takes over the challenge of a 401; resolves to whether the request is worth repeating with it. */
  challenged(wwwAuthenticate: string | undefined): boolean {
    if (this.#auth.type !== 'digest' || wwwAuthenticate === undefined) return false;
    const challenge = bestChallenge(wwwAuthenticate);
    if (!challenge) return false;
    this.#challenge = challenge;
    this.#count = 0;
    return true;
  }

  #digest({ realm, nonce, algorithm, opaque, qop }: Challenge, method: string, uri: string): string {
    const { username = '', password = '' } = this.#auth;
    const h = (text: string) =>
      createHash(HASHES[algorithm] ?? 'md5')
        .update(text, 'utf8')
        .digest('hex');
    this.#count += 1;
    const nc = this.#count.toString(16).padStart(8, '0');
    const cnonce = randomBytes(12).toString('base64url');
    const ha1 = h(`${username}:${realm}:${password}`);
    const ha2 = h(`${method}:${uri}`);
    const response = qop ? h(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`) : h(`${ha1}:${nonce}:${ha2}`);
    const parts = [
      `username=${quoted(username)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      `algorithm=${algorithm}`,
      `response="${response}"`,
      ...(qop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ];
    return `Digest ${parts.join(', ')}`;
  }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

const PARAMETER = /([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g;

function bestChallenge(header: string): Challenge | undefined {
  const challenges = header
    .slice(0, 8192)
    .split(/(?:^|,)\s*(?=(?:Digest|Basic|Bearer|Negotiate|NTLM)\s)/i)
    .filter((part) => /^\s*digest\s/i.test(part))
    .map(readChallenge)
    .filter((challenge) => challenge !== undefined);
  return challenges.find((c) => c.algorithm === 'SHA-256') ?? challenges.find((c) => c.algorithm === 'MD5');
}

function readChallenge(text: string): Challenge | undefined {
  const found = new Map<string, string>();
  for (const match of text.replace(/^\s*digest\s+/i, '').matchAll(PARAMETER)) {
    found.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
  }
  const nonce = found.get('nonce');
  const opaque = found.get('opaque');
  const qops = found.get('qop')?.split(/\s*,\s*/);
  if (nonce === undefined || (qops && !qops.includes('auth'))) return undefined;
  return {
    realm: found.get('realm') ?? '',
    nonce,
    algorithm: (found.get('algorithm') ?? 'MD5').toUpperCase(),
    qop: qops !== undefined,
    ...(opaque === undefined ? {} : { opaque }),
  };
}
