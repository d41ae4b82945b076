import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/dm1/codec.ts';
import type { Encoding } from '../../src/dm1/message.ts';
import { type Readdressing, readdressBytes, readdressMessage, roomFor } from '../../src/dm1/readdress.ts';
import { asXmlCarries, syncMLMessage, wbxmlEncoding } from './arbitrary.ts';

const XML: Encoding = { form: 'xml', namespace: 'SYNCML:SYNCML1.2' };
const changes: fc.Arbitrary<Readdressing[]> = fc.array(
  fc.oneof(
    fc.record({
      place: fc.constantFrom('Target', 'Source', 'RespURI', 'TargetRef', 'SourceRef'),
      to: fc.constantFrom('http://gw.example/dm?a=1&b=<2>', 'x', 'http://gw.example/ä'),
    }),
    fc.record({ place: fc.constant('MaxMsgSize'), to: fc.constantFrom('4096', '1') }),
  ),
  { maxLength: 3 },
);

describe('a message with other addresses', () => {
  it('says in its bytes what it says in the model [IW-REL-1]', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, changes, (message, wbxml, wanted) => {
        for (const encoding of [XML, wbxml]) {
          const { form } = encoding;
          const carried = form === 'xml' ? asXmlCarries(message) : message;
          const encoded = encodeMessage(message, encoding);
          const bytes = readdressBytes(encoded, form, wanted);
          expect(decodeMessage(bytes, form).message).toStrictEqual(readdressMessage(carried, wanted));
          const once = wanted.filter(({ place }) => !place.endsWith('Ref'));
          expect(readdressBytes(encoded, form, once).length).toBeLessThanOrEqual(
            encoded.length + roomFor(once),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the very same where nothing changes', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, (message, encoding) => {
        const bytes = encodeMessage(message, encoding);
        expect(readdressBytes(bytes, 'wbxml', [])).toBe(bytes);
        const same = [{ place: 'Target', to: message.header.target.uri } as const];
        expect(readdressBytes(bytes, 'wbxml', same)).toBe(bytes);
      }),
    );
  });
});

const HEADER = '<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>';
const toX = [{ place: 'Target', to: 'x' }] as const;

it.each([
  ['an empty LocURI', '<Target><LocURI/></Target>'],
  ['an address without LocURI', '<Target>http://srv/</Target>'],
  ['a LocURI in pieces', '<Target><LocURI>http<!-- -->://<![CDATA[srv]]>/</LocURI></Target>'],
])('%s is found too', (_, target) => {
  const xml = `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>${HEADER}${target}<Source><LocURI>d</LocURI></Source></SyncHdr><SyncBody><Final/></SyncBody></SyncML>`;
  const { message } = decodeMessage(readdressBytes(Buffer.from(xml), 'xml', toX), 'xml');
  expect(message.header.target).toEqual({ uri: 'x' });
});

it.each([
  ['an opaque', [0xc3, 0x03, 0x61, 0x2f, 0x62]],
  ['the string table', [0x83, 0x00]],
  ['two pieces', [0x03, 0x61, 0x00, 0x03, 0x62, 0x00]],
])('a WBXML address from %s is replaced, and nothing else', (_, content) => {
  const text = (tag: number, value: string) => [tag, 0x03, ...Buffer.from(value), 0, 0x01];
  const document = (address: readonly number[]) =>
    Uint8Array.from([
      ...[0x02, 0xa4, 0x01, 0x6a, 0x04, 0x61, 0x2f, 0x62, 0x00, 0x6d, 0x6c],
      ...text(0x71, '1.2'),
      ...text(0x72, 'DM/1.2'),
      ...text(0x65, '1'),
      ...text(0x5b, '1'),
      ...[0x6e, 0x57, ...address, 0x01, 0x01],
      ...[0x67, ...text(0x57, 'd'), 0x01],
      ...[0x01, 0x6b, 0x12, 0x01, 0x01],
    ]);
  const bytes = readdressBytes(document(content), 'wbxml', toX);
  if (content.filter((byte) => byte === 0x03).length < 2) {
    expect(bytes).toEqual(Buffer.from(document([0x03, 0x78, 0x00])));
  }
  expect(decodeMessage(bytes, 'wbxml').message.header.target).toEqual({ uri: 'x' });
});

it('a UTF-16 document keeps its meaning', () => {
  const xml = `\uFEFF<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>${HEADER}<Target><LocURI>é</LocURI></Target><Source><LocURI>d</LocURI></Source></SyncHdr><SyncBody><Final/></SyncBody></SyncML>`;
  const { message } = decodeMessage(readdressBytes(Buffer.from(xml, 'utf16le'), 'xml', toX), 'xml');
  expect(message.header).toMatchObject({ target: { uri: 'x' }, source: { uri: 'd' } });
});
