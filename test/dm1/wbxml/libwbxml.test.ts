import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/dm1/codec.ts';
import type { SyncMLMessage } from '../../../src/dm1/message.ts';
import { readTnds } from '../../../src/dm1/tnds/read.ts';
import { writeTnds } from '../../../src/dm1/tnds/write.ts';
import type { MoNode } from '../../../src/mo/node.ts';
import { asXmlCarries, syncMLMessage } from '../arbitrary.ts';
import { captures } from '../captures.ts';

const DOCTYPE =
  "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd'>";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libwbxml-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs one of Debian's converters over many documents, in one shell. */
function convert(
  tool: 'wbxml2xml' | 'xml2wbxml',
  options: string,
  documents: readonly Uint8Array[],
): Uint8Array[] {
  for (const [i, bytes] of documents.entries()) writeFileSync(join(folder, `in${i}`), bytes);
  const script = documents.map((_, i) => `${tool} ${options} -o out${i} in${i}`).join(' && ');
  execFileSync('sh', ['-c', script], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  return documents.map((_, i) => readFileSync(join(folder, `out${i}`)));
}

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

  it.each(['nested', 'flat'] as const)('agrees on a TNDS in a message, %s, both ways [1x§11.2]', (style) => {
    const tree: MoNode = {
      name: 'x',
      format: 'node',
      type: 'urn:oma:mo:oma-fumo:1.0',
      children: [
        { name: 'PkgName', format: 'chr', type: 'text/plain', value: 'fw & more' },
        {
          name: 'Ext',
          format: 'node',
          children: [{ name: 'N', format: 'int', type: 'text/plain', value: '7' }],
        },
      ],
    };
    const data = writeTnds(tree, undefined, '', style);
    const header = samples(3)[0]!.header;
    const target = ['FUMO', 'x'];
    const written = (type: string): SyncMLMessage => ({
      header,
      body: [
        {
          kind: 'Add',
          cmdId: '1',
          items: [{ target: { uri: './FUMO/x' }, meta: { format: 'xml', type }, data }],
        },
      ],
      final: true,
    });
    const read = (message: SyncMLMessage) => {
      const [command] = message.body;
      if (command?.kind !== 'Add') throw new Error('no Add');
      return readTnds(command.items[0]!.data as string, { target }).nodes;
    };
    const type = 'application/vnd.syncml.dmtnds+xml';
    const expected = read(written(type));
    expect(expected).toMatchObject([
      { below: 'target', node: { children: [{}, { children: [{ value: '7' }] }] } },
    ]);
    const [xml] = convert('wbxml2xml', '-m 0 -k', [encodeMessage(written(type), ENCODING)]);
    expect(read(decodeMessage(xml!, 'xml').message)).toStrictEqual(expected);
    const text = Buffer.from(
      encodeMessage(written(type), { form: 'xml', namespace: ENCODING.namespace }),
    ).toString();
    // As a DM client of that library writes it: the tree as it is, in CDATA.
    const cdata = text
      .replace('?>', `?>${DOCTYPE}`)
      .replace(/<Data>&lt;MgmtTree.*?<\/Data>/s, () => `<Data><![CDATA[${data}]]></Data>`);
    expect(cdata).toContain('CDATA');
    const [wbxml] = convert('xml2wbxml', '-k -n -v 1.2', [Buffer.from(cdata)]);
    expect(read(decodeMessage(wbxml!, 'wbxml').message)).toStrictEqual(expected);
  });
});
