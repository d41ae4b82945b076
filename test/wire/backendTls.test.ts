import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { Authority, type Pair } from '../http/pki.ts';
import { beside, closing, wired } from './harness.ts';

const DEVICE = 'IMEI:493005100592800';
const HERE = [['IP', '127.0.0.1']] as const;
const FAULTS = ['has expired', 'comes from an unknown authority', 'is that of another host'] as const;

let trusted: Authority;
const certificates = new Map<string, Pair>();
beforeAll(() => {
  trusted = new Authority('trusted');
  certificates.set('good', trusted.issue({ cn: 'backend', san: HERE }));
  certificates.set('has expired', trusted.issue({ cn: 'backend', san: HERE, days: -1 }));
  const unknown = new Authority('unknown').issue({ cn: 'backend', san: HERE });
  certificates.set('comes from an unknown authority', unknown);
  const elsewhere = trusted.issue({ cn: 'backend', san: [['DNS', 'elsewhere.example']] });
  certificates.set('is that of another host', elsewhere);
});

/** A gateway with a backend over TLS that ends every session, and how many requests that got. */
async function over(certificate: string, backend: Record<string, unknown>) {
  let requests = 0;
  const server = createServer(certificates.get(certificate)!.pem, (request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' });
    response.end('{"CMD":[["END"]]}');
  });
  closing({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const gateway = await wired({
    backends: { peer: { ...backend, url: `https://127.0.0.1:${port}/dm` } },
    routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
    outbound: { ca: trusted.pair.cert },
  });
  return { gateway, requests: () => requests };
}

async function endedCleanly(
  { gateway, requests }: Awaited<ReturnType<typeof over>>,
  session: () => Promise<{ readonly outcome: string; readonly violations: readonly unknown[] }>,
): Promise<void> {
  const report = await beside(gateway, session);
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  expect(requests()).toBe(0);
  const [trace] = await gateway.traces(DEVICE);
  expect(trace).toMatchObject({ state: 'failed', ending: 'backend-failed' });
  expect(trace?.detail).toMatch(/certificate|TLS/i);
}

describe('a DM 2.0 backend over TLS', () => {
  it('is talked to when its certificate is good [IW-SES-6]', async () => {
    const { gateway, requests } = await over('good', { protocol: 'dm2' });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    expect(requests()).toBe(1);
    expect((await gateway.traces(DEVICE))[0]?.ending).toBe('completed');
  });

  describe.each(['xml', 'wbxml'] as const)('under a legacy device in %s', (encoding) => {
    it.each(FAULTS)(
      'whose certificate %s gets nothing, and the device is closed cleanly [IW-SES-10]',
      async (fault) => {
        const peers = await over(fault, { protocol: 'dm2' });
        const device = closing(new LegacyDevice({ url: peers.gateway.dm, deviceId: DEVICE, encoding }));
        await endedCleanly(peers, () => device.session());
      },
    );
  });
});

describe.each(['xml', 'wbxml'] as const)('a legacy server over TLS in %s', (encoding) => {
  it.each(FAULTS)('whose certificate %s gets nothing, and the client gets END [IW-SES-10]', async (fault) => {
    const peers = await over(fault, { protocol: 'dm1', encoding });
    const client = closing(new Dm2Client({ url: peers.gateway.dm, deviceId: DEVICE }));
    await endedCleanly(peers, () => client.session());
    expect(client.report.executed.at(-1)?.command).toEqual(['END']);
  });
});
