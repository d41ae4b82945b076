import { describe, expect, it } from 'vitest';
import {
  Dm2Backend,
  Dm2Client,
  type LegacyAuth,
  LegacyDevice,
  LegacyServer,
} from '../../src/simulator/index.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const DONE = 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate';
const PACKAGE = 'http://fw.example/2.0.bin';
const DOCUMENT = {
  body: [{ ClientURI: `${FUMO}//DownloadAndUpdate/PkgURL`, MOData: { PkgURL: PACKAGE } }],
};

/** A device with firmware to update: what its operation does, and what it was told. */
interface Device {
  /** Root of its FUMO object for a legacy server. */
  readonly root: string;
  session(): Promise<unknown>;
  /** The operation is over: the new State, and the session that reports its result. */
  finish(state: string): Promise<unknown>;
  /** PkgURL as it stands on the device. */
  packageUrl(): unknown;
}

/** Downloading and updating takes until `finish`; till then State says that it is under way. */
const UNDER_WAY = '60';

function legacyDevice(gateway: Running, phone: Phone, auth?: LegacyAuth): Device {
  let due: { correlator?: string } | undefined;
  const device = closing(
    new LegacyDevice({
      url: gateway.dm,
      deviceId: ID,
      ...phone.device,
      ...(auth && { auth }),
      exec: ({ correlator }) => {
        due = correlator === undefined ? {} : { correlator };
        node('State').value = UNDER_WAY;
        return { status: 202 };
      },
    }),
  );
  const node = (...path: string[]) => device.tree.find(['FUMO', 'fw', ...path])!;
  return {
    root: './FUMO/fw',
    session: () => device.session(),
    finish: (state) => {
      node('State').value = state;
      const source = './FUMO/fw/DownloadAndUpdate';
      return device.session({ alerts: [{ ...due, source, type: DONE, format: 'int', data: '200' }] });
    },
    packageUrl: () => node('DownloadAndUpdate', 'PkgURL').value,
  };
}

function dm2Client(gateway: Running): Device {
  let serverUri: string | undefined;
  const client = closing(
    new Dm2Client({
      url: gateway.dm,
      deviceId: ID,
      exec: (call) => {
        serverUri = call.serverUri;
        node('State').value = UNDER_WAY;
        return { status: 202 };
      },
    }),
  );
  const node = (...path: string[]) => client.objects.tree.find([FUMO, 'fumo1', ...path])!;
  return {
    root: './FUMO/fumo1',
    session: () => client.session(),
    finish: (state) => {
      node('State').value = state;
      const SourceURI = `${FUMO}/fumo1/DownloadAndUpdate`;
      const alert = { AlertType: DONE, SourceURI, DataType: 'int', Data: { DM1x: 200 } };
      return client.session({ ...(serverUri !== undefined && { url: serverUri }), alerts: [alert] });
    },
    packageUrl: () => node('DownloadAndUpdate', 'PkgURL').value,
  };
}

type DeviceOf = (gateway: Running, auth?: LegacyAuth) => Device;
interface Kind {
  readonly known: Phone['config'];
  /** Its reports name the Exec that they are of. */
  readonly correlates: boolean;
  /** What a legacy server asks of it, if anything. */
  readonly auth?: LegacyAuth;
}
const DEVICES: readonly [string, DeviceOf, Kind][] = [
  ...PHONES.map((phone): [string, DeviceOf, Kind] => [
    `a legacy device ${phone.name}`,
    (gateway, auth) => legacyDevice(gateway, phone, auth),
    {
      known: phone.config,
      correlates: phone.has('correlator'),
      ...(phone.needs212 && { auth: { type: 'basic', username: 'phone', password: 'secret' } }),
    },
  ]),
  ['a DM 2.0 device', dm2Client, { known: {}, correlates: true }],
];

async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It did not happen.');
}

describe.each(DEVICES)('the firmware of %s', (_name, deviceOf, { known }) => {
  it('is updated by a DM 2.0 server: URL, 202, result code at ServerURI, State [IW-EXEC-1] [IW-EXEC-2] [IW-HGET-2] [IW-ALERT-2]', async () => {
    const steps = [
      [
        ['HGET', '{origin}/repository/url', `${FUMO}//DownloadAndUpdate/PkgURL`],
        ['EXEC', `${FUMO}//DownloadAndUpdate`, '{origin}/reports/7'],
        ['HPUT', '{origin}/repository/under-way', `${FUMO}//State`],
      ],
      [['HPUT', '{origin}/repository/over', `${FUMO}//State`]],
    ];
    let step = 0;
    const backend: Dm2Backend = closing(
      new Dm2Backend({
        documents: { url: DOCUMENT },
        script: (session) => {
          const reports = session.alerts.some(({ AlertType }) => AlertType === DONE);
          return session.commands.length === 0 && !reports ? steps[step++] : undefined;
        },
      }),
    );
    const gateway = await run({
      ...known,
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ backend: 'dms' }],
    });
    const device = deviceOf(gateway);
    await device.session();
    expect(backend.sessions[0]!.commands.map(({ status }) => status?.sc)).toEqual([200, 202, 200]);
    expect(device.packageUrl()).toBe(PACKAGE);
    await device.finish('100');
    const told = await until(() =>
      backend.sessions.find(({ alerts }) => alerts.some((a) => a.AlertType === DONE)),
    );
    expect(told.alerts.find(({ AlertType }) => AlertType === DONE)).toMatchObject({
      SourceURI: expect.stringMatching(/^urn:oma:mo:oma-fumo:1\.0\/\w+\/DownloadAndUpdate$/),
      Data: { DM1x: 200 },
    });
    expect(backend.messages.filter(({ url }) => url.endsWith('/reports/7')).length).toBeGreaterThan(0);
    if (step === 1) await device.session();
    const state = (path: string) =>
      JSON.stringify(backend.uploads.find((upload) => upload.path === path)?.json);
    expect(state('under-way')).toContain(`"State":"${UNDER_WAY}"`);
    expect(state('over')).toContain('"State":"100"');
  });

  it('is updated by jobs: URL, 202, the result joined to its job, State [IW-EXEC-2]', async () => {
    const host = closing(new Dm2Backend({ documents: { url: DOCUMENT } }));
    const { origin, host: allowed } = new URL(await host.start());
    const gateway = await run({ ...known, outbound: { allow: [allowed] } });
    const device = deviceOf(gateway);
    await device.session();
    const job = await gateway.queue(ID, [
      ['HGET', `${origin}/repository/url`, `${FUMO}//DownloadAndUpdate/PkgURL`],
      ['EXEC', `${FUMO}//DownloadAndUpdate`],
      ['GET', `${FUMO}//State`],
    ]);
    await device.session();
    const { Status = [] } = await gateway.job(job);
    expect(Status.slice(0, 2)).toMatchObject([{ sc: 200 }, { sc: 202 }]);
    expect(device.packageUrl()).toBe(PACKAGE);
    await device.finish('100');
    await until(
      async () =>
        ((await gateway.job(job)) as { reports?: { state: string }[] }).reports?.[0]?.state === 'done',
    );
    expect(await gateway.job(job)).toMatchObject({
      reports: [{ command: 1, state: 'done', alert: { AlertType: DONE, Data: { DM1x: 200 } } }],
    });
    const last = await gateway.queue(ID, [['GET', `${FUMO}//State`]]);
    await device.session();
    expect(JSON.stringify((await gateway.job(last)).Status)).toContain('"State":"100"');
  });
});

/** Between a legacy server and a legacy device nothing is translated: what either lacks stays lacking. */
describe.each(DEVICES)('the firmware of %s', (_name, deviceOf, { known, correlates, auth }) => {
  it('is updated by a legacy server: URL, 202, result code with its Correlator, State [IW-WR-3] [IW-WR-1] [IW-ALERT-3]', async () => {
    let root = '';
    let step = 0;
    const steps = () =>
      [
        [
          { kind: 'Replace', uri: `${root}/DownloadAndUpdate/PkgURL`, format: 'chr', data: PACKAGE },
          { kind: 'Exec', uri: `${root}/DownloadAndUpdate`, correlator: 'fw-2.0' },
          { kind: 'Get', uris: [`${root}/State`] },
        ],
        [],
        [{ kind: 'Get', uris: [`${root}/State`] }],
      ] as const;
    const server: LegacyServer = closing(
      new LegacyServer({
        script: (session) => (session.commands.length === 0 ? steps()[step++] : undefined),
        ...(auth && { auth }),
      }),
    );
    const gateway = await run({
      ...known,
      backends: { legacy: { protocol: 'dm1', url: await server.start() } },
      routes: [{ backend: 'legacy' }],
    });
    const device = deviceOf(gateway, auth);
    root = device.root;
    await device.session();
    const [first] = server.sessions;
    expect(first!.commands.map(({ code }) => code)).toEqual(['200', '202', '200']);
    expect(first!.commands[2]!.results[0]!.data).toBe(UNDER_WAY);
    expect(device.packageUrl()).toBe(PACKAGE);
    await device.finish('100');
    const alert = await until(() =>
      server.sessions.flatMap(({ alerts }) => alerts).find(({ items }) => items.length > 0),
    );
    expect(alert).toMatchObject({
      code: '1226',
      items: [{ source: { uri: `${root}/DownloadAndUpdate` }, meta: { type: DONE }, data: '200' }],
    });
    expect(alert.correlator).toBe(correlates ? 'fw-2.0' : undefined);
    await device.session();
    expect(server.sessions.at(-1)!.commands[0]!.results[0]!.data).toBe('100');
  });
});
