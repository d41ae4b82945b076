import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';

const ID = 'IMEI:493005100592800';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
const DELETIONS = [
  ['DELETE', `${SCOMO}//Inventory/Deployed/Component1/Name`],
  ['DELETE', `${SCOMO}//Inventory/Deployed/Component1/Version`],
];

const folder = mkdtempSync(join(tmpdir(), 'dragoman-packs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Groups that a device gets in its very first session, under a pack of that profile. */
async function groups(match: string, device: Partial<ConstructorParameters<typeof LegacyDevice>[0]> = {}) {
  const packs = mkdtempSync(join(folder, 'packs-'));
  writeFileSync(
    join(packs, 'model.yaml'),
    `profiles: [{ match: ${match}, capabilities: { sequence: false } }]`,
  );
  const gateway = await run({ mappings: [packs] });
  await gateway.register(ID, 'phone', 'secret');
  const job = await gateway.queue(ID, DELETIONS);
  const phone = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...device }));
  const report = await phone.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  expect((await gateway.job(job)).Status?.map(({ sc }) => sc)).toEqual([200, 200]);
  const { body } = await gateway.api<{ capabilities: object }>(
    'GET',
    `/api/devices/${encodeURIComponent(ID)}`,
  );
  return {
    kinds: [...new Set(report.executed.map(({ command }) => command))],
    capabilities: body.capabilities,
  };
}

describe('what a pack says of a model', () => {
  it.each([
    ['Man and FwV that the device tells in this session', '{ man: Exam*, fwv: 1.* }'],
    ['DevId', '{ deviceId: "IMEI:4930*" }'],
    ['User-Agent', '{ agent: "Acme DM/?" }'],
  ])('holds by %s, whatever the device would answer [IW-SEQ-1] [IW-INV-2]', async (_, match) => {
    const { kinds, capabilities } = await groups(match, { userAgent: 'Acme DM/2' });
    expect(kinds).not.toContain('Sequence');
    expect(kinds).toContain('Delete');
    // It is the pack's word, not something that was learned.
    expect(capabilities).not.toHaveProperty('sequence');
  });

  it('does not hold for others', async () => {
    expect((await groups('{ man: Other }')).kinds).toContain('Sequence');
  });
});
