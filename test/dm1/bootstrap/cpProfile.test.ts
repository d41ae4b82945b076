import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repoint, withoutSecrets } from '../../../src/dm1/bootstrap/account.ts';
import { type CpProfile, fromProvisioning, toProvisioning } from '../../../src/dm1/bootstrap/cpProfile.ts';
import type {
  Characteristic,
  ProvisioningDocument,
} from '../../../src/dm1/bootstrap/provisioning/document.ts';
import { readProvisioningXml, writeProvisioningXml } from '../../../src/dm1/bootstrap/provisioning/text.ts';
import {
  readProvisioningWbxml,
  writeProvisioningWbxml,
} from '../../../src/dm1/bootstrap/provisioning/wbxml.ts';
import { cpAccount } from './accounts.ts';

const fixture = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../../../fixtures/dm1/bootstrap/${name}`, import.meta.url)));
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

const W7: CpProfile = {
  version: '1.1',
  accounts: [
    {
      serverId: 'com.example.dm',
      name: 'Example & Söhne',
      addresses: [
        { addr: 'https://dm.example/dm', ports: [8443] },
        { addr: '192.0.2.1', type: 'IPv4' },
      ],
      conRefs: [
        { ref: 'P1', kind: 'proxy' },
        { ref: 'N1', kind: 'nap' },
      ],
      auth: [
        {
          level: 'CLCRED',
          type: 'DIGEST',
          name: 'device',
          secret: 'device-password',
          data: Uint8Array.of(0, 1, 2, 3),
        },
        { level: 'SRVCRED', type: 'BASIC', name: 'com.example.dm', secret: 'server-password' },
        { level: 'HTTP', type: 'HTTP-BASIC', name: 'proxy', secret: 'proxy-password' },
      ],
      init: true,
    },
  ],
  others: [
    {
      type: 'NAPDEF',
      parms: [
        { name: 'NAPID', value: 'N1' },
        { name: 'BEARER', value: 'GSM-GPRS' },
        { name: 'NAP-ADDRESS', value: 'internet' },
        { name: 'NAP-ADDRTYPE', value: 'APN' },
      ],
      characteristics: [],
    },
  ],
};

describe('CP profile', () => {
  it('gives accounts, and what is no account as it is [1x§14]', () => {
    expect(fromProvisioning(readProvisioningXml(fixture('w7.xml')))).toStrictEqual(W7);
  });

  it('is built of accounts and read back [IW-BOOT-1]', () => {
    fc.assert(
      fc.property(fc.array(cpAccount, { maxLength: 3 }), (accounts) => {
        const profile = { version: '1.1', accounts, others: W7.others };
        const document = toProvisioning(profile);
        expect(fromProvisioning(document)).toStrictEqual(profile);
        expect(readProvisioningXml(writeProvisioningXml(document))).toStrictEqual(document);
        expect(readProvisioningWbxml(writeProvisioningWbxml(document))).toStrictEqual(document);
      }),
    );
  });

  it('is built with the bytes that libwbxml makes of the same document [1x§14]', () => {
    const document = readProvisioningXml(fixture('w7.xml'));
    expect(Buffer.from(writeProvisioningWbxml(document)).toString('hex')).toBe(
      Buffer.from(fixture('w7-libwbxml.wbxml')).toString('hex'),
    );
  });

  it('is read with and without string table [1x§14]', () => {
    const document = readProvisioningXml(fixture('w7.xml'));
    expect(readProvisioningWbxml(fixture('w7-libwbxml.wbxml'))).toStrictEqual(document);
    expect(readProvisioningWbxml(fixture('w7-libwbxml-table.wbxml'))).toStrictEqual(document);
  });

  it('keeps a nonce that is not base64 as it is, ADDR right in the APPLICATION, FQDN as URI [1x§14]', () => {
    const read = (content: string) =>
      fromProvisioning(
        readProvisioningXml(
          `<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w7"/><parm name="PROVIDER-ID" value="s"/>${content}</characteristic></wap-provisioningdoc>`,
        ),
      ).accounts[0]!;
    expect(
      read(
        '<parm name="ADDR" value="http://a/"/><parm name="addr" value="http://b/"/><parm name="INIT" value="0"/>',
      ),
    ).toStrictEqual({
      serverId: 's',
      addresses: [{ addr: 'http://a/' }, { addr: 'http://b/' }],
      auth: [],
      init: false,
    });
    expect(
      read('<characteristic type="APPAUTH"><parm name="AAUTHDATA" value="nonce!"/></characteristic>').auth,
    ).toStrictEqual([{ level: 'CLCRED', data: new TextEncoder().encode('nonce!') }]);
    expect(
      read(
        '<characteristic type="APPADDR"><parm name="ADDR" value="dm.example"/><parm name="ADDRTYPE" value="ALPHA"/></characteristic>',
      ).addresses,
    ).toStrictEqual([{ addr: 'dm.example', type: 'URI' }]);
  });

  it('of a Windows enrolment keeps its order and all that no account has a place for [1x§15.5] [IW-BOOT-1]', () => {
    const document = readProvisioningXml(fixture('windows.xml'));
    const profile = fromProvisioning(document);
    const [account] = profile.accounts;
    expect(account).toMatchObject({
      serverId: 'MS DM Server',
      addresses: [{ addr: 'https://mdm.contoso.example/ManagementServer/MDM.svc' }],
      more: { characteristics: [] },
    });
    expect(account!.more!.parms).toEqual([
      { name: 'CONNRETRYFREQ', value: '6' },
      { name: 'INITIALBACKOFFTIME', value: '30000' },
      { name: 'MAXBACKOFFTIME', value: '120000' },
      { name: 'BACKCOMPATRETRYDISABLED' },
      { name: 'DEFAULTENCODING', value: 'application/vnd.syncml.dm+wbxml' },
      { name: 'SSLCLIENTCERTSEARCHCRITERIA', value: 'Subject=CN%3d4711&Stores=MY%5CUser' },
    ]);
    const moved = { ...profile, accounts: [repoint(account!, { addr: 'https://gw.example/dm' })] };
    const written = readProvisioningXml(writeProvisioningXml(toProvisioning(moved)));
    expect(written.characteristics.map(({ type }) => type)).toEqual([
      'CertificateStore',
      'APPLICATION',
      'DMClient',
    ]);
    for (const at of [0, 2]) expect(written.characteristics[at]).toStrictEqual(document.characteristics[at]);
    const [, application] = written.characteristics;
    const known = document.characteristics[1]!;
    expect(application!.parms).toStrictEqual(known.parms.filter(({ name }) => name !== 'ADDR'));
    expect(application!.characteristics.slice(1)).toStrictEqual(known.characteristics);
    expect(application!.characteristics[0]).toStrictEqual({
      type: 'APPADDR',
      parms: [{ name: 'ADDR', value: 'https://gw.example/dm' }],
      characteristics: [],
    });
    expect(JSON.stringify(withoutSecrets(account!))).not.toMatch(/Stores|device|server"/);
  });

  it('points somewhere else with all else unchanged [IW-BOOT-1]', () => {
    const account = W7.accounts[0]!;
    const moved = repoint(account, { addr: 'https://gateway.example/dm', port: 443 });
    expect(moved).toStrictEqual({
      ...account,
      addresses: [{ addr: 'https://gateway.example/dm', type: 'URI', ports: [443] }],
    });
    expect(repoint(account, { addr: 'https://g/', serverId: 'gw' })).toMatchObject({
      serverId: 'gw',
      auth: account.auth,
    });
    expect(JSON.stringify(withoutSecrets(account))).not.toMatch(/password|data/);
  });

  const app = (parms: string, more = '') =>
    `<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w7"/>${parms}${more}</characteristic></wap-provisioningdoc>`;
  const ID = '<parm name="PROVIDER-ID" value="s"/>';
  it.each([
    ['no PROVIDER-ID', app(''), 'PROVIDER-ID is missing'],
    ['an address without ADDR', app(ID, '<characteristic type="APPADDR"/>'), 'APPADDR/ADDR is missing'],
    [
      'a port that is none',
      app(
        ID,
        '<characteristic type="APPADDR"><parm name="ADDR" value="a"/><characteristic type="PORT"><parm name="PORTNBR" value="hush0"/></characteristic></characteristic>',
      ),
      'PORTNBR is no port number',
    ],
    [
      'an unknown ADDRTYPE',
      app(
        ID,
        '<characteristic type="APPADDR"><parm name="ADDR" value="a"/><parm name="ADDRTYPE" value="hush"/></characteristic>',
      ),
      'ADDRTYPE is none of',
    ],
    [
      'an unknown level',
      app(
        ID,
        '<characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="hush"/><parm name="AAUTHSECRET" value="hush"/></characteristic>',
      ),
      'AAUTHLEVEL is none of',
    ],
  ])('refuses %s by name and tells no value', (_, xml, reason) => {
    expect(() => fromProvisioning(readProvisioningXml(xml))).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
    try {
      fromProvisioning(readProvisioningXml(xml));
    } catch (error) {
      expect(String(error)).toContain(reason);
      expect(String(error)).not.toContain('hush');
    }
  });

  it('refuses credentials of level HTTP that the profile cannot tell', () => {
    expect(() =>
      toProvisioning({ ...W7, accounts: [{ serverId: 's', addresses: [], auth: [{ level: 'HTTP' }] }] }),
    ).toThrow('HTTP-BASIC');
  });
});

describe('provisioning document as XML', () => {
  it.each([
    ['nothing', '', 'malformed'],
    ['another root', '<doc/>', 'malformed'],
    ['an open element', '<wap-provisioningdoc>', 'malformed'],
    [
      'crossed tags',
      '<wap-provisioningdoc><characteristic type="A"></wap-provisioningdoc></characteristic>',
      'malformed',
    ],
    ['two roots', '<wap-provisioningdoc/><wap-provisioningdoc/>', 'malformed'],
    ['an end tag too many', '<wap-provisioningdoc/></wap-provisioningdoc>', 'malformed'],
    ['text', '<wap-provisioningdoc>x</wap-provisioningdoc>', 'malformed'],
    ['an entity declaration', '<!DOCTYPE a [<!ENTITY b "c">]><wap-provisioningdoc/>', 'malformed'],
    ['an unknown entity', '<wap-provisioningdoc version="&a;"/>', 'malformed'],
    ['an ampersand', '<wap-provisioningdoc version="a&b"/>', 'malformed'],
    ['a reference to a control character', '<wap-provisioningdoc version="&#1;"/>', 'malformed'],
    ['a control character', '<wap-provisioningdoc version="\u0001"/>', 'malformed'],
    ['an instruction', '<wap-provisioningdoc><?x?></wap-provisioningdoc>', 'malformed'],
    ['an attribute twice', '<wap-provisioningdoc version="1" version="1"/>', 'malformed'],
    ['an attribute without quotes', '<wap-provisioningdoc version=1/>', 'malformed'],
    ['too many attributes', `<wap-provisioningdoc ${'abcdefghi'.replace(/./g, '$& ="" ')}/>`, 'malformed'],
    [
      'a characteristic without type',
      '<wap-provisioningdoc><characteristic/></wap-provisioningdoc>',
      'malformed',
    ],
    [
      'a parm without name',
      '<wap-provisioningdoc><characteristic type="A"><parm/></characteristic></wap-provisioningdoc>',
      'malformed',
    ],
    ['a parm below the root', '<wap-provisioningdoc><parm name="A"/></wap-provisioningdoc>', 'malformed'],
    ['an unknown element', '<wap-provisioningdoc><x/></wap-provisioningdoc>', 'malformed'],
    ['too many levels', `<wap-provisioningdoc>${'<characteristic type="A">'.repeat(20)}`, 'too-large'],
    ['too many elements', `<wap-provisioningdoc>${'<characteristic type="A"/>'.repeat(2001)}`, 'too-large'],
    ['too many bytes', ' '.repeat(70_000), 'too-large'],
  ])('refuses %s', (_, xml, code) => {
    expect(() => readProvisioningXml(xml)).toThrow(expect.objectContaining({ code }));
  });

  it('reads quotes of both kinds, character references, prefixes and a byte order mark', () => {
    expect(
      readProvisioningXml(
        '\ufeff<!-- a - b --><w:wap-provisioningdoc version=\'1"1\'><w:characteristic type = "&#x41;&lt;&#10;"/></w:wap-provisioningdoc>',
      ),
    ).toStrictEqual({
      version: '1"1',
      characteristics: [{ type: 'A<\n', parms: [], characteristics: [] }],
    });
  });
});

describe('provisioning document as WBXML', () => {
  it('keeps apart a flag and an empty value, and takes attributes in pieces', () => {
    const body =
      'c5 4503 312e3000 01 c6 55 01 87 07 01 87 05 03 4100 06 01 87 05 03 4100 06 85 83 00 03 2e00 01 01 01';
    const document = readProvisioningWbxml(bytes(`03 0b 6a 02 5800 ${body}`));
    expect(document).toStrictEqual({
      version: '1.0',
      characteristics: [
        {
          type: 'NAPDEF',
          parms: [{ name: 'NAME' }, { name: 'A', value: '' }, { name: 'A', value: 'IPV4X.' }],
          characteristics: [],
        },
      ],
    } satisfies ProvisioningDocument);
  });

  it.each([
    ['nothing', '', 'malformed'],
    ['a header only', '03 0b 6a 00', 'malformed'],
    ['the public id of SyncML', '03 a401 6a 00 45 01', 'malformed'],
    ['an end first', '03 0b 6a 00 01', 'malformed'],
    ['no end', '03 0b 6a 00 45', 'malformed'],
    ['an end in attributes', '03 0b 6a 00 c5', 'malformed'],
    ['an unknown tag', '03 0b 6a 00 4a 01', 'malformed'],
    ['an unknown attribute', '03 0b 6a 00 c5 44 01 01', 'malformed'],
    ['an unknown value', '03 0b 6a 00 c5 45 ff 01 01', 'malformed'],
    ['an unknown page', '03 0b 6a 00 c5 00 09 45 01 01', 'malformed'],
    ['a value before any attribute', '03 0b 6a 00 c5 03 41 00 01 01', 'malformed'],
    ['an attribute twice', '03 0b 6a 00 c5 45 45 01 01', 'malformed'],
    ['an endless string', '03 0b 6a 00 c5 45 03 41 41', 'malformed'],
    ['a string that is no UTF-8', '03 0b 6a 00 c5 45 03 ff 00 01 01', 'malformed'],
    ['a reference past the table', '03 0b 6a 02 4100 c5 45 83 05 01 01', 'malformed'],
    ['a control character by reference', '03 0b 6a 00 c5 45 02 01 01 01', 'malformed'],
    ['text', '03 0b 6a 00 45 03 4100 01', 'malformed'],
    ['something behind the end', '03 0b 6a 00 45 01 01', 'malformed'],
    ['another tag page', '03 0b 6a 00 45 00 02 01', 'malformed'],
    ['too many levels', `03 0b 6a 00 45 ${'c6 50 03 4100 01'.repeat(20)}`, 'too-large'],
    ['too many bytes', '00'.repeat(70_000), 'too-large'],
  ])('refuses %s', (_, hex, code) => {
    expect(() => readProvisioningWbxml(bytes(hex))).toThrow(expect.objectContaining({ code }));
  });

  it('does not let string references multiply', () => {
    const table = `${'41'.repeat(16_000)}00`;
    const parm = '87 05 03 4100 06 83 00 01';
    const hex = `03 0b 6a fd01 ${table} 45 c6 50 03 4100 01 ${parm.repeat(100)} 01 01`;
    expect(() => readProvisioningWbxml(bytes(hex))).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  it('never fails in another way, whatever bytes are changed', () => {
    const samples = [fixture('w7.xml'), fixture('w7-libwbxml.wbxml'), fixture('w7-libwbxml-table.wbxml')];
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        (sample, changes) => {
          const changed = Uint8Array.from(sample);
          for (const [at, byte] of changes) changed[at % changed.length] = byte;
          const read = sample[0] === 3 ? readProvisioningWbxml : readProvisioningXml;
          try {
            fromProvisioning(read(changed));
          } catch (error) {
            expect(error).toMatchObject({ name: 'DragomanError' });
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses values that no string can carry', () => {
    const document = (value: string): ProvisioningDocument => {
      const characteristic: Characteristic = {
        type: 'A',
        parms: [{ name: 'B', value }],
        characteristics: [],
      };
      return { characteristics: [characteristic] };
    };
    expect(() => writeProvisioningWbxml(document('a\0b'))).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
    expect(() => writeProvisioningXml(document('a\0b'))).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
    expect(readProvisioningWbxml(writeProvisioningWbxml(document('IPV4')))).toStrictEqual(document('IPV4'));
    expect(readProvisioningWbxml(writeProvisioningWbxml({ characteristics: [] }))).toStrictEqual({
      characteristics: [],
    });
  });
});
