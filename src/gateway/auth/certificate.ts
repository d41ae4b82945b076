import type { PeerCertificate } from 'node:tls';

/** What a client certificate says about who shows it (IW-SES-2). */
export type CertificateClaim =
  /** The authorities vouch for these names until `until`, milliseconds since 1970. */
  | { readonly names: readonly string[]; readonly until: number }
  /** A certificate was shown, and this is why it counts for nothing. */
  | { readonly refused: string };

/** Reasons in the words of someone who has to mend it; others keep OpenSSL's code. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not in listen.tls.clientCa',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not in listen.tls.clientCa',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not in listen.tls.clientCa',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not in listen.tls.clientCa',
  CERT_REVOKED: 'it has been revoked',
  UNABLE_TO_GET_CRL: 'listen.tls.crl has no list of its authority',
  CRL_HAS_EXPIRED: 'the list of its authority in listen.tls.crl is out of date',
  INVALID_PURPOSE: 'it is no client certificate',
});

/** The claim of a connection's peer; `undefined` where it showed no certificate. */
export function certificateClaim(
  certificate: Partial<PeerCertificate>,
  verdict: { readonly authorized: boolean; readonly error?: Error | string | null },
): CertificateClaim | undefined {
  if (certificate.raw === undefined) return undefined;
  if (!verdict.authorized) {
    const { error } = verdict;
    const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : error;
    return { refused: REASONS[code ?? ''] ?? String(code ?? 'it could not be verified') };
  }
  const common: string | readonly string[] | undefined = certificate.subject?.CN;
  const names = [
    ...(common === undefined ? [] : [common].flat()),
    ...alternatives(certificate.subjectaltname),
  ];
  return { names, until: Date.parse(certificate.valid_to ?? '') };
}

const ALTERNATIVE = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy;

/** DNS names and URIs of a subjectAltName as Node.js writes it: what needs escapes is a JSON string. */
function alternatives(text = ''): string[] {
  return [...text.matchAll(ALTERNATIVE)]
    .filter(([, kind]) => kind === 'DNS' || kind === 'URI')
    .map(([, , value = '']) => (value.startsWith('"') ? (JSON.parse(value) as string) : value));
}
