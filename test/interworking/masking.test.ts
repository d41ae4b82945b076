import { describe, expect, it } from 'vitest';
import type { BodyElement, SyncMLMessage } from '../../src/dm1/message.ts';
import { maskJson, maskMessage, maskText } from '../../src/interworking/masking.ts';
import { loadPacks, SHIPPED_PACKS } from '../../src/mo/pack/files.ts';
import { SecretPaths } from '../../src/mo/secretPaths.ts';

const { secrets } = loadPacks([SHIPPED_PACKS]);
const ACC = 'urn:oma:mo:oma-dm-dmacc:1.2/acc';

function message(...body: BodyElement[]): SyncMLMessage {
  return {
    header: {
      verDTD: '1.2',
      verProto: 'DM/1.2',
      sessionId: '1',
      msgId: '1',
      target: { uri: 'a' },
      source: { uri: 'b' },
    },
    body,
    final: true,
  };
}

describe('secret paths', () => {
  it('are known wherever their object is mounted, by either name', () => {
    const paths = new SecretPaths([
      ['AppAuth', '<x>', 'AAuthSecret'],
      ['<x>', 'Key'],
      ['Pins', '<x>'],
    ]);
    expect(paths.has(['DMAcc', 'a', 'AppAuth', '1', 'AAuthSecret'])).toBe(true);
    expect(paths.has(['Vendor', 'k', 'Key'])).toBe(true);
    expect(paths.has(['Pins', 'any'])).toBe(true);
    expect(paths.has(['AppAuth', 'AAuthSecret'])).toBe(false);
    expect(paths.has(['Key'])).toBe(false);
    expect(paths.has([])).toBe(false);
  });

  it('may stand in what is not written byte by byte as they are', () => {
    expect(secrets.mayStandIn(Buffer.from('<LocURI>./DevInfo/Man</LocURI>'))).toBe(false);
    expect(secrets.mayStandIn(Buffer.from('\ufeff<LocURI>./DMAcc</LocURI>', 'utf16le'))).toBe(true);
  });

  it('are those that the shipped packs name', () => {
    expect(secrets.has(['DMAcc', 'x', 'AppAuth', '1', 'AAuthSecret'])).toBe(true);
    expect(secrets.has(['Auth', 'Noti', 'Secret'])).toBe(true);
    expect(secrets.has(['SyncML', 'DMAcc', 'x', 'ClientPW'])).toBe(true);
    expect(secrets.has(['DevInfo', 'Man'])).toBe(false);
  });
});

describe('maskMessage', () => {
  it('leaves a message alone that has no secret', () => {
    const plain = message({
      kind: 'Replace',
      cmdId: '1',
      items: [{ target: { uri: './DevInfo/Lang' }, data: 'en' }],
    });
    expect(maskMessage(plain, secrets)).toBe(plain);
  });

  it('hides values in commands, groups, Results and alerts, and what users answered [IW-UI-2]', () => {
    const item = { target: { uri: './DMAcc/x/AppAuth/1/AAuthSecret' }, data: 'hunter2' };
    const result = { source: { uri: 'DMAcc/x/AppAuth/1/AAuthData/' }, data: Buffer.from('hunter2') };
    const masked = maskMessage(
      message(
        { kind: 'Sequence', cmdId: '1', commands: [{ kind: 'Add', cmdId: '2', items: [item] }] },
        { kind: 'Results', cmdId: '3', items: [result] },
        { kind: 'Alert', cmdId: '4', code: '1226', items: [{ ...item, source: { uri: 'x' } }] },
        {
          kind: 'Status',
          cmdId: '5',
          cmd: 'Alert',
          targetRefs: [],
          sourceRefs: [],
          code: '200',
          items: [{ data: 'hunter2' }],
        },
      ),
      secrets,
    );
    expect(JSON.stringify(masked)).not.toMatch(/hunter2|104,117/);
    expect(JSON.stringify(masked).match(/"data":"\*\*\*"/g)).toHaveLength(4);
  });

  it('hides values inside TNDS documents, whole where they are binary', () => {
    const leaf = (name: string, value: string) =>
      `<Node><NodeName>${name}</NodeName><Value>${value}</Value></Node>`;
    const tnds = `<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>x</NodeName><Path>./DMAcc</Path><Node><NodeName>AppAuth</NodeName><Node><NodeName>1</NodeName>${leaf('AAuthName', 'user')}${leaf('AAuthSecret', '<![CDATA[hunter2]]>')}${leaf('AAuthData', 'hunter2')}${leaf('AAuthLevel', 'SRVCRED')}</Node></Node>${leaf('Name', 'Operator')}</Node></MgmtTree>`;
    const add = (data: string | Uint8Array, target: string) =>
      message({
        kind: 'Add',
        cmdId: '1',
        meta: { type: 'application/vnd.syncml.dmtnds+xml' },
        items: [{ target: { uri: target }, data }],
      });
    const shown = JSON.stringify(maskMessage(add(tnds, './DMAcc/x'), secrets));
    expect(shown).not.toContain('hunter2');
    for (const kept of ['user', 'SRVCRED', 'Operator']) expect(shown).toContain(kept);
    const below = `<MgmtTree><Node><NodeName>1</NodeName>${leaf('AAuthSecret', 'hunter2')}</Node></MgmtTree>`;
    expect(JSON.stringify(maskMessage(add(below, './DMAcc/x/AppAuth'), secrets))).not.toContain('hunter2');
    const bytes = maskMessage(add(Buffer.from([2, 1]), './DMAcc/x'), secrets);
    expect(JSON.stringify(bytes)).toContain('***');
  });

  const TNDS = { type: 'application/vnd.syncml.dmtnds+xml' };
  const told = (data: string, more: object = { meta: TNDS }) =>
    JSON.stringify(
      maskMessage(
        message({
          kind: 'Results',
          cmdId: '1',
          items: [{ source: { uri: './DMAcc/x?list=TNDS' }, data, ...more }],
        }),
        secrets,
      ),
    );

  it('hides chunks of TNDS documents whole, also those that do not say what they are', () => {
    const half = '<MgmtTree><Node><NodeName>x</NodeName><Node><NodeName>AAuthSecret</NodeName><Value>hun';
    expect(told(half, { meta: TNDS, moreData: true })).not.toContain('hun');
    expect(told('ter2</Value></Node></Node></MgmtTree>', {})).not.toContain('ter2');
    expect(told(`${half.replace('x', 'AppAuth')}`)).toContain('<Value>hun');
  });

  it('hides values in TNDS that comes without a Type, with a prefix, or as base64', () => {
    const named = (name: string, inner: string) => `<Node><NodeName>${name}</NodeName>${inner}</Node>`;
    const tree = named('AppAuth', named('1', named('AAuthSecret', '<Value>hunter2</Value>')));
    const tnds = `<MgmtTree xmlns='syncml:dmddf1.2'>${tree}</MgmtTree>`;
    const put = (data: string, meta?: object) =>
      JSON.stringify(
        maskMessage(
          message({
            kind: 'Add',
            cmdId: '1',
            items: [{ target: { uri: './Inbox' }, data, ...(meta && { meta }) }],
          }),
          secrets,
        ),
      );
    expect(put(tnds)).toContain('<Value>***');
    const prefixed = tnds.replaceAll(/<(\/?)/g, '<$1d:').replace('xmlns', 'xmlns:d');
    for (const shown of [
      put(prefixed),
      put(prefixed, TNDS),
      put(Buffer.from(tnds).toString('base64'), { ...TNDS, format: 'b64' }),
    ]) {
      expect(shown).toContain('"data":"***"');
    }
  });

  it('hides what stands in a secret Value that never ends', () => {
    const open = (name: string) => `<Node><NodeName>${name}</NodeName>`;
    const tnds = `<MgmtTree>${open('AppAuth')}${open('1')}${open('<![CDATA[AAuthSecret]]>')}<Value>hunter2`;
    expect(told(tnds)).toContain('<Value>***');
    expect(told(tnds)).not.toContain('hunter2');
  });

  it.each([
    ['sections of CDATA before no end', `<MgmtTree><Value>${'<![CDATA[a]]>'.repeat(60)}`],
    ['sections without end', `<MgmtTree>${'<Value><![CDATA['.repeat(100_000)}`],
    ['tags without end', `<MgmtTree>${'<Value '.repeat(200_000)}`],
  ])('reads each document once: %s', (_, tnds) => {
    expect(told(tnds)).toContain('<MgmtTree>');
  });
});

describe('maskJson', () => {
  it.each([
    [{ ClientURI: `${ACC}/Auth/Noti/Secret`, MOData: { Secret: 'hunter2' } }],
    [{ ClientURI: `${ACC}/Auth/Noti`, MOData: { Noti: { Secret: 'hunter2' } } }],
    [{ ClientURI: `${ACC}/Auth/Noti/Secret`, MOData: 'hunter2' }],
    [{ MOID: 'x', MIID: 'y', MOData: { 'dm-dmacc': { Auth: { Noti: { Secret: ['hunter2'] } } } } }],
  ])('hides values wherever MOData begins: %j [IW-VAL-5]', (item) => {
    const shown = JSON.stringify(maskJson({ Status: [{ sc: 200, MO: [item] }] }, secrets));
    expect(shown).not.toContain('hunter2');
    expect(shown).toContain('***');
  });

  it('leaves all else alone', () => {
    const json = { Status: [{ sc: 200 }], Secret: '', CMD: [['GET', `${ACC}/Auth/Noti/Secret`]] };
    expect(maskJson(json, secrets)).toBe(json);
  });

  it('finds members in text that is not JSON as a whole', () => {
    const text = '200\r\n--b\r\n{"Noti":{"Secret" : "hunter\\"2", "Type":"1"}}';
    expect(maskText(text, secrets)).toBe('200\r\n--b\r\n{"Noti":{"Secret" : "***", "Type":"1"}}');
  });

  it('hides a member that never ends, and reads each text once', () => {
    expect(maskText('{"Noti":{"Secret":"hun\\', secrets)).toBe('{"Noti":{"Secret":"***');
    const quotes = `"${'\\"'.repeat(500_000)}`;
    expect(maskText(quotes, secrets)).toBe(quotes);
    const spaces = `"a"${' '.repeat(1_000_000)}`;
    expect(maskText(spaces, secrets)).toBe(spaces);
  });
});
