import type { CertificateClaim } from '../auth/certificate.ts';

/** A message of a device as the HTTP server took it. */
export interface DeviceRequest {
  /** Lower-case names; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Path and query that the device posted to: part of a 2.0 session's key (IW-SES-3). */
  readonly url?: string;
  /** Whether the response was written in full before its connection closed (IW-SES-4). */
  readonly delivered: Promise<boolean>;
  /** The network that it came from, see `peerNetwork`. */
  readonly peer?: string;
  /** Of the connection that it came over; absent: none was shown. */
  readonly certificate?: CertificateClaim;
}

/** What to answer; the headers hold Content-Type, Content-Length and Cache-Control. */
export interface DeviceResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
