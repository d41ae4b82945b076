import { expect } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, type Wired, wired } from './harness.ts';
import { type RawDevice, talk } from './quirks.ts';

/** Device of these tests. */
export const ID = 'RAW:quirks';
export const MAN = ['GET', 'urn:oma:mo:oma-dm-devinfo:1.2//Man'];
/** An object with two leaves and something to execute. */
export const BOX = 'urn:example:mo:box:1.0';
const leaf = ($value: string, more: object = {}) => ({ $value, ...more });
export const TREE = {
  DevInfo: {
    $type: 'urn:oma:mo:oma-dm-devinfo:1.0',
    DevId: leaf(ID),
    Man: leaf('Raw'),
    Mod: leaf('M'),
    DmV: leaf('1.2'),
    Lang: leaf('en'),
  },
  DevDetail: { $type: 'urn:oma:mo:oma-dm-devdetail:1.0', FwV: leaf('1'), SwV: leaf('1') },
  Box: { $type: BOX, A: leaf('a'), B: leaf('b'), Run: { $access: ['Exec', 'Get'], $value: '' } },
};

export type Commands = readonly (readonly string[])[];

/**
 * A gateway that knows a device by an earlier session; it then plays the raw one. Gives what the gateway said
 * and what became of the commands.
 */
export async function play(
  CMD: Commands,
  device: Partial<RawDevice> = {},
  config: Record<string, unknown> = {},
) {
  const gateway = await known(config);
  const { job } = await gateway.api<{ job: string }>('POST', `/api/devices/${ID}/commands`, { CMD });
  const said = await talk(gateway, { id: ID, ...device });
  const { Status = [] } = await gateway.api<{ Status?: { sc: number; MO?: object[] }[] }>(
    'GET',
    `/api/jobs/${job}`,
  );
  return { gateway, said, Status, sc: Status.map(({ sc }) => sc) };
}

/** A gateway that knows the device by an earlier session, so that it looks at nothing anew. */
export async function known(config: Record<string, unknown> = {}): Promise<Wired> {
  const gateway = await wired(config);
  const earlier = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, tree: TREE }));
  expect(await earlier.session({ sessionId: '0' })).toMatchObject({ outcome: 'completed', violations: [] });
  return gateway;
}
