import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dm2Client, type LegacyCapability, LegacyDevice } from '../../src/simulator/index.ts';
import { type Device, devices, search, tails, uriOf } from '../dm2/bruteForce.ts';
import { closing, type Running, run } from './gateway.ts';
import { PHONES } from './phones.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const ID = 'IMEI:493005100592800';

const DEVICES: Record<string, readonly LegacyCapability[]> = {
  'with ?list=StructData': [],
  'with ?list=Struct only': ['listStructData', 'listTnds'],
  'with ?list=TNDS only': ['listStructData', 'listStruct'],
  'with neither list nor prop': ['list', 'prop'],
};

/** What a GET of each address gives: `sc`, and on success the nodes that were told. */
async function getAll(
  gateway: Running,
  session: () => Promise<{ outcome: string }>,
  id: string,
  uris: readonly string[],
) {
  await session();
  const job = await gateway.queue(
    id,
    uris.map((uri) => ['GET', uri]),
  );
  expect(await session()).toMatchObject({ outcome: 'completed', violations: [] });
  const { Status = [] } = await gateway.job(job);
  return Status.map(({ sc, MO = [] }) =>
    sc === 200 ? (MO as { ClientURI: string }[]).map(({ ClientURI }) => ClientURI).sort() : sc,
  );
}

const expected = (instances: Device, tail: string) => {
  const found = search(instances, uriOf(tail));
  if (!Array.isArray(found)) return 404;
  return found.map((path) => `${FUMO}/${path.includes('/') ? path : `${path}/`}`).sort();
};

/** Any addresses on any devices, each made by `device`, name what a search through everything finds. */
async function agreesWithSearch(
  device: (
    url: string,
    id: string,
    all: Device,
  ) => { session(): Promise<{ outcome: string }>; close(): Promise<void> },
): Promise<void> {
  const gateway = await run();
  let n = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(devices, fc.array(tails, { minLength: 25, maxLength: 25 }), async (all, asked) => {
      n += 1;
      const id = `IMEI:${n}`;
      const peer = device(gateway.dm, id, all);
      const uris = asked.map((tail) => `${FUMO}${tail}`);
      const told = await getAll(gateway, () => peer.session(), id, uris);
      await peer.close();
      expect(told).toEqual(asked.map((tail) => expected(all, tail)));
      found += told.filter(Array.isArray).length;
    }),
    { numRuns: 12 },
  );
  expect(found).toBeGreaterThan(10);
}

describe.each(PHONES)('addresses on a legacy device $name', (phone) => {
  it.each(Object.entries(DEVICES))(
    '%s name what a search through the whole tree finds [IW-ADDR-2] [IW-ADDR-1]',
    (_, missing) =>
      agreesWithSearch((url, deviceId, all) => {
        const tree = { DevInfo: { DevId: deviceId, Man: 'M', Mod: 'm', DmV: '1.2', Lang: 'en' }, FUMO: all };
        return new LegacyDevice({ url, deviceId, ...phone.device, missing, tree });
      }),
  );

  it('read no more of it than they must [IW-ADDR-2]', async () => {
    const gateway = await run();
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
    await device.session();
    const deployed = `${SCOMO}//Inventory/Deployed`;
    const job = await gateway.queue(ID, [['GET', `${deployed}/(x)/Version?nv=(x)/Name:Browser`]]);
    const { executed } = await device.session();
    expect(await gateway.job(job)).toMatchObject({
      Status: [{ sc: 200, MO: [{ MOData: { Version: '1.2' } }] }],
    });
    const read = executed.map(({ uri }) => uri).filter((uri) => uri?.includes('SCOMO'));
    expect(read).toEqual([
      './SCOMO/Inventory/Deployed',
      './SCOMO/Inventory/Deployed/Component1/Name',
      './SCOMO/Inventory/Deployed/Component1/Version',
    ]);
  });

  it('bound how deep, by lv, and how much, by limits.nodes: 413 then [IW-ADDR-2] [IW-GET-1]', async () => {
    const wide = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`n${i}`, { K: `${i}` }]));
    const ask = async (nodes: number) => {
      const gateway = await run({ limits: { nodes } });
      const device = closing(
        new LegacyDevice({
          url: gateway.dm,
          deviceId: ID,
          ...phone.device,
          missing: ['list'],
          tree: { DevInfo: { DevId: ID }, FUMO: { fw: { wide, State: '10' } } },
        }),
      );
      const told = await getAll(gateway, () => device.session(), ID, [
        `${FUMO}//wide/(x)/K?nv=(x)/K:7`,
        `${FUMO}//wide/*/K`,
        `${FUMO}//wide/*?lv=0`,
        `${FUMO}//wide`,
        `${FUMO}//wide?lv=0`,
        `${FUMO}//State`,
      ]);
      return { told: told.map((each) => (Array.isArray(each) ? each.length : each)), gateway };
    };
    expect((await ask(200)).told).toEqual([1, 30, 30, 1, 1, 1]);
    const { told, gateway } = await ask(20);
    expect(told).toEqual([413, 413, 413, 413, 1, 1]);
    const notes = await gateway.notes(ID);
    expect(notes.map(({ text }) => text).join('\n')).toMatch(/more than 20 nodes/);
  });
});

describe('addresses on a DM 2.0 client', () => {
  it.each([[[]], [['xname', 'wildcard', 'query']]] as const)(
    'that lacks %j name what a search through all its objects finds [IW-ADDR-2] [IW-REL-1]',
    (missing) =>
      agreesWithSearch((url, deviceId, all) => {
        const objects = Object.entries(all).map(([miid, tree]) => ({ moid: FUMO, miid, tree }));
        return new Dm2Client({ url, deviceId, missing, objects });
      }),
  );
});
