import { afterEach, describe, expect, it } from 'vitest';
import {
  LegacyDevice,
  type LegacyDeviceOptions,
  LegacyServer,
  type LegacyServerOptions,
} from '../../src/simulator/index.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const peer of open.splice(0)) await peer.close();
});

async function pair(
  server: LegacyServerOptions,
  device: Partial<LegacyDeviceOptions> = {},
): Promise<{ server: LegacyServer; device: LegacyDevice }> {
  const made = new LegacyServer(server);
  const url = await made.start();
  const client = new LegacyDevice({ url, deviceId: 'IMEI:1', ...device });
  open.push(client, made);
  return { server: made, device: client };
}

const account = { username: 'phone', password: 'secret' };

describe.each(['xml', 'wbxml'] as const)('a DM 1.x session in %s', (encoding) => {
  it.each(['none', 'basic', 'md5', 'hmac'] as const)(
    'reads and writes with %s authentication',
    async (type) => {
      const { server, device } = await pair(
        {
          auth: { type, ...account },
          script: [
            [
              { kind: 'Get', uris: ['./DevInfo/Man', './Settings/Wallpaper'] },
              { kind: 'Replace', uri: './Settings/Ringtone', data: 'Bells & <Whistles>' },
            ],
            [{ kind: 'Get', uris: ['./Settings/Ringtone'] }],
          ],
        },
        { encoding, auth: { type, ...account } },
      );
      const report = await device.session();
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      const [session] = server.sessions;
      expect(session).toMatchObject({
        state: 'completed',
        authenticated: type,
        opening: '1201',
        violations: [],
      });
      expect(session!.devInfo['DevId']).toBe('IMEI:1');
      expect(session!.commands.map(({ code }) => code)).toEqual(['200', '200', '200']);
      expect(session!.commands[0]!.results.map(({ uri }) => uri)).toEqual([
        './DevInfo/Man',
        './Settings/Wallpaper',
      ]);
      expect(session!.commands[2]!.results[0]!.data).toBe('Bells & <Whistles>');
    },
  );
});
