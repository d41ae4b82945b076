import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProvisioningWbxml } from '../../../src/dm1/bootstrap/provisioning/wbxml.ts';
import {
  type BootstrapKey,
  contentType,
  type Profile,
  protect,
  protectionOf,
  secOf,
  semiOctets,
  verifyProtection,
} from '../../../src/dm1/bootstrap/security.ts';

const DOCUMENT = Uint8Array.of(3, 0x0b, 0x6a, 0, 0x45, 1);
const IMSI = '310260123456789';
const sha1 = (key: Buffer | string): string =>
  createHmac('sha1', key).update(DOCUMENT).digest('hex').toUpperCase();

describe('MAC of a bootstrap document', () => {
  it('is HMAC-SHA1 over the complete document as hex, keyed by SEC [1x§14]', () => {
    const octets = Buffer.from('3901621032547698', 'hex');
    const expectations: [Profile, BootstrapKey, string, Buffer | string][] = [
      ['cp', { sec: 'NETWPIN', imsi: IMSI }, '0', octets],
      ['cp', { sec: 'USERPIN', pin: '1234' }, '1', '1234'],
      [
        'cp',
        { sec: 'USERNETWPIN', imsi: IMSI, pin: '1234' },
        '2',
        Buffer.concat([octets, Buffer.from('1234')]),
      ],
      ['dm', { sec: 'NETWORKID', secret: IMSI }, 'NETWORKID', IMSI],
      ['dm', { sec: 'USERPIN', pin: '1234' }, 'USERPIN', '1234'],
      ['dm', { sec: 'USERPIN_NETWORKID', pin: '1234', secret: IMSI }, 'USERPIN_NETWORKID', `1234:${IMSI}`],
    ];
    for (const [profile, key, sec, hmacKey] of expectations) {
      const protection = protect(profile, DOCUMENT, key);
      expect(protection).toStrictEqual({ sec, mac: sha1(hmacKey) });
      expect(verifyProtection(profile, DOCUMENT, key, protection)).toBe(true);
    }
  });

  it('goes to the user with USERPINMAC, its octets modulo 10 behind the PIN [1x§14]', () => {
    const octets = createHmac('sha1', '31415').update(DOCUMENT).digest();
    const digits = [...octets.subarray(0, 5)].map((octet) => octet % 10).join('');
    const protection = protect('cp', DOCUMENT, { sec: 'USERPINMAC', pin: '31415' });
    expect(protection).toStrictEqual({ sec: '3', userTypes: `31415${digits}` });
    const verify = (pin: string, document = DOCUMENT) =>
      verifyProtection('cp', document, { sec: 'USERPINMAC', pin }, { sec: '3' });
    expect(verify(`31415${digits}`)).toBe(true);
    expect(verify(`31416${digits}`)).toBe(false);
    expect(verify(`${digits}31415`)).toBe(false);
    expect(verify(`31415${digits}0`)).toBe(false);
    expect(verify(`31415${digits}`, DOCUMENT.slice(1))).toBe(false);
    expect(verifyProtection('cp', DOCUMENT, { sec: 'USERPINMAC', pin: `31415${digits}` }, { sec: '1' })).toBe(
      false,
    );
  });

  it('is the one that a commercial push gateway gave an IMSI [1x§14]', () => {
    // Published by a user of NowSMS, with the document and its string table.
    const document = Buffer.from(
      '030b6a0674657374310045c6560187070683000101c655018707068300018711060374657374315f4e415049440001871006ab' +
        '0187080603746573743200018709068901871401c65a01870c069a01870d060367707273757365726e616d650001870e0603' +
        '6770727370617373776f72640001010101',
      'hex',
    );
    const imsi = '123456789012345';
    const expected = 'C483EC25F7E3E0CF100380DA5F6714CF204A5EC5';
    expect(protect('cp', document, { sec: 'NETWPIN', imsi })).toEqual({ sec: '0', mac: expected });
    const pin = { sec: 'USERPIN', pin: imsi } as const;
    expect(protect('cp', document, pin).mac).toBe('BC1D9A92B169C9A4A066190D507F0D2E31CDDFAF');
    const types = readProvisioningWbxml(document).characteristics.map(({ type }) => type);
    expect(types).toEqual(['BOOTSTRAP', 'NAPDEF']);
  });

  it('takes the IMSI as the SIM stores it [1x§14]', () => {
    expect(semiOctets(IMSI).toString('hex')).toBe('3901621032547698');
    expect(semiOctets('31026012345678').toString('hex')).toBe('31016210325476f8');
  });

  it('compares hex digits without case, and nothing else passes [1x§14]', () => {
    const key: BootstrapKey = { sec: 'USERPIN', pin: '1234' };
    const { mac = '' } = protect('cp', DOCUMENT, key);
    expect(verifyProtection('cp', DOCUMENT, key, { sec: '1', mac: ` ${mac.toLowerCase()} ` })).toBe(true);
    expect(verifyProtection('cp', DOCUMENT, key, { sec: 'USERPIN', mac })).toBe(true);
    expect(verifyProtection('cp', DOCUMENT, key, { sec: '0', mac })).toBe(false);
    expect(verifyProtection('cp', DOCUMENT, key, { sec: '1', mac: mac.slice(2) })).toBe(false);
    expect(verifyProtection('cp', DOCUMENT, { sec: 'USERPIN', pin: '1235' }, { sec: '1', mac })).toBe(false);
    expect(verifyProtection('cp', DOCUMENT.slice(1), key, { sec: '1', mac })).toBe(false);
  });

  it('refuses keys of the other profile and keys that are none, without telling them', () => {
    const refused: [Profile, BootstrapKey, string][] = [
      ['cp', { sec: 'NETWORKID', secret: 'hush' }, 'CP profile'],
      ['dm', { sec: 'NETWPIN', imsi: IMSI }, 'DM profile'],
      ['cp', { sec: 'NETWPIN', imsi: 'hush' }, 'IMSI'],
      ['cp', { sec: 'USERPIN', pin: 'hush hush' }, 'PIN'],
      ['cp', { sec: 'USERPIN', pin: '' }, 'PIN'],
      ['dm', { sec: 'NETWORKID', secret: '' }, 'secret'],
      ['cp', { sec: 'USERPINMAC', pin: '1234' }, '5 to 20'],
      ['cp', { sec: 'USERPINMAC', pin: '1'.repeat(21) }, '5 to 20'],
      ['cp', { sec: 'USERPINMAC', pin: 'hush0' }, 'decimal digits'],
      ['dm', { sec: 'USERPINMAC', pin: '12345' }, 'DM profile'],
    ];
    for (const [profile, key, reason] of refused) {
      expect(() => protect(profile, DOCUMENT, key)).toThrow(reason);
      expect(() => protect(profile, DOCUMENT, key)).not.toThrow(/hush|310260/);
    }
  });

  it('knows SEC by number and by name', () => {
    expect(secOf('cp', ' netwpin')).toBe('NETWPIN');
    expect(secOf('cp', '2')).toBe('USERNETWPIN');
    expect(secOf('cp', '3')).toBe('USERPINMAC');
    expect(secOf('cp', '4')).toBeUndefined();
    expect(secOf('dm', '3')).toBeUndefined();
    expect(secOf('dm', 'USERPIN_NETWORKID')).toBe('USERPIN_NETWORKID');
    expect(secOf('dm', 'NETWPIN')).toBeUndefined();
  });
});

describe('Content-Type of a bootstrap document', () => {
  it('carries SEC and MAC [1x§14]', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('0', '1', 'USERPIN_NETWORKID'),
        fc.stringMatching(/^[0-9A-F]{40}$/),
        (sec, mac) => {
          const text = contentType('application/vnd.syncml.dm+wbxml', { sec, mac });
          expect(text.startsWith('application/vnd.syncml.dm+wbxml; ')).toBe(true);
          expect(protectionOf(text)).toStrictEqual({ sec, mac });
        },
      ),
    );
  });

  it('is read in any case and order, with and without quotes; half of it is none', () => {
    expect(protectionOf('a/b;mac=AB; charset=utf-8 ; Sec="1"')).toStrictEqual({ sec: '1', mac: 'AB' });
    expect(protectionOf('a/b; SEC=1')).toBeUndefined();
    expect(protectionOf('a/b; SEC=3')).toStrictEqual({ sec: '3' });
    expect(contentType('a/b', { sec: '3' })).toBe('a/b; SEC=3');
    expect(protectionOf('a/b; MAC=AB')).toBeUndefined();
    expect(protectionOf('a/b')).toBeUndefined();
  });
});
