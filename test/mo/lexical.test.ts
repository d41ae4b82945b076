import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64, stripIllegal, xmlIllegal } from '../../src/mo/lexical.ts';

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
