import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const SETTINGS = 'urn:example:mo:settings:1.0';
const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';

/** A legacy device on a backend that sends the same HGET in every session. */
async function everySession(phone: Phone, command: readonly string[]) {
  const conditions: (string | undefined)[] = [];
  const lies: { status?: number } = {};
  const backend: Dm2Backend = closing(
    new Dm2Backend({
      script: ({ commands }) => (commands.length === 0 ? [command] : undefined),
      fault: ({ method, headers }) => {
        if (method !== 'GET') return undefined;
        conditions.push(headers['if-none-match']);
        return lies.status === undefined ? undefined : { status: lies.status };
      },
    }),
  );
  const url = await backend.start();
  let gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: {}, backend: 'dms' }],
    ...phone.config,
  });
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
  return {
    backend,
    device,
    lies,
    offer: (etag: string, Ringtone: string) =>
      backend.offer(
        {
          etag,
          body: [{ ClientURI: `${SETTINGS}//`, MOData: { settings: { Ringtone, Wallpaper: 'AAEC' } } }],
        },
        'doc',
      ),
    restart: async () => {
      gateway = await gateway.restart();
      Object.assign(device.options, { url: gateway.dm });
    },
    /** The next session: condition of the fetch, Status item, and the writes that the device saw. */
    next: async () => {
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      const { status } = backend.sessions.at(-1)!.commands[0]!;
      const writes = report.executed.filter(({ command: kind }) => /Add|Replace|Delete/.test(kind));
      return { condition: conditions.splice(0), status, writes: writes.length };
    },
  };
}

/** HGET of an object deletes what its document lacks, which a phone without Delete cannot do. */
const WRITABLE = PHONES.filter(({ has }) => has('delete'));
const UNABLE = PHONES.filter(({ has }) => !has('delete'));

it.each(UNABLE)(
  'a document that a legacy device $name cannot become is fetched whole every time [IW-HGET-1]',
  async (phone) => {
    const { next, offer, device } = await everySession(phone, ['HGET', '{origin}/repository/doc']);
    offer('"v1"', 'Bells');
    for (let session = 0; session < 3; session += 1) {
      expect(await next()).toMatchObject({ condition: [undefined], status: { sc: 500 } });
      expect(device.tree.find(['Settings', 'Ringtone'])!.value).toBe('Default');
    }
  },
);

describe.each(WRITABLE)('a document that a legacy device $name has already', (phone) => {
  it.each([
    ['at a ClientURI', ['HGET', '{origin}/repository/doc', `${SETTINGS}//`], { sc: 200 }],
    [
      'where it says itself',
      ['HGET', '{origin}/repository/doc'],
      { sc: 200, URI: [`${SETTINGS}/Settings/`] },
    ],
  ])('%s is asked for by its ETag and not written again [IW-HGET-1] [IW-GET-3]', async (_, command, good) => {
    const { next, offer, restart } = await everySession(phone, command);
    offer('"v1"', 'Bells');
    const first = await next();
    expect(first).toMatchObject({ condition: [undefined], status: good });
    expect(first.writes).toBeGreaterThan(0);
    expect(await next()).toEqual({ condition: ['"v1"'], status: good, writes: 0 });
    await restart();
    expect(await next()).toEqual({ condition: ['"v1"'], status: good, writes: 0 });
    offer('"v2"', 'Horn');
    const changed = await next();
    expect(changed).toMatchObject({ condition: ['"v1"'], status: good });
    expect(changed.writes).toBeGreaterThan(0);
    expect(await next()).toEqual({ condition: ['"v2"'], status: good, writes: 0 });
  });

  it('but has changed meanwhile is fetched whole and written again [IW-HGET-1]', async () => {
    const { next, offer, device } = await everySession(phone, ['HGET', '{origin}/repository/doc']);
    offer('"v1"', 'Bells');
    await next();
    device.tree.find(['Settings', 'Ringtone'])!.value = 'Something else';
    const again = await next();
    expect(again.condition).toEqual([undefined]);
    expect(again.writes).toBeGreaterThan(0);
    expect(device.tree.find(['Settings', 'Ringtone'])!.value).toBe('Bells');
  });

  it('is no 200 when the repository says 304 to a fetch without condition [IW-HGET-1]', async () => {
    const { next, offer, lies } = await everySession(phone, ['HGET', '{origin}/repository/doc']);
    offer('"v1"', 'Bells');
    lies.status = 304;
    expect(await next()).toMatchObject({ condition: [undefined], status: { sc: 500 }, writes: 0 });
  });
});

/** A 2.0 client on a legacy server with the same script in every session. */
async function onLegacyServer(
  commands: readonly ServerCommand[],
  device: Partial<ConstructorParameters<typeof Dm2Client>[0]> = {},
) {
  const server = closing(
    new LegacyServer({
      script: (session) => {
        const command = commands[session.commands.length];
        return command && [command];
      },
    }),
  );
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url } },
    routes: [{ match: {}, backend: 'legacy' }],
  });
  const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, ...device }));
  return {
    gateway,
    client,
    next: async () => {
      const report = await client.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      const reads = report.executed.filter(({ command: [verb] }) => verb === 'HPOST');
      const session = server.sessions.at(-1)!;
      return {
        reads: reads.map(({ command, code }) => [command[2]!.replace(/cv=.+/, 'cv'), code]),
        devInfo: session.devInfo,
        data: session.commands.map(({ results }) => results[0]?.data),
      };
    },
  };
}

describe('DevInfo of a 2.0 client', () => {
  it('is revalidated by a later session, not read again [IW-GET-3] [IW-SES-7]', async () => {
    const { next, client } = await onLegacyServer([]);
    const first = await next();
    expect(first.reads).toEqual([[expect.stringMatching(/devinfo:1.2\/[^?]*$/), 200]]);
    const second = await next();
    expect(second.reads).toEqual([[expect.stringMatching(/\?cv$/), 304]]);
    expect(second.devInfo).toEqual(first.devInfo);
    const [miid] = client.objects.instances(DEVINFO);
    client.objects.tree.find([DEVINFO, miid!, 'Lang'])!.value = 'eo';
    const third = await next();
    expect(third.reads).toEqual([[expect.stringMatching(/\?cv$/), 200]]);
    expect(third.devInfo).toMatchObject({ Lang: 'eo' });
  });

  it('is read plainly from a client that refuses validators, which is remembered [IW-GET-3]', async () => {
    const { next, client, gateway } = await onLegacyServer([]);
    await next();
    const old = closing(new Dm2Client({ ...client.options, missing: ['query'] }));
    const refused = await old.session();
    expect(refused.executed.map(({ code }) => code).slice(0, 2)).toEqual([501, 200]);
    expect((await gateway.notes(ID)).map(({ rule }) => rule)).toContain('IW-GET-3');
    const again = await old.session();
    expect(again.executed.map(({ code }) => code).slice(0, 1)).toEqual([200]);
  });
});

describe('objects of a 2.0 client', () => {
  const root: ServerCommand = { kind: 'Get', uris: [`./MO/${SETTINGS}/settings1?list=StructData`] };
  const uri = `./MO/${SETTINGS}/settings1/Ringtone`;
  const leaf: ServerCommand = { kind: 'Get', uris: [uri] };
  const write: ServerCommand = { kind: 'Replace', uri, data: 'Bells' };

  it('are told from what the session has while their validator holds [IW-GET-3] [IW-STAT-2]', async () => {
    const { next } = await onLegacyServer([root, leaf, write, leaf]);
    const { reads, data } = await next();
    expect(reads.slice(1).map(([, code]) => code)).toEqual([200, 304, 304, 200]);
    expect([data[1], data[3]]).toEqual(['Default', 'Bells']);
  });
});
