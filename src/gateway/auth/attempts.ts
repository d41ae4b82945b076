import type { Cred, SyncHdr } from '../../dm1/message.ts';
import type { CertificateClaim } from './certificate.ts';

/** Whom a message claims to be from, and where it came from. */
export interface Source {
  readonly deviceId: string;
  /** Failures from elsewhere do not slow it down. */
  readonly peer?: string | undefined;
}

export interface Dm1Attempt extends Source {
  /** What names the session: one challenge is allowed in each. */
  readonly sessionId: string;
  /** The message is the first of its session, whatever was tried under that name before. */
  readonly first?: boolean;
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

export interface Dm2Attempt extends Source {
  /** The `Authorization` header as sent. */
  readonly authorization?: string;
  readonly method: string;
  /** Path and query as requested; Digest covers it. */
  readonly uri: string;
  /** Of the connection; absent: none was shown. */
  readonly certificate?: CertificateClaim;
}
