import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/dm1/codec.ts';
import type { SyncMLMessage } from '../../../src/dm1/message.ts';
import { asXmlCarries, syncMLMessage } from '../arbitrary.ts';
import { captures } from '../captures.ts';
import { convert } from './convert.ts';

const DOCTYPE =
  "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd'>";

/**
 * What both libraries can say: libwbxml drops texts of white space alone, trims around the others,
 * reads its own element names only, and no public id but the number of SyncML 1.2.
 */
function plain(message: SyncMLMessage): SyncMLMessage {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/[^!-%'-;=?-~é€]/g, '').trim() || 'x';
    if (Array.isArray(value)) return value.filter((member) => member?.kind !== 'Foreign').map(clean);
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clean(member)]));
  };
  return clean(message) as SyncMLMessage;
}

const ENCODING = { form: 'wbxml', namespace: 'SYNCML:SYNCML1.2', wbxmlVersion: 2, publicId: 0x1201 } as const;
const samples = (seed: number) =>
  fc
    .sample(syncMLMessage, { numRuns: 40, seed })
    .map(plain)
    .filter((message) => message.body.length > 0);

describe('WBXML beside libwbxml', () => {
  it('writes what wbxml2xml reads, and reads its XML back as the same message', () => {
    const messages = [
      ...samples(1).map(asXmlCarries),
      ...captures()
        .filter(({ name }) => name.includes('get-01') || name.endsWith('.xml'))
        .map(({ body, form }) => asXmlCarries(decodeMessage(body, form).message)),
    ];
    const xml = convert(
      'wbxml2xml',
      '-m 0 -k',
      messages.map((message) => encodeMessage(message, ENCODING)),
    );
    messages.forEach((message, i) => {
      expect(decodeMessage(xml[i]!, 'xml').message).toStrictEqual(message);
    });
  });

  it('reads what xml2wbxml writes, with and without its string table', () => {
    const messages = samples(2).map(asXmlCarries);
    const xml = messages.map((message) => {
      const text = Buffer.from(
        encodeMessage(message, { form: 'xml', namespace: ENCODING.namespace }),
      ).toString();
      return Buffer.from(text.replace('?>', `?>${DOCTYPE}`));
    });
    for (const options of ['-k -v 1.2', '-k -n -v 1.3', '-k -n -v 1.1']) {
      convert('xml2wbxml', options, xml).forEach((wbxml, i) => {
        expect(decodeMessage(wbxml, 'wbxml').message, options).toStrictEqual(messages[i]);
      });
    }
  });
});
