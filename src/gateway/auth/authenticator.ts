import { verifyBasic, verifyHmac, verifyMd5 } from '../../dm1/auth/digests.ts';
import { HMAC_HEADER, parseHmacHeader } from '../../dm1/auth/hmacHeader.ts';
import { parseAuthType } from '../../dm1/auth/schemes.ts';
import type { Cred, SyncHdr } from '../../dm1/message.ts';
import { basicChallenge, parseBasic } from '../../dm2/httpAuth.ts';
import type { AuthVerdict } from '../../interworking/script.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { type Logger, silentLogger } from '../../support/log.ts';
import { accountOf, type DeviceAccount, type DeviceRecord, REALM } from '../registry/device.ts';
import type { Registry } from '../registry/registry.ts';
import type { CertificateClaim } from './certificate.ts';
import { DigestVerifier } from './digest.ts';
import type { FoundNonce, NonceStore } from './nonces.ts';
import { SessionTries } from './sessionTries.ts';
import { Throttle } from './throttle.ts';

export interface AuthPolicy {
  readonly dm1: 'none' | 'basic' | 'md5' | 'hmac' | 'mtls';
  readonly dm2: 'none' | 'basic' | 'digest' | 'mtls';
  readonly unknownDevice: 401 | 404;
}

export interface AuthenticatorOptions {
  readonly registry: Registry;
  readonly nonces: NonceStore;
  readonly policy: AuthPolicy;
  readonly now?: Clock;
  readonly log?: Logger;
  /** Called for every failed authentication, for a counter. */
  readonly onFailure?: (protocol: 'dm1' | 'dm2') => void;
}

export interface Dm1Attempt {
  readonly deviceId: string;
  /** What names the session: one challenge is allowed in each. */
  readonly sessionId: string;
  /** The message is the first of its session, whatever was tried under that name before. */
  readonly first?: boolean;
  /** Where it came from; failures from elsewhere do not slow it down. */
  readonly peer?: string;
  readonly header: SyncHdr;
  readonly cred?: Cred;
  /** The message as it came: HMAC stands in its headers (lower-case names) and covers its bytes. */
  readonly request?: {
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    readonly body: Uint8Array;
    /** Of the connection; absent: none was shown. */
    readonly certificate?: CertificateClaim;
  };
}

export interface Dm2Attempt {
  readonly deviceId: string;
  /** The `Authorization` header as sent. */
  readonly authorization?: string;
  readonly method: string;
  /** Path and query as requested; Digest covers it. */
  readonly uri: string;
  /** Of the connection; absent: none was shown. */
  readonly certificate?: CertificateClaim;
  /** Where it came from; failures from elsewhere do not slow it down. */
  readonly peer?: string;
}

/** Verdict on a DM 2.0 client; `headers` go into the answer. */
export type Dm2Verdict =
  | { readonly ok: true; readonly scheme: AuthPolicy['dm2'] }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 429;
      readonly headers?: Readonly<Record<string, string>>;
      readonly detail: string;
    };

type Dm1Scheme = Exclude<AuthPolicy['dm1'], 'none' | 'mtls'>;
type Dm1Result = AuthVerdict & { readonly at: number };

/** Stands in for the account of a device that has none, so that both cost the same work. */
const NOBODY = accountOf('nobody', 'no password is this one');
const DM1_SCHEMES = ['none', 'basic', 'md5', 'hmac', 'mtls'] as const;
const STRANGERS: readonly FoundNonce[] = [{ party: 'device', nonce: new Uint8Array(16) }];
const REPORTED_FROM = 5;

/** Checks who devices are (IW-AUTH-1, IW-AUTH-4, IW-AUTH-5, IW-SES-2). */
export class DeviceAuthenticator {
  readonly #registry: Registry;
  readonly #nonces: NonceStore;
  readonly #policy: AuthPolicy;
  readonly #now: Clock;
  readonly #log: Logger;
  readonly #onFailure: (protocol: 'dm1' | 'dm2') => void;
  readonly #throttle: Throttle;
  readonly #tries = new SessionTries();
  readonly #digest: DigestVerifier;

  constructor(options: AuthenticatorOptions) {
    this.#registry = options.registry;
    this.#nonces = options.nonces;
    this.#policy = options.policy;
    this.#now = options.now ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#onFailure = options.onFailure ?? (() => undefined);
    this.#throttle = new Throttle(this.#now);
    this.#digest = new DigestVerifier(this.#now);
  }

  /** Milliseconds that this device must wait after repeated failures, 0 for none: answer 429 with Retry-After. */
  async wait(deviceId: string, peer?: string): Promise<number> {
    await this.#recall({ deviceId, peer });
    return this.#throttle.wait(throttled({ deviceId, peer }));
  }

  /** Performs `authenticate` for a DM 1.x message (IW-AUTH-1). */
  async verifyDm1(attempt: Dm1Attempt): Promise<Dm1Result> {
    const { deviceId } = attempt;
    const record = await this.#recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm1, DM1_SCHEMES);
    if (scheme === 'none') {
      await this.#registry.firstContact(deviceId, 'dm1');
      return this.#at({ ok: true, status: 212, scheme });
    }
    if (this.#throttle.wait(throttled(attempt)) > 0) {
      return this.#at({ ok: false, status: 403, detail: 'too many failed authentications; try again later' });
    }
    if (scheme === 'mtls') {
      const { ok, detail } = await this.#certificate({ ...attempt, ...attempt.request }, record, 'dm1');
      // It is the connection's word, so every message is asked for it.
      return this.#at(ok ? { ok, status: 200, scheme } : { ok, status: 403, detail });
    }
    const good = await this.#check(attempt, scheme, record);
    if (!good || !record) return this.#refuse(attempt, scheme, record);
    this.#tries.forget(attempt.sessionId);
    await this.#welcome(attempt, record, 'dm1');
    if (scheme === 'basic') return this.#at({ ok: true, status: 212, scheme });
    const nextNonce = await this.#nonces.issue(deviceId);
    // HMAC proves each message by itself (1x§9.5).
    return this.#at({ ok: true, status: scheme === 'hmac' ? 200 : 212, scheme, nextNonce });
  }

  /** Whether a message bears good credentials of its device. Uses no nonce up; a wrong guess counts as one. */
  async recognises(attempt: Dm1Attempt): Promise<boolean> {
    const record = await this.#recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm1, DM1_SCHEMES);
    if (scheme === 'none' || this.#throttle.wait(throttled(attempt)) > 0) return false;
    if (scheme === 'mtls') return this.#problem(attempt.request?.certificate, attempt.deviceId) === undefined;
    const good = (await this.#proof(attempt, scheme, record)) !== undefined;
    if (!good && offersProof(attempt)) await this.#failed(attempt, record, 'dm1');
    return good;
  }

  /** Checks the HTTP authentication of a DM 2.0 client (IW-AUTH-4, IW-SES-2). */
  async verifyDm2(attempt: Dm2Attempt): Promise<Dm2Verdict> {
    const { deviceId, authorization } = attempt;
    const record = await this.#recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm2, ['none', 'basic', 'digest', 'mtls']);
    if (scheme === 'none') {
      await this.#registry.firstContact(deviceId, 'dm2');
      return { ok: true, scheme };
    }
    const wait = this.#throttle.wait(throttled(attempt));
    if (wait > 0) {
      return {
        ok: false,
        status: 429,
        headers: { 'retry-after': String(Math.ceil(wait / 1000)) },
        detail: 'too many failed authentications',
      };
    }
    if (scheme === 'mtls') {
      const { ok, detail } = await this.#certificate(attempt, record, 'dm2');
      return ok ? { ok, scheme } : { ok, status: 403, detail };
    }
    if (authorization === undefined || authorization.trim() === '') {
      return this.#challenge(scheme, 'credentials are missing');
    }
    const account = record?.account ?? NOBODY;
    const found =
      scheme === 'basic'
        ? await this.#basic(authorization, record)
        : this.#digest.verify(attempt, account, async (name) => this.#registry.findByUsername(name));
    const outcome = await found;
    if (outcome === 'good' && record?.account) {
      await this.#welcome(attempt, record, 'dm2');
      return { ok: true, scheme };
    }
    if (outcome === 'stale') return this.#challenge(scheme, 'the nonce has expired', true);
    await this.#failed(attempt, record, 'dm2');
    if (outcome === 'other') {
      return { ok: false, status: 403, detail: 'the account is that of another device' };
    }
    if (!record?.account && this.#policy.unknownDevice === 404) {
      return { ok: false, status: 403, detail: 'no credential of this device is on file' };
    }
    return this.#challenge(scheme, 'the credentials are wrong');
  }

  /** TLS has verified the certificate; it must be that of this device, and still hold (IW-SES-2). */
  async #certificate(
    attempt: Source & { readonly certificate?: CertificateClaim },
    record: DeviceRecord | undefined,
    protocol: 'dm1' | 'dm2',
  ): Promise<
    { readonly ok: true; readonly detail?: never } | { readonly ok: false; readonly detail: string }
  > {
    const { deviceId, certificate } = attempt;
    const problem = this.#problem(certificate, deviceId);
    if (problem === undefined) {
      this.#throttle.succeeded(throttled(attempt));
      await this.#registry.firstContact(deviceId, protocol);
      return { ok: true };
    }
    await this.#failed(attempt, record, protocol);
    return { ok: false, detail: problem };
  }

  #problem(claim: CertificateClaim | undefined, deviceId: string): string | undefined {
    if (claim === undefined) return 'a client certificate is missing';
    if ('refused' in claim) return `the client certificate does not count: ${claim.refused}`;
    // A connection may outlive its certificate.
    if (!(claim.until > this.#now())) return 'the client certificate does not count: it has expired';
    return claim.names.includes(deviceId) ? undefined : 'the certificate is of another device';
  }

  async #basic(authorization: string, record: DeviceRecord | undefined): Promise<'good' | 'bad' | 'other'> {
    const given = parseBasic(authorization);
    if (!given) return 'bad';
    const data = Buffer.from(`${given.user}:${given.password}`, 'utf8').toString('base64');
    const good = verifyBasic(data, (record?.account ?? NOBODY).userHash);
    if (good) return record?.account ? 'good' : 'bad';
    if (given.user === record?.account?.username) return 'bad';
    const other = await this.#registry.findByUsername(given.user);
    return verifyBasic(data, (other?.account ?? NOBODY).userHash) && other?.account ? 'other' : 'bad';
  }

  #challenge(scheme: 'basic' | 'digest', detail: string, stale = false): Dm2Verdict {
    const challenges = scheme === 'basic' ? [basicChallenge(REALM)] : this.#digest.challenges(stale);
    return { ok: false, status: 401, headers: { 'www-authenticate': challenges.join(', ') }, detail };
  }

  /** Whether the credentials are good; uses up the nonce that they are made with. */
  async #check(attempt: Dm1Attempt, scheme: Dm1Scheme, record: DeviceRecord | undefined): Promise<boolean> {
    const found = await this.#proof(attempt, scheme, record);
    if (found === undefined) return false;
    return found === 'basic' || this.#nonces.use(attempt.deviceId, found);
  }

  /** What makes the credentials good, if they are; unknown devices cost the same hashing. */
  async #proof(
    attempt: Dm1Attempt,
    scheme: Dm1Scheme,
    record: DeviceRecord | undefined,
  ): Promise<'basic' | FoundNonce | undefined> {
    const account = record?.account;
    const proof = proofOf(attempt, scheme, account ?? NOBODY);
    if (!proof) return undefined;
    const hash = (account ?? NOBODY).userHash;
    if (scheme === 'basic') return proof(hash, new Uint8Array()) && account ? 'basic' : undefined;
    const usable = await this.#nonces.usable(attempt.deviceId);
    let matching: FoundNonce | undefined;
    for (const found of account ? usable : STRANGERS) if (proof(hash, found.nonce)) matching = found;
    return account && matching;
  }

  async #refuse(
    attempt: Dm1Attempt,
    scheme: Dm1Scheme,
    record: DeviceRecord | undefined,
  ): Promise<Dm1Result> {
    const { deviceId, sessionId } = attempt;
    const offered = offersProof(attempt);
    if (attempt.first) this.#tries.forget(sessionId);
    if (!record?.account && this.#policy.unknownDevice === 404) {
      await this.#failed(attempt, record, 'dm1');
      return this.#at({ ok: false, status: 404, detail: 'no credential of this device is on file' });
    }
    const detail = offered ? 'the credentials are wrong' : 'credentials are missing';
    // A first message without Cred asks for a challenge; only what was offered can be wrong.
    if (offered) await this.#failed(attempt, record, 'dm1');
    if (this.#tries.count(sessionId) > 1)
      return this.#at({ ok: false, status: 401, detail: `${detail}, twice` });
    if (scheme === 'basic') {
      return this.#at({ ok: false, status: 401, challenge: { scheme }, detail });
    }
    // Nothing is stored for strangers: their nonces would fill the table.
    const nonce = record?.account
      ? await this.#nonces.challenge(deviceId)
      : this.#nonces.strangersChallenge(deviceId);
    return this.#at({ ok: false, status: 401, challenge: { scheme, nonce }, detail });
  }

  async #welcome(source: Source, record: DeviceRecord, protocol: 'dm1' | 'dm2'): Promise<void> {
    this.#throttle.succeeded(throttled(source));
    if (record.failures > 0) await this.#registry.succeeded(record.id);
    await this.#registry.firstContact(record.id, protocol);
  }

  async #failed(source: Source, record: DeviceRecord | undefined, protocol: 'dm1' | 'dm2'): Promise<void> {
    const { deviceId } = source;
    this.#onFailure(protocol);
    const count = this.#throttle.failed(throttled(source));
    if (record) await this.#registry.failed(deviceId);
    if (count < REPORTED_FROM) return;
    this.#log.warn({ device: deviceId, protocol, failures: count }, 'device keeps failing to authenticate');
  }

  async #recall(source: Source): Promise<DeviceRecord | undefined> {
    const record = await this.#registry.get(source.deviceId);
    if (record) this.#throttle.recall(throttled(source), record.failures, record.failedAt);
    return record;
  }

  #at(verdict: AuthVerdict): Dm1Result {
    return { ...verdict, at: this.#now() };
  }
}

function offersProof({ cred, request }: Dm1Attempt): boolean {
  return cred !== undefined || request?.headers[HMAC_HEADER] !== undefined;
}

/** Whom a message claims to be from, and where it came from. */
interface Source {
  readonly deviceId: string;
  readonly peer?: string | undefined;
}

/** Failures count for the device's name and the place together: a stranger elsewhere slows itself down. */
function throttled({ deviceId, peer = '' }: Source): string {
  return `${peer} ${deviceId}`;
}

/** The device's own scheme where its generation has it, else the configured one. */
function schemeOf<S extends string>(record: DeviceRecord | undefined, standard: S, known: readonly S[]): S {
  return known.find((scheme) => scheme === record?.auth) ?? standard;
}

/**
 * How the message proves itself under the scheme, as a check of hash and nonce; `undefined` when it
 * offers nothing, or another scheme than the one that is demanded (1x§9.4).
 */
function proofOf(
  { cred, request }: Dm1Attempt,
  scheme: Dm1Scheme,
  { username }: DeviceAccount,
): ((hash: string, nonce: Uint8Array) => boolean) | undefined {
  if (scheme === 'hmac') {
    const text = request?.headers[HMAC_HEADER];
    const header = typeof text === 'string' ? parseHmacHeader(text) : undefined;
    if (!request || header?.algorithm !== 'MD5' || header.username !== username) return undefined;
    return (hash, nonce) => verifyHmac(header.mac, hash, nonce, request.body);
  }
  if (!cred || (cred.meta.type !== undefined && parseAuthType(cred.meta.type) !== scheme)) return undefined;
  return scheme === 'basic'
    ? (hash) => verifyBasic(cred.data, hash)
    : (hash, nonce) => verifyMd5(cred.data, hash, nonce);
}
