import type { CertificateFiles, Config } from '../gateway/config/config.ts';
import { OutboundClient } from '../gateway/outbound/client.ts';
import { OutboundGuard } from '../gateway/outbound/guard.ts';
import { OutboundTls } from '../gateway/outbound/tls.ts';
import { transportUrls } from './notifications.ts';

/** The only ways out of the gateway. */
export interface Outbound {
  readonly guard: OutboundGuard;
  readonly tls: OutboundTls;
  readonly client: OutboundClient;
}

/** Trusts what the operator wrote into the configuration, and no other private address. */
export function createOutbound(config: Config): Outbound {
  const { allow, ca } = config.outbound;
  const backends = Object.values(config.backends);
  const trusted = backends.flatMap((each) => (each.protocol === 'builtin' ? [] : [each.url]));
  const tls = new OutboundTls({ ...(ca === undefined ? {} : { ca }), backends: ownCertificates(config) });
  return {
    guard: new OutboundGuard({ allow, trusted: [...trusted, ...transportUrls(config)] }),
    tls,
    client: new OutboundClient(tls),
  };
}

function ownCertificates({ backends }: Config): Record<string, CertificateFiles> {
  const found: Record<string, CertificateFiles> = {};
  for (const [name, backend] of Object.entries(backends)) {
    if (backend.protocol !== 'builtin' && backend.tls) found[name] = backend.tls;
  }
  return found;
}
