import { describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';

const KINDS = {
  'with ?list=StructData': [],
  'with ?list=Struct only': ['listStructData', 'listTnds'],
  'with ?list=TNDS only': ['listStructData', 'listStruct'],
  'with ?prop only': ['list'],
  'with neither list nor prop': ['list', 'prop'],
} as const;

describe.each(PHONES)('a device $name', (phone) => {
  it.each(Object.entries(KINDS))(
    '%s is found whole and read whole [IW-INV-1] [IW-INV-2] [IW-GET-1]',
    async (_, missing) => {
      const gateway = await run();
      const device = closing(
        new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, missing: [...missing] }),
      );
      const first = await device.session();
      expect(first).toMatchObject({ outcome: 'completed', violations: [] });
      const known = await gateway.api<{ mounts: { moid: string; miid: string; root: string }[] }>(
        'GET',
        `/api/devices/${encodeURIComponent(ID)}`,
      );
      const roots = known.body.mounts.map(({ moid, miid }) => `${moid}/${miid}`);
      expect(roots).toEqual(
        expect.arrayContaining([
          `${FUMO}/fw`,
          `${SCOMO}/SCOMO`,
          'urn:oma:mo:oma-dm-devinfo:1.2/DevInfo',
          'urn:oma:mo:oma-lawmo:1.0/LAWMO',
        ]),
      );

      const job = await gateway.queue(ID, [
        ['GET', `${SCOMO}//Inventory/Deployed`],
        ['GET', `${SCOMO}//?lv=1`],
        ['GET', `${FUMO}/(x)/State?nv=(x)/PkgName:base`],
      ]);
      const second = await device.session();
      expect(second).toMatchObject({ outcome: 'completed', violations: [] });
      const { Status } = await gateway.job(job);
      expect(Status).toMatchObject([
        {
          sc: 200,
          MO: [{ MOData: { Deployed: { Component1: { Name: 'Browser', Operations: expect.anything() } } } }],
        },
        { sc: 200, MO: [{ MOData: { scomo: { Inventory: {}, Download: {} } } }] },
        { sc: 200, MO: [{ MOData: { State: '10' } }] },
      ]);
    },
  );

  it('is asked only for what is needed once it is known [IW-INV-2]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    const idle = await device.session();
    expect(idle.executed).toEqual([]);
    expect(idle.messages).toBe(1);
  });

  it('is looked at again when its firmware changed [IW-INV-2] [IW-INV-3]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    device.tree.find(['DevDetail', 'FwV'])!.value = '2.0.0';
    device.tree.add(['FUMO', 'second'], { format: 'node', type: FUMO });
    await gateway.queue(ID, [['GET', `${FUMO}/fw/State`]]);
    await device.session();
    const job = await gateway.queue(ID, [
      ['GET', `${FUMO}/second/`],
      ['GET', `${FUMO}/fw/State`],
      ['GET', `${FUMO}//State`],
    ]);
    await device.session();
    expect((await gateway.job(job)).Status?.map(({ sc }) => sc)).toEqual([200, 200, 404]);
  });
});
