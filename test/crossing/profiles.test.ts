import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { PHONE_TREE } from '../../src/simulator/trees.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const DELETIONS = [
  ['DELETE', `${SCOMO}//Inventory/Deployed/Component1/Name`],
  ['DELETE', `${SCOMO}//Inventory/Deployed/Component1/Version`],
];

const folder = mkdtempSync(join(tmpdir(), 'dragoman-packs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a device executes in its very first session, under a pack of that profile. */
async function underPack(
  phone: Phone,
  match: string,
  device: Partial<ConstructorParameters<typeof LegacyDevice>[0]> = {},
) {
  const packs = mkdtempSync(join(folder, 'packs-'));
  writeFileSync(
    join(packs, 'model.yaml'),
    `profiles: [{ match: ${match}, capabilities: { sequence: false } }]`,
  );
  const gateway = await run({ mappings: [packs] });
  await gateway.register(ID, 'phone', 'secret');
  const job = await gateway.queue(ID, DELETIONS);
  const peer = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, ...device }));
  const report = await peer.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const sc = phone.has('delete') ? 200 : 500;
  expect((await gateway.job(job)).Status?.map((status) => status.sc)).toEqual([sc, sc]);
  const { body } = await gateway.api<{ capabilities: object }>(
    'GET',
    `/api/devices/${encodeURIComponent(ID)}`,
  );
  return {
    kinds: [...new Set(report.executed.map(({ command }) => command))],
    capabilities: body.capabilities,
  };
}

/** The simulated phone with one value of its own. */
const phoneWith = (object: 'DevInfo' | 'DevDetail', name: string, value: string) => {
  const tree = PHONE_TREE as Record<string, Record<string, unknown>>;
  return { tree: { ...tree, [object]: { ...tree[object], [name]: value } } };
};

describe.each(PHONES)('what a pack says of the model of a device $name', (phone) => {
  it.each([
    ['Man', '{ man: "Acm?" }', phoneWith('DevInfo', 'Man', 'Acme')],
    ['Mod', '{ mod: "Phone *" }', phoneWith('DevInfo', 'Mod', 'Phone 7')],
    ['FwV', '{ fwv: 7.* }', phoneWith('DevDetail', 'FwV', '7.1')],
    ['SwV', '{ swv: 8.* }', phoneWith('DevDetail', 'SwV', '8.1')],
    ['all of these at once', '{ man: Exam*, mod: One, fwv: 1.*, swv: "10", deviceId: "IMEI:*" }', {}],
    ['DevId', '{ deviceId: "IMEI:4930*" }', {}],
    ['User-Agent', '{ agent: "Acme DM/?" }', { userAgent: 'Acme DM/2' }],
  ])('holds by %s, whatever the device would answer [IW-SEQ-1] [IW-INV-2]', async (_, match, device) => {
    const { kinds, capabilities } = await underPack(phone, match, device);
    expect(kinds).not.toContain('Sequence');
    expect(kinds).toContain('Delete');
    // It is the pack's word, not something that was learned.
    expect(capabilities).not.toHaveProperty('sequence');
  });

  it.each(['{ man: Other }', '{ man: Exam*, mod: Two }', '{ man: Example, fwv: 2.* }', '{ agent: "Acme*" }'])(
    'does not hold by %s, which is another',
    async (match) => {
      expect((await underPack(phone, match)).kinds).toContain('Sequence');
    },
  );
});
