import { X509Certificate } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';
import type { TlsFiles } from '../gateway/config/config.ts';
import { PemFiles } from '../gateway/config/pemFiles.ts';
import { DragomanError } from '../support/errors.ts';

/** Certificate, key and authorities of a port, as they stand in their files. */
export class ServerTls {
  readonly #tls: TlsFiles;
  readonly #files: PemFiles<'cert' | 'key' | 'clientCa' | 'crl'>;
  #expires = Number.NaN;

  constructor(tls: TlsFiles) {
    const { cert, key, clientCa, crl } = tls;
    this.#tls = tls;
    this.#files = new PemFiles('listen.tls', {
      cert,
      key,
      ...(clientCa !== undefined && { clientCa }),
      ...(crl !== undefined && { crl }),
    });
  }

  /** When the certificate ends that was last found usable, milliseconds since 1970. */
  get expires(): number {
    return this.#expires;
  }

  /** Whether the files changed since they were last read. */
  changed(): boolean {
    return this.#files.changed();
  }

  /** Reads the files. Throws `configuration` when they are not there or do not fit together. */
  read(): SecureContextOptions {
    const { cert, key, clientCa, crl } = this.#files.read();
    const { minVersion } = this.#tls;
    const options: SecureContextOptions = {
      ...(cert && { cert }),
      ...(key && { key }),
      ...(clientCa && { ca: clientCa }),
      ...(crl && { crl }),
      minVersion: `TLSv${minVersion}`,
      // DHE_RSA is among the suites that a server must have (20§12).
      dhparam: 'auto',
      // OpenSSL 3 has no digest for TLS 1.1 at its own security level.
      ...(minVersion === '1.1' && { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }),
    };
    try {
      createSecureContext(options);
      if (cert) this.#expires = Date.parse(new X509Certificate(cert).validTo);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DragomanError(
        'configuration',
        `listen.tls: certificate, key and authorities cannot be used together (${reason}).`,
        { cause: error },
      );
    }
    return options;
  }
}
