import { describe, expect, it } from 'vitest';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const DM2_ID = 'IMEI:490154203237518';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';

describe.each(PHONES)('a legacy device $name', (phone) => {
  it.each(phone.versions)(
    'of DM %s is managed by the built-in backend [IW-SES-6] [IW-GET-1]',
    async (version) => {
      const gateway = await run();
      const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, version }));
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      const job = await gateway.queue(ID, [
        ['GET', `${DEVINFO}//Man`],
        ['EXEC', 'urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock'],
      ]);
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      expect(await gateway.job(job)).toMatchObject({ state: 'done', Status: [{ sc: 200 }, { sc: 202 }] });
    },
  );

  it.each(['basic', 'md5'] as const)(
    'proves itself by %s, also after a restart [IW-AUTH-1]',
    async (scheme) => {
      const config = { deviceAuth: { dm1: scheme, dm2: 'none' } };
      const account = { username: 'phone', password: 'device-secret' };
      const first = await run(config);
      await first.register(ID, account.username, account.password);
      const device = closing(
        new LegacyDevice({
          url: first.dm,
          deviceId: ID,
          ...phone.device,
          auth: { type: scheme, ...account },
        }),
      );
      const one = await device.session();
      expect(one).toMatchObject({ outcome: 'completed', violations: [] });
      expect(one.statuses.findLast(({ cmd }) => cmd === 'SyncHdr')?.code).toBe('212');

      const second = await first.restart();
      const again = closing(
        new LegacyDevice({
          url: second.dm,
          deviceId: ID,
          ...phone.device,
          auth: { type: scheme, ...account, ...(device.nonces.client && { nonce: device.nonces.client }) },
        }),
      );
      const two = await again.session();
      expect(two).toMatchObject({ outcome: 'completed', violations: [], messages: 1 });

      const stranger = closing(
        new LegacyDevice({
          url: second.dm,
          deviceId: ID,
          ...phone.device,
          auth: { type: scheme, username: 'phone', password: 'guess' },
        }),
      );
      const refused = await stranger.session();
      expect(refused.outcome).toBe('refused');
      expect(refused.statuses.every(({ code }) => code === '401')).toBe(true);
    },
  );

  it.each(['basic', 'md5'] as const)(
    'that wants to know who we are is told by %s [IW-AUTH-2]',
    async (scheme) => {
      const gateway = await run();
      const server = { username: 'dragoman', password: 'server-secret' };
      await gateway.api('POST', '/api/devices', {
        id: ID,
        username: 'phone',
        password: 'device-secret',
        serverUsername: server.username,
        serverPassword: server.password,
        serverAuth: scheme,
      });
      const device = closing(
        new LegacyDevice({
          url: gateway.dm,
          deviceId: ID,
          ...phone.device,
          serverCred: { scheme, ...server },
        }),
      );
      const first = await device.session();
      expect(first).toMatchObject({ outcome: 'completed', violations: [] });
      const job = await gateway.queue(ID, [['GET', `${FUMO}//State`]]);
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      expect(await gateway.job(job)).toMatchObject({ state: 'done', Status: [{ sc: 200 }] });
    },
  );

  it('has its values told as JSON types where they survive, when asked [IW-VAL-1]', async () => {
    const gateway = await run({ values: 'typed', ...phone.config });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    const job = await gateway.queue(ID, [['GET', 'urn:example:mo:settings:1.0//']]);
    await device.session();
    expect((await gateway.job(job)).Status).toMatchObject([
      {
        sc: 200,
        MO: [
          { MOData: { settings: { Volume: 5, Roaming: false, Ringtone: 'Default', Wallpaper: 'AAECAwQF' } } },
        ],
      },
    ]);
  });

  it('is answered under the MOID that the backend used [IW-ADDR-4]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    const job = await gateway.queue(ID, [
      ['GET', 'urn:oma:mo:oma-dm-devinfo:1.0//Man'],
      ['GET', 'oma:mo:oma-dm-devinfo:1.1//Man'],
    ]);
    await device.session();
    expect((await gateway.job(job)).Status).toMatchObject([
      { MO: [{ ClientURI: 'urn:oma:mo:oma-dm-devinfo:1.0/DevInfo/Man' }] },
      { MO: [{ ClientURI: 'urn:oma:mo:oma-dm-devinfo:1.1/DevInfo/Man' }] },
    ]);
  });

  it('whose limits an address exceeds is sent nothing [IW-ADDR-5]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    for (const [name, value] of [
      ['MaxDepth', '4'],
      ['MaxTotLen', '60'],
      ['MaxSegLen', '20'],
    ] as const)
      device.tree.find(['DevDetail', 'URI', name])!.value = value;
    await device.session();
    const job = await gateway.queue(ID, [
      ['GET', `${FUMO}//a/b/c/d`],
      ['GET', `${FUMO}//${'x'.repeat(21)}`],
      ['GET', `${FUMO}//State`],
    ]);
    const report = await device.session();
    expect((await gateway.job(job)).Status?.map(({ sc }) => sc)).toEqual([414, 414, 200]);
    expect(report.executed.filter(({ uri }) => uri?.includes('FUMO'))).toHaveLength(1);
  });
});

describe('a DM 2.0 device on the built-in backend', () => {
  it('is managed in its own terms, and END stands alone [IW-REL-1] [IW-SES-8]', async () => {
    const gateway = await run();
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: DM2_ID }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const job = await gateway.queue(DM2_ID, [
      ['GET', `${DEVINFO}//Man`],
      ['DELETE', `${FUMO}//Nope`],
      ['EXEC', 'urn:oma:mo:oma-lawmo:1.0//Operations/FullyLock'],
    ]);
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(report.executed.at(-1)?.command).toEqual(['END']);
    expect(await gateway.job(job)).toMatchObject({
      state: 'done',
      Status: [{ sc: 200, MO: [{ MOData: { Man: 'Example' } }] }, { sc: 404 }, { sc: 202 }],
    });
  });

  it('proves itself by HTTP Basic [IW-AUTH-4] [IW-SES-2]', async () => {
    const gateway = await run({ deviceAuth: { dm1: 'none', dm2: 'basic' } });
    await gateway.register(DM2_ID, 'tablet', 'device-secret');
    const auth = { type: 'basic', username: 'tablet', password: 'device-secret' } as const;
    const device = closing(new Dm2Client({ url: gateway.dm, deviceId: DM2_ID, auth }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const wrong = closing(
      new Dm2Client({ url: gateway.dm, deviceId: DM2_ID, auth: { ...auth, password: 'guess' } }),
    );
    expect((await wrong.session()).outcome).toBe('refused');
    const other = closing(new Dm2Client({ url: gateway.dm, deviceId: 'IMEI:490154203237519', auth }));
    expect((await other.session()).outcome).toBe('refused');
  });

  it('whose Status list has a hole is trusted in none of it, and gets one command at a time [IW-SES-12]', async () => {
    const gateway = await run();
    const device = closing(
      new Dm2Client({ url: gateway.dm, deviceId: DM2_ID, quirks: { shortStatus: true } }),
    );
    await device.session();
    const commands = [
      ['GET', `${DEVINFO}//Man`],
      ['HGET', 'http://127.0.0.1:1/none', `${FUMO}//PkgName`],
      ['GET', `${DEVINFO}//Mod`],
    ];
    const first = await gateway.queue(DM2_ID, commands);
    await device.session();
    expect(await gateway.job(first)).toMatchObject({ Status: [{ sc: 500 }, { sc: 500 }, { sc: 500 }] });
    const second = await gateway.queue(DM2_ID, commands);
    await device.session();
    expect((await gateway.job(second)).Status?.map(({ sc }) => sc)).toEqual([200, 500, 200]);
  });
});
