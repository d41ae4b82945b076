import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of a certificate and its key, and their contents for a peer of the test's own. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly pem: { readonly cert: Buffer; readonly key: Buffer };
}

export interface Subject {
  readonly cn: string;
  /** Alternative names by kind: `['URI', 'IMEI:1']`. */
  readonly san?: readonly (readonly ['URI' | 'DNS' | 'IP', string])[];
  /** Days of validity from now; negative ones lie in the past. */
  readonly days?: number;
  readonly rsa?: true;
}

const folder = mkdtempSync(join(tmpdir(), 'dragoman-pki-'));
let made = 0;

/** A certificate authority of real keys, made by the openssl command. */
export class Authority {
  readonly pair: Pair;

  constructor(name: string) {
    this.pair = files((cert, key) =>
      openssl(
        'req',
        '-x509',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        ...newKey(false),
        '-keyout',
        key,
        '-out',
        cert,
      ),
    );
  }

  issue({ cn, san, days = 2, rsa }: Subject): Pair {
    return files((cert, key) => {
      const request = `${key}.csr`;
      const extensions = `${key}.ext`;
      openssl('req', '-new', '-subj', `/CN=${cn}`, ...newKey(rsa === true), '-keyout', key, '-out', request);
      const names = (san ?? []).map(([kind, name], i) => `${kind}.${i} = ${name}\n`).join('');
      writeFileSync(
        extensions,
        names === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=@names\n[names]\n${names}`,
      );
      const signing = ['-CA', this.pair.cert, '-CAkey', this.pair.key, '-set_serial', String(100 + made)];
      openssl(
        'x509',
        '-req',
        '-in',
        request,
        ...signing,
        '-days',
        String(days),
        '-extfile',
        extensions,
        '-out',
        cert,
      );
    });
  }
}

/** The PEM of a list of this authority's that revokes these certificates. */
export function revocationList({ pair }: Authority, revoked: readonly Pair[], days = 2): Buffer {
  made += 1;
  const at = (name: string) => join(folder, `${made}.${name}`);
  const rows = revoked.map(({ pem }) => {
    const { serialNumber } = new X509Certificate(pem.cert);
    return `R\t491231235959Z\t200101000000Z\t${serialNumber}\tunknown\t/CN=x\n`;
  });
  writeFileSync(at('index'), rows.join(''));
  const settings = `database=${at('index')}\ndefault_md=sha256\ncertificate=${pair.cert}\nprivate_key=${pair.key}\n`;
  writeFileSync(at('cnf'), `[ca]\ndefault_ca=ours\n[ours]\n${settings}`);
  openssl('ca', '-config', at('cnf'), '-gencrl', '-crlsec', String(days * 86_400), '-out', at('crl'));
  return readFileSync(at('crl'));
}

/** Puts the contents of `pair` where `at` stands, as a renewal does. */
export function replace(at: Pair, pair: Pair): void {
  writeFileSync(at.cert, pair.pem.cert);
  writeFileSync(at.key, pair.pem.key);
}

function newKey(rsa: boolean): string[] {
  const kind = rsa ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  return [...kind, '-nodes'];
}

function files(make: (cert: string, key: string) => void): Pair {
  made += 1;
  const [cert, key] = [join(folder, `${made}.crt`), join(folder, `${made}.key`)];
  make(cert, key);
  return { cert, key, pem: { cert: readFileSync(cert), key: readFileSync(key) } };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
