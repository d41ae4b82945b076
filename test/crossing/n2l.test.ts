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
