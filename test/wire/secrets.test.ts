import { describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { Dm2Client, LegacyDevice, LegacyServer } from '../../src/simulator/index.ts';
import { closing, wired } from './harness.ts';

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
    const gateway = await wired({
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
    const gateway = await wired({
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
  });
});
