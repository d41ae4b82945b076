import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import type { HttpServerOptions } from '../../src/simulator/httpServer.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';

interface Entry {
  readonly id: string;
  readonly device: string;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly reason?: string;
}

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen.');
}

async function outbox(gateway: Running, query = ''): Promise<readonly Entry[]> {
  const { status, body } = await gateway.api<{ alerts: Entry[] }>('GET', `/api/outbox${query}`);
  expect(status).toBe(200);
  return body.alerts;
}

const settled = (gateway: Running) => async () => (await outbox(gateway, '?state=waiting')).length === 0;

const event = (data: string) => ({ type: 'org.example.event', source: './DevInfo', format: 'chr', data });

/** What the backend was told, session by session, without the alerts that open one. */
const toldTo = (backend: Dm2Backend) =>
  backend.sessions
    .map(({ alerts }) => alerts.filter(({ Data }) => Data).map(({ Data }) => Data!['DM1x']))
    .filter((alerts) => alerts.length > 0);

describe.each(PHONES)('alerts of a legacy device $name', (kind) => {
  /** A backend that answers what `fault` says while that says anything. */
  async function between(fault: HttpServerOptions['fault'], config: Record<string, unknown> = {}) {
    const backend = closing(new Dm2Backend(fault ? { fault } : {}));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
      ...config,
    });
    const device = (deviceId = ID) =>
      closing(new LegacyDevice({ url: gateway.dm, deviceId, ...kind.device }));
    return { backend, gateway, device };
  }

  it('go in their session and are settled there [IW-ALERT-6]', async () => {
    const { backend, gateway, device } = await between(undefined);
    await device().session({ alerts: [event('one'), event('two')] });
    expect(toldTo(backend)).toEqual([['one', 'two']]);
    expect(await outbox(gateway)).toMatchObject([
      { device: ID, state: 'delivered', attempts: 0 },
      { device: ID, state: 'delivered', attempts: 0 },
    ]);
  });

  it('reach a backend that failed, later, in order, in sessions of their own [IW-ALERT-6] [IW-SES-10]', async () => {
    let down = true;
    const { backend, gateway, device } = await between(() => (down ? { status: 503 } : undefined));
    const phone = device();
    const report = await phone.session({ alerts: [event('one'), event('two')] });
    // The device was told that its alerts were taken.
    expect(report.statuses.filter(({ cmd }) => cmd === 'Alert').every(({ code }) => code === '200')).toBe(
      true,
    );
    await until(async () => (await outbox(gateway)).some(({ attempts, reason }) => attempts > 0 && reason));
    down = false;
    await phone.session({ alerts: [event('three')] });
    await until(settled(gateway));
    expect(toldTo(backend).flat()).toEqual(['one', 'two', 'three']);
    expect(toldTo(backend)).toHaveLength(3);
    const [first] = backend.sessions.filter(({ alerts }) =>
      alerts.some(({ Data }) => Data?.['DM1x'] === 'one'),
    );
    expect(first).toMatchObject({ deviceId: ID, violations: [], state: 'completed' });
    expect(first!.package1.MOS?.length).toBeGreaterThan(3);
    expect((await gateway.notes(ID)).map(({ rule }) => rule)).toContain('IW-ALERT-6');
  });

  it('survive a restart of the gateway [IW-ALERT-6]', async () => {
    let down = true;
    const { backend, gateway, device } = await between(() => (down ? 'drop' : undefined));
    await device().session({ alerts: [event('kept')] });
    down = false;
    const restarted = await gateway.restart();
    await until(settled(restarted));
    expect(toldTo(backend)).toEqual([['kept']]);
  });

  it('that the backend refuses become dead letters and hold up nobody [IW-ALERT-6]', async () => {
    const { backend, gateway, device } = await between((request) =>
      Buffer.from(request.body).includes('poison') ? { status: 422 } : undefined,
    );
    const phone = device();
    await phone.session({ alerts: [event('poison'), event('good')] });
    await device('IMEI:2').session({ alerts: [event('of another')] });
    await until(settled(gateway));
    expect(toldTo(backend).flat().sort()).toEqual(['good', 'of another']);
    const [dead, ...others] = await outbox(gateway, `?state=dead&device=${encodeURIComponent(ID)}`);
    expect(dead).toMatchObject({ device: ID, state: 'dead', reason: expect.stringContaining('HTTP 422') });
    expect(others).toEqual([]);
  });

  it('that are dead letters are tried again or thrown away by the operator, others not [IW-ALERT-6]', async () => {
    let poisonous = true;
    const { backend, gateway, device } = await between((request) =>
      poisonous && Buffer.from(request.body).includes('poison') ? { status: 422 } : undefined,
    );
    const phone = device();
    await phone.session({ alerts: [event('poison 1'), event('poison 2'), event('good')] });
    const dead = await until(async () => {
      const entries = await outbox(gateway, '?state=dead');
      return entries.length === 2 && entries;
    });
    const at = (id: string, more = '') => `/api/outbox/${encodeURIComponent(id)}${more}`;
    const [second, first] = dead;
    const again = await gateway.api<Entry>('POST', at(first!.id, '/retry'));
    expect(again).toMatchObject({ status: 202, body: { id: first!.id, state: 'waiting', attempts: 0 } });
    // Still refused: a dead letter once more, with its reason.
    await until(async () => (await outbox(gateway, '?state=dead')).length === 2);
    poisonous = false;
    expect((await gateway.api('POST', at(first!.id, '/retry'))).status).toBe(202);
    await until(async () => (await gateway.api<Entry>('GET', at(first!.id))).body.state === 'delivered');
    expect(toldTo(backend).flat()).toEqual(['good', 'poison 1']);

    expect((await gateway.api('POST', at(first!.id, '/retry'))).status).toBe(409);
    expect((await gateway.api('DELETE', at(first!.id))).status).toBe(409);
    expect((await gateway.api('DELETE', at(second!.id))).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect((await gateway.api(method, at(second!.id))).status).toBe(404);
    expect((await gateway.api('POST', at(second!.id, '/retry'))).status).toBe(404);
    expect(await outbox(gateway, '?state=dead')).toEqual([]);
  });

  it('are delivered when their device leaves in the middle of its session [IW-ALERT-6] [IW-SES-11]', async () => {
    const { backend, gateway, device } = await between(undefined, { limits: { sessionSeconds: 1 } });
    const phone = device();
    phone.begin({ alerts: [event('last words')] });
    // The first answer, which asks for the inventory, has the alert's Status in it.
    await phone.step();
    expect(phone.report.statuses.some(({ cmd, code }) => cmd === 'Alert' && code === '200')).toBe(true);
    phone.drop();
    expect(await outbox(gateway)).toMatchObject([{ state: 'waiting' }]);
    await until(settled(gateway));
    expect(toldTo(backend)).toEqual([['last words']]);
  });

  it('wait for no session with the built-in backend [IW-ALERT-6]', async () => {
    const gateway = await run({});
    const phone = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...kind.device }));
    await phone.session({ alerts: [event('here')] });
    expect(await outbox(gateway, '?state=delivered')).toHaveLength(1);
    const { body } = await gateway.api<{ alerts: { alert: object }[] }>(
      'GET',
      `/api/devices/${encodeURIComponent(ID)}/alerts`,
    );
    expect(body.alerts).toMatchObject([
      { alert: { AlertType: 'org.example.event', Data: { DM1x: 'here' } } },
    ]);
  });
});

describe.each(['xml', 'wbxml'] as const)('alerts of a 2.0 client for a legacy server in %s', (encoding) => {
  const alert = (value: string) => ({
    AlertType: 'urn:example:at:event',
    SourceURI: 'urn:oma:mo:oma-fumo:1.0/fumo1/State',
    DataType: 'chr',
    Data: { DM1x: value },
  });

  it('reach a server that failed, later, in a session of their own [IW-ALERT-6] [IW-ALERT-3]', async () => {
    let down = true;
    const account = { username: 'gateway', password: 'secret-to-server' };
    const server = closing(
      new LegacyServer({
        auth: { type: 'md5', ...account },
        fault: () => (down ? { status: 500 } : undefined),
        script: (session) =>
          session.commands.length === 0 ? [{ kind: 'Get', uris: ['./FUMO/fumo1/State'] }] : undefined,
      }),
    );
    const url = await server.start();
    const gateway = await run({
      backends: { legacy: { protocol: 'dm1', url, encoding, auth: { type: 'md5', ...account } } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    expect(await client.session({ alerts: [alert('one'), alert('two')] })).toMatchObject({
      outcome: 'completed',
    });
    await until(async () => (await outbox(gateway)).some(({ attempts, reason }) => attempts > 0 && reason));
    down = false;
    await until(settled(gateway));
    const told = server.sessions.filter(({ alerts }) => alerts.length > 0);
    expect(told).toHaveLength(2);
    expect(told.map(({ alerts }) => alerts.map(({ items }) => items[0]?.data))).toEqual([['one'], ['two']]);
    expect(told[0]).toMatchObject({
      opening: '1201',
      authenticated: 'md5',
      violations: [],
      devInfo: { DevId: ID, Man: 'Example' },
      alerts: [{ code: '1226', items: [{ source: { uri: './FUMO/fumo1/State' } }] }],
    });
    // Nobody was there to execute what the server asked.
    expect(told[0]!.commands.map(({ code }) => code)).toEqual(['500']);
  });
});

it('a legacy server that goes on asking a device that is not there gets an abort [IW-ALERT-6] [IW-SES-10]', async () => {
  let down = true;
  const server = closing(
    new LegacyServer({
      fault: () => (down ? 'drop' : undefined),
      script: ({ alerts }) => (alerts.length > 0 ? [{ kind: 'Get', uris: ['./DevInfo/Man'] }] : undefined),
    }),
  );
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
  await client.session({ alerts: [{ AlertType: 'urn:example:at:event' }] });
  down = false;
  await until(settled(gateway));
  expect(await outbox(gateway)).toMatchObject([{ state: 'delivered' }]);
  expect(server.sessions.at(-1)).toMatchObject({ state: 'aborted', violations: [] });
});

describe('alerts of a 2.0 client for a DM 2.0 backend', () => {
  it('reach a backend that failed, later [IW-ALERT-6] [IW-REL-1]', async () => {
    let down = true;
    const backend = closing(new Dm2Backend({ fault: () => (down ? { status: 502 } : undefined) }));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'dms' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    await client.session({
      alerts: [{ AlertType: 'urn:example:at:event', DataType: 'x/y', Data: { DM1x: 'one' } }],
    });
    down = false;
    await until(settled(gateway));
    expect(toldTo(backend)).toEqual([['one']]);
    await client.session({
      alerts: [{ AlertType: 'urn:example:at:event', DataType: 'x/y', Data: { DM1x: 'two' } }],
    });
    expect(toldTo(backend)).toEqual([['one'], ['two']]);
  });

  it('lists what waits page by page and says what it does not understand', async () => {
    const gateway = await run({});
    const client = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID }));
    await client.session({ alerts: [event('a'), event('b'), event('c')] });
    const first = await gateway.api<{ alerts: Entry[]; next: string }>('GET', '/api/outbox?limit=2');
    const rest = await gateway.api<{ alerts: Entry[]; next?: string }>(
      'GET',
      `/api/outbox?limit=2&before=${first.body.next}`,
    );
    expect([...first.body.alerts, ...rest.body.alerts].map(({ id }) => id.slice(-2))).toEqual([
      '.2',
      '.1',
      '.0',
    ]);
    expect(rest.body).not.toHaveProperty('next');
    expect((await gateway.api('GET', '/api/outbox?state=lost')).status).toBe(400);
    expect((await gateway.api('GET', '/api/outbox?before=x')).status).toBe(400);
  });
});
