import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, minutes } from '../../support/durations.ts';
import { type DeviceAccount, type DeviceRecord, REALM } from '../registry/device.ts';

export type DigestOutcome = 'good' | 'bad' | 'other' | 'stale';

/** Best first; what a client cannot do it skips (RFC 7616, 3.7). */
const ALGORITHMS = [
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
] as const;
const NONCE_LIFE = minutes(5);
const LONGEST_HEADER = 4096;
const NONCE_COUNTS = 50_000;

interface Fields {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: string;
  readonly qop: string;
  readonly nc: string;
  readonly cnonce: string;
}

/**
 * HTTP Digest of DM 2.0 clients (RFC 7616): `qop=auth` with SHA-256 or MD5. Nonces carry their time and
 * a keyed hash, so none is stored; a request count that was seen before is refused.
 */
export class DigestVerifier {
  readonly #now: Clock;
  readonly #key = randomBytes(32);
  readonly #counts = new LRUCache<string, number>({ max: NONCE_COUNTS, ttl: NONCE_LIFE });

  constructor(now: Clock) {
    this.#now = now;
  }

  /** Values of `WWW-Authenticate`, one for each algorithm. */
  challenges(stale: boolean): string[] {
    const nonce = this.#newNonce();
    return ALGORITHMS.map(
      ([name]) =>
        `Digest realm="${REALM}", qop="auth", algorithm=${name}, nonce="${nonce}"${stale ? ', stale=true' : ''}`,
    );
  }

  /** `other`: good credentials, but of an account that belongs to another device. */
  async verify(
    request: { readonly authorization?: string; readonly method: string; readonly uri: string },
    account: DeviceAccount,
    findOther: (username: string) => Promise<DeviceRecord | undefined>,
  ): Promise<DigestOutcome> {
    const fields = parseDigest(request.authorization ?? '');
    if (!fields || fields.realm !== REALM || fields.qop !== 'auth' || fields.uri !== request.uri)
      return 'bad';
    const algorithm = ALGORITHMS.find(([name]) => name === fields.algorithm.toUpperCase());
    if (!algorithm || !/^[0-9a-f]{8}$/i.test(fields.nc)) return 'bad';
    const age = this.#ageOf(fields.nonce);
    if (age === undefined) return 'stale';

    let outcome: DigestOutcome = 'bad';
    if (matches(fields, request.method, algorithm, account)) {
      if (fields.username !== account.username) return 'bad';
      outcome = 'good';
    } else if (fields.username !== account.username) {
      const other = await findOther(fields.username);
      if (other?.account && matches(fields, request.method, algorithm, other.account)) outcome = 'other';
    }
    if (outcome === 'bad') return outcome;
    if (age > NONCE_LIFE) return 'stale';
    const count = Number.parseInt(fields.nc, 16);
    if (count <= (this.#counts.get(fields.nonce) ?? 0)) return 'stale';
    this.#counts.set(fields.nonce, count);
    return outcome;
  }

  #newNonce(): string {
    const head = `${this.#now().toString(36)}.${randomBytes(12).toString('base64url')}`;
    return `${head}.${this.#seal(head)}`;
  }

  /** Milliseconds since we made it; `undefined` when we did not, or not since the last start. */
  #ageOf(nonce: string): number | undefined {
    const end = nonce.lastIndexOf('.');
    const head = nonce.slice(0, Math.max(end, 0));
    if (!sameText(nonce.slice(end + 1), this.#seal(head))) return undefined;
    return this.#now() - Number.parseInt(head, 36);
  }

  #seal(head: string): string {
    return createHmac('sha256', this.#key).update(head).digest('base64url');
  }
}

function matches(
  fields: Fields,
  method: string,
  [name, hash]: (typeof ALGORITHMS)[number],
  account: DeviceAccount,
): boolean {
  const h = (text: string) => createHash(hash).update(text, 'utf8').digest('hex');
  const expected = h(
    `${account.ha1[name] ?? ''}:${fields.nonce}:${fields.nc}:${fields.cnonce}:auth:${h(`${method}:${fields.uri}`)}`,
  );
  return sameText(fields.response.toLowerCase(), expected) && account.ha1[name] !== undefined;
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(a), digest(b));
}

const PARAMETER = /\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;

/** The parameters of an `Authorization: Digest` header; `undefined` when one that is needed is missing. */
function parseDigest(header: string): Fields | undefined {
  const text = header.length <= LONGEST_HEADER ? /^\s*digest\s+(.*)$/is.exec(header)?.[1] : undefined;
  if (text === undefined) return undefined;
  const found = new Map<string, string>();
  for (let at = 0; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    found.set((match[1] ?? '').toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
  }
  const get = (name: string) => found.get(name) ?? '';
  const fields: Fields = {
    username: get('username'),
    realm: get('realm'),
    nonce: get('nonce'),
    uri: get('uri'),
    response: get('response'),
    algorithm: found.get('algorithm') ?? 'MD5',
    qop: get('qop'),
    nc: get('nc'),
    cnonce: get('cnonce'),
  };
  return fields.username === '' || fields.nonce === '' || fields.response === '' ? undefined : fields;
}
