import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { seconds } from '../../support/durations.ts';
import { DragomanError } from '../../support/errors.ts';
import { matchesGlob } from '../../support/glob.ts';
import { isPublicAddress } from './addresses.ts';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Looks a host name up; rejects when there is none. */
export type Resolver = (host: string) => Promise<readonly Address[]>;

export interface GuardPolicy {
  /** Globs on `host` or `host:port` (`outbound.allow`). A host without wildcard may be a private address. */
  readonly allow: readonly string[];
  /** URLs from the operator's configuration; their origins are allowed wherever they lead. */
  readonly trusted?: readonly string[];
  readonly resolve?: Resolver;
}

/** A URL that may be fetched, and the addresses that were checked: connect to these and no others. */
export interface CheckedUrl {
  readonly url: URL;
  readonly addresses: readonly Address[];
}

interface AllowPattern {
  readonly host: string;
  /** Any port when absent. */
  readonly port?: string;
  /** The host is spelt out, so the operator meant that very host, private or not. */
  readonly literal: boolean;
}

/** How long an answer of the resolver serves; connections are pinned, so this only spares lookups. */
const RESOLVED_FOR = seconds(10);
const LONGEST_URL = 8192;

/**
 * Decides which URLs named by devices and backends may be fetched. The name is resolved here and the
 * connection goes to the addresses that were checked, so a name that changes its mind gains nothing.
 */
export class OutboundGuard {
  readonly #patterns: readonly AllowPattern[];
  readonly #trusted: ReadonlySet<string>;
  readonly #resolve: Resolver;
  readonly #resolved = new LRUCache<string, readonly Address[]>({ max: 1000, ttl: RESOLVED_FOR });

  constructor(policy: GuardPolicy) {
    this.#patterns = policy.allow.map(parsePattern);
    this.#trusted = new Set((policy.trusted ?? []).map((url) => new URL(url).origin));
    this.#resolve = policy.resolve ?? resolveByDns;
  }

  /** Throws `outbound-refused` with the reason, or `bad-address` for what is no URL. */
  async check(text: string): Promise<CheckedUrl> {
    const url = parse(text);
    const trusted = this.#trusted.has(url.origin);
    const pattern = trusted ? undefined : this.#patternFor(url);
    if (!trusted && !pattern) {
      throw refused(url, 'its host is not in outbound.allow');
    }
    const addresses = await this.#addresses(url);
    if (trusted || pattern?.literal) return { url, addresses };
    const open = addresses.filter((a) => isPublicAddress(a.address));
    if (open.length === 0) {
      throw refused(
        url,
        'it leads to a private or reserved address; spell the host out in outbound.allow if it is meant',
      );
    }
    return { url, addresses: open };
  }

  #patternFor(url: URL): AllowPattern | undefined {
    const host = url.hostname.replace(/\.$/, '');
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    const matching = this.#patterns.filter(
      (p) => matchesGlob(p.host, host) && (p.port === undefined || matchesGlob(p.port, port)),
    );
    return matching.find((p) => p.literal) ?? matching[0];
  }

  async #addresses(url: URL): Promise<readonly Address[]> {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const family = isIP(host);
    if (family === 4 || family === 6) return [{ address: host, family }];
    const known = this.#resolved.get(host);
    if (known) return known;
    let found: readonly Address[];
    try {
      found = await this.#resolve(host);
    } catch (error) {
      throw new DragomanError('backend-failed', `The host name ${host} cannot be resolved.`, {
        cause: error,
      });
    }
    if (found.length === 0)
      throw new DragomanError('backend-failed', `The host name ${host} has no address.`);
    this.#resolved.set(host, found);
    return found;
  }
}

async function resolveByDns(host: string): Promise<readonly Address[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function parse(text: string): URL {
  if (text.length > LONGEST_URL) {
    throw new DragomanError('bad-address', `The URL is longer than ${LONGEST_URL} characters.`);
  }
  if (!URL.canParse(text)) throw new DragomanError('bad-address', 'The URL does not parse.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refused(url, 'its scheme is neither http nor https');
  }
  if (url.username !== '' || url.password !== '') throw refused(url, 'it carries credentials');
  if (url.hostname === '') throw refused(url, 'it names no host');
  return url;
}

/** Names origin and reason only: paths and queries may hold tokens. */
function refused(url: URL, reason: string): DragomanError {
  return new DragomanError('outbound-refused', `${url.protocol}//${url.host} may not be fetched: ${reason}.`);
}

/** Host and port of a pattern, in the spelling that the URL parser gives (lower case, IPv6 in brackets). */
function parsePattern(pattern: string): AllowPattern {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9*?]+))?$/.exec(pattern.trim().toLowerCase());
  const host = match?.[1];
  if (!match || host === undefined || host === '') {
    throw new DragomanError(
      'configuration',
      `outbound.allow: "${pattern}" is no host or host:port; write IPv6 addresses in brackets.`,
    );
  }
  const literal = !/[*?]/.test(host);
  const port = match[2];
  return {
    host: literal && URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).hostname : host,
    literal,
    ...(port === undefined ? {} : { port }),
  };
}
