import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

/** A gateway between a legacy device and a DM 2.0 backend that works through `script`. */
async function between(
  phone: Phone,
  script: readonly (readonly (readonly string[])[])[],
  options: {
    device?: Partial<ConstructorParameters<typeof LegacyDevice>[0]>;
    backend?: Partial<ConstructorParameters<typeof Dm2Backend>[0]>;
  } = {},
) {
  const backend = closing(new Dm2Backend({ script, ...options.backend }));
  const url = await backend.start();
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const device = closing(
    new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...options.device }),
  );
  const report = await device.session();
  const session = backend.sessions.at(-1)!;
  return { backend, gateway, device, report, session, sc: session.commands.map(({ status }) => status?.sc) };
}

describe.each(PHONES)('a legacy device $name on a DM 2.0 backend', (phone) => {
  it('opens with MOS and the session alert, and closes at END [IW-SES-6] [IW-SES-8] [IW-ALERT-1]', async () => {
    const { report, session } = await between(phone, []);
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session.violations).toEqual([]);
    expect(session.package1.Alert).toEqual([{ AlertType: 'urn:oma:at:dm:2.0:ClientInitiatedMgmt' }]);
    expect(session.package1.MOS?.map((item) => item.MOID)).toEqual(
      expect.arrayContaining([DEVINFO, FUMO, SCOMO, 'urn:oma:mo:oma-lawmo:1.0']),
    );
  });

  it('reads a leaf and an object with GET [IW-GET-1] [IW-GET-2]', async () => {
    const { session } = await between(phone, [
      [
        ['GET', `${FUMO}//State`],
        ['GET', `${DEVINFO}//Man`, `${DEVINFO}//FwV`],
        ['GET', `${FUMO}//Nope`],
      ],
    ]);
    const [state, man, nope] = session.commands.map(({ status }) => status);
    expect(state).toMatchObject({ sc: 200, MO: [{ MOData: { State: '10' } }] });
    expect(man).toMatchObject({
      sc: 200,
      MO: [{ MOData: { Man: 'Example' } }, { MOData: { FwV: '1.0.0' } }],
    });
    expect(nope).toEqual({ sc: 404 });
  });

  it('answers a matching validator with 304 and no data [IW-GET-3]', async () => {
    const first = await between(phone, [[['GET', `${FUMO}//`]]]);
    const cv = first.session.commands[0]!.status!.MO![0]!.CV!;
    const second = await between(phone, [[['GET', `${FUMO}//?cv=${cv}`]], [['GET', `${FUMO}//?cv=other`]]]);
    expect(second.session.commands[0]!.status).toEqual({ sc: 304 });
    expect(second.session.commands[1]!.status).toMatchObject({ sc: 200, MO: [{ CV: cv }] });
  });

  it('uploads one document with HPUT and HPOST [IW-HPUT-1]', async () => {
    const { backend, sc } = await between(phone, [
      [
        ['HPUT', '{origin}/repository/put?id=[DevID]', `${FUMO}//PkgName`],
        ['HPOST', '{origin}/repository/post', `${FUMO}//PkgName`, `${SCOMO}//Inventory/Deployed/*/Version`],
        ['HPOST', '{origin}/repository/post?mnc=[MNC]', `${FUMO}//PkgName`],
      ],
    ]);
    expect(sc).toEqual([200, 200, 400]);
    expect(backend.uploads.map(({ method, json }) => ({ method, json }))).toMatchObject([
      { method: 'PUT', json: [{ MOData: { PkgName: 'base' } }] },
      { method: 'POST', json: [{ MOData: { PkgName: 'base' } }, { MOData: { Version: '1.2' } }] },
    ]);
  });

  it('replaces a leaf by HGET [IW-HGET-2] [IW-VAL-2]', async () => {
    const { device, sc } = await between(
      phone,
      [
        [['HGET', '{origin}/repository/url', `${FUMO}//DownloadAndUpdate/PkgURL`]],
        [['GET', `${FUMO}//DownloadAndUpdate/PkgURL`]],
      ],
      {
        backend: {
          documents: {
            url: {
              body: [
                {
                  ClientURI: `${FUMO}//DownloadAndUpdate/PkgURL`,
                  MOData: { PkgURL: 'http://fw.example/2.bin' },
                },
              ],
            },
          },
        },
      },
    );
    expect(sc).toEqual([200, 200]);
    expect(device.tree.find(['FUMO', 'fw', 'DownloadAndUpdate', 'PkgURL'])?.value).toBe(
      'http://fw.example/2.bin',
    );
  });

  it('deletes and executes, in order, in one message [IW-DEL-1] [IW-EXEC-1] [IW-SEQ-1]', async () => {
    const { report, sc } = await between(phone, [
      [
        ['DELETE', `${SCOMO}//Inventory/Deployed/Component1`],
        ['EXEC', `urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock`],
        ['DELETE', `${SCOMO}//Inventory/Deployed/*`],
        ['EXEC', `urn:oma:mo:oma-lawmo:1.0//Operations/*`],
        ['DELETE', `${DEVINFO}//Man`],
      ],
    ]);
    // 501 of a legacy device is 500 here (IW-STAT-1), and then there still is something to delete.
    expect(sc).toEqual(phone.has('delete') ? [200, 202, 404, 405, 405] : [500, 202, 500, 405, 500]);
    expect(report.violations).toEqual([]);
    expect(report.executed.filter((did) => did.command === 'Exec' && did.code !== 215)).toHaveLength(1);
  });

  it('moves the backend leg at CONT, unseen by the device [IW-SES-9]', async () => {
    const { session, report, sc } = await between(phone, [
      [['CONT', '{origin}/dm20?moved=1']],
      [['GET', `${FUMO}//State`]],
    ]);
    expect(sc).toEqual([200, 200]);
    expect(session.state).toBe('completed');
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  });

  it('says 501, 400 and 404 for what cannot be done, and goes on [IW-ADDR-1]', async () => {
    const { sc } = await between(phone, [
      [
        ['FROB', 'x'],
        ['GET'],
        ['GET', 'no client uri'],
        ['GET', 'urn:oma:mo:unknown:1.0//x'],
        ['GET', `${FUMO}//State`],
      ],
    ]);
    expect(sc).toEqual([501, 400, 400, 404, 200]);
  });

  it('tells the backend of alerts, translated [IW-ALERT-2] [IW-ALERT-4] [IW-ALERT-5]', async () => {
    const { session, report } = await between(phone, [], {
      device: {
        alerts: [
          {
            type: 'Reversed-Domain-Name: org.openmobilealliance.dm.firmwareupdate.update',
            source: './FUMO/fw/Update',
            format: 'int',
            mark: 'critical',
            data: '200',
          },
          { code: '1224', type: 'com.example.event', format: 'chr', data: 'lid open' },
          { type: 'org.example.unplaced', source: './Nowhere/x', format: 'chr', data: 'x' },
        ],
      },
    });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session.package1.Alert?.slice(1)).toEqual([
      {
        AlertType: 'org.openmobilealliance.dm.firmwareupdate.update',
        SourceURI: `${FUMO}/fw/Update`,
        Mark: 'critical',
        DataType: 'int',
        Data: { DM1x: 200 },
      },
      { AlertType: 'com.example.event', DataType: 'chr', Data: { DM1x: 'lid open' } },
      { AlertType: 'org.example.unplaced', DataType: 'chr', Data: { DM1x: 'x' } },
    ]);
  });
});

describe.each(['xml', 'wbxml'] as const)(
  'the placeholders of a ServerURI, on a legacy device in %s',
  (encoding) => {
    const DevInfo = { DevId: ID, Man: 'A & B', Mod: 'X/1', DmV: '1.2', Lang: 'en' };
    const FUMO_TREE = { fw: { PkgName: 'base' } };
    const ask = async (more: Record<string, string>) => {
      const tree = { DevInfo: { ...DevInfo, ...more }, FUMO: FUMO_TREE };
      const query = ['MNC', 'MCC', 'CMNC', 'CMCC', 'MAN', 'MOD', 'IMEI'].map((name) => `${name}=[${name}]`);
      const command = ['HPUT', `{origin}/repository/up?${query.join('&')}`, `${FUMO}//PkgName`];
      const { backend, sc, gateway } = await between(PHONES[0]!, [[command]], { device: { tree, encoding } });
      const urls = backend.messages.map(({ url }) => url).filter((url) => url.includes('/repository/up'));
      return { sc, urls, notes: await gateway.notes(ID) };
    };

    it('are what the device tells of itself, its SIM and its network [IW-HPUT-1] [20§5]', async () => {
      const { sc, urls } = await ask({ MCC: '262', MNC: '01', CMCC: '310', CMNC: '410' });
      expect(sc).toEqual([200]);
      expect(urls.length).toBeGreaterThan(0);
      expect(urls[0]).toMatch(
        /\?MNC=01&MCC=262&CMNC=410&CMCC=310&MAN=A%20%26%20B&MOD=X%2F1&IMEI=493005100592800$/,
      );
    });

    it('send nothing where one of them is not known [IW-HPUT-1] [20§5]', async () => {
      const { sc, urls, notes } = await ask({ MCC: '262', MNC: '01', CMCC: '310' });
      expect([sc, urls]).toEqual([[400], []]);
      expect(notes.map(({ text }) => text).join()).toContain('[CMNC]');
    });
  },
);
