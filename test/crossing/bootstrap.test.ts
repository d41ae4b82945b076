import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { userHash } from '../../src/dm1/auth/digests.ts';
import type { DmAccount } from '../../src/dm1/bootstrap/account.ts';
import { decodePackage0, verifyPackage0 } from '../../src/dm1/notification/package0.ts';
import { readBootstrap } from '../../src/interworking/bootstrap/document.ts';
import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const COMPLETE = 'urn:oma:at:dm:2.0:BootstrapComplete';

interface Answer {
  readonly contentType: string;
  readonly document: string;
  readonly sent: boolean;
}

async function bootstrap(gateway: Running, body: Record<string, unknown> = {}) {
  const answer = await gateway.api<Answer>('POST', `/api/devices/${ID}/bootstrap`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  const document = Buffer.from(answer.body.document, 'base64');
  return { ...answer.body, document, account: readBootstrap(document).content.accounts[0]! };
}

/** How many sessions of the backend were told, each at most once. */
const told = (backend: Dm2Backend) =>
  backend.sessions.map(({ alerts }) => alerts.filter(({ AlertType }) => AlertType === COMPLETE).length);

const credential = ({ auth }: DmAccount, level: string) => auth.find((entry) => entry.level === level)!;

const pending = async (gateway: Running) =>
  (await gateway.api<{ bootstrappedAt?: string }>('GET', `/api/devices/${ID}`)).body.bootstrappedAt;

describe.each(PHONES)('a legacy device $name that was bootstrapped', (phone) => {
  const config = (url: string) => ({
    deviceAuth: { dm1: 'md5', dm2: 'none' },
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });

  it.each(['cp', 'cp-xml', 'dm'])(
    'by a %s document comes in with the account in it, and its backend is told once [IW-BOOT-1] [IW-ALERT-1]',
    async (form) => {
      const backend = closing(new Dm2Backend());
      const gateway = await run(config(await backend.start()));
      const { account } = await bootstrap(gateway, { form, name: 'Operator' });
      expect(account).toMatchObject({ serverId: 'dragoman', name: 'Operator' });
      expect(account.addresses[0]!.addr).toBe(`${gateway.gateway.urls.public}/dm`);
      const { name, secret } = credential(account, 'CLCRED');
      expect(name).toBe('IMEI.493005100592800');
      expect(await pending(gateway)).toBeDefined();
      const auth = { type: 'md5', username: name!, password: secret! } as const;
      const device = closing(
        new LegacyDevice({ url: account.addresses[0]!.addr, deviceId: ID, ...phone.device, auth }),
      );
      expect((await device.session()).outcome).toBe('completed');
      expect(told(backend)).toEqual([1]);
      expect(backend.sessions[0]!.alerts.map(({ AlertType }) => AlertType)).toEqual([
        'urn:oma:at:dm:2.0:ClientInitiatedMgmt',
        COMPLETE,
      ]);
      expect(await pending(gateway)).toBeUndefined();
      await device.session();
      const next = await gateway.restart();
      const again = closing(new LegacyDevice({ url: next.dm, deviceId: ID, ...phone.device, auth }));
      await again.session();
      expect(told(backend)).toEqual([1, 0, 0]);
    },
  );

  it('before a restart, and whose backend failed at first, is told of when it can be [IW-ALERT-1]', async () => {
    let down = true;
    const backend = closing(new Dm2Backend({ fault: () => (down ? { status: 503 } : undefined) }));
    const first = await run({ ...config(await backend.start()), deviceAuth: { dm1: 'none', dm2: 'none' } });
    await bootstrap(first);
    const gateway = await first.restart();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    expect(await pending(gateway)).toBeDefined();
    down = false;
    await device.session();
    await device.session();
    expect(told(backend)).toEqual([1, 0]);
  });

  it('can be woken with the secret that the document gave it [IW-BOOT-1] [IW-NOT-1]', async () => {
    const bodies: Buffer[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closing({
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const gateway = await run({
      notifications: { via: 'hook', transports: { hook: { type: 'webhook', url } } },
    });
    const key = { sec: 'NETWORKID', secret: '310260123456789' };
    const { document, contentType, sent, account } = await bootstrap(gateway, {
      form: 'dm',
      key,
      via: 'hook',
    });
    expect(sent).toBe(true);
    const mac = createHmac('sha1', key.secret).update(document).digest('hex').toUpperCase();
    expect(contentType).toBe(`application/vnd.syncml.dm+wbxml; SEC=NETWORKID; MAC="${mac}"`);
    const pushed = JSON.parse(bodies[0]!.toString());
    expect(pushed).toMatchObject({ device: ID, contentType, body: document.toString('base64') });
    const pdu = readBootstrap(Buffer.from(pushed.wap.pdu, 'base64'));
    expect(pdu.protection).toEqual({ sec: 'NETWORKID', mac });

    const { status } = await gateway.api('POST', `/api/devices/${ID}/notify`, { form: 'trigger' });
    expect(status).toBe(202);
    for (let tries = 0; bodies.length < 2 && tries < 200; tries += 1)
      await new Promise((r) => setTimeout(r, 25));
    const package0 = decodePackage0(Buffer.from(JSON.parse(bodies[1]!.toString()).body, 'base64'));
    const { name, secret } = credential(account, 'SRVCRED');
    expect(verifyPackage0(package0, userHash(name!, secret!), undefined)).toBe('resync');
  });
});

describe('a DM 2.0 device that was bootstrapped', () => {
  it('comes in with its account, and its 2.0 server is told once, whoever says so [IW-BOOT-1] [IW-ALERT-1]', async () => {
    for (const itself of [false, true]) {
      const backend = closing(new Dm2Backend());
      const gateway = await run({
        deviceAuth: { dm1: 'none', dm2: 'basic' },
        backends: { dms: { protocol: 'dm2', url: await backend.start() } },
        routes: [{ match: { protocol: 'dm2' }, backend: 'dms' }],
      });
      const { account, contentType } = await bootstrap(gateway, {
        form: 'dm2',
        username: 'phone',
        password: 'pw',
      });
      expect(contentType).toBe('application/vnd.oma.dm.mo+json');
      const { name: username = '', secret: password = '' } = credential(account, 'CLCRED');
      expect([username, password]).toEqual(['phone', 'pw']);
      const auth = { type: 'basic', username, password } as const;
      const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, auth }));
      await client.session(itself ? { alerts: [{ AlertType: COMPLETE }] } : {});
      await client.session();
      expect(told(backend)).toEqual([1, 0]);
    }
  });

  it('on a legacy server leaves a note: no alert of DM 1.x says so [IW-ALERT-1]', async () => {
    const server = closing(new LegacyServer());
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url: await server.start() } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    await bootstrap(gateway, { form: 'dm2' });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    await client.session();
    await client.session();
    const notes = (await gateway.notes(ID)).filter(({ text }) =>
      text.startsWith('The bootstrap is complete'),
    );
    expect(notes).toEqual([
      { rule: 'IW-ALERT-1', text: 'The bootstrap is complete; no alert of DM 1.x says so.' },
    ]);
  });
});

describe('a bootstrap that cannot be', () => {
  it.each([
    ['a method without its key', { key: { sec: 'USERPIN' } }, 400, 'needs a PIN'],
    ['a method of the other profile', { key: { sec: 'NETWORKID', secret: 'x' } }, 400, 'NETWORKID'],
    ['an unknown form', { form: 'xml' }, 400, 'cp'],
    ['an unknown transport', { via: 'pigeon' }, 400, 'pigeon'],
    ['a transport that fails', { via: 'hook' }, 502, 'refuses connections'],
    ['a user name with a colon', { username: 'a:b' }, 400, 'colon'],
  ])('for %s registers nothing', async (_what, body, status, said) => {
    const hook = { type: 'webhook', url: 'http://127.0.0.1:9/' };
    const gateway = await run({
      deviceAuth: { dm1: 'md5', dm2: 'none' },
      notifications: { transports: { hook } },
    });
    const answer = await gateway.api<{ detail: string }>('POST', `/api/devices/${ID}/bootstrap`, body);
    expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(said) } });
    expect((await gateway.api('GET', `/api/devices/${ID}`)).status).toBe(404);
  });
});
