import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BuiltinBackend } from '../../../src/gateway/backends/builtin.ts';
import { Backends } from '../../../src/gateway/backends/exchange.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { JobQueue } from '../../../src/gateway/jobs/jobs.ts';
import { ReceivedAlerts } from '../../../src/gateway/jobs/receivedAlerts.ts';
import { OutboundClient } from '../../../src/gateway/outbound/client.ts';
import { OutboundGuard } from '../../../src/gateway/outbound/guard.ts';
import { OutboundTls } from '../../../src/gateway/outbound/tls.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { Authority, type Pair, replace } from '../../http/pki.ts';

const LOCAL = [['IP', '127.0.0.1']] as const;
const package1 = { protocol: 'dm2', package1: { MOS: [] } } as const;
const whose = { deviceId: 'IMEI:1', sessionId: 's1' };

let ours: Authority;
let theirs: Authority;
let gateway: Pair;
beforeAll(() => {
  ours = new Authority('ours');
  theirs = new Authority('theirs');
  gateway = ours.issue({ cn: 'dragoman' });
});

let store: Store;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  store = await openStore('sqlite::memory:');
  closing.push(() => store.close());
});
afterEach(async () => {
  for (let close = closing.pop(); close; close = closing.pop()) await close();
});

interface Peer {
  readonly url: string;
  /** Common names of the certificates that were shown, one for each request; '' for none. */
  readonly shown: string[];
  readonly authorization: (string | undefined)[];
}

/** A DM 2.0 server over TLS that asks for certificates of `ours`, and insists if told to. */
async function startServer(pair: Pair, insist = true): Promise<Peer> {
  const shown: string[] = [];
  const authorization: (string | undefined)[] = [];
  const tls = { ...pair.pem, ca: ours.pair.pem.cert, requestCert: true, rejectUnauthorized: insist };
  const server: Server = createServer(tls, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    shown.push(String(subject?.CN ?? ''));
    authorization.push(request.headers.authorization);
    request.resume();
    response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' }).end('{"CMD":[]}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close().closeAllConnections());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/dm20`, shown, authorization };
}

function connect(
  url: string,
  { tls: pair, ...more }: { readonly tls?: Pair } & Record<string, unknown> = {},
  ca = ours.pair.cert,
) {
  const { backends, limits, outbound } = loadConfig({
    text: JSON.stringify({
      backends: {
        b: { protocol: 'dm2', url, ...more, ...(pair && { tls: { cert: pair.cert, key: pair.key } }) },
      },
      ...(ca !== '' && { outbound: { ca } }),
    }),
  });
  const { b } = backends;
  const tls = new OutboundTls({
    ...outbound,
    backends: b?.protocol === 'dm2' && b.tls ? { b: b.tls } : {},
  });
  const client = new OutboundClient(tls);
  closing.push(() => client.close());
  const all = new Backends({
    backends,
    limits,
    registry: new Registry(store),
    guard: new OutboundGuard({ allow: ['127.0.0.1'], trusted: [] }),
    client,
    builtin: new BuiltinBackend(new JobQueue(store), new ReceivedAlerts(store)),
  });
  return {
    tls,
    exchange: (at?: string) => all.exchange('b', { ...package1, ...(at && { url: at }) }, whose),
  };
}

const FAILED = { kind: 'failed', code: 'backend-failed', detail: expect.stringMatching(/TLS|failed/) };

describe('a backend over TLS', () => {
  it('is shown the certificate that it asks for, beside a bearer token [IW-AUTH-4]', async () => {
    const server = await startServer(ours.issue({ cn: 'dms', san: LOCAL }));
    const { exchange } = connect(server.url, { tls: gateway, auth: { type: 'bearer', password: 'tok' } });
    expect(await exchange()).toMatchObject({ kind: 'package2' });
    expect(server).toMatchObject({ shown: ['dragoman'], authorization: ['Bearer tok'] });
  });

  it.each<[string, () => [Pair, { tls?: Pair }, string]]>([
    ['no certificate is configured', () => [ours.issue({ cn: 'dms', san: LOCAL }), {}, ours.pair.cert]],
    [
      'ours is of an authority that it does not know',
      () => [
        ours.issue({ cn: 'dms', san: LOCAL }),
        { tls: theirs.issue({ cn: 'dragoman' }) },
        ours.pair.cert,
      ],
    ],
    [
      'ours has expired',
      () => [
        ours.issue({ cn: 'dms', san: LOCAL }),
        { tls: ours.issue({ cn: 'd', days: -1 }) },
        ours.pair.cert,
      ],
    ],
    [
      'its authority is not known',
      () => [theirs.issue({ cn: 'dms', san: LOCAL }), { tls: gateway }, ours.pair.cert],
    ],
    [
      'only public authorities are known',
      () => [ours.issue({ cn: 'dms', san: LOCAL }), { tls: gateway }, ''],
    ],
    [
      'its certificate has expired',
      () => [ours.issue({ cn: 'dms', san: LOCAL, days: -1 }), { tls: gateway }, ours.pair.cert],
    ],
    [
      'its certificate is for another host',
      () => [ours.issue({ cn: 'dms', san: [['DNS', 'dms.example']] }), { tls: gateway }, ours.pair.cert],
    ],
  ])('is not spoken to where %s [IW-AUTH-4] [IW-SES-10]', async (_what, given) => {
    const [pair, more, ca] = given();
    const server = await startServer(pair);
    const { exchange } = connect(server.url, more, ca);
    expect(await exchange()).toMatchObject(FAILED);
    expect(server.shown).toEqual([]);
  });

  it('sees the certificate at its own origin alone [IW-AUTH-4] [IW-SES-9]', async () => {
    const home = await startServer(ours.issue({ cn: 'dms', san: LOCAL }), false);
    const other = await startServer(ours.issue({ cn: 'other', san: LOCAL }), false);
    const { exchange } = connect(home.url, { tls: gateway });
    await exchange();
    expect(await exchange(other.url)).toMatchObject({ kind: 'package2' });
    await exchange();
    expect(home.shown).toEqual(['dragoman', 'dragoman']);
    expect(other.shown).toEqual(['']);
  });

  it('is shown what replaces it, and goes on with the old one while that cannot be used', async () => {
    const server = await startServer(ours.issue({ cn: 'dms', san: LOCAL }));
    const at = ours.issue({ cn: 'first' });
    const { tls, exchange } = connect(server.url, { tls: at });
    await exchange();
    expect(tls.changed()).toBe(false);
    replace(at, ours.issue({ cn: 'second' }));
    expect(tls.changed()).toBe(true);
    tls.reload();
    expect(tls.changed()).toBe(false);
    await exchange();
    writeFileSync(at.key, 'no key');
    expect(() => tls.reload()).toThrow(/backends\.b\.tls: the files cannot be used/);
    // Tried once: it is new again only when it changes again.
    expect(tls.changed()).toBe(false);
    await exchange();
    expect(server.shown).toEqual(['first', 'second', 'second']);
  });
});

describe('a configuration with TLS towards backends', () => {
  it('is refused where there is none, or half a certificate', () => {
    const load = (backend: object) =>
      loadConfig({ text: JSON.stringify({ backends: { b: { protocol: 'dm2', ...backend } } }) });
    expect(() => load({ url: 'http://a/dm', tls: { cert: 'c', key: 'k' } })).toThrow(
      /backends\.b\.tls: needs a url/,
    );
    expect(() => load({ url: 'https://a/dm', tls: { cert: 'c' } })).toThrow(
      /backends\.b\.tls\.key: is required/,
    );
  });

  it('is refused where authorities are none', () => {
    const ca = `${gateway.cert}.junk`;
    writeFileSync(ca, 'junk');
    expect(() => new OutboundTls({ ca, backends: {} })).toThrow(/outbound\.ca: the files cannot be used/);
    expect(() => new OutboundTls({ ca: '/no/such', backends: {} })).toThrow(
      /outbound\.ca: \/no\/such cannot be read/,
    );
  });
});
