import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../src/dm1/codec.ts';
import { DragomanError } from '../../../src/support/errors.ts';
import { captures } from '../captures.ts';

const HEADER =
  '<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>' +
  '<Target><LocURI>s</LocURI></Target><Source><LocURI>d</LocURI></Source></SyncHdr>';
const wrap = (body: string) => `<SyncML>${HEADER}<SyncBody>${body}</SyncBody></SyncML>`;
const data = (content: string) => wrap(`<Add><CmdID>1</CmdID><Item><Data>${content}</Data></Item></Add>`);

function refusal(input: string | Uint8Array): string {
  try {
    decodeMessage(typeof input === 'string' ? Buffer.from(input) : input, 'xml');
  } catch (error) {
    expect(error).toBeInstanceOf(DragomanError);
    return (error as DragomanError).message;
  }
  return 'accepted';
}

describe('xml-bombs', () => {
  it.each([
    [
      'an entity bomb',
      `<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${data('&b;')}`,
      '1:1: the DOCTYPE',
    ],
    ['an external entity', `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${data('&a;')}`, 'DOCTYPE'],
    ['an undefined entity', data('&nbsp;'), 'entity "&nbsp;" is not defined'],
    ['a reference to NUL', data('&#0;'), 'not allowed'],
    ['a reference to a surrogate', data('&#xD800;'), 'not allowed'],
    ['a bare ampersand', data('a & b'), 'begins no entity'],
    ['a processing instruction', data('<?php x?>'), 'processing instructions'],
    ['a CDATA section without end', data('<![CDATA[x'), 'CDATA section does not end'],
    ['"<![" that is no CDATA', wrap('<![IGNORE[x]]>'), 'declaration'],
    ['"]]>" in text', data(']]>'), ']]>'],
    ['a comment with "--"', wrap('<!-- a -- b -->'), 'comment'],
    ['a duplicate attribute', wrap('<Final a="1" a="2"/>'), 'occurs twice'],
    ['an unbound prefix', wrap('<x:Final/>'), 'prefix "x" is not bound'],
    ['crossed tags', wrap('<Add><CmdID>1</Add></CmdID>'), 'not closed by its own end tag'],
    ['an unquoted attribute', wrap('<Final a=1/>'), 'not quoted'],
    ['"<" in an attribute', wrap('<Final a="<"/>'), 'attribute value'],
    ['a NUL in an identifier', wrap('<Add><CmdID>1\0</CmdID></Add>'), 'U+0000'],
    ['a control character between elements', wrap('\u0007'), 'U+0007'],
    ['a second root', `${wrap('')}<SyncML/>`, 'something follows'],
    ['another root', '<syncml/>', 'root element is not SyncML'],
    ['a root of a foreign namespace', wrap('').replace('<SyncML>', '<SyncML xmlns="urn:x">'), 'root element'],
    ['no element', '   ', 'no root element'],
    ['nothing', '', 'no root element'],
    ['a second SyncHdr', wrap('').replace('<SyncBody>', `${HEADER}<SyncBody>`), 'SyncHdr occurs twice'],
    ['no SyncBody', `<SyncML>${HEADER}</SyncML>`, 'SyncBody is missing'],
    [
      'too many attributes',
      wrap(`<Final${Array.from({ length: 40 }, (_, i) => ` a${i}=""`).join('')}/>`),
      'more than 32',
    ],
  ])('refuses %s', (_, input, expected) => {
    const message = refusal(input);
    expect(message).toMatch(/^malformed: \d+:\d+: /);
    expect(message).toContain(expected);
  });

  it('names line and column', () => {
    expect(refusal('<SyncML>\n <SyncHdr>\n  <VerDTD>&x;</VerDTD>')).toMatch(/^malformed: 3:11: /);
  });

  it('names a charset that is not read, and one that the bytes deny', () => {
    const declared = (charset: string) => `<?xml version="1.0" encoding="${charset}"?>${wrap('')}`;
    expect(refusal(declared('EBCDIC-CP-US'))).toContain('"EBCDIC-CP-US"');
    expect(refusal(Buffer.from(`${declared('US-ASCII')}é`))).toContain('US-ASCII');
    expect(refusal(Buffer.from(`${declared('UTF-8')}é`, 'latin1'))).toContain('UTF-8');
    expect(refusal(Buffer.from(`\ufeff${wrap('')}\ud800`, 'utf16le'))).toContain('UTF-16');
    expect(refusal(Buffer.from(`\ufeff${declared('ISO-8859-1')}`, 'utf16le'))).toContain('begins as UTF-16');
  });

  it('bounds nesting in the message and in the markup of Data', () => {
    expect(refusal(wrap('<Sequence>'.repeat(10_000)))).toContain('too-large: 1:');
    expect(refusal(data('<Node>'.repeat(100) + '</Node>'.repeat(100)))).toBe('accepted');
    expect(refusal(data('<Node>'.repeat(10_000)))).toContain('too-large: 1:');
    expect(refusal(wrap('<Final/>'.repeat(200_001)))).toContain('number of elements');
  });

  it('takes linear time over hostile lengths', () => {
    // What is not linear here takes minutes, and fails by the limit of any test.
    const long = 'x'.repeat(4_000_000);
    expect(refusal(data(long))).toBe('accepted');
    expect(refusal(wrap(`<Final a="${long}"/>`))).toBe('accepted');
    expect(refusal(wrap(`<${long}/>`))).toBe('accepted');
    expect(refusal(data('&amp;'.repeat(400_000)))).toBe('accepted');
    expect(refusal(data('&'.repeat(400_000)))).toContain('malformed');
    expect(refusal(data('<![CDATA['.repeat(200_000)))).toContain('malformed');
    expect(refusal(wrap('<!--'.repeat(400_000)))).toContain('malformed');
    expect(refusal(`<!DOCTYPE x ${' '.repeat(1_000_000)}`)).toContain('malformed');
    expect(refusal(`<?xml ${' '.repeat(1_000_000)}`)).toContain('malformed');
    const declarations = Array.from({ length: 32 }, (_, i) => ` xmlns:p${i}="urn:x"`).join('');
    expect(refusal(data(`<a${declarations}>`.repeat(200) + '<p0:b/>'.repeat(100_000)))).toContain('in scope');
  });

  it('refuses every capture that is cut off anywhere, and says where', () => {
    for (const { form, body } of captures()) {
      if (form !== 'xml') continue;
      const whole = Buffer.from(body).toString('latin1').trimEnd().length;
      for (let length = 0; length < whole; length++) {
        expect(refusal(body.subarray(0, length))).toMatch(/^malformed: \d+:\d+: /);
      }
    }
  });
});
