import { describe, expect, it } from 'vitest';
import { Dm2Client, LegacyServer, type ServerCommand } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const ID = 'IMEI:490154203237518';

/** A gateway between a 2.0 client and a legacy server that works through `script`. */
async function between(
  encoding: 'xml' | 'wbxml',
  script: readonly (readonly ServerCommand[])[],
  options: {
    device?: Partial<ConstructorParameters<typeof Dm2Client>[0]>;
    server?: Partial<ConstructorParameters<typeof LegacyServer>[0]>;
    backend?: Record<string, unknown>;
  } = {},
) {
  const server = closing(new LegacyServer({ script, ...options.server }));
  const url = await server.start();
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url, encoding, ...options.backend } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const device = closing(new Dm2Client({ url: gateway.dm, deviceId: ID, ...options.device }));
  const report = await device.session();
  const session = server.sessions.at(-1)!;
  return { server, gateway, device, report, session, codes: session?.commands.map(({ code }) => code) };
}

describe.each(['xml', 'wbxml'] as const)('a 2.0 device on a legacy server in %s', (encoding) => {
  it('opens with DevInfo and ends with END alone [IW-SES-7] [IW-SES-8] [IW-ALERT-1]', async () => {
    const { report, session } = await between(encoding, []);
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(session.violations).toEqual([]);
    expect(session.opening).toBe('1201');
    expect(session.devInfo).toMatchObject({ DevId: ID, Man: 'Example' });
    expect(report.executed.at(-1)?.command).toEqual(['END']);
  });

  it('reads leaves and interior nodes [IW-RD-1] [IW-RD-2] [IW-INV-4]', async () => {
    const { codes } = await between(encoding, [
      [
        { kind: 'Get', uris: ['./DevInfo/Man'] },
        { kind: 'Get', uris: ['./DevDetail/FwV'] },
        { kind: 'Get', uris: ['.'] },
        { kind: 'Get', uris: ['./DevInfo'] },
        { kind: 'Get', uris: ['./Nope'] },
        { kind: 'Get', uris: ['./DevInfo?prop=Type'] },
        { kind: 'Get', uris: ['./DevInfo?prop=Title'] },
        { kind: 'Get', uris: ['./DevInfo?list=Struct'] },
      ],
    ]);
    expect(codes).toEqual(['200', '200', '200', '200', '404', '200', '406', '200']);
  });

  it('is read with GET where the client does not know HPOST [IW-RD-1]', async () => {
    const get: ServerCommand = { kind: 'Get', uris: ['./DevInfo/Mod'] };
    const { codes, report, gateway } = await between(encoding, [[get], [get]], {
      device: { missing: ['hpost'] },
    });
    expect(codes).toEqual(['200', '200']);
    // Asked once, then remembered.
    expect(report.executed.filter(({ command }) => command[0] === 'HPOST')).toHaveLength(1);
    expect((await gateway.notes(ID)).map(({ rule }) => rule)).toContain('IW-RD-1');
  });

  it('tells that neither HPOST nor GET is known, and goes on [IW-RD-1] [IW-STAT-2]', async () => {
    const get: ServerCommand = { kind: 'Get', uris: ['./DevInfo/Mod'] };
    const { codes, report } = await between(encoding, [[get], [get]], {
      device: { missing: ['hpost', 'get'] },
    });
    expect(codes).toEqual(['406', '406']);
    expect(report.executed.filter(({ command }) => command[0] === 'GET')).toHaveLength(1);
    expect(report.outcome).toBe('completed');
  });

  it('writes and deletes [IW-WR-1] [IW-WR-3]', async () => {
    const { codes } = await between(encoding, [
      [{ kind: 'Get', uris: ['.?list=Struct'] }],
      [
        { kind: 'Replace', uri: './FUMO/fumo1/PkgName', data: 'new' },
        { kind: 'Replace', uri: './FUMO/fumo1/PkgVersion', data: '2' },
        { kind: 'Add', uri: './FUMO/fumo1/PkgName', data: 'x' },
        { kind: 'Replace', uri: './FUMO/fumo1/Nope', data: 'x' },
        { kind: 'Exec', uri: './FUMO/fumo1/DownloadAndUpdate', correlator: 'c1' },
      ],
    ]);
    expect(codes.slice(1)).toEqual(['200', '200', '418', '404', '202']);
  });
});

describe.each(['xml', 'wbxml'] as const)('a legacy server in %s', (encoding) => {
  it('joins writes under one instance into one HGET, each with its own Status [IW-WR-1]', async () => {
    const { codes, device, report } = await between(encoding, [
      [
        { kind: 'Replace', uri: './MO/urn:example:mo:settings:1.0/settings1/Ringtone', data: 'Bells' },
        {
          kind: 'Replace',
          uri: './MO/urn:example:mo:settings:1.0/settings1/Volume',
          format: 'int',
          data: '9',
        },
        { kind: 'Add', uri: './MO/urn:example:mo:settings:1.0/settings1/New', data: 'leaf' },
        { kind: 'Add', uri: './MO/urn:example:mo:settings:1.0/settings1/New', data: 'again' },
      ],
    ]);
    expect(codes).toEqual(['200', '200', '200', '418']);
    expect(report.executed.filter(({ command }) => command[0] === 'HGET')).toHaveLength(1);
    const value = (name: string) =>
      device.objects.tree.find(['urn:example:mo:settings:1.0', 'settings1', name])?.value;
    expect([value('Ringtone'), value('Volume'), value('New')]).toEqual(['Bells', '9', 'leaf']);
    // What the server did not name is still there.
    expect(value('Roaming')).toBe('false');
  });

  it('creates an instance and goes on addressing it by its own name [IW-WR-1] [IW-INV-4]', async () => {
    const { codes } = await between(encoding, [
      [
        { kind: 'Add', uri: './FUMO/second', format: 'node', data: '' },
        { kind: 'Add', uri: './FUMO/second/PkgName', data: 'p' },
      ],
      [{ kind: 'Get', uris: ['./FUMO/second/PkgName'] }],
      [{ kind: 'Delete', uris: ['./FUMO/second'] }],
      [{ kind: 'Get', uris: ['./FUMO/second/PkgName'] }],
    ]);
    expect(codes).toEqual(['200', '200', '200', '200', '404']);
  });

  it('has Sequences executed in order [IW-WR-4]', async () => {
    const { codes, session } = await between(encoding, [
      [
        {
          kind: 'Sequence',
          commands: [
            { kind: 'Get', uris: ['./FUMO/fumo1/PkgName'] },
            { kind: 'Replace', uri: './FUMO/fumo1/PkgName', data: 'new' },
            { kind: 'Get', uris: ['./FUMO/fumo1/PkgName'] },
            { kind: 'Get', uris: ['./FUMO/none'] },
          ],
        },
      ],
    ]);
    expect(codes).toEqual(['200', '200', '200', '200', '404']);
    expect(session.commands.flatMap(({ results }) => results.map(({ data }) => data))).toEqual([
      'base',
      'new',
    ]);
  });

  it('has an Atomic put back whole when a child fails [IW-WR-4]', async () => {
    const settings = './MO/urn:example:mo:settings:1.0/settings1';
    const { codes, device } = await between(encoding, [
      [
        {
          kind: 'Atomic',
          commands: [
            { kind: 'Replace', uri: `${settings}/Ringtone`, data: 'Bells' },
            { kind: 'Add', uri: `${settings}/New`, data: 'leaf' },
            { kind: 'Delete', uris: [`${settings}/Volume`] },
            { kind: 'Replace', uri: `${settings}/Absent`, data: 'x' },
            { kind: 'Replace', uri: `${settings}/Roaming`, data: 'true' },
          ],
        },
        { kind: 'Atomic', commands: [{ kind: 'Replace', uri: `${settings}/Ringtone`, data: 'Bells' }] },
        {
          kind: 'Atomic',
          commands: [
            { kind: 'Get', uris: [settings] },
            { kind: 'Delete', uris: [settings] },
          ],
        },
      ],
    ]);
    expect(codes).toEqual(['507', '216', '216', '216', '404', '215', '200', '200', '507', '500', '215']);
    const value = (name: string) =>
      device.objects.tree.find(['urn:example:mo:settings:1.0', 'settings1', name])?.value;
    expect(['Ringtone', 'New', 'Volume', 'Roaming'].map(value)).toEqual(['Bells', undefined, '5', 'false']);
  });

  it('has leaves copied [IW-WR-3]', async () => {
    const settings = './MO/urn:example:mo:settings:1.0/settings1';
    const { codes, session } = await between(encoding, [
      [
        { kind: 'Copy', from: './DevInfo/Man', to: `${settings}/Ringtone` },
        { kind: 'Copy', from: `${settings}/Ringtone`, to: `${settings}/Second` },
        { kind: 'Copy', from: settings, to: `${settings}/Third` },
        { kind: 'Copy', from: './Nope', to: `${settings}/Third` },
        { kind: 'Get', uris: [`${settings}/Second`] },
      ],
    ]);
    expect(codes).toEqual(['200', '200', '405', '404', '200']);
    expect(session.commands.at(-1)!.results[0]!.data).toBe('Example');
  });

  it('gets binary exact, both ways [IW-VAL-3] [IW-RD-1]', async () => {
    const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);
    const { codes, session } = await between(encoding, [
      [
        {
          kind: 'Replace',
          uri: './MO/urn:example:mo:settings:1.0/settings1/Wallpaper',
          format: 'bin',
          type: 'image/png',
          data: bytes,
        },
      ],
      [{ kind: 'Get', uris: ['./MO/urn:example:mo:settings:1.0/settings1/Wallpaper'] }],
    ]);
    expect(codes).toEqual(['200', '200']);
    const { data } = session.commands[1]!.results[0]!;
    const text = typeof data === 'string' ? data : Buffer.from(data).toString();
    // Without a DDF nobody knows that the JSON string is binary, so it reads back as its base64 text.
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
  });

  it('lists the whole tree as Struct, StructData and TNDS [IW-RD-2] [IW-INV-4]', async () => {
    const { session, codes } = await between(encoding, [
      [
        { kind: 'Get', uris: ['./FUMO?list=StructData'] },
        { kind: 'Get', uris: ['./DevInfo?list=TNDS'] },
        { kind: 'Get', uris: ['./DevDetail'] },
        { kind: 'Get', uris: ['./DevDetail/URI/MaxDepth'] },
        {
          kind: 'Get',
          uris: [
            './FUMO/fumo1/State?prop=Format',
            './FUMO/fumo1?prop=Type',
            './FUMO/fumo1?prop=Name',
            '.?prop=ACL',
          ],
        },
        { kind: 'Get', uris: ['./FUMO/fumo1?prop=TStamp'] },
      ],
    ]);
    expect(codes).toEqual(['200', '200', '200', '200', '200', '406']);
    const [structData, tnds, detail, depth, props] = session.commands.map(({ results }) => results);
    expect(structData!.find(({ uri }) => uri === './FUMO/fumo1/State')).toMatchObject({
      data: '10',
      meta: { format: 'int' },
    });
    expect(String(tnds![0]!.data)).toContain('<NodeName>DevId</NodeName>');
    expect(String(detail![0]!.data).split('/').sort()).toEqual([
      'DevTyp',
      'FwV',
      'HwV',
      'LrgObj',
      'OEM',
      'SwV',
      'URI',
    ]);
    expect(depth![0]!.data).toBe('0');
    expect(props!.map(({ data }) => data).slice(0, 3)).toEqual(['int', 'urn:oma:mo:oma-fumo:1.0', 'fumo1']);
  });

  it.each(['basic', 'md5'] as const)(
    'is told who we are, by %s, and by the nonce that it gave [IW-AUTH-3]',
    async (scheme) => {
      const account = { username: 'gateway', password: 'secret-to-server' };
      const { report, session, device, server } = await between(
        encoding,
        [[{ kind: 'Get', uris: ['./DevInfo/Man'] }]],
        {
          server: { auth: { type: scheme, ...account } },
          backend: { auth: { type: scheme, ...account } },
        },
      );
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(session).toMatchObject({ authenticated: scheme, state: 'completed', violations: [] });
      await device.session();
      expect(server.sessions.at(-1)).toMatchObject({
        authenticated: scheme,
        state: 'completed',
        violations: [],
      });
      // The second session knows the nonce, so it needs no challenge.
      expect(server.sessions.at(-1)!.messages).toBe(2);
    },
  );

  it('that refuses us leaves the client with a tidy END [IW-SES-10] [IW-AUTH-3]', async () => {
    const { report } = await between(encoding, [[{ kind: 'Get', uris: ['./DevInfo/Man'] }]], {
      server: { auth: { type: 'md5', username: 'gateway', password: 'other' } },
      backend: { auth: { type: 'md5', username: 'gateway', password: 'secret' } },
    });
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(report.executed.at(-1)?.command).toEqual(['END']);
  });

  it('is told of alerts, with type, mark and data [IW-ALERT-3] [IW-ALERT-5]', async () => {
    const { session } = await between(encoding, [], {
      device: {
        alerts: [
          {
            AlertType: 'urn:oma:at:scomo:1.0:OperationComplete',
            SourceURI: 'urn:oma:mo:oma-fumo:1.0/fumo1/State',
            Mark: 'critical',
            DataType: 'int',
            Data: { DM1x: 1404 },
          },
          { AlertType: 'urn:example:at:custom', Data: { a: [1] }, DataType: 'application/json' },
        ],
      },
    });
    expect(session.alerts).toMatchObject([
      {
        code: '1226',
        items: [
          {
            source: { uri: './FUMO/fumo1/State' },
            meta: { type: 'urn:oma:at:scomo:1.0:OperationComplete', format: 'int', mark: 'critical' },
            data: '1404',
          },
        ],
      },
      {
        code: '1226',
        items: [{ meta: { type: 'urn:example:at:custom', mark: 'informational' }, data: '{"a":[1]}' }],
      },
    ]);
  });
});
