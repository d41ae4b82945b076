import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

  it('takes the IMSI as the SIM stores it [1x§14]', () => {
    expect(semiOctets(IMSI).toString('hex')).toBe('3901621032547698');
    expect(semiOctets('31026012345678').toString('hex')).toBe('31016210325476f8');
  });

  it('compares hex digits without case, and nothing else passes [1x§14]', () => {
    const key: BootstrapKey = { sec: 'USERPIN', pin: '1234' };
    const { mac } = protect('cp', DOCUMENT, key);
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
    ];
    for (const [profile, key, reason] of refused) {
      expect(() => protect(profile, DOCUMENT, key)).toThrow(reason);
      expect(() => protect(profile, DOCUMENT, key)).not.toThrow(/hush|310260/);
    }
  });

  it('knows SEC by number and by name', () => {
    expect(secOf('cp', ' netwpin')).toBe('NETWPIN');
    expect(secOf('cp', '2')).toBe('USERNETWPIN');
    expect(secOf('cp', '3')).toBeUndefined();
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
    expect(protectionOf('a/b; MAC=AB')).toBeUndefined();
    expect(protectionOf('a/b')).toBeUndefined();
  });
});
