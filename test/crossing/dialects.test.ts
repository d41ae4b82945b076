import { describe, expect, it } from 'vitest';
import type { DialectName } from '../../src/dm2/dialects/index.ts';
import { Dm2Backend, Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

interface Around {
  readonly device?: DialectName;
  readonly backend?: DialectName;
  readonly client?: Partial<ConstructorParameters<typeof Dm2Client>[0]>;
  readonly server?: Partial<ConstructorParameters<typeof Dm2Backend>[0]>;
}

/** A 2.0 client and a 2.0 server, each of a dialect; one package of commands, then END. */
async function between(
  commands: readonly (readonly string[])[],
  { device = 'approved', backend = 'approved', client = {}, server = {} }: Around,
) {
  const dms = closing(new Dm2Backend({ dialect: backend, script: [commands], ...server }));
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url: await dms.start(), dialect: backend } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'dms' }],
    dialects: [{ deviceId: '*', dialect: device === 'draft-text-1' ? 'draft-text-2' : device }],
  });
  const phone = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, dialect: device, ...client }));
  current = phone;
  const report = await phone.session();
  const session = dms.sessions[0]!;
  return {
    dms,
    gateway,
    phone,
    report,
    session,
    items: session.commands.map(({ status }) => status),
    sc: session.commands.map(({ status }) => status?.sc),
    verbs: report.executed.map(({ command }) => command[0]),
    notes: (await gateway.notes(ID)).map(({ rule, text }) => `${rule} ${text}`),
  };
}

const value = (phone: Dm2Client, ...path: string[]) => phone.objects.tree.find(path)?.value;

describe('a client that resolves neither wildcards nor x-names', () => {
  const LIMITED: readonly Around[] = [
    { device: 'draft-text-1' },
    { device: 'draft-text-2' },
    { device: 'draft-json' },
    { device: 'approved', client: { missing: ['xname', 'wildcard', 'query'] } },
  ];

  it.each(LIMITED)(
    'is served by reading the object once: %j [IW-ADDR-2] [IW-GET-1] [IW-DEL-1]',
    async (around) => {
      const { items, sc, phone, report, session } = await between(
        [
          ['GET', `${SCOMO}/*/Inventory/Deployed/*/Name`],
          [
            'HPOST',
            '{origin}/repository/up',
            `${SCOMO}/(x)/Inventory/Deployed/Component1/Version?nv=(x)/Inventory/Deployed/Component1/Name:Browser`,
          ],
          ['GET', `${SCOMO}/*/Inventory/Deployed/*/Nope`],
          ['EXEC', `${FUMO}/*/Nope`],
          ['DELETE', `${SCOMO}/*/Inventory/Deployed/*/Description`],
        ],
        around,
      );
      expect([report.violations, session.violations]).toEqual([[], []]);
      expect(sc).toEqual([200, 200, 404, 404, 200]);
      expect(JSON.stringify(items[0]?.MO)).toContain('Browser');
      expect(
        value(phone, SCOMO, 'SCOMO1', 'Inventory', 'Deployed', 'Component1', 'Description'),
      ).toBeUndefined();
      expect(value(phone, SCOMO, 'SCOMO1', 'Inventory', 'Deployed', 'Component1', 'Name')).toBe('Browser');
    },
  );

  it('is remembered, and not asked again [IW-INV-2]', async () => {
    const { phone, gateway } = await between([['DELETE', `${SCOMO}/*/Inventory/Deployed/*/Description`]], {
      client: { missing: ['wildcard'] },
    });
    const { body } = await gateway.api<{ capabilities: Record<string, boolean> }>(
      'GET',
      `/api/devices/${encodeURIComponent(ID)}`,
    );
    expect(body.capabilities).toMatchObject({ variables: false });
    const again = await phone.session();
    expect(again.executed.every(({ code }) => code !== 501)).toBe(true);
  });

  it('is left to resolve them where it can [IW-REL-1]', async () => {
    const { report, sc } = await between([['DELETE', `${SCOMO}/*/Inventory/Deployed/*/Description`]], {});
    expect(sc).toEqual([200]);
    expect(report.executed[0]?.command).toEqual(['DELETE', `${SCOMO}/*/Inventory/Deployed/*/Description`]);
  });
});

describe('documents between dialects', () => {
  const LEAF = [{ ClientURI: `${FUMO}//PkgName`, MOData: { PkgName: 'crossed' } }];

  it.each([
    ['approved', 'draft-text-1'],
    ['draft-text-1', 'approved'],
    ['draft-json', 'draft-text-3'],
    ['draft-text-2', 'draft-json'],
  ] as const)(
    'are converted for a %s device on a %s server [IW-HGET-1] [IW-HPUT-1] [IW-VAL-5]',
    async (device, backend) => {
      const { phone, dms, sc } = await between(
        [
          ['HGET', '{origin}/repository/leaf', `${FUMO}//PkgName`],
          ['HPOST', '{origin}/repository/up', `${FUMO}//PkgName`, `${DEVINFO}//Lang`],
        ],
        { device, backend, server: { documents: { leaf: { body: LEAF } } } },
      );
      expect(sc).toEqual([200, 200]);
      expect(value(phone, FUMO, 'fumo1', 'PkgName')).toBe('crossed');
      const [upload] = dms.uploads;
      expect(upload?.contentType).toBe(
        backend.startsWith('draft-text') ? 'application/tnds20' : 'application/vnd.oma.dm.mo+json',
      );
      expect(upload?.items.map(({ MOData }) => MOData)).toEqual([{ PkgName: 'crossed' }, { Lang: 'en-US' }]);
    },
  );

  it('of another type pass as they are [IW-HGET-4] [IW-VAL-3]', async () => {
    const body = Uint8Array.of(0, 255, 13, 10);
    const { phone, sc } = await between([['HGET', '{origin}/repository/raw', `${FUMO}//Update/PkgData`]], {
      device: 'draft-text-1',
      server: { documents: { raw: { body, contentType: 'application/octet-stream' } } },
    });
    expect(sc).toEqual([200]);
    expect(value(phone, FUMO, 'fumo1', 'Update', 'PkgData')).toEqual(body);
  });

  it.each([
    ['missing', 404],
    ['broken', 415],
  ])('that are %s fail their command alone [IW-HPUT-1]', async (name, code) => {
    const { sc } = await between(
      [
        ['HGET', `{origin}/repository/${name}`, `${FUMO}//PkgName`],
        ['DELETE', `${SCOMO}//Inventory/Deployed/Component1`],
      ],
      {
        device: 'draft-text-1',
        server: {
          documents: { broken: { body: '{"MOData":', contentType: 'application/vnd.oma.dm.mo+json' } },
        },
      },
    );
    expect(sc).toEqual([code, 200]);
  });

  it('pass untouched between peers of one dialect [IW-REL-1]', async () => {
    const { report, dms } = await between([['HPOST', '{origin}/repository/up', `${FUMO}//`]], {
      device: 'draft-text-1',
      backend: 'draft-text-1',
    });
    expect(report.executed[0]?.command[1]).toBe(dms.serverUri('up'));
  });
});

describe('validators between dialects [IW-GET-3]', () => {
  it('are the gateway’s own for a client that has none', async () => {
    let cv: string | undefined;
    const { sc, session } = await between([], {
      device: 'draft-text-1',
      server: {
        script: ({ commands }) => {
          if (commands.length === 0) return [['GET', `${FUMO}//`]];
          cv ??= commands[0]?.status?.MO?.[0]?.CV;
          if (commands.length > 2) return undefined;
          return [['GET', `${FUMO}//?cv=${commands.length === 1 ? cv : 'other'}`]];
        },
      },
    });
    expect(cv).toBeDefined();
    expect(sc).toEqual([200, 304, 200]);
    expect(session.commands[2]?.status?.MO).toHaveLength(1);
  });
});

describe('what only some dialects have', () => {
  it('lists objects for a server that asks for everything [IW-INV-2]', async () => {
    for (const device of ['approved', 'draft-text-1', 'draft-text-3'] as const) {
      const { dms, sc } = await between([['HPOST', '{origin}/repository/all', '*']], {
        device,
        backend: 'draft-text-1',
      });
      expect(sc).toEqual([200]);
      const text = Buffer.from(dms.uploads[0]!.body).toString('utf8');
      // Objects alone, but for the draft that cannot ask without their instances.
      const path = device === 'draft-text-3' ? '"Path":"/devinfo",' : '';
      expect(text).toContain(`{"MO":[{"MOID":"oma:mo:oma-dm-devinfo:1.2",${path}"MOID":`);
    }
  });

  it.each(PHONES)('lists them of a legacy device $name as well', async ({ device }) => {
    const dms = closing(
      new Dm2Backend({ dialect: 'draft-text-3', script: [[['HPOST', '{origin}/repository/all'], ['GET']]] }),
    );
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url: await dms.start(), dialect: 'draft-text-3' } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    await closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...device })).session();
    const [put, get] = dms.sessions[0]!.commands;
    expect([put?.status?.sc, get?.status?.sc]).toEqual([200, 200]);
    expect(Buffer.from(dms.uploads[0]!.body).toString('utf8')).toContain(
      '"MOID":"oma:mo:oma-fumo:1.0","Path":"/fw"',
    );
    expect(get?.status?.MO?.map(({ ClientURI }) => ClientURI)).toContain(`${FUMO}/fw/`);
  });

  it('refuses DEFAULT where both sides mean different things by it [IW-DEF-1]', async () => {
    const command = ['DEFAULT', 'urn:oma:mo:oma-mms:1.3', '{origin}/repository/mms'];
    const crossed = await between([command], { device: 'draft-text-1' });
    expect(crossed.sc).toEqual([501]);
    expect(crossed.notes.join()).toContain('DEFAULT was refused');
    expect(crossed.phone.state.defaults.size).toBe(0);
    const alike = await between([command], { device: 'draft-text-2', backend: 'draft-text-1' });
    expect(alike.sc).toEqual([200]);
  });

  it('answers 501, unsent, to a command that the device’s dialect has no word for [IW-SES-1]', async () => {
    const { sc, verbs, notes } = await between(
      [
        ['SUB', '{origin}/repository/x', `${FUMO}//`],
        ['DELETE', `${SCOMO}//Inventory/Deployed/Component1`],
      ],
      { device: 'draft-text-1' },
    );
    expect(sc).toEqual([501, 200]);
    expect(verbs).toEqual(['DELETE', 'END']);
    expect(notes.join()).toContain('SUB is none of this dialect');
  });

  it('reports the location that a server counts on [IW-HGET-1]', async () => {
    const { items } = await between([['HGET', '{origin}/repository/leaf', `${FUMO}//PkgName`]], {
      backend: 'draft-text-2',
      server: {
        documents: { leaf: { body: [{ ClientURI: `${FUMO}//PkgName`, MOData: { PkgName: 'x' } }] } },
      },
    });
    expect(items[0]).toMatchObject({ sc: 200, URI: [`${FUMO}//PkgName`] });
  });

  it('hands OMADM-Accept on to a client that uploads itself [IW-HPUT-1]', async () => {
    const { sc } = await between([['HPOST', '{origin}/repository/up', `${FUMO}//`]], {
      server: { omadmAccept: 'application/vnd.other+xml' },
    });
    expect(sc).toEqual([406]);
  });
});

describe('a repository that takes another type than documents [IW-VAL-3] [IW-HPUT-1]', () => {
  const WALLPAPER = 'urn:example:mo:settings:1.0//Wallpaper';
  const COMMANDS = [
    ['HPUT', '{origin}/repository/one', WALLPAPER],
    ['HPUT', '{origin}/repository/two', WALLPAPER, `${FUMO}//PkgName`],
    ['HPOST', '{origin}/repository/text', `${FUMO}//PkgName`],
  ];
  const server = { omadmAccept: 'application/octet-stream' };

  it.each(PHONES)(
    'gets the one value that was read, of a legacy device $name',
    async ({ device, config }) => {
      const dms = closing(new Dm2Backend({ script: [COMMANDS], ...server }));
      const gateway = await run({
        backends: { dms: { protocol: 'dm2', url: await dms.start() } },
        routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
        ...config,
      });
      await closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...device })).session();
      expect(dms.sessions[0]!.commands.map(({ status }) => status?.sc)).toEqual([200, 406, 406]);
      expect(dms.uploads.map(({ path, contentType, body }) => [path, contentType, [...body]])).toEqual([
        ['one', 'application/octet-stream', [0, 1, 2, 3, 4, 5]],
      ]);
    },
  );

  it('gets it of an early 2.0 device as well', async () => {
    const { sc, dms } = await between([['HPUT', '{origin}/repository/one', `${FUMO}//PkgName`]], {
      device: 'draft-text-1',
      server: { omadmAccept: 'text/plain' },
    });
    expect(sc).toEqual([200]);
    expect(dms.uploads.map(({ contentType, body }) => [contentType, Buffer.from(body).toString()])).toEqual([
      ['text/plain', 'base'],
    ]);
  });
});

describe('an early client that lists no objects', () => {
  it.each(['draft-text-1', 'draft-text-2', 'draft-text-3'] as const)(
    '%s is asked for them, once [IW-INV-4]',
    async (dialect) => {
      const server = closing(
        new LegacyServer({ script: [[{ kind: 'Get', uris: ['./FUMO/fumo1/PkgName'] }]] }),
      );
      const gateway = await run({
        backends: { legacy: { protocol: 'dm1', url: await server.start() } },
        routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
        dialects: dialect === 'draft-text-3' ? [{ deviceId: '*', dialect }] : [],
      });
      const phone = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, dialect, listsObjects: false }));
      const asked = ({ executed }: { executed: readonly { command: readonly string[] }[] }) =>
        executed.filter(
          ({ command }) => command[0] === 'HPOST' && command.length <= 3 && !command[2]?.includes('urn'),
        ).length;
      expect(asked(await phone.session())).toBe(1);
      expect(asked(await phone.session())).toBe(0);
      expect(server.sessions.map(({ commands }) => commands[0]?.code)).toEqual(['200', '200']);
    },
  );
});

describe('an object that the device knows by another of its ids', () => {
  it('is found, and answered under the id that the server used [IW-ADDR-4]', async () => {
    const objects = [
      {
        moid: 'urn:oma:mo:oma-dm-devinfo:1.0',
        miid: 'd',
        root: 'DevInfo',
        tree: { DevID: ID, Man: 'Old', Lang: 'de' },
      },
    ];
    const { items, sc } = await between(
      [
        ['GET', `${DEVINFO}//Man`],
        ['GET', 'urn:oma:mo:oma-dm-devinfo:1.0//Man'],
      ],
      { client: { objects } },
    );
    expect(sc).toEqual([200, 200]);
    expect(items[0]?.MO?.[0]).toMatchObject({ ClientURI: `${DEVINFO}/d/Man`, MOData: { Man: 'Old' } });
  });
});

describe('alerts that a status report has no room for', () => {
  it.each(['approved', 'draft-text-2'] as const)(
    'reach a first-draft server in an opening of their own, from a %s device [IW-ALERT-6]',
    async (device) => {
      const alert = {
        AlertType: 'urn:example:at:late',
        SourceURI: `${FUMO}/fumo1/`,
        Mark: 'warning' as const,
      };
      const { dms, phone } = await between([['DELETE', `${SCOMO}//Inventory/Deployed/Component1`]], {
        device,
        backend: 'draft-text-1',
        server: {
          script: ({ commands }) => {
            if (commands.length > 0) return undefined;
            phoneOf().pendingAlerts.push(alert);
            return [['DELETE', `${SCOMO}//Inventory/Deployed/Component1`]];
          },
        },
      });
      if (device !== 'approved') await phone.session();
      const late = () =>
        dms.sessions.some(({ alerts }) => alerts.some(({ AlertType }) => AlertType === alert.AlertType));
      for (let tries = 0; tries < 400 && !late(); tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 25));
      expect(late()).toBe(true);
      expect(dms.sessions.flatMap(({ violations }) => violations)).toEqual([]);
    },
  );
});

/** The client of the running test; its script is written before it exists. */
function phoneOf(): { pendingAlerts: unknown[] } {
  return current;
}
let current: { pendingAlerts: unknown[] } = { pendingAlerts: [] };
