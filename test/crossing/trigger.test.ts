import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const serverCred = { scheme: 'md5', username: 'gw', password: 'server secret' } as const;

/** A 1.x device that waits for datagrams, and the gateway that has an account on it. */
async function waiting(framing: 'raw' | 'wsp', phone: Phone, password: string = serverCred.password) {
  const lan = { type: 'udp', networks: ['127.0.0.0/8'], framing };
  const gateway = await run({ notifications: { via: 'lan', transports: { lan } } });
  const device = closing(
    new LegacyDevice({
      url: gateway.dm,
      deviceId: ID,
      ...phone.device,
      serverCred: { ...serverCred, password },
    }),
  );
  const socket = createSocket('udp4');
  const datagrams: Buffer[] = [];
  let arrived: () => void = () => {};
  socket.on('message', (bytes) => {
    datagrams.push(bytes);
    arrived();
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  closing({ close: () => void socket.close() });
  const { status } = await gateway.api('PUT', `/api/devices/${ID}`, {
    serverUsername: serverCred.username,
    serverPassword: serverCred.password,
    notifyAddress: `127.0.0.1:${socket.address().port}`,
  });
  expect(status).toBe(201);
  const ask = async (uiMode = 'informative') => {
    const came = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { body } = await gateway.api<{ id: string; number: number }>('POST', `/api/devices/${ID}/notify`, {
      form: 'trigger',
      uiMode,
    });
    await came;
    return { ...body, bytes: datagrams.at(-1)! };
  };
  return { gateway, device, ask };
}

const stateOf = async (gateway: Running, id: string) =>
  (await gateway.api<{ state: string }>('GET', `/api/notifications/${id}`)).body.state;

describe.each(PHONES)('a trigger that comes to a 1.x device $name', (phone) => {
  const framing = phone.encoding === 'xml' ? 'raw' : 'wsp';

  it('opens the session with its SessionID, Alert 1200 and ui-mode, once [IW-NOT-1] [IW-NOT-2] [1x§10.1]', async () => {
    const { gateway, device, ask } = await waiting(framing, phone);
    for (const uiMode of ['informative', 'background', 'interaction', 'unspecified']) {
      const { id, number, bytes } = await ask(uiMode);
      const sessionId = number.toString(16).toUpperCase();
      expect(await device.notified(bytes)).toMatchObject({
        outcome: 'completed',
        violations: [],
        sessionId,
        woken: {
          sessionId,
          initiator: 'server',
          uiMode: { interaction: 'user-interaction', unspecified: 'not-specified' }[uiMode] ?? uiMode,
        },
      });
      expect(await stateOf(gateway, id)).toBe('answered');
      expect(await device.notified(bytes)).toEqual({ ignored: 'duplicate' });
    }
  });

  it('opens none when an octet was changed, cut off or added, or the password is another [1x§9.2] [1x§10.1]', async () => {
    const { gateway, device, ask } = await waiting(framing, phone);
    const { id, bytes } = await ask();
    const header = framing === 'wsp' ? 6 : 0;
    for (const at of bytes.keys()) {
      if (at < header) continue;
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1;
      expect(await device.notified(copy), copy.toString('hex')).toEqual({ ignored: expect.any(String) });
    }
    for (const damaged of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.alloc(0)]) {
      expect(await device.notified(damaged)).toEqual({ ignored: expect.any(String) });
    }
    const version = Buffer.from(bytes);
    version[header + 17]! ^= 0x40;
    expect(await device.notified(version)).toEqual({ ignored: 'version 1 is unknown' });
    expect(await stateOf(gateway, id)).toBe('sent');
    expect(await device.notified(bytes)).toMatchObject({ outcome: 'completed' });

    const other = await waiting(framing, phone, 'another');
    expect(await other.device.notified((await other.ask()).bytes)).toEqual({ ignored: 'wrong-digest' });
  });
});
