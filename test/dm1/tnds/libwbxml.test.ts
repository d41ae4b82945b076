import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/dm1/codec.ts';
import type { Item, SyncMLMessage } from '../../../src/dm1/message.ts';
import type { TndsNode } from '../../../src/dm1/tnds/node.ts';
import { readTnds } from '../../../src/dm1/tnds/read.ts';
import { writeTnds, writeTndsWbxml } from '../../../src/dm1/tnds/write.ts';
import { convert } from '../wbxml/convert.ts';
import { tndsTree } from './tree.ts';

const SYNCML =
  "<!DOCTYPE SyncML PUBLIC '-//SYNCML//DTD SyncML 1.2//EN' 'http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd'>";
const DMDDF =
  "<!DOCTYPE MgmtTree PUBLIC '-//OMA//DTD-DM-DDF 1.2//EN' 'http://www.openmobilealliance.org/tech/DTD/DM_DDF-V1_2.dtd'>";
const XML_TREE = 'application/vnd.syncml.dmtnds+xml';
const ENCODING = { namespace: 'SYNCML:SYNCML1.2', wbxmlVersion: 2, publicId: 0x1201 } as const;
const TARGET = ['Place', 'x'];

/** What libwbxml keeps of a text: it trims, drops what is blank, and has its own way with what XML escapes. */
const kept = (text: string) => text.replace(/[^!-%'-;=?-~é€ü]/g, '').trim() || 'x';

/** A tree of texts that libwbxml keeps; siblings of one name are one. */
function plain(node: TndsNode): TndsNode {
  const { children, value } = node;
  const names = new Set<string>();
  const own = Object.fromEntries(
    Object.entries(node).map(([key, each]) => [key, typeof each === 'string' ? kept(each) : each]),
  ) as unknown as TndsNode;
  return {
    ...own,
    name: kept(node.name).replace(/^\.+$/, 'x'),
    ...(value instanceof Uint8Array && { value: value.length > 0 ? value : Uint8Array.of(1) }),
    ...(children && {
      children: children.map(plain).filter(({ name }) => !names.has(name) && names.add(name)),
    }),
  };
}

const trees = fc.sample(tndsTree, { numRuns: 40, seed: 7 }).map(plain);
const STYLES = ['nested', 'flat'] as const;
const rows = trees.flatMap((tree) => STYLES.map((style) => ({ tree: { ...tree, name: 'x' }, style })));
const expected = rows.map(({ tree }) => tree);

const read = (document: string | Uint8Array) => {
  const [only, ...others] = readTnds(document, { target: TARGET }).nodes;
  expect([only?.below, others]).toEqual(['target', []]);
  return only!.node;
};

function messageOf(item: Pick<Item, 'meta' | 'data'>): SyncMLMessage {
  const header = {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '1',
    msgId: '1',
    target: { uri: 'IMEI:1' },
    source: { uri: 'http://dm.example' },
  };
  const target = { uri: './Place/x' };
  return { header, body: [{ kind: 'Add', cmdId: '1', items: [{ target, ...item }] }], final: true };
}

/** The tree in the only Item of a message. */
function treeOf(message: SyncMLMessage): TndsNode {
  const [command] = message.body;
  if (command?.kind !== 'Add') throw new Error('no Add');
  return read(command.items[0]!.data!);
}

describe('TNDS beside libwbxml, nested and flat', () => {
  it('agrees on documents of their own that we wrote as WBXML [1x§12.1]', () => {
    const documents = rows.map(({ tree, style }) => writeTndsWbxml(tree, undefined, '', style));
    expect(documents.map(read)).toStrictEqual(expected);
    expect(convert('wbxml2xml', '-m 0 -k -l DMDDF12', documents).map(read)).toStrictEqual(expected);
  });

  it.each(['-k -n -v 1.3', '-k -v 1.2'])('reads documents that xml2wbxml %s wrote [1x§12.1]', (options) => {
    const documents = rows.map(({ tree, style }) =>
      Buffer.from(`<?xml version="1.0"?>${DMDDF}${writeTnds(tree, undefined, '', style)}`),
    );
    expect(convert('xml2wbxml', options, documents).map(read)).toStrictEqual(expected);
  });

  // Of a WBXML document in an opaque wbxml2xml writes the bare bytes, which are no XML.
  it('agrees on trees in messages that we wrote [1x§12.2]', () => {
    const messages = rows.map(({ tree, style }) => {
      const data = writeTnds(tree, undefined, '', style);
      return encodeMessage(messageOf({ meta: { format: 'xml', type: XML_TREE }, data }), {
        ...ENCODING,
        form: 'wbxml',
      });
    });
    expect(messages.map((bytes) => treeOf(decodeMessage(bytes, 'wbxml').message))).toStrictEqual(expected);
    const xml = convert('wbxml2xml', '-m 0 -k', messages);
    expect(xml.map((bytes) => treeOf(decodeMessage(bytes, 'xml').message))).toStrictEqual(expected);
  });

  it('reads trees in messages that xml2wbxml wrote, from CDATA and from elements [1x§12.2]', () => {
    const messages = rows.flatMap(({ tree, style }) => {
      const data = writeTnds(tree, undefined, '', style);
      const item = { meta: { format: 'xml', type: XML_TREE }, data: 'TREE' };
      const text = Buffer.from(encodeMessage(messageOf(item), { ...ENCODING, form: 'xml' })).toString();
      const around = text.replace('?>', `?>${SYNCML}`);
      return [`<![CDATA[${data}]]>`, data].map((inside) => Buffer.from(around.replace('TREE', () => inside)));
    });
    const twice = expected.flatMap((tree) => [tree, tree]);
    const wbxml = convert('xml2wbxml', '-k -n -v 1.2', messages);
    expect(wbxml.map((bytes) => treeOf(decodeMessage(bytes, 'wbxml').message))).toStrictEqual(twice);
  });
});
