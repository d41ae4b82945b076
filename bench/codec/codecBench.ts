import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { decodeMessage, encodeMessage, wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import { type Candidate, inProcess, interleave, type Table, throughputTable } from '../rounds.ts';
import { saxesTree } from './saxesTree.ts';

const CAPTURES = 'fixtures/captures/libdmclient';

/** The body of a captured HTTP message. */
function capture(name: string): Buffer {
  const bytes = readFileSync(join(CAPTURES, name));
  return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
}

/** Figures of the codecs beside other readers; run from the project's root. */
export async function runCodecBench(rounds = 9): Promise<Table[]> {
  const xml = capture('libdmclient-xml-get-01-req.http');
  const wbxml = capture('libdmclient-wbxml-get-01-req.http');
  const text = xml.toString('utf8');
  const { message, encoding } = decodeMessage(wbxml, 'wbxml');
  const xmlEncoding = { form: 'xml', namespace: encoding.namespace } as const;
  const fast = new XMLParser({ ignoreAttributes: false, parseTagValue: false, preserveOrder: true });
  const folder = mkdtempSync(join(tmpdir(), 'codec-bench-'));
  try {
    const native = buildNative(folder);
    const files = { xml: join(folder, 'message.xml'), wbxml: join(folder, 'message.wbxml') };
    writeFileSync(files.xml, text.replace('?>', `?>${DOCTYPE}`));
    writeFileSync(files.wbxml, wbxml);
    const libwbxml = (mode: string, file: string): Candidate[] =>
      native === undefined
        ? []
        : [{ name: 'libwbxml', measure: () => Number(execFileSync(native, [mode, file, '2000'])) }];
    const table = async (title: string, bytes: number, candidates: readonly Candidate[]) =>
      throughputTable(title, bytes, await interleave(candidates, rounds));
    return [
      await table(`XML read to the model against a saxes tree (${xml.length} bytes)`, xml.length, [
        inProcess('saxes, plain tree', () => saxesTree(text)),
        inProcess('Dragoman, bytes to model', () => decodeMessage(xml, 'xml')),
      ]),
      await table(`XML read to the model against fast-xml-parser (${xml.length} bytes)`, xml.length, [
        inProcess('fast-xml-parser', () => fast.parse(text)),
        inProcess('Dragoman, bytes to model', () => decodeMessage(xml, 'xml')),
      ]),
      await table(`WBXML read${without(native)} (${wbxml.length} bytes)`, wbxml.length, [
        ...libwbxml('tree', files.wbxml),
        inProcess('Dragoman, bytes to model', () => decodeMessage(wbxml, 'wbxml')),
      ]),
      await table(`WBXML to XML${without(native)} (${wbxml.length} bytes)`, wbxml.length, [
        ...libwbxml('toxml', files.wbxml),
        inProcess('Dragoman', () => Buffer.from(wbxmlToXml(wbxml))),
      ]),
      await table(`XML to WBXML${without(native)} (${xml.length} bytes)`, xml.length, [
        ...libwbxml('towbxml', files.xml),
        inProcess('Dragoman', () => xmlToWbxml(xml)),
      ]),
      await table(`Message write (${xml.length} bytes of XML)`, xml.length, [
        inProcess('XML', () => encodeMessage(message, xmlEncoding)),
        inProcess('WBXML', () => encodeMessage(message, encoding)),
      ]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const DOCTYPE = `<!DOCTYPE SyncML PUBLIC "-//SYNCML//DTD SyncML 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd">`;

function without(native: string | undefined): string {
  return native === undefined ? ' (libwbxml not measured: no C compiler or no libwbxml2 headers)' : '';
}

/** Compiles the libwbxml loop; undefined where compiler or library is missing. */
function buildNative(folder: string): string | undefined {
  const program = join(folder, 'libwbxml');
  const built = spawnSync('gcc', [
    ...['-O2', 'bench/codec/libwbxml.c', '-I/usr/include/libwbxml-1.0', '-lwbxml2', '-o', program],
  ]);
  return built.status === 0 ? program : undefined;
}
