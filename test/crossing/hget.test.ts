import { describe, expect, it } from 'vitest';
import { writeTnds, writeTndsWbxml } from '../../src/dm1/tnds/write.ts';
import type { MoNode } from '../../src/mo/node.ts';
import { Dm2Backend, type RepositoryDocument } from '../../src/simulator/dm2Backend/backend.ts';
import { type LegacyCapability, LegacyDevice } from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SETTINGS = 'urn:example:mo:settings:1.0';

/** One HGET after another on a fresh device. */
async function hget(
  phone: Phone,
  documents: Record<string, RepositoryDocument>,
  commands: readonly (readonly string[])[],
  missing: readonly LegacyCapability[] = [],
) {
  const backend = closing(new Dm2Backend({ script: [commands], documents }));
  const url = await backend.start();
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
    ...phone.config,
  });
  const device = closing(
    new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device, missing: [...missing] }),
  );
  const report = await device.session();
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const status = backend.sessions.at(-1)!.commands.map((each) => each.status);
  const value = (...path: string[]) => device.tree.find(path)?.value;
  const notes = await gateway.notes(ID);
  return { status, sc: status.map((item) => item?.sc), value, device, report, notes };
}

const settings = (data: Record<string, unknown>): RepositoryDocument => ({
  body: [{ ClientURI: `${SETTINGS}//`, MOData: { Settings: data } }],
});
const HGET_SETTINGS = [['HGET', '{origin}/repository/doc', `${SETTINGS}//`]];

describe.each(PHONES)('HGET on a legacy device $name', (phone) => {
  it('adds, replaces and deletes what differs and leaves the rest alone [IW-HGET-2] [IW-VAL-2] [IW-VAL-3]', async () => {
    const { sc, value, device, report } = await hget(
      phone,
      {
        doc: settings({
          Wallpaper: 'AAECAwQF',
          Ringtone: 'Bells',
          Volume: 7,
          Extra: { Deep: { Leaf: 'x' } },
        }),
      },
      HGET_SETTINGS,
    );
    if (!phone.has('delete')) {
      // What the document lacks cannot go, so nothing else may change.
      expect(sc).toEqual([500]);
      expect(value('Settings', 'Ringtone')).toBe('Default');
      expect(value('Settings', 'Volume')).toBe('5');
      return;
    }
    expect(sc).toEqual([200]);
    expect(value('Settings', 'Ringtone')).toBe('Bells');
    expect(value('Settings', 'Volume')).toBe('7');
    expect(device.tree.find(['Settings', 'Volume'])?.format).toBe('int');
    expect(value('Settings', 'Extra', 'Deep', 'Leaf')).toBe('x');
    expect(device.tree.find(['Settings', 'Roaming'])).toBeUndefined();
    // The wallpaper was equal, so it was not sent.
    const touched = report.executed.filter(({ uri }) => uri?.includes('Wallpaper'));
    expect(touched.filter(({ command }) => command !== 'Get')).toEqual([]);
  });

  it.each([[['atomic']], [['atomic', 'sequence']]] as const)(
    'puts everything back when a change fails on a device without %s [IW-HGET-3] [IW-SEQ-1]',
    async (missing) => {
      const { sc, value, device, notes } = await hget(
        phone,
        {
          doc: {
            body: [
              {
                ClientURI: `${FUMO}//`,
                MOData: {
                  fw: {
                    PkgName: 'changed',
                    PkgVersion: '9',
                    Download: { PkgURL: 'u' },
                    Update: {},
                    DownloadAndUpdate: { PkgURL: 'v' },
                    State: '99',
                  },
                },
              },
            ],
          },
        },
        [['HGET', '{origin}/repository/doc', `${FUMO}//`]],
        missing,
      );
      expect(sc).toEqual([405]);
      expect(value('FUMO', 'fw', 'PkgName')).toBe('base');
      expect(value('FUMO', 'fw', 'Download', 'PkgURL')).toBe('');
      expect(device.tree.find(['FUMO', 'fw', 'State'])?.value).toBe('10');
      expect(notes.map(({ rule }) => rule)).toContain('IW-HGET-3');
    },
  );

  it('changes nothing at all where the device has Atomic and a change fails [IW-HGET-3]', async () => {
    const { sc, value, report } = await hget(
      phone,
      {
        doc: {
          body: [
            {
              ClientURI: `${FUMO}//`,
              MOData: {
                fw: {
                  PkgName: 'changed',
                  PkgVersion: '9',
                  Download: { PkgURL: '' },
                  Update: {},
                  DownloadAndUpdate: { PkgURL: '' },
                  State: '99',
                },
              },
            },
          ],
        },
      },
      [['HGET', '{origin}/repository/doc', `${FUMO}//`]],
    );
    expect(sc).toEqual([405]);
    expect(value('FUMO', 'fw', 'PkgName')).toBe('base');
    // One that gives an Atomic no Status leaves the undoing to the gateway.
    const silent = phone.device.preset === 'libdmclient-like';
    expect(report.executed.some(({ command }) => command === 'Atomic')).toBe(!silent);
  });

  it('refuses a value that cannot have the format, and changes nothing [IW-VAL-2]', async () => {
    const { sc, value } = await hget(
      phone,
      { doc: settings({ Volume: 'loud', Ringtone: 'Bells' }) },
      HGET_SETTINGS,
    );
    expect(sc).toEqual([415]);
    expect(value('Settings', 'Ringtone')).toBe('Default');
  });

  it('creates an instance and tells its URI when no ClientURI says where [IW-HGET-1]', async () => {
    const { status, device } = await hget(
      phone,
      {
        new: {
          body: [
            { ClientURI: `${FUMO}/second/`, MOData: { fumo: { PkgName: 'p', State: 10 } } },
            { ClientURI: `${FUMO}//`, MOData: { fumo: { PkgName: 'q', State: 10 } } },
          ],
        },
      },
      [
        ['HGET', '{origin}/repository/new'],
        ['GET', `${FUMO}/second/PkgName`],
      ],
    );
    expect(status).toMatchObject([
      { sc: 200, URI: [`${FUMO}/second/`, `${FUMO}/fumo/`] },
      { sc: 200, MO: [{ MOData: { PkgName: 'p' } }] },
    ]);
    expect(device.tree.find(['FUMO', 'second', 'State'])?.format).toBe('int');
  });

  it('writes a body that is no serialization to the addressed leaf as it is [IW-HGET-4]', async () => {
    const bytes = new Uint8Array([0, 1, 2, 255]);
    const { sc, device, value } = await hget(
      phone,
      {
        image: { body: bytes, contentType: 'image/png' },
        text: { body: 'Bells é', contentType: 'text/plain; charset=utf-8' },
      },
      [
        ['HGET', '{origin}/repository/image', `${SETTINGS}//Wallpaper`],
        ['HGET', '{origin}/repository/text', `${SETTINGS}//Ringtone`],
        ['HGET', '{origin}/repository/image'],
      ],
    );
    expect(sc).toEqual([200, 200, 415]);
    expect(Buffer.from(device.tree.find(['Settings', 'Wallpaper'])!.value as Uint8Array)).toEqual(
      Buffer.from(bytes),
    );
    expect(value('Settings', 'Ringtone')).toBe('Bells é');
  });

  it.each(['nested', 'flat'] as const)('unfolds TNDS, %s, in XML and WBXML [IW-HGET-4]', async (style) => {
    const tree: MoNode = {
      name: 'Settings',
      format: 'node',
      children: [
        { name: 'Ringtone', format: 'chr', value: 'Bells' },
        { name: 'Volume', format: 'int', value: '9' },
        { name: 'Extra', format: 'node', children: [{ name: 'Leaf', format: 'chr', value: 'x' }] },
      ],
    };
    const firmware: MoNode = {
      name: 'fresh',
      format: 'node',
      type: FUMO,
      children: [{ name: 'PkgName', format: 'chr', value: 'new' }],
    };
    const type = 'application/vnd.syncml.dmtnds';
    const { status, value, device } = await hget(
      phone,
      {
        xml: { body: writeTnds(tree, undefined, '', style), contentType: `${type}+xml; charset=utf-8` },
        wbxml: { body: writeTndsWbxml(firmware, undefined, '', style), contentType: `${type}+wbxml` },
        junk: { body: '<MgmtTree><Node><Node/></Node></MgmtTree>', contentType: `${type}+xml` },
        nowhere: { body: writeTnds(tree, undefined, '', style), contentType: `${type}+xml` },
      },
      [
        ['HGET', '{origin}/repository/xml', `${SETTINGS}//`],
        ['HGET', '{origin}/repository/wbxml'],
        ['HGET', '{origin}/repository/junk', `${SETTINGS}//`],
        ['HGET', '{origin}/repository/nowhere'],
      ],
    );
    expect(status).toMatchObject([
      { sc: phone.has('delete') ? 200 : 500 },
      { sc: 200, URI: [`${FUMO}/fresh/`] },
      { sc: 400 },
      { sc: 400 },
    ]);
    if (!phone.has('delete')) return;
    expect(value('Settings', 'Ringtone')).toBe('Bells');
    expect(value('Settings', 'Extra', 'Leaf')).toBe('x');
    expect(value('FUMO', 'fresh', 'PkgName')).toBe('new');
    expect(device.tree.find(['Settings', 'Roaming'])).toBeUndefined();
  });

  it('tells why a document could not be fetched [IW-HGET-1] [IW-HPUT-1]', async () => {
    const { sc } = await hget(
      phone,
      {
        gone: { body: '', status: 410 },
        broken: { body: '', status: 503 },
        junk: { body: '{"not', contentType: 'application/json' },
      },
      ['gone', 'broken', 'junk', 'absent'].map((name) => [
        'HGET',
        `{origin}/repository/${name}`,
        `${SETTINGS}//Ringtone`,
      ]),
    );
    expect(sc).toEqual([410, 500, 415, 404]);
  });

  it('is refused by the outbound guard for a place that nobody allowed [IW-HGET-1]', async () => {
    const { sc } = await hget(phone, {}, [
      ['HGET', 'http://169.254.169.254/latest/meta-data', `${SETTINGS}//Ringtone`],
      ['HGET', 'file:///etc/passwd', `${SETTINGS}//Ringtone`],
    ]);
    expect(sc).toEqual([403, 403]);
  });

  it('writes a joined object where its parts live [IW-ADDR-3]', async () => {
    const { sc, value } = await hget(
      phone,
      {
        acc: { body: [{ ClientURI: 'urn:oma:mo:oma-dm-dmacc:1.2//Name', MOData: { Name: 'Renamed' } }] },
        uri: { body: 'https://new.example/dm', contentType: 'text/plain' },
      },
      [
        ['HGET', '{origin}/repository/acc', 'urn:oma:mo:oma-dm-dmacc:1.2//Name'],
        ['HGET', '{origin}/repository/uri', 'urn:oma:mo:oma-dm-dmacc:2.0//SrvURI'],
      ],
    );
    expect(sc).toEqual([200, 200]);
    expect(value('DMAcc', 'operator', 'Name')).toBe('Renamed');
    expect(value('DMAcc', 'operator', 'AppAddr', '1', 'Addr')).toBe('https://new.example/dm');
  });
});
