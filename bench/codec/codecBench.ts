import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { decodeMessage, encodeMessage, wbxmlToXml, xmlToWbxml } from '../../src/dm1/codec.ts';
import type { Goal, Result, Settings } from '../report.ts';
import { type Candidate, inProcess, interleave, type Table, throughputTable } from '../rounds.ts';
import { saxesTree } from './saxesTree.ts';

const CAPTURES = 'fixtures/captures/libdmclient';

/** The body of a captured HTTP message. */
function capture(name: string): Buffer {
  const bytes = readFileSync(join(CAPTURES, name));
  return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
}

const METHOD = `Messages of ${CAPTURES}, captured from libdmclient, read and written again and again in one process;
libwbxml in a C program that does the same. CPU time, garbage collection included. The model is what the gateway works with; a saxes tree has names,
namespaces, attributes and text.`;

/** The codecs beside other readers; run from the project's root. */
export async function codecBench(settings: Settings): Promise<Result> {
  settings.progress('codec');
  const xml = capture('libdmclient-xml-get-01-req.http');
  const wbxml = capture('libdmclient-wbxml-get-01-req.http');
  const text = xml.toString('utf8');
  const { message, encoding } = decodeMessage(wbxml, 'wbxml');
  const xmlEncoding = { form: 'xml', namespace: encoding.namespace } as const;
  const fast = new XMLParser({ ignoreAttributes: false, parseTagValue: false, preserveOrder: true });
  const folder = mkdtempSync(join(tmpdir(), 'codec-bench-'));
  const tables: Table[] = [];
  const goals: Goal[] = [];
  try {
    const native = buildNative(folder);
    const files = { xml: join(folder, 'message.xml'), wbxml: join(folder, 'message.wbxml') };
    writeFileSync(files.xml, text.replace('?>', `?>${DOCTYPE}`));
    writeFileSync(files.wbxml, wbxml);
    const libwbxml = (mode: string, file: string): Candidate | undefined =>
      native === undefined
        ? undefined
        : { name: 'libwbxml', measure: () => Number(execFileSync(native, [mode, file, '2000'])) };
    const compare = async (
      title: string,
      bytes: number,
      reference: Candidate | undefined,
      candidate: Candidate,
      goal: number,
    ) => {
      const measured = await interleave(reference ? [reference, candidate] : [candidate], settings.rounds);
      tables.push(throughputTable(`${title} (${bytes} bytes)`, bytes, measured));
      const ratio = reference && measured[1]!.ratio.median;
      goals.push({
        what: title,
        goal: `≥ ${goal} times as fast`,
        result: ratio?.toFixed(2) ?? 'no C compiler or libwbxml2 headers here',
        met: ratio === undefined ? undefined : ratio >= goal,
      });
    };
    const readXml = () => inProcess('Dragoman, bytes to model', () => decodeMessage(xml, 'xml'));
    const readWbxml = inProcess('Dragoman, bytes to model', () => decodeMessage(wbxml, 'wbxml'));
    const toXml = inProcess('Dragoman', () => Buffer.from(wbxmlToXml(wbxml)));
    const toWbxml = inProcess('Dragoman', () => xmlToWbxml(xml));
    const saxes = inProcess('saxes', () => saxesTree(text));
    const fastXml = inProcess('fast-xml-parser', () => fast.parse(text));
    await compare('XML read to the model, beside saxes', xml.length, saxes, readXml(), 3);
    await compare('XML read to the model, beside fast-xml-parser', xml.length, fastXml, readXml(), 6);
    await compare(
      'WBXML read to the model, beside libwbxml',
      wbxml.length,
      libwbxml('tree', files.wbxml),
      readWbxml,
      2,
    );
    await compare('WBXML to XML, beside libwbxml', wbxml.length, libwbxml('toxml', files.wbxml), toXml, 1.5);
    await compare('XML to WBXML, beside libwbxml', xml.length, libwbxml('towbxml', files.xml), toWbxml, 1.5);
    const written = [
      inProcess('XML', () => encodeMessage(message, xmlEncoding)),
      inProcess('WBXML', () => encodeMessage(message, encoding)),
    ];
    tables.push(
      throughputTable(
        `Message written, MB/s of XML (${xml.length} bytes)`,
        xml.length,
        await interleave(written, settings.rounds),
      ),
    );
    return { title: 'Codec', method: METHOD, tables, goals };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const DOCTYPE = `<!DOCTYPE SyncML PUBLIC "-//SYNCML//DTD SyncML 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd">`;

/** Compiles the libwbxml loop; undefined where compiler or library is missing. */
function buildNative(folder: string): string | undefined {
  const program = join(folder, 'libwbxml');
  const built = spawnSync('gcc', [
    ...['-O2', 'bench/codec/libwbxml.c', '-I/usr/include/libwbxml-1.0', '-lwbxml2', '-o', program],
  ]);
  return built.status === 0 ? program : undefined;
}
