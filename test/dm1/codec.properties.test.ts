import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  maskCreds,
  measure,
  measureEnvelope,
  wbxmlToXml,
  xmlToWbxml,
} from '../../src/dm1/codec.ts';
import type { Encoding, SyncMLMessage } from '../../src/dm1/message.ts';
import { asXmlCarries, syncMLMessage, wbxmlEncoding } from './arbitrary.ts';

const XML: Encoding = { form: 'xml', namespace: 'SYNCML:SYNCML1.2' };
const RUNS = { numRuns: 400 };

describe('codec properties', () => {
  it('reads every XML message back as it was written [IW-VAL-3] [IW-VAL-4]', () => {
    fc.assert(
      fc.property(syncMLMessage, (message) => {
        const { message: again, encoding, stripped } = decodeMessage(encodeMessage(message, XML), 'xml');
        expect(again).toStrictEqual(asXmlCarries(message));
        expect(encoding).toStrictEqual(XML);
        expect(stripped).toBeUndefined();
      }),
      RUNS,
    );
  });

  it('reads every WBXML message back as it was written, bytes and public id included [IW-VAL-3]', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, (message, encoding) => {
        const bytes = encodeMessage(message, encoding);
        const decoded = decodeMessage(bytes, 'wbxml');
        expect(decoded.message).toStrictEqual(message);
        expect(decoded.encoding).toStrictEqual(encoding);
      }),
      RUNS,
    );
  });

  it('measures what an element adds to a message [1x§2.3]', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, (message, wbxml) => {
        for (const encoding of [XML, { ...wbxml, publicId: 0x1201 }]) {
          const parts = message.body.map((element) => measure(element, encoding));
          const sum = parts.reduce((a, b) => a + b, measureEnvelope(message, encoding));
          const actual = encodeMessage(message, encoding).length;
          const literals = JSON.stringify(message.body).includes('"Foreign"');
          if (encoding.form === 'xml') expect(sum).toBe(actual);
          else if (!literals)
            expect(sum - actual).toBe(!message.final && endsOffPage0(message.body.at(-1), encoding) ? 2 : 0);
          else expect(sum).toBeGreaterThanOrEqual(actual - 4);
        }
      }),
      RUNS,
    );
  });

  it('masks credentials in place so that the message still reads, without them', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, fc.boolean(), (given, wbxml, inXml) => {
        const secret = 'c2VjcmV0OnNlY3JldA==';
        const message = { ...given, header: { ...given.header, cred: { meta: {}, data: secret } } };
        const encoding = inXml ? XML : wbxml;
        const body = encodeMessage(message, encoding);
        const decoded = decodeMessage(body, encoding.form);
        const masked = maskCreds(body, decoded.credRanges);
        expect(masked.length).toBe(body.length);
        expect(Buffer.from(masked).includes(secret)).toBe(false);
        const read = decodeMessage(masked, encoding.form).message;
        expect(read.header.cred?.data).toBe('*'.repeat(secret.length));
        expect(withoutCreds(read)).toStrictEqual(withoutCreds(decoded.message));
      }),
      RUNS,
    );
  });

  it('translates WBXML to XML and back without changing what is said', () => {
    fc.assert(
      fc.property(syncMLMessage, wbxmlEncoding, (given, encoding) => {
        const message = asXmlCarries(given);
        const wbxml = encodeMessage(message, encoding);
        const xml = wbxmlToXml(wbxml);
        expect(blankless(decodeMessage(Buffer.from(xml), 'xml').message)).toStrictEqual(blankless(message));
        expect(blankless(decodeMessage(xmlToWbxml(xml), 'wbxml').message)).toStrictEqual(blankless(message));
      }),
      RUNS,
    );
  });
});

/** General translation drops white space between elements, and with it texts of white space alone. */
function blankless(value: unknown): unknown {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.map(blankless);
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, blankless(member)]));
}

function endsOffPage0(element: Parameters<typeof measure>[0] | undefined, encoding: Encoding): boolean {
  if (element === undefined) return false;
  const header = {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '1',
    msgId: '1',
    target: { uri: 'a' },
    source: { uri: 'b' },
  };
  const without = encodeMessage({ header, body: [element], final: false }, encoding).length;
  const bare = encodeMessage({ header, body: [], final: false }, encoding).length;
  return measure(element, encoding) !== without - bare;
}

function withoutCreds({ header, body, ...rest }: SyncMLMessage): object {
  const without = ({ cred: _cred, ...part }: { cred?: unknown }) => part;
  return { ...rest, header: without(header), body: body.map((e) => (e.kind === 'Status' ? without(e) : e)) };
}
