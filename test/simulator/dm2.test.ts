import { afterEach, describe, expect, it } from 'vitest';
import type { SerializationItem } from '../../src/dm2/packages.ts';
import {
  Dm2Backend,
  type Dm2BackendOptions,
  Dm2Client,
  type Dm2ClientOptions,
} from '../../src/simulator/index.ts';

const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SETTINGS = 'urn:example:mo:settings:1.0';
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close();
});

async function pair(backend: Dm2BackendOptions, client: Partial<Dm2ClientOptions> = {}) {
  const server = new Dm2Backend(backend);
  const url = await server.start();
  const device = new Dm2Client({ url, deviceId: 'IMEI:2', ...client });
  open.push(device, server);
  return { server, device };
}

/** Runs one session with these commands in one package and gives their codes. */
async function codes(
  commands: readonly (readonly string[])[],
  backend: Dm2BackendOptions = {},
  client: Partial<Dm2ClientOptions> = {},
) {
  const { server, device } = await pair({ ...backend, script: [commands] }, client);
  const report = await device.session();
  expect(report.outcome).toBe('completed');
  return { server, device, report, codes: report.executed.slice(0, commands.length).map(({ code }) => code) };
}

describe('a DM 2.0 session', () => {
  it('opens with the objects and a session alert, runs commands and stays silent after END [IW-SES-8]', async () => {
    const { server, device } = await pair({ script: [[['GET', `${FUMO}/fumo1/State`]]] });
    const report = await device.session();
    expect(report).toMatchObject({ outcome: 'completed', messages: 2, violations: [] });
    const [session] = server.sessions;
    expect(session).toMatchObject({ deviceId: 'IMEI:2', state: 'completed', violations: [] });
    expect(session!.package1.MOS).toContainEqual({ MOID: FUMO, MIID: ['fumo1'] });
    expect(session!.commands[0]!.status).toEqual({
      sc: 200,
      MO: [{ ClientURI: `${FUMO}/fumo1/State`, MOData: { State: '10' } }],
    });
  });

  it.each([
    [
      { type: 'basic', username: 'u', password: 'p' } as const,
      { type: 'basic', username: 'u', password: 'p' } as const,
      'completed',
    ],
    [
      { type: 'basic', username: 'u', password: 'p' } as const,
      { type: 'basic', username: 'u', password: 'wrong' } as const,
      'refused',
    ],
    [{ type: 'bearer', token: 't' } as const, undefined, 'refused'],
  ])('demands credentials %#', async (wanted, given, outcome) => {
    const { device } = await pair({ auth: wanted }, given ? { auth: given } : {});
    expect((await device.session()).outcome).toBe(outcome);
  });

  it('follows CONT from the reply to that package on', async () => {
    const { server, device } = await pair({
      script: [[['CONT', '{origin}/elsewhere']], [['GET', `${FUMO}//State`]]],
    });
    await device.session();
    const sent = device.messages.filter(({ direction }) => direction === 'sent');
    const elsewhere = server.url.replace('/dm20', '/elsewhere');
    expect(sent.map(({ url }) => url)).toEqual([server.url, elsewhere, elsewhere]);
  });

  it('takes two equal packages in a row for two packages', async () => {
    const script = [[['CONT', '{origin}/a']], [['CONT', '{origin}/b']], [['CONT', '{origin}/c']]];
    const { server, device } = await pair({ script });
    expect(await device.session()).toMatchObject({ outcome: 'completed', messages: 4 });
    expect(server.sessions[0]!.commands.map(({ status }) => status?.sc)).toEqual([200, 200, 200]);
  });

  it('sends the same bytes again when the network fails, and the backend repeats its answer [IW-SES-4]', async () => {
    const { server, device } = await pair(
      {
        script: [[['GET', `${FUMO}//State`]], [['GET', `${SETTINGS}//Volume`]]],
        fault: (_, count) => (count === 2 ? 'lose' : undefined),
      },
      { attempts: 3, retryDelayMs: 1 },
    );
    const report = await device.session();
    expect(report.outcome).toBe('completed');
    const sent = device.messages.filter(({ direction }) => direction === 'sent').map(({ text }) => text);
    expect(sent).toHaveLength(4);
    expect(sent[1]).toBe(sent[2]);
    expect(server.sessions[0]!.commands.map(({ status }) => status?.sc)).toEqual([200, 200]);
  });
});

describe('DM 2.0 commands', () => {
  it('HPOST and HPUT send one serialization document, placeholders replaced', async () => {
    const run = await codes([
      ['HPOST', '{origin}/repository/up/[DevID]', `${SETTINGS}//`, `${FUMO}//State`],
      ['HPUT', '{origin}/repository/put', `${SETTINGS}//Wallpaper`],
      ['HPUT', '{origin}/repository/[NOPE]', `${SETTINGS}//Wallpaper`],
    ]);
    expect(run.codes).toEqual([200, 200, 400]);
    const [post, put] = run.server.uploads;
    expect(post).toMatchObject({
      method: 'POST',
      path: 'up/IMEI:2',
      contentType: 'application/vnd.oma.dm.mo+json',
    });
    const items = post!.json as SerializationItem[];
    expect(items.map(({ ClientURI }) => ClientURI)).toEqual([
      `${SETTINGS}/settings1/`,
      `${FUMO}/fumo1/State`,
    ]);
    expect(items[0]!.MOData).toEqual({
      Settings: { Wallpaper: 'AAECAwQF', Ringtone: 'Default', Volume: '5', Roaming: 'false' },
    });
    expect(items[0]!.CV).toMatch(/^[0-9a-f]{16}$/);
    expect(put).toMatchObject({ method: 'PUT', json: [{ MOData: { Wallpaper: 'AAECAwQF' } }] });
  });

  it('HGET replaces what stands at the address, all or nothing', async () => {
    const documents = {
      good: {
        body: [
          {
            ClientURI: `${SETTINGS}/settings1/`,
            MOData: { Settings: { Ringtone: 'New', Volume: 7, Extra: { a: 'b' } } },
          },
        ],
      },
      bad: {
        body: [
          {
            ClientURI: `${SETTINGS}/settings1/`,
            MOData: { Settings: { Ringtone: 'Worse', Volume: 'loud' } },
          },
        ],
      },
      image: { body: new Uint8Array([9, 8, 7]), contentType: 'image/png' },
    };
    const run = await codes(
      [
        ['HGET', '{origin}/repository/good', `${SETTINGS}/settings1/`],
        ['HGET', '{origin}/repository/bad', `${SETTINGS}/settings1/`],
        ['HGET', '{origin}/repository/image', `${SETTINGS}/settings1/Wallpaper`],
        ['HGET', '{origin}/repository/absent', `${SETTINGS}/settings1/`],
        ['GET', `${SETTINGS}/settings1/`],
      ],
      { documents },
    );
    expect(run.codes).toEqual([200, 415, 200, 404, 200]);
    const { status } = run.server.sessions[0]!.commands.at(-1)!;
    expect(status!.MO![0]!.MOData).toEqual({
      Settings: { Ringtone: 'New', Volume: '7', Extra: { a: 'b' }, Wallpaper: 'CQgH' },
    });
  });

  it('HGET without a ClientURI creates an instance and reports where', async () => {
    const documents = {
      new: { body: [{ ClientURI: `${SETTINGS}//`, MOData: { Settings: { Ringtone: 'Second' } } }] },
    };
    const { server, device } = await pair({ documents, script: [[['HGET', '{origin}/repository/new']]] });
    await device.session();
    expect(server.sessions[0]!.commands[0]!.status).toEqual({ sc: 200, URI: [`${SETTINGS}/Settings-1/`] });
    await device.session();
    expect(server.sessions[1]!.package1.MOS).toContainEqual({
      MOID: SETTINGS,
      MIID: ['settings1', 'Settings-1'],
    });
  });

  it('resolves wildcards, variables and empty instances, and answers 400, 404, 405 where they fail [IW-ADDR-1]', async () => {
    const deployed = 'urn:oma:mo:oma-scomo:1.0//Inventory/Deployed';
    const run = await codes([
      ['GET', `${deployed}/(x)/Version?nv=(x)/Name:Browser`],
      ['GET', `${deployed}/(x)/Version?nv=(x)/Name:Other`],
      ['GET', `${deployed}/*/Name`],
      ['GET', 'no-uri'],
      ['GET', `${FUMO}/other/State`],
      ['GET', `${FUMO}//Update/PkgData`],
      ['DELETE', `${FUMO}//State`],
      ['DELETE', `${deployed}/*`],
      ['DELETE', `${deployed}/*`],
    ]);
    expect(run.codes).toEqual([200, 404, 200, 400, 404, 405, 405, 200, 404]);
  });

  it('answers 304 to a validator that still holds', async () => {
    const { server, device } = await pair({
      script: (session) => {
        const [first, second] = session.commands;
        if (!first) return [['GET', `${SETTINGS}//`]];
        return second ? [] : [['GET', `${SETTINGS}//?cv=${first.status!.MO![0]!.CV}`]];
      },
    });
    await device.session();
    expect(server.sessions[0]!.commands[1]!.status).toEqual({ sc: 304 });
  });

  it('makes a validator of a value that JSON has no room for', () => {
    const { objects } = new Dm2Client({ url: 'http://127.0.0.1:1/dm', deviceId: 'IMEI:2' });
    const place = { moid: SETTINGS, miid: 'settings1', path: [] };
    const wallpaper = objects.tree.find([SETTINGS, 'settings1', 'Wallpaper'])!;
    const validators = [1, 2, 1].map((byte) => {
      wallpaper.value = Buffer.alloc(50_000_000, byte);
      return objects.validator(place);
    });
    expect(validators[1]).not.toBe(validators[0]);
    expect(validators[2]).toBe(validators[0]);
  });

  it('reports an EXEC with ServerURI in a session of its own [IW-EXEC-2]', async () => {
    const run = await codes([
      ['EXEC', `${FUMO}//Update`, '{origin}/report?t=1'],
      ['EXEC', 'urn:oma:mo:oma-lawmo:1.0//Operations/UnLock'],
      ['EXEC', `${FUMO}//State`],
    ]);
    expect(run.codes).toEqual([202, 202, 405]);
    const [report] = await run.device.deliverReports();
    expect(report!.outcome).toBe('completed');
    expect(run.server.sessions[1]!.alerts).toContainEqual({
      AlertType: 'org.openmobilealliance.dm.firmwareupdate.update',
      SourceURI: `${FUMO}/fumo1/Update`,
      Mark: 'informational',
      DataType: 'chr',
      Data: { DM1x: '200' },
    });
    const sent = run.device.messages.filter(({ direction }) => direction === 'sent');
    expect(sent.at(-1)!.url).toContain('/report?t=1');
    await run.device.session();
    expect(run.server.sessions[2]!.alerts.map(({ AlertType }) => AlertType)).toContain(
      'urn:oma:at:lawmo:1.0:OperationComplete',
    );
  });

  it('keeps DEFAULT and SUB, publishes changes, and answers 404 to a stray UNSUB', async () => {
    const documents = { volume: { body: [{ ClientURI: `${SETTINGS}//Volume`, MOData: { Volume: '9' } }] } };
    const run = await codes(
      [
        ['DEFAULT', SETTINGS, '{origin}/repository/default'],
        ['SUB', '{origin}/repository/sub', `${SETTINGS}//`],
        ['HGET', '{origin}/repository/volume', `${SETTINGS}//Volume`],
        ['UNSUB', `${SETTINGS}/settings1/`],
        ['SHOW', '{origin}/page'],
      ],
      { documents },
    );
    expect(run.codes).toEqual([200, 200, 200, 404, 200]);
    expect(run.device.state.defaults.get(SETTINGS)).toContain('/repository/default');
    expect(run.device.state.shown).toHaveLength(1);
    expect(run.server.uploads).toHaveLength(1);
    expect(run.server.uploads[0]).toMatchObject({ path: 'sub', method: 'PUT' });
  });

  it('answers 501 to what a client lacks', async () => {
    const run = await codes(
      [
        ['GET', `${FUMO}//`],
        ['SHOW', 'http://x.example/'],
        ['SUB', 'http://x.example/', `${FUMO}//`],
        ['FLY', 'away'],
        ['HPOST', '{origin}/repository/u', `${FUMO}/*/State`],
        ['HPOST', '{origin}/repository/u', `${FUMO}//?cv=1`],
      ],
      {},
      { missing: ['get', 'show', 'sub', 'wildcard', 'query'] },
    );
    expect(run.codes).toEqual([501, 501, 501, 501, 501, 501]);
    expect(run.report.violations).toEqual([expect.stringContaining('"FLY" is none of DM 2.0')]);
  });
});

describe('quirks of DM 2.0 clients', () => {
  it('sends JSON null for empty lists', async () => {
    const { device } = await pair({ script: [[['GET', `${FUMO}//State`]]] }, { quirks: { nullLists: true } });
    await device.session();
    const [, , package3] = device.messages.map(({ text }) => text);
    expect(JSON.parse(package3!)).toMatchObject({ Alert: null });
  });

  it('drops the Status item of a transfer that cannot connect [IW-SES-12]', async () => {
    const run = await codes(
      [
        ['HGET', 'http://127.0.0.1:1/x', `${SETTINGS}//`],
        ['GET', `${FUMO}//State`],
      ],
      {},
      { quirks: { shortStatus: true } },
    );
    expect(run.server.sessions[0]!.violations).toEqual(['1 Status items for 2 commands']);
  });

  it('skips commands beside END', async () => {
    const { server, device } = await pair(
      { script: [[['DELETE', `${SETTINGS}//Volume`], ['END']]] },
      { quirks: { skipsBesideEnd: true } },
    );
    const report = await device.session();
    expect(report.violations).toEqual(['END beside other commands']);
    expect(device.objects.read(`${SETTINGS}//Volume`)).toHaveProperty('items');
    expect(server.sessions[0]!.state).toBe('completed');
  });
});
