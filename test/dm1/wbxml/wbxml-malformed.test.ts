import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, decodeMessage, wbxmlToXml } from '../../../src/dm1/codec.ts';
import { DragomanError } from '../../../src/support/errors.ts';
import { captures } from '../captures.ts';

const hex = (text: string) => Buffer.from(text).toString('hex');
const HEAD = '02a4016a00';
const HDR = `6d6c7103312e32000172 03444d2f312e320001 6503310001 5b03310001 6e570361000101 675703620001 01 01 6b`;
const bytes = (...parts: string[]) => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
const body = (content: string) => bytes(HEAD, HDR, content, '01 01');
const data = (content: string) => body(`45 4b03310001 54 4f ${content} 01 01 01`);

function refusal(input: Uint8Array): string {
  try {
    decodeMessage(input, 'wbxml');
  } catch (error) {
    expect(error).toBeInstanceOf(DragomanError);
    return (error as DragomanError).message;
  }
  return 'accepted';
}

describe('wbxml-malformed', () => {
  it.each([
    ['nothing at all', bytes(''), 'byte 0: the document is empty'],
    ['a version that is none', bytes('00a4016a00'), 'byte 0: version byte 0'],
    ['a later version', bytes('04a4016a00'), 'byte 0: version byte 4'],
    ['an unknown charset', bytes('02a401876800'), 'charset 1000'],
    ['a number that never ends', bytes('02ffffffffff7f6a00'), 'more than 32 bits'],
    ['a number over 32 bits', bytes('029fffffff7f6a00'), 'more than 32 bits'],
    ['a string table past the end', bytes('02a4016a7f6d'), 'string table reaches past the end'],
    ['a public id past the table', bytes('0200056a0141'), 'public id points past the string table'],
    ['a public id of another document', bytes('02a4036a00', HDR, '0101'), 'names no SyncML document'],
    ['an FPI of another document', bytes('0200006a03', hex('abc'), HDR, '0101'), 'names no SyncML document'],
    ['no root', bytes(HEAD), 'ends inside an element'],
    ['an END for a root', bytes(HEAD, '01'), 'no root element'],
    ['text for a root', bytes(HEAD, '03610001'), ''],
    ['another root', bytes(HEAD, '6b01'), 'root element is not SyncML'],
    ['something behind the root', bytes(HEAD, HDR, '010100'), 'something follows the end'],
    ['a reference past the table', data('8300'), 'points past the string table'],
    ['an opaque past the end', data('c37f41'), 'opaque reaches past the end'],
    ['a huge opaque', data('c38fffffff7f'), 'opaque reaches past the end'],
    ['an inline string without NUL', bytes(HEAD, HDR, '45 4b 03 3131'), 'inline string does not end'],
    ['an unknown token of page 0', body('70 01'), 'page 0 has no element 0x30'],
    ['an unknown token of page 1', body('0001 7f 01 0000'), 'page 1 has no element 0x3f'],
    ['an unknown page', body('0003 45 01'), 'code page 3 is unknown'],
    ['a page switch at the end', bytes(HEAD, HDR, '00'), 'code page missing'],
    ['a processing instruction', body('43 04 00 01'), 'processing instructions'],
    ['an entity that is no character', data('0200'), 'entity refers to a character'],
    ['half a surrogate pair', data('0283b000'), 'entity refers to a character'],
    ['a literal past the table', body('44 05 01'), 'points past the string table'],
    ['text that is no UTF-8', body('45 4b 03ff0001 01'), 'not valid UTF-8'],
    ['a control character in an identifier', body('45 4b 03010001 01'), 'control character'],
    ['a NUL in an identifier', body('45 4b c3 02 3100 01 01'), 'control character'],
    [
      'credentials in two pieces',
      bytes(HEAD, HDR.replace('01 01 6b', '01 4e 4f 03610003620001 01 01 6b'), '0101'),
      'not one piece',
    ],
    ['a missing END', bytes(HEAD, HDR, '01'), 'ends inside an element'],
  ])('refuses %s', (_, input, expected) => {
    const message = refusal(input);
    expect(message).toMatch(/^malformed: byte \d+: /);
    expect(message).toContain(expected);
  });

  it('bounds nesting, elements and what the string table can blow up to', () => {
    expect(refusal(body('64'.repeat(100)))).toContain('too-large: byte');
    expect(refusal(data(`0002${'64'.repeat(1000)}`))).toContain('too-large: byte');
    expect(refusal(body('05'.repeat(DEFAULT_LIMITS.elements + 1)))).toContain('number of elements');
    const table = '41'.repeat(60_000);
    const bomb = bytes('02a4016a', '83d460', table, HDR, `45 4b ${'8300'.repeat(60_000)} 01 01 0101`);
    expect(refusal(bomb)).toContain('too-large');
    expect(refusal(bytes(HEAD, `ed${'05036100'.repeat(500)}`))).toContain('attributes');
  });

  it('refuses every capture that is cut off anywhere, and says where', () => {
    for (const { form, body: whole } of captures()) {
      if (form !== 'wbxml') continue;
      for (let length = 0; length < whole.length; length++) {
        expect(refusal(whole.subarray(0, length))).toMatch(/^malformed: byte \d+: /);
      }
    }
  });

  it('refuses an embedded bomb without harm when translating', () => {
    expect(() => wbxmlToXml(bytes('03016a00 0002', '64'.repeat(10_000)))).toThrow(DragomanError);
  });
});
