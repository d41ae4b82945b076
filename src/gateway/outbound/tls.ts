import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { DragomanError } from '../../support/errors.ts';
import type { CertificateFiles } from '../config/config.ts';
import { PemFiles } from '../config/pemFiles.ts';

/** What a connection to a server trusts and shows. */
export interface ClientTls {
  /** Differs when anything else here does; connections are not shared across. */
  readonly id: string;
  /** Made once: it parses every public authority. */
  readonly context?: SecureContext;
  /** When its certificate ends, milliseconds since 1970. */
  readonly expires?: number;
}

export interface OutboundTlsFiles {
  /** `outbound.ca`. */
  readonly ca?: string;
  /** Certificates by the name of their backend. */
  readonly backends: Readonly<Record<string, CertificateFiles>>;
}

const PUBLIC: ClientTls = Object.freeze({ id: '' });

/** Authorities that the gateway trusts as a client, and the certificates that it shows to backends (IW-AUTH-4). */
export class OutboundTls {
  readonly #authorities: PemFiles<'ca'>;
  readonly #certificates: ReadonlyMap<string, PemFiles<'cert' | 'key'>>;
  #plain = PUBLIC;
  #named: ReadonlyMap<string, ClientTls> = new Map();

  /** Throws `configuration`, as `reload` does. */
  constructor({ ca, backends }: OutboundTlsFiles) {
    this.#authorities = new PemFiles('outbound', ca === undefined ? {} : { ca });
    this.#certificates = new Map(
      Object.entries(backends).map(([name, { cert, key }]) => [
        name,
        new PemFiles(`backends.${name}.tls`, { cert, key }),
      ]),
    );
    this.reload();
  }

  /** Whether any file changed since it was last read. */
  changed(): boolean {
    return this.#authorities.changed() || [...this.#certificates.values()].some((files) => files.changed());
  }

  /** Reads all files. Throws `configuration`, and keeps what it had, when some cannot be used. */
  reload(): void {
    const authorities = this.#authorities.read();
    const plain = secured('outbound.ca', authorities);
    const named = new Map<string, ClientTls>();
    for (const [name, files] of this.#certificates) {
      named.set(name, secured(`backends.${name}.tls`, { ...authorities, ...files.read() }));
    }
    this.#plain = plain;
    this.#named = named;
  }

  /** When each certificate ends, milliseconds since 1970, by its key in the configuration. */
  expiries(): Readonly<Record<string, number>> {
    const found: Record<string, number> = {};
    for (const [name, { expires }] of this.#named) {
      if (expires !== undefined) found[`backends.${name}.tls`] = expires;
    }
    return found;
  }

  /** For a connection that shows the certificate of this backend, if it has one; no name: none is shown. */
  for(backend: string | undefined): ClientTls {
    return (backend === undefined ? undefined : this.#named.get(backend)) ?? this.#plain;
  }
}

function secured(
  key: string,
  files: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer },
): ClientTls {
  const all = Object.entries(files);
  if (all.length === 0) return PUBLIC;
  const { ca, ...pair } = files;
  try {
    if (ca !== undefined) new X509Certificate(ca);
    const context = createSecureContext({ ...pair, ...(ca && { ca: [...rootCertificates, ca] }) });
    const hash = createHash('sha256');
    for (const [name, content] of all) hash.update(`${name}\n`).update(content);
    const expires = pair.cert && Date.parse(new X509Certificate(pair.cert).validTo);
    return { id: hash.digest('base64'), context, ...(expires !== undefined && { expires }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DragomanError('configuration', `${key}: the files cannot be used (${reason}).`, {
      cause: error,
    });
  }
}
