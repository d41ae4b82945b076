import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { Dm2Client } from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';

const ID = 'IMEI:493005100592800';
const SECRET = Buffer.from('a secret of both');

/** A 2.0 client that waits for datagrams, and the gateway whose Package#0 may come there. */
async function waiting(secret: Uint8Array = SECRET) {
  const gateway = await run({
    serverId: 'dms',
    notifications: { via: 'lan', transports: { lan: { type: 'udp', networks: ['127.0.0.0/8'] } } },
  });
  const client = closing(
    new Dm2Client({
      url: gateway.dm,
      deviceId: ID,
      notifications: { serverId: 'dms', credential: { secret } },
    }),
  );
  await client.session();
  const socket = createSocket('udp4');
  const came = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  closing({ close: () => void socket.close() });
  await gateway.api('PUT', `/api/devices/${ID}`, {
    notifySecret: SECRET.toString('base64'),
    notifyAddress: `127.0.0.1:${socket.address().port}`,
  });
  const { status, body } = await gateway.api<{ id: string }>('POST', `/api/devices/${ID}/notify`, {});
  expect(status, JSON.stringify(body)).toBe(202);
  return { gateway, client, bytes: await came, sent: body };
}

const stateOf = async (gateway: Running, { id }: { id: string }) =>
  (await gateway.api<{ state: string }>('GET', `/api/notifications/${id}`)).body.state;
const sessions = async (gateway: Running) =>
  (await gateway.api<{ sessions: unknown[] }>('GET', `/api/sessions?device=${ID}`)).body.sessions.length;

describe('a Package#0 with digest and timestamp, as it comes to a DM 2.0 client', () => {
  it('starts the session that answers it, and none when it is replayed [IW-NOT-2] [20§2.2]', async () => {
    const { gateway, client, bytes, sent } = await waiting();
    expect(await client.notified(bytes)).toMatchObject({ outcome: 'completed', violations: [] });
    expect(await stateOf(gateway, sent)).toBe('answered');
    expect(await client.notified(bytes)).toEqual({ ignored: 'duplicate' });
    const now = Date.now() / 1000;
    expect(await client.notified(bytes, now + 3_600)).toEqual({ ignored: 'stale' });
    expect(await client.notified(bytes, now - 3_600)).toEqual({ ignored: 'early' });
    expect(await sessions(gateway)).toBe(2);
  });

  it('starts none when any octet was changed, cut off or added [20§2.2]', async () => {
    const { gateway, client, bytes, sent } = await waiting();
    const tampered = [...bytes.keys()].map((at) => {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1;
      return copy;
    });
    const damaged = [...tampered, bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)];
    for (const wrong of damaged) {
      expect(await client.notified(wrong), wrong.toString('hex')).toEqual({ ignored: expect.any(String) });
    }
    expect(await client.notified(Buffer.alloc(70_000, 0x20))).toEqual({ ignored: 'too-large' });
    expect(await sessions(gateway)).toBe(1);
    expect(await stateOf(gateway, sent)).toBe('sent');
    expect(await client.notified(bytes)).toMatchObject({ outcome: 'completed' });
  });

  it('starts none on a client with another secret [20§2.2]', async () => {
    const { client, bytes } = await waiting(Buffer.from('another'));
    expect(await client.notified(bytes)).toEqual({ ignored: 'wrong-digest' });
  });
});
