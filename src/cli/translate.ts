import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { DIALECT_NAMES, type DialectName } from '../dm2/dialects/index.ts';
import { indentXml } from '../http/traceText.ts';
import { type MessageForm, type Translation, translate } from '../interworking/translate/translate.ts';
import { loadPacks, SHIPPED_PACKS } from '../mo/pack/files.ts';
import { readGiven } from './bytes.ts';
import type { Io } from './io.ts';

interface TranslateFlags {
  readonly to?: MessageForm;
  readonly dialect?: DialectName;
  readonly mappings?: readonly string[];
  readonly output?: string;
  readonly json?: boolean;
}

/** `dragoman translate FILE`: one message as the other generation would say it, offline. */
export function addTranslate(program: Command, io: Io): void {
  program
    .command('translate')
    .description('show one message as the other generation would say it, and what is lost or assumed')
    .argument(
      '<file>',
      'SyncML (XML or WBXML), a DM 2.0 package (JSON, or text of an early draft) or an HTTP capture of one; - reads standard input',
    )
    .addOption(new Option('--to <form>', 'form of the result').choices(['xml', 'wbxml', 'json']))
    .addOption(
      new Option('--dialect <name>', 'dialect of a text whose words leave it open').choices(DIALECT_NAMES),
    )
    .option('--mappings <folder...>', 'folders of mapping packs on top of the shipped ones')
    .option('-o, --output <file>', 'write the translated message there, byte for byte')
    .option('--json', 'print input, results and notes as one JSON object')
    .action((file: string, { to, dialect, mappings = [], output, json }: TranslateFlags) => {
      const result = translate(loadPacks([SHIPPED_PACKS, ...mappings]), readGiven(file), to, dialect);
      const [first] = result.outputs;
      if (output !== undefined && first) writeFileSync(output, first.body);
      if (json) {
        io.out(`${JSON.stringify(asJson(result), null, 2)}\n`);
        return;
      }
      io.out(`input: ${result.input}\n`);
      for (const { title, form, body } of result.outputs) {
        io.out(
          `\n== ${title}${form === 'json' ? '' : ` (${form === 'xml' ? 'XML' : 'WBXML'})`} ==\n${shown(form, body)}\n`,
        );
      }
      if (result.notes.length === 0) return;
      io.out('\nnotes:\n');
      for (const { rule, text } of result.notes) io.out(`  [${rule}] ${text}\n`);
    });
}

/** WBXML as base64, JSON as JSON, XML as text. */
function asJson({ input, outputs, notes }: Translation): object {
  const bodyOf = (form: MessageForm, body: Uint8Array): unknown => {
    const bytes = Buffer.from(body);
    if (form === 'wbxml') return bytes.toString('base64');
    return form === 'json' ? JSON.parse(bytes.toString('utf8')) : bytes.toString('utf8');
  };
  return {
    input,
    outputs: outputs.map(({ title, form, body }) => ({ title, form, body: bodyOf(form, body) })),
    notes,
  };
}

function shown(form: MessageForm, body: Uint8Array): string {
  if (form === 'wbxml') return hexDump(body);
  const text = Buffer.from(body).toString('utf8').trimEnd();
  return form === 'xml' ? indentXml(text) : text;
}

/** Sixteen bytes a line: offset, bytes, characters. */
function hexDump(body: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < body.length; at += 16) {
    const row = body.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = Array.from(row, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.')).join(
      '',
    );
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
