import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64, isLexical, stripIllegal, xmlIllegal } from '../../src/mo/lexical.ts';

describe('isLexical', () => {
  it.each([
    ['int', '0', true],
    ['int', '-2147483648', true],
    ['int', '2147483647', true],
    ['int', '2147483648', false],
    ['int', '1.0', false],
    ['int', ' 1', false],
    ['int', '', false],
    ['bool', 'true', true],
    ['bool', 'True', false],
    ['float', '-1.5e10', true],
    ['float', 'NaN', true],
    ['float', '1,5', false],
    ['float', '.', false],
    ['date', '2026-02-28', true],
    ['date', '20260228', true],
    ['date', '2026-0228', false],
    ['date', '2026-02-29', false],
    ['date', '2024-02-29', true],
    ['time', '20010711T163817Z', true],
    ['time', '2001-07-11T16:38:17.25+02:00', true],
    ['time', '16:38', true],
    ['time', '25:00', false],
    ['time', '16:3817', false],
    ['b64', 'QUI=', true],
    ['b64', 'QUI', false],
    ['bin', '', true],
    ['null', '', true],
    ['null', 'x', false],
    ['node', '', true],
    ['chr', '\u0000', true],
    ['xml', '<a>', true],
  ] as const)('%s %j is %s [IW-VAL-2]', (format, text, ok) => {
    expect(isLexical(format, text)).toBe(ok);
  });

  it('accepts exactly the 32-bit integers [IW-VAL-2]', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 33), max: 2 ** 33 }), (n) => {
        expect(isLexical('int', String(n))).toBe(n >= -(2 ** 31) && n < 2 ** 31);
      }),
    );
  });
});

describe('base64', () => {
  it('carries any bytes there and back [IW-VAL-3]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it('whatever it accepts encodes to the same text again, blanks aside [IW-VAL-3]', () => {
    const unit = fc.constantFrom(...'ABQRgw019+/==-_ \n');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text);
        if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(text.replace(/\s/g, ''));
      }),
      { numRuns: 2000 },
    );
  });

  it('tolerates white space, refuses what is not base64 [IW-VAL-2]', () => {
    expect(decodeBase64(' QU\r\nI= ')).toEqual(Uint8Array.of(0x41, 0x42));
    for (const bad of ['Q', 'QQ', 'QQ=', 'QR==', 'QQ==QQ==', 'Q-_=', 'QUI=x']) {
      expect(decodeBase64(bad), bad).toBeUndefined();
    }
  });

  it('reads a large object in linear time and bounded stack [IW-VAL-3]', () => {
    expect(decodeBase64('QUJD'.repeat(5_000_000))?.length).toBe(15_000_000);
    expect(decodeBase64(`${'QUJD'.repeat(5_000_000)}!`)).toBeUndefined();
    expect(decodeBase64(`${'QUJD'.repeat(5_000_000)}QU!D`)).toBeUndefined();
  });
});

describe('characters that XML cannot carry', () => {
  it('are found and stripped, all others stay [IW-VAL-4]', () => {
    expect(xmlIllegal('tab\tline\n\u{1F600}\u{FFFD}')).toBe(-1);
    expect(xmlIllegal('ab\u0000')).toBe(2);
    expect(xmlIllegal('\u{1F600}\uD800')).toBe(2);
    expect(stripIllegal('a\u0000b\uDC00c\uFFFEd\u{1F600}')).toEqual({ text: 'abcd\u{1F600}', removed: 3 });
  });

  it('after stripping none is left [IW-VAL-4]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const out = stripIllegal(text);
        expect(xmlIllegal(out.text)).toBe(-1);
        expect(out.removed > 0).toBe(out.text !== text);
      }),
    );
  });
});
