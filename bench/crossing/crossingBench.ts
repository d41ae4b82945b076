import { type Candidate, interleave, type Measured } from '../rounds.ts';
import { Child } from './child.ts';
import { idOf, L2N_COMMANDS, play, record } from './l2n.ts';

const DEVICES = 200;

/** Complete L2N sessions against a proxy that forwards the same messages: CPU nanoseconds per message. */
export async function l2nAgainstProxy(encoding: 'xml' | 'wbxml', rounds = 9): Promise<Measured[]> {
  const backend = await Child.start('dm2', { commands: L2N_COMMANDS });
  const gateway = await Child.start('gateway', {
    backends: { dms: { protocol: 'dm2', url: `${backend.url}/dm20` } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const upstream = await Child.start('upstream');
  const proxy = await Child.start('proxy', { target: upstream.url });
  try {
    const exchanges = await record(gateway.url, encoding);
    // First sessions discover the devices; they are not what is measured.
    const { LegacyDevice } = await import('../../src/simulator/index.ts');
    for (let n = 1; n <= DEVICES; n++) {
      const device = new LegacyDevice({ url: gateway.url, deviceId: idOf(n), encoding, sessionId: '1' });
      await device.session();
      await device.close();
    }
    const candidate = (name: string, child: Child, url: string): Candidate => ({
      name,
      async measure() {
        const before = await child.usage();
        const messages = await play(url, exchanges, 1, DEVICES);
        return ((await child.usage()).cpu - before.cpu) / messages;
      },
    });
    return await interleave(
      [candidate('http-proxy', proxy, `${proxy.url}/dm`), candidate(`Dragoman L2N, ${encoding}`, gateway, gateway.url)],
      rounds,
    );
  } finally {
    for (const child of [backend, gateway, upstream, proxy]) child.stop();
  }
}
