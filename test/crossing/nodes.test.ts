import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { type Postgres, postgresBinaries, startPostgres } from '../store/postgres.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const UPDATE = 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate';

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen.');
}

describe.runIf(postgresBinaries() !== undefined)('what began at one node and goes on at another', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  /** Two nodes on one store, reached by devices at URLs of their own. */
  async function nodes(config: Record<string, unknown>) {
    const store = await postgres.database();
    const first = await run({ ...config, store });
    const second = await run({ ...config, store });
    return [first, second] as const;
  }

  it.each(PHONES)('finds the ServerURI of an EXEC on a device $name [IW-EXEC-2]', async (phone) => {
    const backend: Dm2Backend = closing(
      new Dm2Backend({
        path: '/dm20',
        script: (session) =>
          session === backend.sessions[0] && session.commands.length === 0
            ? [['EXEC', `${FUMO}//DownloadAndUpdate`, '{origin}/reports/1']]
            : undefined,
      }),
    );
    const [first, second] = await nodes({
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ backend: 'dms' }],
    });
    const device = closing(new LegacyDevice({ url: first.dm, deviceId: ID, ...phone.device }));
    await device.session();
    expect(backend.sessions[0]!.commands[0]!.status).toEqual({ sc: 202 });
    const moved = closing(new LegacyDevice({ url: second.dm, deviceId: ID, ...phone.device }));
    await moved.session({
      alerts: [{ source: './FUMO/fw/DownloadAndUpdate', type: UPDATE, format: 'int', data: '200' }],
    });
    await until(() => backend.messages.some(({ url }) => url.endsWith('/reports/1')));
    const told = backend.sessions.filter(({ alerts }) =>
      alerts.some(({ AlertType }) => AlertType === UPDATE),
    );
    expect(told).toHaveLength(1);
  });

  it("finds the Correlator of a legacy server's Exec [IW-WR-3]", async () => {
    const server: LegacyServer = closing(
      new LegacyServer({
        script: (session) =>
          session === server.sessions[0] && session.commands.length === 0
            ? [{ kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c-1' }]
            : undefined,
      }),
    );
    const [first, second] = await nodes({
      backends: { legacy: { protocol: 'dm1', url: await server.start() } },
      routes: [{ backend: 'legacy' }],
    });
    const client = closing(new Dm2Client({ url: first.dm, deviceId: ID }));
    await client.session();
    const { url = '', alert } = client.state.reports[0]!;
    await client.session({ url: `${second.dm}${new URL(url).search}`, alerts: [alert] });
    expect(server.sessions.at(-1)!.alerts[0]).toMatchObject({ correlator: 'c-1' });
  });

  it.each(PHONES)(
    'knows the notification that a device $name answers, and is told once of a bootstrap [IW-NOT-2] [IW-ALERT-1]',
    async (phone) => {
      const backend = closing(new Dm2Backend());
      const [first, second] = await nodes({
        backends: { dms: { protocol: 'dm2', url: await backend.start() } },
        routes: [{ backend: 'dms' }],
        notifications: { via: 'lan', transports: { lan: { type: 'udp', networks: ['127.0.0.0/8'] } } },
      });
      const device = closing(new LegacyDevice({ url: second.dm, deviceId: ID, ...phone.device }));
      await first.api('POST', `/api/devices/${ID}/bootstrap`, {});
      const { body } = await first.api<{ id: string; number: number }>('POST', `/api/devices/${ID}/notify`, {
        form: 'trigger',
        address: '127.0.0.1:9',
      });
      const path = `/api/notifications/${body.id}`;
      await until(async () => (await second.api<{ state: string }>('GET', path)).body.state === 'sent');
      await device.session({
        sessionAlert: '1200',
        sessionId: phone.onlySession ?? body.number.toString(16).toUpperCase(),
      });
      expect((await first.api('GET', path)).body).toMatchObject({
        state: 'answered',
        session: expect.any(String),
      });
      const again = closing(new LegacyDevice({ url: first.dm, deviceId: ID, ...phone.device }));
      await again.session();
      const complete = backend.sessions.map(
        ({ alerts }) => alerts.filter(({ AlertType }) => AlertType.endsWith('BootstrapComplete')).length,
      );
      expect(complete).toEqual([1, 0]);
    },
  );
});
