import { describe, expect, it } from 'vitest';
import { type Alert, MARKS } from '../../src/dm2/packages.ts';
import {
  type ClientAlert,
  Dm2Backend,
  Dm2Client,
  LegacyDevice,
  LegacyServer,
} from '../../src/simulator/index.ts';
import { closing, run } from './gateway.ts';
import { PHONES, type Phone } from './phones.ts';

const ID = 'IMEI:493005100592800';
const FUMO = 'org.openmobilealliance.dm.firmwareupdate';
const HOTSPOT = 'org.wi-fi.hotspot2dot0';
const SCOMO_XML = '<ResultCode>1200</ResultCode><Identifier>org.example.app</Identifier>';

interface Row {
  /** What a legacy device sends; data and format are the same in every row unless told. */
  readonly legacy: ClientAlert & { readonly type: string };
  /** How a 2.0 side says it. */
  readonly dm2: string;
  /** What a legacy server gets for it, where that is not what the device sent. */
  readonly back?: string;
}

const RESULT = { format: 'int', data: '200' } as const;

/** Alert types in use (1x§5.4, §15.4): names in the ways that devices write them. */
const ROWS: readonly Row[] = [
  ...['download', 'update', 'downloadandupdate', 'devicerequest', 'userrequest'].map((name) => ({
    legacy: { type: `${FUMO}.${name}`, source: './FUMO/fw/Update', ...RESULT },
    dm2: `${FUMO}.${name}`,
  })),
  {
    legacy: { type: `Reversed-Domain-Name: ${FUMO}.update`, source: './FUMO/fw', ...RESULT },
    dm2: `${FUMO}.update`,
    back: `${FUMO}.update`,
  },
  {
    legacy: {
      type: 'urn:oma:at:scomo:1.0:OperationComplete',
      source: './SCOMO/Inventory/Deployed',
      target: './SCOMO/Inventory/Deployed',
      format: 'xml',
      data: SCOMO_XML,
    },
    dm2: 'urn:oma:at:scomo:1.0:OperationComplete',
  },
  {
    legacy: { type: 'org.openmobilealliance.dm.softwarecomponent.OperationComplete', ...RESULT },
    dm2: 'urn:oma:at:scomo:1.0:OperationComplete',
    back: 'urn:oma:at:scomo:1.0:OperationComplete',
  },
  ...[
    'scomo:1.0:devicerequest',
    'scomo:1.0:userrequest',
    'lawmo:1.0:OperationComplete',
    'diagmon:1.0:OperationComplete',
    'diagmon:1.0:TrapNotification',
    'diagmon:1.0:TrapInactiveNotification',
    'diagmon:1.0:TrapDeregistered',
    'diagmon:1.0:CollectedSimpleDataReport',
    'sacmo:1.0:OperationReport',
  ].map((name) => ({ legacy: { type: `urn:oma:at:${name}`, ...RESULT }, dm2: `urn:oma:at:${name}` })),
  ...['SubscriptionCreation', 'SubscriptionProvisioning', 'SubscriptionRemediation', 'PolicyUpdate'].map(
    (name) => ({
      legacy: { type: `Reversed-Domain-Name: ${HOTSPOT}.${name}`, format: 'xml', data: '<MgmtTree/>' },
      dm2: `${HOTSPOT}.${name}`,
    }),
  ),
  {
    legacy: { type: 'com.microsoft:mdm.unenrollment.userrequest', format: 'int', data: '1' },
    dm2: 'com.microsoft:mdm.unenrollment.userrequest',
  },
  {
    legacy: { type: 'Reversed-Domain-Name:com.microsoft.mdm.win32csp_install', format: 'int', data: '0' },
    dm2: 'com.microsoft.mdm.win32csp_install',
    back: 'com.microsoft.mdm.win32csp_install',
  },
  {
    legacy: { code: '1224', type: 'com.microsoft/MDM/LoginStatus', data: 'user' },
    dm2: 'com.microsoft/MDM/LoginStatus',
  },
  {
    legacy: { code: '1224', type: 'com.microsoft.mdm.synctype', data: 'device' },
    dm2: 'com.microsoft.mdm.synctype',
  },
];

/** What a legacy device's alerts become for a 2.0 backend. */
async function toDm2(phone: Phone, alerts: readonly ClientAlert[]) {
  const backend = closing(new Dm2Backend());
  const gateway = await run({
    backends: { dms: { protocol: 'dm2', url: await backend.start() } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'dms' }],
  });
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, ...phone.device }));
  const report = await device.session({ alerts });
  expect(report).toMatchObject({ outcome: 'completed', violations: [] });
  const codes = report.statuses.filter(({ cmd }) => cmd === 'Alert').map(({ code }) => Number(code));
  return {
    told: backend.sessions[0]!.alerts.slice(1),
    codes: codes.slice(1),
    notes: await gateway.notes(ID),
  };
}

/** What a 2.0 client's alerts become for a legacy server. */
async function toLegacy(encoding: 'xml' | 'wbxml', alerts: readonly Alert[]) {
  const server = closing(new LegacyServer());
  const gateway = await run({
    backends: { legacy: { protocol: 'dm1', url: await server.start(), encoding } },
    routes: [{ match: { protocol: 'dm2' }, backend: 'legacy' }],
  });
  const client = closing(new Dm2Client({ url: gateway.dm, deviceId: ID }));
  expect(await client.session({ alerts })).toMatchObject({ outcome: 'completed', violations: [] });
  return server.sessions[0]!.alerts;
}

describe.each(PHONES)('alerts of a legacy device $name', (phone) => {
  const { encoding } = phone;

  it('have their types translated for a 2.0 backend, each with its data [IW-ALERT-2] [IW-ALERT-4]', async () => {
    const { told, codes } = await toDm2(
      phone,
      ROWS.map(({ legacy }) => legacy),
    );
    expect(told.map(({ AlertType }) => AlertType)).toEqual(ROWS.map(({ dm2 }) => dm2));
    expect(codes).toEqual(ROWS.map(() => 200));
    for (const [i, { legacy }] of ROWS.entries()) {
      const isInt = legacy.format === 'int';
      expect(told[i], legacy.type).toMatchObject({
        DataType: legacy.format ?? 'chr',
        Data: { DM1x: isInt ? Number(legacy.data) : legacy.data },
      });
    }
    expect(told[0]!.SourceURI).toBe('urn:oma:mo:oma-fumo:1.0/fw/Update');
    expect(told[5]!.SourceURI).toBe('urn:oma:mo:oma-fumo:1.0/fw/');
    expect(told[6]).toMatchObject({
      SourceURI: 'urn:oma:mo:oma-scomo:1.0/SCOMO/Inventory/Deployed',
      TargetURI: 'urn:oma:mo:oma-scomo:1.0/SCOMO/Inventory/Deployed',
    });
  });

  it('bear every Mark both ways, and an unknown one as the default, with a note [IW-ALERT-5]', async () => {
    const legacy = MARKS.map((mark) => ({ type: 'x.mark', mark, format: 'chr', data: mark }));
    const odd = [
      { type: 'x.mark', mark: ' Critical ', format: 'chr', data: 'blanks' },
      { type: 'x.mark', mark: 'apocalyptic', format: 'chr', data: 'none' },
      { type: 'x.mark', format: 'chr', data: 'absent' },
    ];
    const { told, notes } = await toDm2(phone, [...legacy, ...odd]);
    expect(told.map(({ Mark }) => Mark)).toEqual([...MARKS, 'critical', undefined, undefined]);
    expect(notes.filter(({ rule }) => rule === 'IW-ALERT-5')).toHaveLength(1);
    const back = await toLegacy(
      encoding,
      MARKS.map((Mark) => ({ AlertType: 'x.mark', Mark, DataType: 'chr', Data: { DM1x: Mark } })),
    );
    expect(back.map(({ items }) => items[0]!.meta?.mark)).toEqual([...MARKS]);
  });

  it('bear data of every format both ways [IW-ALERT-2] [IW-ALERT-3]', async () => {
    const values: [format: string, data: string, dm1x: string | number][] = [
      ['chr', ' tëxt & <more> ', ' tëxt & <more> '],
      ['xml', '<a b="c"/>', '<a b="c"/>'],
      ['bool', 'true', 'true'],
      ['date', '20301231', '20301231'],
      ['time', '235959', '235959'],
      ['float', '1.50', '1.50'],
      ['int', '-2147483648', -2147483648],
      ['int', '0x10', '0x10'],
      ['null', '', ''],
      ['node', '', ''],
    ];
    const { told } = await toDm2(
      phone,
      values.map(([format, data]) => ({ type: 'x.format', format, data })),
    );
    expect(told.map(({ DataType, Data }) => [DataType, Data!['DM1x']])).toEqual(
      values.map(([format, , dm1x]) => [format, dm1x]),
    );
    const back = await toLegacy(encoding, told);
    expect(back.map(({ items }) => [items[0]!.meta?.format, items[0]!.data ?? ''])).toEqual(
      values.map(([format, data]) => [format, data]),
    );
  });

  it('bear binary data and content types, exact both ways [IW-ALERT-2] [IW-ALERT-3] [IW-VAL-3]', async () => {
    const bytes = Uint8Array.of(0, 1, 254, 255);
    const { told } = await toDm2(phone, [
      {
        type: 'x.binary',
        format: encoding === 'xml' ? 'b64' : 'bin',
        data: encoding === 'xml' ? 'AAH+/w==' : bytes,
      },
      { type: 'Content-Type: text/html', format: 'chr', data: '<p>hi</p>' },
    ]);
    expect(told).toMatchObject([
      { AlertType: 'x.binary', Data: { DM1x: 'AAH+/w==' } },
      { AlertType: 'text/html', DataType: 'text/html', Data: { DM1x: '<p>hi</p>' } },
    ]);
    const binary = ['bin', 'b64'].map((DataType) => ({
      AlertType: 'x.binary',
      DataType,
      Data: { DM1x: 'AAH+/w==' },
    }));
    const junk = { AlertType: 'x.junk', DataType: 'bin', Data: { DM1x: 'no base64!' } };
    const back = await toLegacy(encoding, [...binary, junk]);
    for (const { items } of back.slice(0, 2)) {
      const { data } = items[0]!;
      expect(typeof data === 'string' ? data : Buffer.from(data!).toString('base64')).toBe('AAH+/w==');
    }
    expect(back[2]!.items[0]).toMatchObject({ meta: { format: 'chr' }, data: 'no base64!' });
  });

  it('of several Items become as many, in order, and one Status [IW-ALERT-2] [IW-ALERT-4]', async () => {
    const more = [2, 3].map((n) => ({ type: 'x.item', format: 'int', mark: 'warning', data: String(n) }));
    const { told, codes } = await toDm2(phone, [
      { type: 'x.item', source: './FUMO/fw', format: 'int', data: '1', more },
      { type: 'x.other', format: 'chr', data: 'last' },
    ]);
    expect(codes).toEqual([200, 200]);
    expect(told).toEqual([
      { AlertType: 'x.item', SourceURI: 'urn:oma:mo:oma-fumo:1.0/fw/', DataType: 'int', Data: { DM1x: 1 } },
      { AlertType: 'x.item', Mark: 'warning', DataType: 'int', Data: { DM1x: 2 } },
      { AlertType: 'x.item', Mark: 'warning', DataType: 'int', Data: { DM1x: 3 } },
      { AlertType: 'x.other', DataType: 'chr', Data: { DM1x: 'last' } },
    ]);
  });

  it('that are broken are answered and lose only what is broken [IW-ALERT-2] [IW-ALERT-4]', async () => {
    const huge = 'x'.repeat(300_000);
    const { told, codes, notes } = await toDm2(phone, [
      { type: ' \n ', format: 'chr', data: 'blank type' },
      { format: 'chr', data: 'no type' },
      { type: 'Reversed-Domain-Name:', format: 'chr', data: 'prefix alone' },
      { type: 'x.source', source: './Nowhere/at/all', target: 'not a path//', format: 'chr', data: 'lost' },
      { type: 'x.format', format: 'roman', data: 'XIV' },
      { type: `x.${'y'.repeat(5000)}`, format: 'chr', data: 'long type' },
      { type: 'x.huge', format: 'chr', data: huge },
      { code: '1224', format: 'chr', data: 'event of no type' },
      { code: '1299', type: 'x.code', format: 'chr', data: 'reserved' },
      { type: 'x.last', format: 'chr', data: 'last' },
    ]);
    expect(codes).toEqual([200, 200, 200, 200, 200, 200, 200, 406, 406, 200]);
    expect(told.map(({ AlertType }) => AlertType.slice(0, 8))).toEqual([
      'x.source',
      'x.format',
      'x.yyyyyy',
      'x.huge',
      'x.last',
    ]);
    expect(told[0]).toEqual({ AlertType: 'x.source', DataType: 'chr', Data: { DM1x: 'lost' } });
    expect(told[1]).toMatchObject({ DataType: 'roman', Data: { DM1x: 'XIV' } });
    expect(told[3]!.Data).toEqual({ DM1x: huge });
    expect(notes.filter(({ rule }) => rule === 'IW-ALERT-2')).toHaveLength(5);
  });
});

describe.each(['xml', 'wbxml'] as const)('alerts of a DM 2.0 client over %s', (encoding) => {
  it('have their types translated for a legacy server [IW-ALERT-3]', async () => {
    const alerts = ROWS.map(({ dm2, legacy }) => ({
      AlertType: dm2,
      DataType: legacy.format ?? 'chr',
      Data: { DM1x: legacy.format === 'int' ? Number(legacy.data) : String(legacy.data) },
    }));
    const told = await toLegacy(encoding, alerts);
    expect(told.map(({ items }) => items[0]!.meta?.type)).toEqual(
      ROWS.map(({ legacy, back }) => back ?? legacy.type),
    );
    for (const [i, { legacy }] of ROWS.entries()) {
      expect(told[i], legacy.type).toMatchObject({
        code: '1226',
        items: [{ meta: { format: legacy.format ?? 'chr', mark: 'informational' }, data: legacy.data }],
      });
    }
  });
});
