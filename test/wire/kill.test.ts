import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { Assassin, type Deaths, expectUnnoticed, live, PATIENT } from './killing.ts';
import { compile, MortalGateway } from './mortal.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const LAWMO = 'urn:oma:mo:oma-lawmo:1.0';
const PKG_URL = `${FUMO}//DownloadAndUpdate/PkgURL`;
const DOCUMENTS = {
  url: { body: [{ ClientURI: PKG_URL, MOData: { PkgURL: 'http://fw.example/2.bin' } }] },
};
const ENCODINGS = ['xml', 'wbxml'] as const;

let built: ReturnType<typeof compile>;
beforeAll(() => {
  built = compile();
});
afterAll(() => built.remove());

/** What a legacy device did, or the test fails: a normal session and each command once. */
function doneOnce({ report }: LegacyDevice): void {
  const { outcome, detail, violations } = report;
  expect({ outcome, detail, violations }).toEqual({ outcome: 'completed', violations: [] });
  const done = report.executed.map(({ command }) => command).filter((command) => command !== 'Get');
  expect(done.filter((command) => command !== 'Atomic' && command !== 'Sequence').sort()).toEqual([
    'Delete',
    'Exec',
    'Replace',
  ]);
}

describe.each(ENCODINGS)('kill -9 under a legacy device in %s on a DM 2.0 backend', (encoding) => {
  it('is noticed by neither, and each command is executed once [IW-SES-4] [IW-SES-6] [IW-SUB-1] [IW-DEF-1]', async () => {
    const assassin: Assassin = new Assassin(() => backend.messages);
    const script = [
      [
        ['GET', `${FUMO}//State`],
        ['SUB', '{origin}/repository/[IMEI]', PKG_URL],
        ['HGET', '{origin}/repository/url', PKG_URL],
      ],
      [['EXEC', `${LAWMO}//Operations/FullyLock`]],
      [
        ['DEFAULT', 'urn:example:mo:absent:1.0', '{origin}/repository/url'],
        ['DELETE', `${SCOMO}//Inventory/Deployed/Component1`],
        ['GET', PKG_URL],
      ],
    ];
    const backend = new Dm2Backend({ script, documents: DOCUMENTS, fault: assassin.fault });
    const url = await backend.start();
    const gateway = await MortalGateway.start(built.dist, {
      backends: { dms: { protocol: 'dm2', url } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    assassin.gateway = gateway;
    const run = async (deaths: Deaths, n: number) => {
      const deviceId = `IMEI:0000000000000${n + 10}`;
      const device = new LegacyDevice({ url: gateway.dm, deviceId, encoding, ...PATIENT });
      assassin.begin(deaths);
      const died = await live(gateway, device, deaths);
      await device.close();
      doneOnce(device);
      const [session, ...later] = backend.sessions.filter((one) => one.deviceId === deviceId).reverse();
      // A lost answer to Package#1 may make the backend open anew; nothing was answered in the first.
      for (const { package1, commands } of later) {
        expect(package1).toEqual(session!.package1);
        expect(commands.every(({ status }) => status === undefined)).toBe(true);
      }
      const { state, violations, package1, commands } = session!;
      expect({ state, violations }).toEqual({ state: 'completed', violations: [] });
      const statuses = commands.map(({ command, status }) => [command[0], status]);
      const { MOS, Alert } = package1;
      const sent = backend.uploads.filter(({ path }) => deviceId.endsWith(path)).map(({ json }) => json);
      // A PUT whose answer was lost comes again, and says the same.
      const uploads = sent.filter((one, i) => JSON.stringify(sent[i - 1]) !== JSON.stringify(one));
      const told = { statuses, MOS, Alert, uploads, messages: device.report.messages };
      return { told, died, requests: assassin.count };
    };
    try {
      const { statuses, uploads, messages } = await expectUnnoticed(
        { each: encoding === 'xml', amids: [3] },
        run,
      );
      expect(messages).toBeGreaterThan(4);
      expect(uploads).toMatchObject([[{ MOData: { PkgURL: 'http://fw.example/2.bin' } }]]);
      expect(statuses).toMatchObject([
        ['GET', { sc: 200 }],
        ['SUB', { sc: 200 }],
        ['HGET', { sc: 200 }],
        ['EXEC', { sc: 202 }],
        ['DEFAULT', { sc: 200 }],
        ['DELETE', { sc: 200 }],
        ['GET', { sc: 200, MO: [{ MOData: { PkgURL: 'http://fw.example/2.bin' } }] }],
      ]);
    } finally {
      await gateway.close();
      await backend.close();
    }
  }, 240_000);
});

describe.each(ENCODINGS)('kill -9 under a legacy device in %s on the built-in backend', (encoding) => {
  it('leaves jobs done, each command executed once [IW-SES-4]', async () => {
    const assassin: Assassin = new Assassin(() => []);
    const documents = new Dm2Backend({ documents: DOCUMENTS, fault: assassin.fault });
    await documents.start();
    const gateway = await MortalGateway.start(built.dist, {
      outbound: { allow: [new URL(documents.url).host] },
    });
    assassin.gateway = gateway;
    const run = async (deaths: Deaths, n: number) => {
      const deviceId = `IMEI:0000000000000${n + 10}`;
      await gateway.api('POST', '/api/devices', { id: deviceId, username: `u${n}`, password: 'p' });
      const queue = async (CMD: string[][]) =>
        (await gateway.api<{ job: string }>('POST', `/api/devices/${deviceId}/commands`, { CMD })).job;
      const jobs = [
        await queue([
          ['GET', `${FUMO}//State`],
          ['HGET', documents.serverUri('url'), PKG_URL],
          ['EXEC', `${LAWMO}//Operations/FullyLock`],
        ]),
        await queue([['DELETE', `${SCOMO}//Inventory/Deployed/Component1`]]),
        await queue([
          ['GET', PKG_URL],
          ['GET', `${FUMO}//Nope`],
        ]),
      ];
      const device = new LegacyDevice({ url: gateway.dm, deviceId, encoding, ...PATIENT });
      assassin.begin(deaths);
      const died = await live(gateway, device, deaths);
      await device.close();
      doneOnce(device);
      const done: unknown[] = [];
      for (const job of jobs) {
        const { state, Status } = await gateway.api<{ state: string; Status: unknown[] }>(
          'GET',
          `/api/jobs/${job}`,
        );
        done.push({ state, Status });
      }
      const told = { done, messages: device.report.messages };
      return { told, died, requests: assassin.count };
    };
    try {
      const { done } = await expectUnnoticed({ each: false, amids: [3] }, run);
      expect(done).toMatchObject([
        { state: 'done', Status: [{ sc: 200 }, { sc: 200 }, { sc: 202 }] },
        { state: 'done', Status: [{ sc: 200 }] },
        { state: 'done', Status: [{ sc: 200 }, { sc: 404 }] },
      ]);
    } finally {
      await gateway.close();
      await documents.close();
    }
  }, 240_000);
});

describe.each(ENCODINGS)('kill -9 under a 2.0 device on a legacy server in %s', (encoding) => {
  it('is noticed by neither, and each command is executed once [IW-SES-4] [IW-SES-7]', async () => {
    const assassin: Assassin = new Assassin(() => server.messages);
    const server = new LegacyServer({
      fault: assassin.fault,
      script: [
        [
          { kind: 'Get', uris: ['./DevInfo/Man'] },
          { kind: 'Get', uris: ['./FUMO'] },
        ],
        [
          { kind: 'Replace', uri: './FUMO/fumo1/PkgName', data: 'new' },
          { kind: 'Add', uri: './FUMO/fumo1/PkgName', data: 'x' },
        ],
        [{ kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c1' }],
        [{ kind: 'Get', uris: ['./FUMO/fumo1/PkgName'] }],
      ],
    });
    const url = await server.start();
    const gateway = await MortalGateway.start(built.dist, {
      backends: { legacy: { protocol: 'dm1', url, encoding } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    assassin.gateway = gateway;
    const run = async (deaths: Deaths, n: number) => {
      const deviceId = `IMEI:0000000000000${n + 10}`;
      let execs = 0;
      const exec = () => {
        execs += 1;
        return { status: 202 };
      };
      const device = new Dm2Client({ url: gateway.dm, deviceId, exec, ...PATIENT });
      assassin.begin(deaths);
      const died = await live(gateway, device, deaths);
      await device.close();
      const { outcome, detail, violations: found } = device.report;
      expect({ outcome, detail, found }).toEqual({ outcome: 'completed', detail: undefined, found: [] });
      expect(execs).toBe(1);
      const all = server.sessions.filter((one) => one.deviceId === deviceId);
      expect(all).toHaveLength(1);
      const { state, violations, devInfo, commands, messages: requests } = all[0]!;
      expect({ state, violations }).toEqual({ state: 'completed', violations: [] });
      const answers = commands.map(({ command, code, results }) => ({
        kind: command.kind,
        code,
        data: results.map(({ data }) => String(data)),
      }));
      const executed = device.report.executed.map(({ command, code }) => [command[0], code]);
      const told = {
        answers,
        executed,
        devInfo: { ...devInfo, DevId: '' },
        messages: device.report.messages,
      };
      return { told, died, requests };
    };
    try {
      const { answers } = await expectUnnoticed({ each: encoding === 'xml', amids: [3, 8] }, run);
      expect(answers).toMatchObject([
        { code: '200', data: ['Example'] },
        { code: '200' },
        { code: '200' },
        { code: '418' },
        { code: '202' },
        { code: '200', data: ['new'] },
      ]);
    } finally {
      await gateway.close();
      await server.close();
    }
  }, 240_000);
});

describe.each(ENCODINGS)('kill -9 under a relayed 1.x device in %s', (encoding) => {
  it('is noticed by neither, and each command is executed once [IW-SES-4] [IW-REL-1]', async () => {
    const assassin: Assassin = new Assassin(() => server.messages);
    const server = new LegacyServer({
      fault: assassin.fault,
      script: [
        [
          { kind: 'Get', uris: ['./DevInfo/Man'] },
          { kind: 'Replace', uri: './FUMO/fw/DownloadAndUpdate/PkgURL', data: 'http://fw.example/2.bin' },
        ],
        [{ kind: 'Exec', uri: './LAWMO/Operations/FullyLock', correlator: 'c1' }],
        [{ kind: 'Delete', uris: ['./SCOMO/Inventory/Deployed/Component1'] }],
      ],
    });
    const url = await server.start();
    const gateway = await MortalGateway.start(built.dist, {
      backends: { legacy: { protocol: 'dm1', url } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'legacy' }],
    });
    assassin.gateway = gateway;
    const run = async (deaths: Deaths, n: number) => {
      const deviceId = `IMEI:0000000000000${n + 10}`;
      const device = new LegacyDevice({ url: gateway.dm, deviceId, encoding, ...PATIENT });
      assassin.begin(deaths);
      const died = await live(gateway, device, deaths);
      await device.close();
      doneOnce(device);
      const all = server.sessions.filter((one) => one.deviceId === deviceId);
      expect(all).toHaveLength(1);
      const { state, violations, commands, messages: requests } = all[0]!;
      expect({ state, violations }).toEqual({ state: 'completed', violations: [] });
      const answers = commands.map(({ command, code, results }) => ({
        kind: command.kind,
        code,
        data: results.map(({ data }) => String(data)),
      }));
      return { told: { answers, messages: device.report.messages }, died, requests };
    };
    try {
      const { answers } = await expectUnnoticed({ each: encoding === 'xml', amids: [2] }, run);
      expect(answers.map(({ code }) => code)).toEqual(['200', '200', '202', '200']);
    } finally {
      await gateway.close();
      await server.close();
    }
  }, 240_000);
});
