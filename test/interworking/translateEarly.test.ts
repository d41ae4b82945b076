import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dm1/codec.ts';
import type { DialectName } from '../../src/dm2/dialects/index.ts';
import { translate } from '../../src/interworking/translate/translate.ts';
import { loadPacks, SHIPPED_PACKS } from '../../src/mo/pack/files.ts';
import { httpBlock, seed, wire } from '../dm2/dialects/seeds.ts';

const mappings = loadPacks([SHIPPED_PACKS]);
const bytes = (text: string) => Buffer.from(text, 'utf8');

/** Commands of the SyncML that a text is translated to. */
function commands(file: Uint8Array, dialect?: DialectName) {
  const { input, outputs, notes } = translate(mappings, file, undefined, dialect);
  const { message } = decodeMessage(outputs[0]!.body, 'xml');
  const said = message.body
    .filter(({ kind }) => kind !== 'Status')
    .map((element) => [
      element.kind,
      ...('items' in element ? element.items.map(({ target, source }) => (target ?? source)?.uri) : []),
    ]);
  return { input, said, message, rules: [...new Set(notes.map(({ rule }) => rule))] };
}

describe('the examples of the first draft', () => {
  it('open as Package 1, with the DevInfo that they hold [IW-ALERT-1] [IW-SES-7]', () => {
    const { input, said, rules } = commands(httpBlock('first-draft/c1-opening.txt').body);
    expect(input).toBe('Package#1 (draft-text-1)');
    expect(said).toEqual([
      ['Alert'],
      ['Replace', './DevInfo/DevId', './DevInfo/Man', './DevInfo/Mod', './DevInfo/DmV', './DevInfo/Lang'],
    ]);
    expect(rules).toContain('IW-SES-1');
  });

  it.each([
    [
      'c2-commands',
      'Package#2',
      [
        ['Get', './MMS/1'],
        ['Get', './MMS/3'],
        ['Get', './MO/urn:oma:mo:oma-connmo:1.0/Internet'],
      ],
    ],
    ['c4-commands', 'Package#2', [['Replace', './MMS/3']]],
    ['c6-commands', 'Package#2', []],
  ] as const)('%s are commands [IW-RD-1] [IW-WR-1]', (name, kind, expected) => {
    const { input, said } = commands(bytes(wire(httpBlock(`first-draft/${name}.txt`).body)));
    expect(input).toBe(`${kind} (draft-text-1)`);
    expect(said).toEqual(expected);
  });

  it('are read from an HTTP capture by its headers', () => {
    const { headers, body, start } = httpBlock('first-draft/c5-status.txt');
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const capture = Buffer.concat([bytes(`${start}\r\n${head.join('')}\r\n`), bytes(wire(body))]);
    const { input, message } = commands(capture);
    expect(input).toBe('Package#3 (draft-text-1)');
    expect(message.body.map((element) => element.kind === 'Status' && element.code)).toEqual([
      '200',
      '200',
      '200',
    ]);
  });

  it('as a command file without MsgID are the commands that they are', () => {
    const { input, rules } = commands(bytes(seed('first-draft/command-file.txt')));
    expect(input).toBe('Package#2 (draft-text-1)');
    expect(rules).toEqual(expect.arrayContaining(['IW-SES-1', 'IW-SES-8']));
  });
});

describe('text of the later drafts', () => {
  it.each([
    [
      'INCLUDE oma:mo:oma-fumo:1.0/fw\r\nCONT http://b.example/\r\n',
      undefined,
      'draft-text-2',
      [['Get', './FUMO/fw']],
    ],
    ['GET oma:mo:oma-fumo:1.0/fw/State\r\n', undefined, 'draft-text-3', [['Get', './FUMO/fw/State']]],
    [
      'HGET http://a.example/ oma:mo:oma-fumo:1.0/fw/PkgName\r\n',
      undefined,
      'draft-text-3',
      [['Replace', './FUMO/fw/PkgName']],
    ],
    ['DELETE oma:mo:oma-scomo:1.0/a\r\n', 'draft-text-3', 'draft-text-3', [['Delete', './SCOMO/a']]],
    [
      'DELETE oma:mo:oma-fumo:1.0/fw\nEXEC oma:mo:oma-fumo:1.0/fw/Update\n',
      undefined,
      'draft-text-1',
      [
        ['Delete', './FUMO/fw'],
        ['Exec', './FUMO/fw/Update'],
      ],
    ],
    ['POST http://a.example/ *\r\n', undefined, 'draft-text-1', []],
  ] as const)('%j, named %s, is %s [IW-SES-1]', (text, named, dialect, expected) => {
    const { input, said } = commands(bytes(text), named);
    expect(input).toBe(`Package#2 (${dialect})`);
    expect(said).toEqual(expected);
  });

  it.each([
    ['200\r\n404\r\n', 'draft-text-1', ['200', '404']],
    [
      '200 {"TNDS20":[{"MOID":"oma:mo:oma-fumo:1.0","Path":"/fw/State","State":"10"}]}\r\n',
      'draft-text-3',
      ['200'],
    ],
    [
      '--a\r\ncontent-type: application/dm20status\r\n\r\n200\r\n\r\n--a\r\ncontent-type: application/tnds20\r\n\r\n{"TNDS20":[{"MOID":"oma:mo:oma-fumo:1.0","Path":"/fw/State","State":"10"}]}\r\n--a--\r\n',
      'draft-text-2',
      ['200'],
    ],
  ] as const)('%j is a report of %s [IW-STAT-2]', (text, dialect, codes) => {
    const { input, message } = commands(bytes(text));
    expect(input).toBe(`Package#3 (${dialect})`);
    const said = message.body.flatMap((element) =>
      element.kind === 'Status' && element.cmd !== 'SyncHdr' ? [element.code] : [],
    );
    expect(said).toEqual(codes);
    const results = message.body.filter(({ kind }) => kind === 'Results');
    expect(results).toHaveLength(text.includes('State') ? 1 : 0);
  });

  it('is written as an approved package when that is asked for', () => {
    const { input, outputs } = translate(
      mappings,
      bytes('MsgID 4\r\nPUT http://a.example/ oma:mo:oma-fumo:1.0/fw\r\nEND\r\n'),
      'json',
    );
    expect(input).toBe('Package#2 (draft-text-1)');
    expect(JSON.parse(Buffer.from(outputs[0]!.body).toString('utf8'))).toEqual({
      CMD: [['HPUT', 'http://a.example/', 'urn:oma:mo:oma-fumo:1.0/fw/'], ['END']],
    });
  });

  it.each(['MsgID x\r\nEND\r\n', '{"TNDS20":[', '--a\r\n200\r\n', '200\r\nOK\r\n'])(
    '%j is refused',
    (text) => {
      expect(() => translate(mappings, bytes(text))).toThrow(/malformed/);
    },
  );
});
