import { describe, expect, it } from 'vitest';
import { Dm2Backend, type RepositoryDocument } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const LAWMO = 'urn:oma:mo:oma-lawmo:1.0';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';
const SETTINGS = 'urn:example:mo:settings:1.0';
const DELEGATION = 'urn:x-dragoman:mo:delegation:1.0';
const READ_ALL = { moid: '*', rights: ['read'] };

type Rule = { readonly moid: string; readonly miid?: string; readonly rights: readonly string[] };
type Commands = readonly (readonly string[])[];

/**
 * A legacy device that is moved from backend to backend between its sessions; each is held to its rules,
 * or, with none, to nothing.
 */
async function among(
  phone: Phone,
  rules: Readonly<Record<string, readonly Rule[] | undefined>>,
  options: Partial<ConstructorParameters<typeof LegacyDevice>[0]> = {},
  documents: Record<string, RepositoryDocument> = {},
) {
  const waiting: Commands[] = [];
  const backend = closing(new Dm2Backend({ script: () => waiting.shift(), documents }));
  const url = await backend.start();
  const backends = Object.fromEntries(
    Object.entries(rules).map(([name, access]) => [
      name,
      { protocol: 'dm2', url, serverId: name, ...(access && { access }) },
    ]),
  );
  // The device says by its model to whom it belongs.
  const routes = Object.keys(rules).map((name) => ({ match: { mod: name }, backend: name }));
  let gateway = await run({ backends, routes, ...phone.config });
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...options }));
  return {
    device,
    backend,
    notes: () => gateway.notes(ID),
    restart: async () => {
      gateway = await gateway.restart();
      Object.assign(device.options, { url: gateway.dm });
    },
    /** A session with that backend: the Status items of the commands. */
    as: async (name: string, ...packages: Commands[]) => {
      device.tree.find(['DevInfo', 'Mod'])!.value = name;
      waiting.push(...packages);
      expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
      const session = backend.sessions.at(-1)!;
      const moids = session.package1.MOS!.map(({ MOID }) => MOID);
      const status = session.commands.map((each) => each.status!);
      return { moids, status, sc: status.map(({ sc }) => sc) };
    },
  };
}

describe.each(PHONES)('access control on a legacy device $name', (phone) => {
  it('refuses what no rule allows with 403, and hides what allows nothing (20§10.3)', async () => {
    const { as, device, notes } = await among(
      phone,
      {
        ops: [
          { moid: 'urn:oma:mo:oma-fumo:*', rights: ['read', 'execute'] },
          { moid: SETTINGS, miid: 'Sett*', rights: ['read', 'write'] },
          { moid: SETTINGS, rights: [] },
          { moid: '*devinfo*', rights: ['read'] },
          { moid: LAWMO, rights: ['execute'] },
        ],
      },
      {},
      { bells: { body: 'Bells', contentType: 'text/plain' } },
    );
    const { moids, sc } = await as('ops', [
      ['GET', `${FUMO}//State`],
      ['DELETE', `${FUMO}//PkgName`],
      ['HGET', '{origin}/repository/bells', `${FUMO}//PkgName`],
      ['HGET', '{origin}/repository/bells', `${SETTINGS}//Ringtone`],
      ['EXEC', `${SETTINGS}//Ringtone`],
      ['GET', `${SCOMO}//`],
      ['GET', `${SCOMO}/*/`],
      ['GET', `${LAWMO}//State`],
      ['EXEC', `${LAWMO}//Operations/FullyLock`],
      ['SUB', '{origin}/repository/x', `${LAWMO}//State`],
      ['SUB', '{origin}/repository/x', `${FUMO}//State`],
      ['DEFAULT', FUMO, '{origin}/repository/x'],
      ['DEFAULT', 'urn:oma:mo:oma-connmo:1.0', '{origin}/repository/x'],
      ['HPOST', '{origin}/repository/x', `${FUMO}//State`, `${SCOMO}//`],
    ]);
    expect(sc).toEqual([200, 403, 403, 200, 403, 403, 403, 403, 202, 403, 200, 403, 403, 403]);
    expect(moids).toContain(FUMO);
    expect(moids).not.toContain(SCOMO);
    expect(device.tree.find(['FUMO', 'fw', 'PkgName'])?.value).toBe('base');
    expect((await notes()).map(({ text }) => text)).toContain(`ops has no right to write ${FUMO}//PkgName.`);
  });

  it('lets a backend without rules do everything, and shows it no delegation object', async () => {
    const { as } = await among(phone, { free: undefined, ops: [READ_ALL] });
    const { moids, sc } = await as('free', [
      ['GET', `${SCOMO}//`],
      ['EXEC', `${LAWMO}//Operations/FullyLock`],
      ['GET', `${DELEGATION}//`],
    ]);
    expect(sc).toEqual([200, 202, 404]);
    expect(moids).not.toContain(DELEGATION);
  });

  it('gives who creates an instance sole rights on it, until it delegates them, over a restart too', async () => {
    const instance = { body: [{ ClientURI: `${FUMO}//`, MOData: { fumo: { PkgName: 'mine' } } }] };
    const { as, restart } = await among(
      phone,
      { maker: [{ moid: FUMO, rights: ['read', 'write'] }], other: [READ_ALL] },
      {},
      { instance, read: { body: 'read execute', contentType: 'text/plain' } },
    );
    const made = await as('maker', [['HGET', '{origin}/repository/instance']]);
    expect(made.status).toEqual([{ sc: 200, URI: [`${FUMO}/fumo/`] }]);
    const get = ['GET', `${FUMO}/fumo/PkgName`];
    expect((await as('other', [get, ['GET', `${FUMO}/fw/PkgName`]])).sc).toEqual([403, 200]);

    const seen = await as('maker', [['GET', `${DELEGATION}//Instance`]]);
    const { Instance } = seen.status[0]!.MO![0]!.MOData as {
      Instance: Record<string, { MIID: string; Owner?: string; Rights: Record<string, string> }>;
    };
    const [name] = Object.entries(Instance).find(([, { MIID }]) => MIID === 'fumo')!;
    expect(Instance[name]).toMatchObject({
      MOID: FUMO,
      Owner: 'maker',
      Rights: { maker: 'read write execute delegate' },
    });
    const rights = `${DELEGATION}//Instance/${name}/Rights/other`;
    const give = ['HGET', '{origin}/repository/read', rights];
    // Who may not delegate cannot help itself.
    expect((await as('other', [give])).sc).toEqual([404]);
    await restart();
    expect((await as('maker', [give, ['GET', rights]])).status).toMatchObject([
      { sc: 200 },
      { sc: 200, MO: [{ MOData: { other: 'read execute' } }] },
    ]);
    expect((await as('other', [get, ['DELETE', `${FUMO}/fumo/`], give])).sc).toEqual([200, 403, 403]);
    expect((await as('maker', [['DELETE', rights]])).sc).toEqual([200]);
    expect((await as('other', [get])).sc).toEqual([403]);
    // With the instance its rights are gone, and only with it.
    const gone = phone.has('delete');
    expect((await as('maker', [['DELETE', `${FUMO}/fumo/`]])).sc).toEqual([gone ? 200 : 500]);
    expect((await as('other', [get])).sc).toEqual([gone ? 404 : 403]);
  });

  it('takes no junk for rights, and the delegation object has no other use', async () => {
    const { as } = await among(
      phone,
      { chief: [{ moid: '*', rights: ['read', 'delegate'] }], other: [] },
      {},
      { junk: { body: 'everything', contentType: 'text/plain' } },
    );
    const seen = await as('chief', [
      ['GET', `${DELEGATION}//Instance?lv=0`],
      ['GET', `${DELEGATION}//Instance/*/MIID`],
    ]);
    expect(seen.sc).toEqual([200, 200]);
    const uri = seen.status[1]!.MO![0]!.ClientURI.replace('/MIID', '');
    const { sc } = await as('chief', [
      ['HGET', '{origin}/repository/junk', `${uri}/Rights/other`],
      ['HGET', '{origin}/repository/junk', `${uri}/Rights/nobody`],
      ['HGET', '{origin}/repository/junk', `${uri}/Owner`],
      ['DELETE', `${uri}/Rights/other`],
      ['DELETE', `${DELEGATION}//`],
      ['EXEC', `${uri}/Owner`],
    ]);
    expect(sc).toEqual([415, 404, 405, 404, 405, 405]);
  });

  it('agrees with the ACLs of the device, which are asked for once (1x§7.6)', async () => {
    const tree = {
      $acl: 'Add=*&Get=*',
      DevInfo: { DevId: ID, Man: 'M', Mod: 'm', DmV: '1.2', Lang: 'en' },
      FUMO: {
        fw: {
          $type: FUMO,
          $acl: 'Get=ops&Exec=ops+dragoman',
          State: '10',
          Update: { $access: ['Exec', 'Get'] },
        },
      },
      Settings: { $type: SETTINGS, $acl: 'Get=somebody&Replace=ops', Volume: 3 },
    };
    const all = [{ moid: '*', rights: ['read', 'write', 'execute', 'delegate'] }];
    const { as, device } = await among(phone, { ops: all }, { tree });
    const commands: Commands = [
      ['GET', `${FUMO}//State`],
      ['DELETE', `${FUMO}//State`],
      ['GET', `${SETTINGS}//Volume`],
      ['GET', `${DELEGATION}//Instance`],
    ];
    // One that tells no ACL is held to the rules alone.
    const tells = phone.has('prop');
    const deleted = phone.has('delete') ? 200 : 500;
    const first = await as('ops', commands);
    expect(first.sc).toEqual(tells ? [200, 403, 403, 200] : [200, deleted, 200, 200]);
    const { Instance } = first.status[3]!.MO![0]!.MOData as {
      Instance: Record<string, { MOID: string; Rights: Record<string, string> }>;
    };
    const rights = Object.fromEntries(
      Object.values(Instance).map(({ MOID, Rights }) => [MOID, Rights['ops']]),
    );
    const whole = 'read write execute delegate';
    expect(rights).toMatchObject({
      [FUMO]: tells ? 'read execute' : whole,
      [SETTINGS]: tells ? 'write delegate' : whole,
    });
    const asked = () => device.report.executed.filter(({ uri }) => uri?.includes('?prop=ACL')).length;
    expect(asked()).toBeGreaterThan(0);
    await as('ops', commands);
    expect(asked()).toBe(0);
  });
});

describe('access control on a DM 2.0 client', () => {
  it('holds a DM 2.0 backend to its rules, unseen by the client [IW-REL-1]', async () => {
    const access = [
      { moid: SETTINGS, rights: ['read', 'write'] },
      { moid: LAWMO, rights: ['execute'] },
      { moid: '*devinfo*', rights: ['read'] },
    ];
    const script = [
      [
        ['GET', `${SETTINGS}//Ringtone`],
        ['GET', `${FUMO}//State`],
        ['HGET', '{origin}/repository/mine'],
        ['HGET', '{origin}/repository/theirs'],
        ['DELETE', `${LAWMO}//State`],
        ['EXEC', `${LAWMO}//Operations/FullyLock`],
        ['SUB', '{origin}/repository/x', `${FUMO}/*/State`],
        ['DEFAULT', FUMO, '{origin}/repository/x'],
        ['GET', `${SETTINGS}/*/Ringtone`],
      ],
      [
        ['GET', `${DELEGATION}//Instance/(x)/Owner?nv=(x)/Owner:dms`, `${DELEGATION}//?lv=0`],
        ['HGET', '{origin}/repository/mine', `${DELEGATION}//Instance/x/Rights/dms`],
        ['DELETE', `${DELEGATION}//Instance/*`],
        ['EXEC', `${DELEGATION}//Instance`],
      ],
    ];
    const documents = {
      mine: { body: [{ ClientURI: `${SETTINGS}//`, MOData: { settings: { Ringtone: 'Bells' } } }] },
      theirs: { body: [{ ClientURI: `${FUMO}//`, MOData: { fumo: { PkgName: 'x' } } }] },
    };
    const backend = closing(new Dm2Backend({ script, documents }));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url, access } },
      routes: [{ match: {}, backend: 'dms' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    expect(await client.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const [session] = backend.sessions;
    const status = session!.commands.map((each) => each.status!);
    expect(status.map(({ sc }) => sc)).toEqual([
      200, 403, 200, 403, 403, 202, 403, 403, 200, 200, 415, 405, 405,
    ]);
    expect(status[9]!.MO).toMatchObject([{ MOData: { Owner: 'dms' } }, {}]);
    expect(session!.package1.MOS!.map(({ MOID }) => MOID).sort()).toEqual(
      [LAWMO, DEVINFO, SETTINGS, DELEGATION].sort(),
    );
    const sent = client.report.executed.map(({ command }) => command.join(' ')).join('\n');
    expect(sent).not.toContain(FUMO);
    expect(sent).not.toContain(DELEGATION);
    // What it created is its own, and is shown as such.
    const { body } = await gateway.api('GET', `/api/devices/${encodeURIComponent(ID)}`);
    const made = status[2]!.URI![0]!.split('/').at(-2);
    expect(body).toMatchObject({ delegations: [{ moid: SETTINGS, miid: made, owner: 'dms' }] });
  });

  it('answers a legacy server 425, and tells it its rights as ACLs [IW-RD-2] [IW-STAT-2]', async () => {
    const settings = `./MO/${SETTINGS}/settings1`;
    const script: readonly (readonly ServerCommand[])[] = [
      [
        { kind: 'Get', uris: [`${settings}/Ringtone`] },
        { kind: 'Replace', uri: `${settings}/Ringtone`, data: 'Bells' },
        { kind: 'Delete', uris: [`${settings}/Ringtone`] },
        { kind: 'Get', uris: ['./FUMO/fumo1/State'] },
        { kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate' },
        { kind: 'Add', uri: './FUMO/second', format: 'node' },
        { kind: 'Copy', from: './FUMO/fumo1/PkgName', to: `${settings}/Ringtone` },
        { kind: 'Get', uris: [`${settings}?prop=ACL`] },
        { kind: 'Get', uris: ['.?list=Struct'] },
      ],
    ];
    const server = closing(new LegacyServer({ script }));
    const url = await server.start();
    const gateway = await run({
      backends: {
        legacy: {
          protocol: 'dm1',
          url,
          access: [
            { moid: SETTINGS, rights: ['read'] },
            { moid: FUMO, rights: ['execute'] },
          ],
        },
      },
      routes: [{ match: {}, backend: 'legacy' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    expect(await client.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const { commands } = server.sessions.at(-1)!;
    expect(commands.map(({ code }) => code)).toEqual([
      '200',
      '425',
      '425',
      '425',
      '202',
      '425',
      '425',
      '200',
      '200',
    ]);
    expect(commands[7]!.results[0]!.data).toBe('Get=legacy');
    const listed = commands[8]!.results.map(({ uri }) => uri).join('\n');
    expect(listed).toContain(settings);
    expect(listed).not.toContain('FUMO/fumo1/');
  });
});
