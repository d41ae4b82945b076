import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import type { LegacyDeviceOptions } from '../../src/simulator/legacyDevice/options.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const LAN = { type: 'udp', networks: ['127.0.0.0/8'] };
const PACKAGE0 = 'application/vnd.syncml.notification';

interface Notification {
  readonly id: string;
  readonly number: number;
  readonly state: string;
  readonly sent: number;
  readonly session?: string;
  readonly detail?: string;
  readonly notes: readonly { readonly rule: string; readonly text: string }[];
}

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen.');
}

/** Where a device waits for datagrams. */
async function mailbox() {
  const socket = createSocket('udp4');
  const datagrams: Buffer[] = [];
  socket.on('message', (bytes) => datagrams.push(bytes));
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  closing({ close: () => void socket.close() });
  const { port } = socket.address();
  return { address: `127.0.0.1:${port}`, datagrams };
}

/** A service that is told of notifications and answers as `verdict` says. */
async function service(verdict: (index: number) => number = () => 204, port = 0) {
  const calls: { headers: IncomingMessage['headers']; body: Buffer }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push({ headers: request.headers, body: Buffer.concat(chunks) });
      const status = verdict(calls.length - 1);
      response.writeHead(status, status === 302 ? { location: 'http://169.254.169.254/' } : {}).end();
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  closing({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

const register = async (gateway: Running, more: Record<string, unknown>) => {
  const { status, body } = await gateway.api('PUT', `/api/devices/${ID}`, more);
  expect([200, 201], JSON.stringify(body)).toContain(status);
};

async function notify(gateway: Running, body: Record<string, unknown> = {}): Promise<Notification> {
  const answer = await gateway.api<Notification>('POST', `/api/devices/${ID}/notify`, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 });
  return answer.body;
}

/** Hands in a Package#0 as a server would send it. */
async function handIn(gateway: Running, bytes: Uint8Array) {
  const response = await fetch(`${gateway.gateway.urls.admin}/api/devices/${ID}/notify`, {
    method: 'POST',
    headers: { authorization: 'Bearer crossing-tests', 'content-type': PACKAGE0 },
    body: bytes as Uint8Array<ArrayBuffer>,
  });
  return { status: response.status, body: (await response.json()) as Notification };
}

const state = async (gateway: Running, { id }: Pick<Notification, 'id'>) =>
  (await gateway.api<Notification>('GET', `/api/notifications/${id}`)).body;

const answered = (gateway: Running, notification: Notification) =>
  until(async () => {
    const now = await state(gateway, notification);
    return now.state === 'answered' && now;
  });

const md5 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The formula of 1x§9.2, spelt out. */
const triggerDigest = (server: string, password: string, nonce: Uint8Array | string, trigger: Uint8Array) =>
  md5(`${md5(`${server}:${password}`).toString('base64')}:`, nonce, `:${md5(trigger).toString('base64')}`);

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');
const hex4 = (number: number) => number.toString(16).padStart(4, '0');

describe.each(PHONES)('a legacy device $name', (phone) => {
  async function between(
    config: Record<string, unknown> = {},
    options: Pick<LegacyDeviceOptions, 'serverCred'> & ConstructorParameters<typeof Dm2Backend>[0] = {},
  ) {
    const backend = closing(new Dm2Backend(options));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url, serverId: 'dms' } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
      notifications: { via: 'lan', transports: { lan: LAN } },
      ...config,
    });
    const { serverCred } = options;
    const device = closing(
      new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...(serverCred && { serverCred }) }),
    );
    const box = await mailbox();
    await register(gateway, { serverUsername: 'gw', serverPassword: 'pw', notifyAddress: box.address });
    return { backend, gateway, device, ...box };
  }
  /** How a session begins that answers a notification. */
  const answering = (number: number) =>
    ({
      sessionAlert: '1200',
      sessionId: phone.onlySession ?? number.toString(16).toUpperCase(),
    }) as const;
  const toldNumbers = (backend: Dm2Backend) =>
    backend.sessions.map(({ alerts }) => alerts[0] && [alerts[0].AlertType, alerts[0].Data]);

  it('is woken by a trigger with a digest of its own account, and its session answers [IW-NOT-1] [IW-NOT-2] [IW-ALERT-1]', async () => {
    const { backend, gateway, device, datagrams } = await between();
    await device.session();
    const asked = await notify(gateway, { uiMode: 'background' });
    const bytes = await until(() => datagrams[0]);
    const trigger = hex(`02 d8 00 00 00 ${hex4(asked.number)} 02 6777`);
    expect(bytes.subarray(16)).toEqual(trigger);
    expect(bytes.subarray(0, 16)).toEqual(triggerDigest('gw', 'pw', new Uint8Array(4), trigger));
    expect(await state(gateway, asked)).toMatchObject({ state: 'sent', sent: 1 });

    await device.session(answering(asked.number));
    const { session } = await answered(gateway, asked);
    const sessions = await gateway.api<{ sessions: { id: string }[] }>('GET', `/api/sessions?device=${ID}`);
    expect(sessions.body.sessions[0]!.id).toBe(session);
    expect(toldNumbers(backend)).toEqual([
      ['urn:oma:at:dm:2.0:ClientInitiatedMgmt', undefined],
      ['urn:oma:at:dm:2.0:ServerInitiatedMgmt', { NotificationID: String(asked.number) }],
    ]);
  });

  it('that gave a nonce for the server’s credentials is woken with it, also after a restart [IW-NOT-1] [IW-AUTH-2] [1x§9.6]', async () => {
    const serverCred = { scheme: 'md5', username: 'gw', password: 'pw' } as const;
    const script = [[['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']]];
    const { gateway, device, datagrams } = await between({}, { serverCred, script });
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const { server: given } = device.nonces;
    const again = await gateway.restart();
    const asked = await notify(again);
    const bytes = await until(() => datagrams[0]);
    const trigger = hex(`02 c8 00 00 00 ${hex4(asked.number)} 02 6777`);
    expect(bytes.subarray(16)).toEqual(trigger);
    expect(bytes.subarray(0, 16)).toEqual(triggerDigest('gw', 'pw', given, trigger));
  });

  it('is woken for a 2.0 server, which gets its own number back, also one that a trigger cannot carry [IW-NOT-1] [IW-NOT-2]', async () => {
    const { backend, gateway, device, datagrams } = await between();
    await device.session();
    // OC 4: SERVER-ID "dms", WLAN, NOTIFICATION-ID 0, REQ-MOS.
    const options = hex('22 00 13 646d73 11 02 12 0000 30');
    const first = await handIn(gateway, options);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ askedBy: 'server:dms', askedNumber: 0, form: 'trigger' });
    expect(first.body.notes).toEqual([
      { rule: 'IW-NOT-2', text: expect.stringContaining('preferred connection type (wlan)') },
    ]);
    expect((await handIn(gateway, options)).body.id).toBe(first.body.id);
    const bytes = await until(() => datagrams[0]);
    const number = bytes.readUInt16BE(16 + 5);
    expect(number).toBe(first.body.number);
    expect(number).toBeGreaterThan(0);

    await device.session(answering(number));
    await answered(gateway, first.body);
    expect((await handIn(gateway, options)).body).toMatchObject({ id: first.body.id, state: 'answered' });
    expect(datagrams).toHaveLength(1);
    // A device that comes twice for one notification is told apart in the trace.
    await device.session(answering(number));
    expect(toldNumbers(backend).slice(1)).toEqual([
      ['urn:oma:at:dm:2.0:ServerInitiatedMgmt', { NotificationID: '0' }],
      // With nothing under way the session id is all that there is to go by.
      ['urn:oma:at:dm:2.0:ServerInitiatedMgmt', { NotificationID: phone.onlySession ?? '0' }],
    ]);
    const twice = `Notification ${first.body.id} was answered by an earlier session already.`;
    const notes = (await gateway.notes(ID)).map(({ rule, text }) => `${rule} ${text}`);
    expect(notes.includes(`IW-NOT-2 ${twice}`)).toBe(phone.onlySession === undefined);
  });

  it('is known by its alert where it always uses one session id [IW-NOT-2]', async () => {
    const { gateway, device, datagrams } = await between();
    await device.session({ sessionId: '1' });
    const asked = await notify(gateway);
    await until(() => datagrams[0]);
    await until(async () => (await state(gateway, asked)).state === 'sent');
    await device.session({ sessionAlert: '1200', sessionId: '1' });
    await answered(gateway, asked);
  });

  it('is woken for a job that asks so, and not for one that a session has taken [IW-NOT-1]', async () => {
    const { gateway, device, datagrams } = await between({ routes: [] });
    await device.session();
    const CMD = [['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man']];
    const path = `/api/devices/${ID}/commands`;
    const queued = await gateway.api<{ job: string; notification: string }>('POST', path, {
      CMD,
      notify: true,
    });
    expect(queued.status).toBe(202);
    const bytes = await until(() => datagrams[0]);
    await device.session(answering(bytes.readUInt16BE(16 + 5)));
    expect(await gateway.job(queued.body.job)).toMatchObject({ state: 'done' });
    expect(await state(gateway, { id: queued.body.notification })).toMatchObject({ state: 'answered' });

    // While a session lives nothing is sent, and afterwards nothing waits.
    await gateway.queue(ID, CMD);
    device.begin();
    await device.step();
    const second = await gateway.api<{ job: string; notification: string }>('POST', path, {
      CMD,
      notify: true,
    });
    while (await device.step());
    expect(await gateway.job(second.body.job)).toMatchObject({ state: 'done' });
    await until(async () => (await state(gateway, { id: second.body.notification })).state === 'withdrawn');
    expect(datagrams).toHaveLength(1);
  });
});

describe('a DM 2.0 device', () => {
  async function between() {
    const server = closing(new LegacyServer({ serverId: 'legacy' }));
    const url = await server.start();
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url, serverId: 'legacy' } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
      notifications: { via: 'lan', transports: { lan: LAN } },
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    const box = await mailbox();
    await register(gateway, { notifyAddress: box.address });
    return { server, gateway, client, ...box };
  }
  const trigger = Buffer.concat([hex('02 e8 00 00 00 12 34 06'), Buffer.from('legacy')]);
  const package0 = Buffer.concat([triggerDigest('legacy', 'secret', 'nonce', trigger), trigger]);

  it('is woken by options with SHA256-DIGEST for the trigger of a legacy server, whose session id comes back [IW-NOT-1] [IW-NOT-2]', async () => {
    const { server, gateway, client, datagrams } = await between();
    await client.session();
    await register(gateway, {
      notifySecret: Buffer.from('shh').toString('base64'),
      notifyData: Buffer.from('data').toString('base64'),
      notifyServerId: 'gw',
    });
    const { status, body } = await handIn(gateway, package0);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      number: 0x1234,
      askedNumber: 0x1234,
      form: 'options',
      uiMode: 'informative',
    });
    const bytes = await until(() => datagrams[0]);
    // VER 2, OC 6; SERVER-ID, ANY, 0x1234, digest, TIMESTAMP, REQ-MOS.
    expect(bytes.subarray(0, 12)).toEqual(hex('23 00 12 6777 11 00 12 1234 1f 11'));
    const zeroed = Buffer.from(bytes);
    zeroed.fill(0, 12, 44);
    expect(bytes.subarray(12, 44)).toEqual(
      createHash('sha256').update('shh').update(zeroed).update('data').digest(),
    );
    expect(bytes.subarray(44, 45)).toEqual(hex('14'));
    expect(bytes.subarray(49)).toEqual(hex('10'));
    expect(body.notes).toEqual([
      { rule: 'IW-NOT-2', text: expect.stringContaining('ui-mode (informative)') },
    ]);

    await client.session({ notificationId: 0x1234 });
    const { session } = await answered(gateway, body);
    expect(session).toBeDefined();
    expect(server.sessions.at(-1)).toMatchObject({ sessionId: '1234', opening: '1200' });
  });

  it.each([
    ['long ago', -30 * 24 * 3600, 400],
    ['in the future', 3600, 400],
    ['a minute ahead', 60, 202],
  ])('whose server sent its Package#0 %s (%i s): HTTP %i [IW-NOT-1]', async (_, seconds, expected) => {
    const { gateway, client } = await between();
    await client.session();
    const stamp = Buffer.alloc(4);
    stamp.writeUInt32BE(Math.floor(Date.now() / 1000) + seconds);
    // VER 2, OC 3; SERVER-ID, ANY, TIMESTAMP.
    const bytes = Buffer.concat([hex('21 80 16'), Buffer.from('legacy'), hex('11 00 34'), stamp]);
    const { status, body } = await handIn(gateway, bytes);
    expect({ status, body }).toMatchObject({ status: expected });
    if (expected === 400) expect(JSON.stringify(body)).toContain('TIMESTAMP');
  });

  it('is sent no digest without a secret, and says so [IW-NOT-1]', async () => {
    const { gateway, client, datagrams } = await between();
    await client.session();
    const asked = await notify(gateway, { connection: 'cellular' });
    const bytes = await until(() => datagrams[0]);
    expect(bytes.subarray(0, -5)).toEqual(
      Buffer.concat([hex('22 80 18'), Buffer.from('dragoman'), hex(`11 01 12 ${hex4(asked.number)} 24`)]),
    );
    expect(asked.notes).toEqual([{ rule: 'IW-NOT-1', text: expect.stringContaining('SHA256-DIGEST') }]);
  });

  it('of the first draft is woken by bit fields, and known by the URL that they name [IW-NOT-1] [IW-NOT-2]', async () => {
    const { server, gateway, datagrams } = await between();
    const post = (url: string, type: string, body: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': type, 'x-omadmdeviceid': ID, accept: 'application/dm20' },
        body,
      });
    const opening = `{"MO":[],"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","DevID":"${ID}","Man":"Early"}]}`;
    /** A whole session of a client that can read nothing. */
    const session = async (url: string) => {
      let commands = await (await post(url, 'application/tnds20', opening)).text();
      for (let n = 0; !/END\r\n$/.test(commands); n += 1) {
        expect(commands).toMatch(new RegExp(`^MsgID ${n}\\r\\n`));
        commands = await (await post(url, 'application/dm20status', `MsgID ${n}\r\n404\r\n`)).text();
      }
    };
    await session(gateway.dm);
    const { body } = await handIn(gateway, package0);
    expect(body).toMatchObject({ form: 'bits', number: 0x1234 });
    const bytes = await until(() => datagrams[0]);
    const url = `${gateway.gateway.urls.public}/dm?notification=4660`;
    // 2.0 as 20, informative, server, objects and instances wanted, the URL.
    expect(bytes).toEqual(Buffer.concat([hex(`05 2b 00 00 ${url.length.toString(16)}`), Buffer.from(url)]));
    await session(bytes.subarray(5).toString());
    await answered(gateway, body);
    expect(server.sessions.at(-1)).toMatchObject({ sessionId: '1234', opening: '1200' });
  });
});

describe('a device that had no session yet', () => {
  it('gets the very bytes of its legacy server, which knows what it understands [IW-NOT-1]', async () => {
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url: 'http://127.0.0.1:9/dm', serverId: 'legacy' } },
      notifications: { via: 'lan', transports: { lan: LAN } },
    });
    const { address, datagrams } = await mailbox();
    await register(gateway, { notifyAddress: address });
    const trigger = Buffer.concat([hex('02 d8 00 00 00 00 2a 06'), Buffer.from('legacy')]);
    const package0 = Buffer.concat([triggerDigest('legacy', 'secret', 'nonce', trigger), trigger]);
    const { status, body } = await handIn(gateway, package0);
    expect({ status, body }).toMatchObject({ status: 202, body: { form: 'trigger', number: 42 } });
    expect(await until(() => datagrams[0])).toEqual(package0);
  });
});

describe('a device of the same generation as its server', () => {
  const trigger = Buffer.concat([hex('02 d8 00 00 00 00 2a 06'), Buffer.from('legacy')]);
  const package0 = Buffer.concat([triggerDigest('legacy', 'secret', 'nonce', trigger), trigger]);

  it.each(PHONES)(
    '$name gets the bytes of its legacy server, in a WAP push where it waits for that, and answers it itself [IW-NOT-1] [IW-NOT-2] [IW-REL-1]',
    async (phone) => {
      const auth = { type: 'basic', username: 'phone', password: 'secret' } as const;
      const known = phone.needs212 && { auth };
      const server = closing(new LegacyServer({ serverId: 'legacy', ...known }));
      const gateway = await run({
        backends: { legacy: { protocol: 'dm1', url: await server.start(), serverId: 'legacy' } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
        notifications: { via: 'lan', transports: { lan: { ...LAN, framing: 'wsp' } } },
      });
      const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...known }));
      const { address, datagrams } = await mailbox();
      await device.session();
      await register(gateway, { notifyAddress: address });
      const { body } = await handIn(gateway, package0);
      expect(body).toMatchObject({ form: 'trigger', number: 42, notes: [{ rule: 'IW-NOT-1' }] });
      expect(await until(() => datagrams[0])).toEqual(Buffer.concat([hex('01 06 03 c4 af 87'), package0]));
      const sessionId = phone.onlySession ?? '2A';
      await device.session({ sessionAlert: '1200', sessionId });
      await answered(gateway, body);
      expect(server.sessions.at(-1)).toMatchObject({ sessionId, opening: '1200' });
    },
  );

  it('gets the options of its 2.0 server, and gives their number back unchanged [IW-NOT-1] [IW-NOT-2] [IW-REL-1]', async () => {
    const backend = closing(new Dm2Backend());
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url: await backend.start(), serverId: 'dms' } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'dms' }],
      notifications: { via: 'lan', transports: { lan: LAN } },
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    const { address, datagrams } = await mailbox();
    await client.session();
    await register(gateway, { notifyAddress: address });
    const options = hex('21 80 13 646d73 22 0000 30');
    const { body } = await handIn(gateway, options);
    // 0 is a number of 2.0 like any other, yet the gateway's own must fit a trigger as well.
    const number = (await until(() => datagrams[0])).readUInt16BE(2 + 9 + 2 + 1);
    expect(number).toBe(body.number);
    await client.session({ notificationId: number });
    await answered(gateway, body);
    expect(backend.sessions.at(-1)!.alerts).toEqual([
      {
        AlertType: 'urn:oma:at:dm:2.0:ServerInitiatedMgmt',
        DataType: 'text/plain',
        Data: { NotificationID: '0' },
      },
    ]);
  });
});

describe('a webhook', () => {
  async function hooked(verdict?: (index: number) => number, more: Record<string, unknown> = {}) {
    const { calls, url } = await service(verdict);
    const gateway = await run({
      notifications: { via: 'hook', transports: { hook: { type: 'webhook', url, ...more } } },
    });
    await register(gateway, { serverUsername: 'gw', serverPassword: 'pw', notifyAddress: '+4915112345678' });
    return { calls, gateway };
  }

  it('is told all that an SMS centre needs [IW-NOT-1]', async () => {
    const { calls, gateway } = await hooked(undefined, { auth: { type: 'bearer', password: 'token' } });
    const asked = await notify(gateway, { form: 'trigger' });
    const call = await until(() => calls[0]);
    expect(call.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer token' });
    const { body, wap, ...rest } = JSON.parse(call.body.toString());
    expect(rest).toMatchObject({
      id: asked.id,
      device: ID,
      address: '+4915112345678',
      copy: 1,
      contentType: PACKAGE0,
      applicationId: 'x-wap-application:syncml.dm',
    });
    expect(wap.userDataHeader).toBe('0605040b84c002');
    // TID, Push, three octets of headers: the type, X-WAP-Application-ID and its value.
    expect(Buffer.from(wap.pdu, 'base64')).toEqual(
      Buffer.concat([hex('01 06 03 c4 af 87'), Buffer.from(body, 'base64')]),
    );
  });

  it('gets the bytes alone where it is configured so [IW-NOT-1]', async () => {
    const { calls, gateway } = await hooked(undefined, { body: 'binary' });
    const asked = await notify(gateway, { form: 'trigger' });
    const { headers, body } = await until(() => calls[0]);
    expect(headers).toMatchObject({
      'content-type': PACKAGE0,
      'x-dragoman-push': asked.id,
      'x-dragoman-device': encodeURIComponent(ID),
    });
    expect(body.subarray(16)).toEqual(hex(`02 c8 00 00 00 ${hex4(asked.number)} 02 6777`));
  });

  it.each([503, 429, 302])('that answers %i is tried again, and only there [IW-NOT-1]', async (status) => {
    const { calls, gateway } = await hooked((index) => (index === 0 ? status : 200));
    const asked = await notify(gateway, { form: 'trigger' });
    await until(() => calls.length === 2);
    await until(async () => (await state(gateway, asked)).state === 'sent');
    expect(calls[1]!.headers['x-dragoman-push']).toBe(calls[0]!.headers['x-dragoman-push']);
  });

  it('that refuses ends the notification with the reason [IW-NOT-1]', async () => {
    const { calls, gateway } = await hooked(() => 422);
    const asked = await notify(gateway, { form: 'trigger' });
    const ended = await until(async () => {
      const now = await state(gateway, asked);
      return now.state === 'failed' && now;
    });
    expect(ended.detail).toContain('422');
    expect(calls).toHaveLength(1);
  });

  it('is told after a restart what it did not take before [IW-NOT-1]', async () => {
    let up = false;
    const { calls, gateway } = await hooked(() => (up ? 200 : 500));
    const asked = await notify(gateway, { form: 'trigger' });
    await until(() => calls[0]);
    up = true;
    const next = await gateway.restart();
    const sent = await until(async () => {
      const now = await state(next, asked);
      return now.state === 'sent' && now;
    });
    expect(sent).toMatchObject({ id: asked.id, number: asked.number, sent: 1 });
  });
});

describe('a notification that cannot be', () => {
  const LEGACY = { protocol: 'dm1', url: 'http://127.0.0.1:9/dm', serverId: 'legacy' };
  const TRIGGER = Buffer.concat([Buffer.alloc(16), hex('02 c8 00 00 00 00 01 06'), Buffer.from('legacy')]);
  async function gatewayWith(device: Record<string, unknown>) {
    const gateway = await run({
      backends: { legacy: LEGACY },
      notifications: { transports: { lan: LAN, closed: { type: 'udp' } } },
    });
    await register(gateway, { serverUsername: 'gw', serverPassword: 'pw', ...device });
    return gateway;
  }

  it.each([
    ['an unknown transport', { form: 'trigger', via: 'pigeon' }, 'there is no transport "pigeon"'],
    ['no transport at all', { form: 'trigger' }, 'notifications.via'],
    ['no address', { form: 'trigger', via: 'lan' }, 'notifyaddress'],
    ['nothing known of the device', { via: 'lan', address: 'x' }, 'give `form`'],
    ['an unknown ui-mode', { form: 'trigger', uiMode: 'loud' }, 'uimode'],
    ['a member that nothing knows', { colour: 'red' }, 'colour'],
  ])('for %s is refused with the reason [IW-NOT-1]', async (_what, body, reason) => {
    const gateway = await gatewayWith({});
    const answer = await gateway.api<{ detail: string }>('POST', `/api/devices/${ID}/notify`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail.toLowerCase()).toContain(reason);
  });

  it('for a device without an account for the gateway is refused: a trigger needs a digest [IW-NOT-1]', async () => {
    const gateway = await run({ notifications: { via: 'lan', transports: { lan: LAN } } });
    await register(gateway, { notifyAddress: '127.0.0.1:9' });
    const answer = await gateway.api<{ detail: string }>('POST', `/api/devices/${ID}/notify`, {
      form: 'trigger',
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('serverPassword') },
    });
  });

  it.each([
    ['no bytes', Buffer.alloc(0), 400],
    ['bytes that are none', Buffer.from('hello, wake up'), 400],
    ['one cut short', TRIGGER.subarray(0, -1), 400],
    ['one of a server that nobody knows', Buffer.from(hex('20 80 13 666f6f')), 403],
    ['one from 2001', Buffer.from(hex('21 00 16 6c6567616379 44 3b9aca00')), 400],
    ['more bytes than any has', Buffer.alloc(20_000, 0x20), 413],
  ])('from a server with %s is refused [IW-NOT-1]', async (_what, bytes, status) => {
    const gateway = await gatewayWith({ notifyVia: 'lan', notifyAddress: '127.0.0.1:9' });
    const answer = await handIn(gateway, bytes);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).not.toContain('internal');
  });

  it('for its network is no network is told at the start', async () => {
    const lan = { type: 'udp', networks: ['999.0.0.0/8'] };
    await expect(run({ notifications: { transports: { lan } } })).rejects.toMatchObject({
      code: 'configuration',
      detail: expect.stringContaining('999.0.0.0/8'),
    });
  });

  it('for an unknown device is 404', async () => {
    const gateway = await run({});
    expect((await gateway.api('POST', '/api/devices/nobody/notify', {})).status).toBe(404);
    expect((await gateway.api('GET', '/api/devices/nobody/notifications')).status).toBe(404);
    expect((await gateway.api('GET', '/api/notifications/ntf_none')).status).toBe(404);
  });

  it.each(['127.0.0.1:9', '169.254.169.254', '[::1]:9', 'localhost', 'no such:host', '1.2.3.4:99999'])(
    'for a device at %s outside the networks of its transport fails, unsent [IW-NOT-1]',
    async (address) => {
      const gateway = await gatewayWith({});
      const asked = await notify(gateway, { form: 'trigger', via: 'closed', address });
      const ended = await until(async () => {
        const now = await state(gateway, asked);
        return now.state === 'failed' && now;
      });
      expect(ended.detail).toMatch(/private or reserved|no host/);
    },
  );

  it('is withdrawn once, while it is under way', async () => {
    const { url } = await service(() => 503);
    const gateway = await run({
      notifications: { via: 'hook', transports: { hook: { type: 'webhook', url } } },
    });
    await register(gateway, { serverUsername: 'gw', serverPassword: 'pw' });
    const { id } = await notify(gateway, { form: 'trigger' });
    expect((await gateway.api('DELETE', `/api/notifications/${id}`)).status).toBe(204);
    expect((await gateway.api('DELETE', `/api/notifications/${id}`)).status).toBe(409);
    expect(await state(gateway, { id })).toMatchObject({ state: 'withdrawn' });
  });
});
