import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const LAWMO = 'urn:oma:mo:oma-lawmo:1.0';
const SETTINGS = 'urn:example:mo:settings:1.0';
const GONE = 'urn:oma:mo:oma-scomo:1.0';

/** Every command of DM 2.0 but END, with what it is answered. */
const COMMANDS: readonly (readonly [sc: number, ...command: string[]])[] = [
  [200, 'HGET', '{origin}/repository/bells', `${SETTINGS}//Ringtone`],
  [200, 'HPUT', '{origin}/repository/put', `${SETTINGS}//Ringtone`],
  [200, 'HPOST', '{origin}/repository/post', `${SETTINGS}//Ringtone`],
  [200, 'DELETE', `${SETTINGS}//Roaming`],
  [202, 'EXEC', `${LAWMO}//Operations/FullyLock`],
  [200, 'GET', `${SETTINGS}//Ringtone`],
  [200, 'SHOW', '{origin}/repository/page'],
  [200, 'DEFAULT', GONE, '{origin}/repository/preset'],
  [200, 'SUB', '{origin}/repository/changes', `${FUMO}//PkgName`],
  [404, 'UNSUB', `${FUMO}/fw/PkgName`],
  [200, 'UNSUB', `${FUMO}//PkgName`],
  [200, 'CONT', '{origin}/dm20/elsewhere'],
];
const DOCUMENTS = {
  bells: { body: 'Bells', contentType: 'text/plain' },
  page: { body: 'Good morning', contentType: 'text/plain' },
  preset: { body: [{ ClientURI: `${GONE}//`, MOData: { scomo: { Inventory: {} } } }] },
};

interface Kind {
  readonly name: string;
  readonly device: (url: string) => Dm2Client | LegacyDevice;
  readonly config: Phone['config'];
  /** Answers that are others than in the table, and why. */
  readonly lacks: Readonly<Record<string, number>>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'a DM 2.0 device',
    device: (url) => new Dm2Client({ url, deviceId: ID }),
    config: {},
    lacks: {},
  },
  ...PHONES.map((phone) => ({
    name: `a legacy device ${phone.name}`,
    device: (url: string) => new LegacyDevice({ url, deviceId: ID, ...phone.device }),
    config: phone.config,
    lacks: {
      ...(!phone.has('delete') && { DELETE: 500 }),
      ...(!phone.has('ui') && { SHOW: 501 }),
    },
  })),
];

describe.each(KINDS)('$name', ({ device: make, config, lacks }) => {
  const device = (url: string) => closing(make(url));
  const expected = (sc: number, verb: string) => lacks[verb] ?? sc;

  it('executes all twelve commands of a DM 2.0 backend [IW-DEF-1] [IW-SUB-1] [IW-SES-9] [IW-REL-1]', async () => {
    const script = [COMMANDS.map(([, ...command]) => command), [['GET', `${FUMO}//State`]]];
    const backend = closing(new Dm2Backend({ script, documents: DOCUMENTS }));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url } },
      routes: [{ match: {}, backend: 'dms' }],
      outbound: { allow: [new URL(url).host] },
      ...config,
    });
    expect(await device(gateway.dm).session()).toMatchObject({ outcome: 'completed', violations: [] });
    const [session] = backend.sessions;
    expect(session!.commands.map(({ command: [verb], status }) => [status?.sc, verb])).toEqual([
      ...COMMANDS.map(([sc, verb = '']) => [expected(sc, verb), verb]),
      [200, 'GET'],
    ]);
    expect(backend.uploads.map(({ method, path }) => [method, path])).toEqual([
      ['PUT', 'put'],
      ['POST', 'post'],
    ]);
    expect(backend.messages.filter(({ url: to }) => to.endsWith('/elsewhere'))).not.toEqual([]);
  });

  it('executes those of the built-in backend, which ends its sessions itself [IW-DEF-1] [IW-SUB-1]', async () => {
    const repository = closing(new Dm2Backend({ documents: DOCUMENTS }));
    await repository.start();
    const { host, origin } = new URL(repository.url);
    const gateway = await run({ outbound: { allow: [host] }, ...config });
    const peer = device(gateway.dm);
    await peer.session();
    const own = COMMANDS.filter(([, verb]) => verb !== 'CONT');
    const job = await gateway.queue(
      ID,
      [...own.map(([, ...command]) => command), ['END']].map((command) =>
        command.map((part) => part.replaceAll('{origin}', origin)),
      ),
    );
    expect(await peer.session()).toMatchObject({ outcome: 'completed', violations: [] });
    expect((await gateway.job(job)).Status?.map(({ sc }) => sc)).toEqual(
      own.map(([sc, verb = '']) => expected(sc, verb)),
    );
  });
});

describe('a DM 2.0 client', () => {
  it('keeps DEFAULT and SUB itself, and acts on them without the gateway [IW-DEF-1] [IW-SUB-1]', async () => {
    const script = [
      [
        ['DEFAULT', GONE, '{origin}/repository/preset'],
        ['SUB', `${SETTINGS}//Ringtone`, '{origin}/repository/changes'],
        ['DELETE', `${GONE}//`],
      ],
      [['HGET', '{origin}/repository/bells', `${SETTINGS}//Ringtone`]],
    ];
    const backend = closing(new Dm2Backend({ script, documents: DOCUMENTS }));
    const url = await backend.start();
    const gateway = await run({
      backends: { dms: { protocol: 'dm2', url } },
      routes: [{ match: {}, backend: 'dms' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
    await client.session();
    expect(backend.sessions[0]!.commands.map(({ status }) => status?.sc)).toEqual([200, 200, 200, 200]);
    expect(backend.uploads).toMatchObject([{ path: 'changes', json: [{ MOData: { Ringtone: 'Bells' } }] }]);
    expect(client.objects.instances(GONE)).toEqual([]);
    expect(await client.provideDefaults()).toBe(1);
    expect(client.objects.instances(GONE)).toHaveLength(1);
    expect(await client.provideDefaults()).toBe(0);
  });
});
