import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { answered, calm, live, PATIENT, unread } from './killing.ts';
import { compile, MortalGateway } from './mortal.ts';

const WALLPAPER = 'urn:example:mo:settings:1.0//Wallpaper';
const digest = (bytes: unknown) =>
  createHash('sha256')
    .update(Buffer.from(bytes as Uint8Array))
    .digest('hex');

let built: ReturnType<typeof compile>;
beforeAll(() => {
  built = compile();
});
afterAll(() => built.remove());

describe.each(['xml', 'wbxml'] as const)('kill -9 amid the chunks of a large object in %s', (encoding) => {
  it('loses no byte of it, to the device or from it [IW-SES-4] [IW-HGET-4] [IW-HPUT-1]', async () => {
    const image = Uint8Array.from({ length: 1_200_001 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
    const backend = new Dm2Backend({
      script: [
        [['HGET', '{origin}/repository/image', WALLPAPER]],
        [['HPUT', '{origin}/repository/copy', WALLPAPER]],
      ],
      documents: { image: { body: image, contentType: 'image/png' } },
    });
    const gateway = await MortalGateway.start(built.dist, {
      backends: { dms: { protocol: 'dm2', url: await backend.start() } },
      routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    });
    const device = new LegacyDevice({
      url: gateway.dm,
      deviceId: 'IMEI:493005100592800',
      encoding,
      maxMsgSize: 200_000,
      ...PATIENT,
    });
    try {
      const died = await live(gateway, device, {
        moment: (n) => (n % 6 === 3 ? unread : n % 6 === 5 ? answered : calm),
      });
      expect(died).toBeGreaterThan(3);
      expect(device.report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(digest(device.tree.find(['Settings', 'Wallpaper'])!.value)).toBe(digest(image));
      const [{ MOData }] = backend.uploads.at(-1)!.json as [{ MOData: Record<string, string> }];
      expect(digest(Buffer.from(MOData['Wallpaper']!, 'base64'))).toBe(digest(image));
      expect(backend.sessions.at(-1)!.commands.map(({ status }) => status?.sc)).toEqual([200, 200]);
    } finally {
      await device.close();
      await backend.close();
      await gateway.close();
    }
  }, 240_000);
});
