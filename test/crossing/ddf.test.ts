import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { type LegacyCapability, LegacyDevice } from '../../src/simulator/index.ts';
import { dragoman } from '../cli/captured.ts';
import { closing, run } from './gateway.ts';

const ID = 'IMEI:493005100592800';
const folder = mkdtempSync(join(tmpdir(), 'dragoman-ddf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a pack as an operator does; it has to pass the check. Gives its folder and its text. */
async function packOf(ddf: string, ...flags: readonly string[]): Promise<{ own: string; text: string }> {
  const own = mkdtempSync(join(folder, 'packs-'));
  // A pack of the name of a shipped one stands in its place.
  const output = join(own, ddf.replace(/(?:-csp)?\.xml$/, '.yaml'));
  const from = ['mappings', 'from-ddf', `fixtures/dm1/ddf/${ddf}`, ...flags, '-o', output];
  expect((await dragoman(from)).code).toBe(0);
  expect(await dragoman(['mappings', 'check', own])).toMatchObject({
    code: 0,
    out: expect.stringContaining('1 pack, 0 wrong'),
  });
  return { own, text: readFileSync(output, 'utf8') };
}

/** A device that can neither list its tree nor tell types: what the gateway knows of it is in the pack. */
const MUTE: readonly LegacyCapability[] = ['list', 'prop', 'atomic'];
const DEVICE = {
  DevInfo: { DevId: ID, Man: 'Example', Mod: 'M', DmV: '1', Lang: 'en' },
  DevDetail: { FwV: '1', SwV: '1', HwV: '1', DevTyp: 'phone', OEM: 'o', LrgObj: true },
};

/** One session of a device that has these nodes, whose backend gives it these commands. */
async function manage(
  encoding: 'xml' | 'wbxml',
  mappings: string,
  tree: object,
  commands: readonly (readonly string[])[],
  documents: Record<string, readonly object[]> = {},
) {
  const backend = closing(
    new Dm2Backend({
      script: [commands],
      documents: Object.fromEntries(Object.entries(documents).map(([name, body]) => [name, { body }])),
    }),
  );
  const url = await backend.start();
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    mappings: ['mappings', mappings],
  });
  const device = closing(
    new LegacyDevice({
      url: gateway.dm,
      deviceId: ID,
      encoding,
      tree: { ...DEVICE, ...tree },
      missing: [...MUTE],
    }),
  );
  expect(await device.session()).toMatchObject({ outcome: 'completed', violations: [] });
  return { status: backend.sessions.at(-1)!.commands.map(({ status }) => status), device };
}

describe.each(['xml', 'wbxml'] as const)('a device in %s behind a pack made of a DDF', (encoding) => {
  it('has its SCOMO, at a place of its own, read, written and executed [IW-INV-2] [IW-VAL-2] [IW-GET-1]', async () => {
    const { own } = await packOf('scomo.xml');
    const SCOMO = 'urn:oma:mo:oma-scomo:1.0';
    const tree = {
      Vendor: {
        Example: {
          SCOMO: {
            Download: {},
            Inventory: {
              Deployed: {
                c1: { ID: 'c1', Operations: { Activate: { $access: ['Exec', 'Get'], $value: '' } } },
              },
              Delivered: {},
            },
          },
        },
      },
    };
    const { status, device } = await manage(
      encoding,
      own,
      tree,
      [
        ['GET', `${SCOMO}//Inventory/Deployed`],
        ['HGET', '{origin}/repository/doc', `${SCOMO}//Download/d1`],
        ['EXEC', `${SCOMO}//Inventory/Deployed/c1/Operations/Activate`],
      ],
      {
        doc: [
          {
            ClientURI: `${SCOMO}//Download/d1`,
            MOData: { d1: { PkgID: 'p', PkgURL: 'http://x/', Status: '10' } },
          },
        ],
      },
    );
    expect(status).toMatchObject([
      { sc: 200, MO: [{ MOData: { Deployed: { c1: { ID: 'c1' } } } }] },
      { sc: 200 },
      { sc: 200 },
    ]);
    const added = device.tree.find(['Vendor', 'Example', 'SCOMO', 'Download', 'd1']);
    expect([...(added?.children?.values() ?? [])].map(({ name, format }) => [name, format])).toEqual([
      ['PkgID', 'chr'],
      ['PkgURL', 'chr'],
      // A string in the document, a number on the device, as the DDF says.
      ['Status', 'int'],
    ]);
  });

  it('has the kiosks of its device and of its user, each at its own place [IW-INV-1] [IW-VAL-2] [IW-VAL-3]', async () => {
    const { own } = await packOf('kiosk-csp.xml');
    const kiosk = (attempts: number, more: object = {}) => ({
      Kiosk: { one: { Attempts: attempts, ...more } },
    });
    const restart = { RestartNow: { $access: ['Exec', 'Get'], $format: 'null', $value: '' } };
    const CSP = 'com.microsoft%2F1.1%2FMDM%2FKiosk';
    const { status, device } = await manage(
      encoding,
      own,
      {
        Device: { Vendor: { MSFT: kiosk(3, restart) } },
        User: { Vendor: { MSFT: kiosk(5) } },
      },
      [
        ['GET', `${CSP}/*/one/Attempts`],
        ['HGET', '{origin}/repository/doc', `${CSP}/Device-Vendor-MSFT-Kiosk/two`],
        ['EXEC', `${CSP}/Device-Vendor-MSFT-Kiosk/one/RestartNow`],
        ['GET', `${CSP}/User-Vendor-MSFT-Kiosk/one`],
      ],
      {
        doc: [
          {
            ClientURI: `${CSP}/Device-Vendor-MSFT-Kiosk/two`,
            MOData: { two: { Attempts: '4', Logo: 'AAEC' } },
          },
        ],
      },
    );
    expect(status).toMatchObject([
      { sc: 200, MO: [{ MOData: { Attempts: '5' } }, { MOData: { Attempts: '3' } }] },
      { sc: 200 },
      { sc: 200 },
      { sc: 200, MO: [{ MOData: { one: { Attempts: '5' } } }] },
    ]);
    const two = device.tree.find(['Device', 'Vendor', 'MSFT', 'Kiosk', 'two'])?.children;
    expect([two?.get('Attempts')?.format, two?.get('Attempts')?.value]).toEqual(['int', '4']);
    expect(two?.get('Logo')?.value).toEqual(Uint8Array.of(0, 1, 2));
  });

  it('gets a new instance where the DDF lets a server add one [IW-HGET-1]', async () => {
    const { own, text } = await packOf(
      'dmacc-1.2.xml',
      '--moid',
      'urn:example:mo:account:1.0',
      '--root',
      './Accounts/<x>',
    );
    expect(text).toContain('create: ./Accounts\n');
    const ACCOUNT = 'urn:example:mo:account:1.0';
    const { status, device } = await manage(
      encoding,
      own,
      { Accounts: { old: { AppID: 'w7', ServerID: 'a' } } },
      [
        ['HGET', '{origin}/repository/doc'],
        ['GET', `${ACCOUNT}/*/ServerID`],
      ],
      { doc: [{ ClientURI: `${ACCOUNT}//`, MOData: { account: { AppID: 'w7', ServerID: 'b' } } }] },
    );
    expect(status).toMatchObject([
      { sc: 200, URI: [`${ACCOUNT}/account/`] },
      { sc: 200, MO: [{ MOData: { ServerID: 'a' } }, { MOData: { ServerID: 'b' } }] },
    ]);
    expect(device.tree.find(['Accounts', 'account', 'ServerID'])?.value).toBe('b');
  });
});
