import { verifyBasic } from '../../dm1/auth/digests.ts';
import { basicChallenge, parseBasic } from '../../dm2/httpAuth.ts';
import type { AuthVerdict } from '../../interworking/script.ts';
import { type Clock, systemClock } from '../../support/durations.ts';
import { type Logger, silentLogger } from '../../support/log.ts';
import { type DeviceRecord, REALM } from '../registry/device.ts';
import type { Registry } from '../registry/registry.ts';
import type { Dm1Attempt, Dm2Attempt, Source } from './attempts.ts';
import type { CertificateClaim } from './certificate.ts';
import { DigestVerifier } from './digest.ts';
import { type Dm1Scheme, NOBODY, offersProof, proofIn } from './dm1Proof.ts';
import { FailureRecord } from './failures.ts';
import type { NonceStore } from './nonces.ts';
import { SessionTries } from './sessionTries.ts';

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

/** Verdict on a DM 2.0 client; `headers` go into the answer. */
export type Dm2Verdict =
  | { readonly ok: true; readonly scheme: AuthPolicy['dm2'] }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 429;
      readonly headers?: Readonly<Record<string, string>>;
      readonly detail: string;
    };

type Dm1Result = AuthVerdict & { readonly at: number };

const DM1_SCHEMES = ['none', 'basic', 'md5', 'hmac', 'mtls'] as const;

/** Checks who devices are (IW-AUTH-1, IW-AUTH-4, IW-AUTH-5, IW-SES-2). */
export class DeviceAuthenticator {
  readonly #registry: Registry;
  readonly #nonces: NonceStore;
  readonly #policy: AuthPolicy;
  readonly #now: Clock;
  readonly #failures: FailureRecord;
  readonly #tries = new SessionTries();
  readonly #digest: DigestVerifier;

  constructor(options: AuthenticatorOptions) {
    this.#registry = options.registry;
    this.#nonces = options.nonces;
    this.#policy = options.policy;
    this.#now = options.now ?? systemClock;
    this.#failures = new FailureRecord({
      registry: options.registry,
      now: this.#now,
      log: options.log ?? silentLogger,
      onFailure: options.onFailure ?? (() => undefined),
    });
    this.#digest = new DigestVerifier(this.#now);
  }

  /** Milliseconds that this device must wait after repeated failures, 0 for none: answer 429 with Retry-After. */
  async wait(deviceId: string, peer?: string): Promise<number> {
    await this.#failures.recall({ deviceId, peer });
    return this.#failures.wait({ deviceId, peer });
  }

  /** Performs `authenticate` for a DM 1.x message (IW-AUTH-1). */
  async verifyDm1(attempt: Dm1Attempt): Promise<Dm1Result> {
    const { deviceId } = attempt;
    const record = await this.#failures.recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm1, DM1_SCHEMES);
    if (scheme === 'none') {
      await this.#registry.firstContact(deviceId, 'dm1');
      return this.#at({ ok: true, status: 212, scheme });
    }
    if (this.#failures.wait(attempt) > 0) {
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
    await this.#failures.succeeded(attempt, record, 'dm1');
    if (scheme === 'basic') return this.#at({ ok: true, status: 212, scheme });
    const nextNonce = await this.#nonces.issue(deviceId);
    // HMAC proves each message by itself (1x§9.5).
    return this.#at({ ok: true, status: scheme === 'hmac' ? 200 : 212, scheme, nextNonce });
  }

  /** Whether a message bears good credentials of its device. Uses no nonce up; a wrong guess counts as one. */
  async recognises(attempt: Dm1Attempt): Promise<boolean> {
    const record = await this.#failures.recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm1, DM1_SCHEMES);
    if (scheme === 'none' || this.#failures.wait(attempt) > 0) return false;
    if (scheme === 'mtls') return this.#problem(attempt.request?.certificate, attempt.deviceId) === undefined;
    const good = (await proofIn(attempt, scheme, record?.account, this.#nonces)) !== undefined;
    if (!good && offersProof(attempt)) await this.#failures.failed(attempt, record, 'dm1');
    return good;
  }

  /** Checks the HTTP authentication of a DM 2.0 client (IW-AUTH-4, IW-SES-2). */
  async verifyDm2(attempt: Dm2Attempt): Promise<Dm2Verdict> {
    const { deviceId, authorization } = attempt;
    const record = await this.#failures.recall(attempt);
    const scheme = schemeOf(record, this.#policy.dm2, ['none', 'basic', 'digest', 'mtls']);
    if (scheme === 'none') {
      await this.#registry.firstContact(deviceId, 'dm2');
      return { ok: true, scheme };
    }
    const wait = this.#failures.wait(attempt);
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
    const outcome =
      scheme === 'basic'
        ? await this.#basic(authorization, record)
        : await this.#digest.verify(attempt, account, async (name) => this.#registry.findByUsername(name));
    if (outcome === 'good' && record?.account) {
      await this.#failures.succeeded(attempt, record, 'dm2');
      return { ok: true, scheme };
    }
    if (outcome === 'stale') return this.#challenge(scheme, 'the nonce has expired', true);
    await this.#failures.failed(attempt, record, 'dm2');
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
      await this.#failures.vouched(attempt, protocol);
      return { ok: true };
    }
    await this.#failures.failed(attempt, record, protocol);
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
    const found = await proofIn(attempt, scheme, record?.account, this.#nonces);
    if (found === undefined) return false;
    return found === 'basic' || this.#nonces.use(attempt.deviceId, found);
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
      await this.#failures.failed(attempt, record, 'dm1');
      return this.#at({ ok: false, status: 404, detail: 'no credential of this device is on file' });
    }
    const detail = offered ? 'the credentials are wrong' : 'credentials are missing';
    // A first message without Cred asks for a challenge; only what was offered can be wrong.
    if (offered) await this.#failures.failed(attempt, record, 'dm1');
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

  #at(verdict: AuthVerdict): Dm1Result {
    return { ...verdict, at: this.#now() };
  }
}

/** The device's own scheme where its generation has it, else the configured one. */
function schemeOf<S extends string>(record: DeviceRecord | undefined, standard: S, known: readonly S[]): S {
  return known.find((scheme) => scheme === record?.auth) ?? standard;
}
