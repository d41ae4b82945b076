import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { openStore } from '../../src/store/store.ts';
import { closing, listening, post, TYPES, wired } from './harness.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A database of its own, whose journals can be read beside the gateway. */
function database() {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-secrets-'));
  folders.push(folder);
  const url = `sqlite:${join(folder, 'dragoman.db')}`;
  return {
    store: url,
    /** Has the journals tell of another effect than the script will come to. */
    forge: async () => {
      const store = await openStore(url);
      try {
        await sql`UPDATE journal SET entries = replace(entries, 'registry.save ', 'wakeup.answer ')`.execute(
          store.db,
        );
      } finally {
        await store.close();
      }
    },
    journals: async () => {
      const store = await openStore(url);
      try {
        const rows = await store.db.selectFrom('journal').select(['entries', 'bodies']).execute();
        return rows
          .map(({ entries, bodies }) => `${entries} ${Buffer.from(bodies ?? []).toString('latin1')}`)
          .join('\n');
      } finally {
        await store.close();
      }
    },
  };
}

const DEVICE = 'IMEI:493005100592800';
const OLD = 'correct horse';
const NEW = 'battery staple';
const NODE = 'urn:oma:mo:oma-dm-dmacc:1.2//AppAuth/client/AAuthSecret';
const TREE = {
  DevInfo: {
    $type: 'urn:oma:mo:oma-dm-devinfo:1.0',
    DevId: { $value: DEVICE },
    Man: { $value: 'Example' },
    Mod: { $value: 'M' },
    DmV: { $value: '1.2' },
    Lang: { $value: 'en' },
  },
  DMAcc: {
    operator: {
      $type: 'urn:oma:mo:oma-dm-dmacc:1.0',
      Name: { $value: 'Operator' },
      AppAuth: { client: { AAuthLevel: { $value: 'CLCRED' }, AAuthSecret: { $value: OLD } } },
    },
  },
};

async function traceText(gateway: Awaited<ReturnType<typeof wired>>): Promise<string> {
  const traces = await gateway.traces(DEVICE);
  expect(traces.map(({ ending }) => ending)).toEqual(['completed']);
  return JSON.stringify(traces);
}

describe.each(['xml', 'wbxml'] as const)('what packs call secret, with %s', (encoding) => {
  it('goes to a legacy device and to its backend, and into no trace or log [IW-ADDR-3]', async () => {
    const backend = closing(
      new Dm2Backend({
        script: [
          [['GET', NODE]],
          [['HGET', '{origin}/repository/new', NODE]],
          [['GET', NODE.replace('/AAuthSecret', '')]],
        ],
        documents: { new: { body: [{ ClientURI: NODE, MOData: { AAuthSecret: NEW } }] } },
      }),
    );
    const { store, journals } = database();
    const gateway = await wired({
      store,
      backends: { peer: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
    });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding, tree: TREE }));
    expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const statuses = backend.sessions[0]?.commands.map(({ status }) => status);
    expect(JSON.stringify(statuses?.[0])).toContain(OLD);
    expect(statuses?.[1]).toEqual({ sc: 200 });
    expect(JSON.stringify(statuses?.[2])).toContain(NEW);
    const shown = `${await traceText(gateway)}${JSON.stringify(gateway.log)}`;
    expect(shown).toContain('***');
    expect(shown).toContain('CLCRED');
    expect(shown).not.toContain(OLD);
    expect(shown).not.toContain(NEW);
    const kept = await journals();
    expect(kept).toContain('AAuthSecret');
    expect(kept).not.toContain(OLD);
    expect(kept).not.toContain(NEW);
  });

  it('stands in the journal while a replay may need it, and goes with the session, also of a device that left [IW-ADDR-3] [IW-SES-11]', async () => {
    const document = { body: [{ ClientURI: NODE, MOData: { AAuthSecret: NEW } }] };
    const backend = closing(
      new Dm2Backend({
        script: [[['GET', NODE]], [['HGET', '{origin}/repository/new', NODE]]],
        documents: { new: document },
      }),
    );
    const { store, journals } = database();
    const gateway = await wired({
      store,
      backends: { peer: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
      limits: { sessionSeconds: 31 },
    });
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding, tree: TREE }));
    device.begin();
    let last = new Uint8Array();
    // Up to the message that would set the new value.
    for (;;) {
      const sent = device.nextBytes ?? new Uint8Array();
      expect(sent.length).toBeGreaterThan(0);
      await device.step();
      last = new Uint8Array(sent);
      if ((await journals()).includes(NEW)) break;
    }
    const live = await journals();
    expect(live).toContain(OLD);
    device.drop();
    // It begins anew, which ends what it left open.
    const other = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding, tree: TREE }));
    await other.session({ sessionId: '99' });
    await expect.poll(journals, { timeout: 20_000, interval: 200 }).not.toContain(NEW);
    const kept = await journals();
    expect(kept).not.toContain(OLD);
    const shown = JSON.stringify(await gateway.traces(DEVICE));
    expect(shown).toContain('***');
    // What was wiped is no answer any more.
    const again = await post(gateway.dm, last, { 'content-type': TYPES[encoding] });
    expect(again.text).not.toContain('***');
    expect(again.text).not.toContain('AAuthSecret');
  });

  it('goes with a session that does not repeat itself after a restart [IW-ADDR-3]', async () => {
    const backend = closing(
      new Dm2Backend({
        script: [[['GET', NODE]], [['HGET', '{origin}/repository/new', NODE]]],
        documents: { new: { body: [{ ClientURI: NODE, MOData: { AAuthSecret: NEW } }] } },
      }),
    );
    const { store, forge, journals } = database();
    const config = {
      store,
      backends: { peer: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
    };
    const gateway = await wired(config);
    const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding, tree: TREE }));
    device.begin();
    while (!(await journals()).includes(NEW)) await device.step();
    await gateway.stop();
    await forge();
    expect(await journals()).toContain(OLD);
    const later = await wired(config);
    const answer = await later.post(device.nextBytes!, { 'content-type': TYPES[encoding] });
    expect(answer.text).not.toContain(NEW);
    expect((await later.traces(DEVICE)).map(({ state, ending }) => [state, ending])).toEqual([
      ['failed', 'diverged'],
    ]);
    const kept = await journals();
    expect(kept).toContain('AAuthSecret');
    expect(kept).not.toContain(OLD);
    expect(kept).not.toContain(NEW);
    const shown = JSON.stringify([await later.traces(DEVICE), gateway.log, later.log]);
    expect(shown).toContain('***');
    expect(shown).not.toContain(OLD);
    expect(shown).not.toContain(NEW);
  });

  it('goes to a 2.0 client and to its legacy server, and into no trace or log [IW-ADDR-3]', async () => {
    const uri = './DMAcc/operator/AppAuth/client/AAuthSecret';
    const server = closing(
      new LegacyServer({
        script: [
          [{ kind: 'Add', uri, data: OLD }],
          [{ kind: 'Get', uris: [uri, './DMAcc/operator/AppAuth?list=StructData'] }],
        ],
      }),
    );
    const { store, journals } = database();
    const gateway = await wired({
      store,
      backends: { legacy: { protocol: 'dm1', url: await server.start(), encoding } },
      routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
    });
    const client = closing(new Dm2Client({ url: gateway.dm, deviceId: DEVICE }));
    expect(await client.session()).toMatchObject({ outcome: 'completed', violations: [] });
    const [added, got] = server.sessions[0]?.commands ?? [];
    expect([added?.code, got?.code]).toEqual(['200', '200']);
    expect(got?.results.filter(({ data }) => String(data) === OLD)).toHaveLength(2);
    const shown = `${await traceText(gateway)}${JSON.stringify(gateway.log)}`;
    expect(shown).toContain('***');
    expect(shown).not.toContain(OLD);
    const kept = await journals();
    expect(kept).toContain('AAuthSecret');
    expect(kept).not.toContain(OLD);
  });

  it('that a user types on a legacy device reaches the page, and is in no trace, nor in the journal once the session ended [IW-UI-2]', async () => {
    const posted: string[] = [];
    const host = await listening(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.method === 'POST') posted.push(body);
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(
        request.method === 'POST'
          ? '<p>Done</p>'
          : '<form method=post><label>PIN <input name=p type=password></label><button>Next</button></form>',
      );
    });
    const backend = closing(new Dm2Backend({ script: [[['SHOW', `http://${host}/`]]] }));
    const { store, journals } = database();
    const gateway = await wired({
      store,
      backends: { peer: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { deviceId: 'IMEI:*' }, backend: 'peer' }],
      outbound: { allow: [host] },
    });
    const device = closing(
      new LegacyDevice({
        url: gateway.dm,
        deviceId: DEVICE,
        encoding,
        tree: { DevInfo: TREE.DevInfo },
        ui: ({ code }) => ({ status: 200, ...(code === '1102' && { items: ['zeppelin8'] }) }),
      }),
    );
    device.begin();
    while (await device.step());
    expect(posted).toEqual(['p=zeppelin8']);
    const shown = `${await traceText(gateway)}${JSON.stringify(gateway.log)}`;
    expect(shown).not.toContain('zeppelin8');
    expect(await journals()).not.toContain('zeppelin8');
  });
});
