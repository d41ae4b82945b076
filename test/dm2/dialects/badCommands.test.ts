import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/dm2/command.ts';
import type { DialectName } from '../../../src/dm2/dialects/capabilities.ts';
import { asPackage2, DIALECTS, READ_LIMITS } from '../../../src/dm2/dialects/index.ts';
import type { Dm2Command } from '../../../src/dm2/packages.ts';
import { bytes, refusal, text } from './seeds.ts';

const TEXT: readonly DialectName[] = ['draft-text-1', 'draft-text-2', 'draft-text-3'];
const read = (name: DialectName, body: string, limits = READ_LIMITS) =>
  DIALECTS[name].readCommands({ headers: {}, body: bytes(body) }, limits);

describe.each(TEXT)('wrong commands in %s', (name) => {
  it.each([
    ['a missing parameter', 'DELETE', 'bad-command'],
    ['a surplus parameter', 'SHOW http://a/?Close=x y', 'bad-command'],
    ['a parameter behind END', 'END now', 'bad-command'],
    [
      'too many parameters',
      `${name === 'draft-text-3' ? 'HPUT' : 'PUT'} ${'u '.repeat(1025)}`,
      'bad-command',
    ],
    ['an over-long parameter', `DELETE ${'a'.repeat(8193)}`, 'bad-command'],
    ['an unknown verb', 'FORMAT oma:mo:x:1.0/1', 'not-implemented'],
    ['a name of every object', 'constructor x', 'not-implemented'],
    ['a verb of the approved protocol only', 'SUB http://a oma:mo:x:1.0/1', 'not-implemented'],
  ])('fail alone: %s', (_, line, error) => {
    const { commands, ends } = read(
      name,
      `MsgID 4\r\nEXEC oma:mo:x:1.0/1\r\n${line}\r\nDELETE oma:mo:x:1.0/2\r\n`,
    );
    expect(commands).toMatchObject([
      { verb: 'EXEC', clientUri: 'urn:oma:mo:x:1.0/1/' },
      { error },
      { verb: 'DELETE', clientUri: 'urn:oma:mo:x:1.0/2/' },
    ]);
    expect(ends).toBe(false);
    const { CMD } = asPackage2(commands);
    const { [1]: again } = CMD.map((raw) => parseCommand(raw, { everything: true }));
    expect(again).toMatchObject({ error });
  });

  it.each([
    ['a control character', 'MsgID 0\r\nDELETE a\0b\r\n'],
    ['a CR that ends no line', 'MsgID 0\rDELETE oma:mo:x:1.0/1\r\n'],
    ['a MsgID that is no number', 'MsgID one\r\nEND\r\n'],
    ['a MsgID without number', 'MsgID\r\nEND\r\n'],
    ['a number of eleven digits', 'MsgID 12345678901\r\nEND\r\n'],
    ['a MsgID that stands twice', 'MsgID 0\r\nMsgID 1\r\nEND\r\n'],
    ['a MsgID behind a command', 'END\r\nMsgID 1\r\n'],
  ])('refuse the whole document: %s', (_, body) => {
    expect(refusal(() => read(name, body)).code).toBe('malformed');
  });

  it('refuse what is not UTF-8', () => {
    const body = Uint8Array.of(0x45, 0x4e, 0x44, 0xff);
    expect(refusal(() => DIALECTS[name].readCommands({ headers: {}, body })).code).toBe('malformed');
  });

  it('refuse documents past the limits of size and lines', () => {
    const limits = { ...READ_LIMITS, bytes: 20, lines: 3 };
    expect(refusal(() => read(name, `END${' '.repeat(20)}`, limits)).code).toBe('too-large');
    expect(refusal(() => read(name, '\r\n\r\n\r\nEND', limits)).code).toBe('too-large');
    expect(read(name, '\r\n\r\nEND', limits).commands).toEqual([{ verb: 'END' }]);
  });

  it('take lower case, tabs, blanks at either end and bare LF, and say so where it is wrong', () => {
    const { commands, tolerated, msgId } = read(name, '\ufeff msgid  3 \n\n\tdelete\t oma:mo:x:1.0/1  \n');
    expect(commands).toEqual([{ verb: 'DELETE', clientUri: 'urn:oma:mo:x:1.0/1/' }]);
    expect(msgId).toBe(3);
    expect(tolerated).toEqual(['Lines end in a bare LF instead of CR LF.']);
  });

  it('take an empty document for the end of the session [IW-SES-8]', () => {
    for (const body of ['', '\r\n', 'MsgID 3\r\n']) {
      const { commands, ends, tolerated } = read(name, body);
      expect([commands, ends]).toEqual([[], true]);
      const usual = DIALECTS[name].capabilities.endsByEmptyDocument;
      expect(tolerated).toEqual(usual ? [] : ['The document holds no command; it counts as END.']);
    }
  });

  it('never lets a parameter become a line or a parameter of its own', () => {
    for (const evil of [
      'http://a/\r\nDELETE',
      'http://a/ b',
      'http://a/\tb',
      'http://a/\u00a0',
      '',
      'a'.repeat(8193),
    ]) {
      const command: Dm2Command = { verb: 'HGET', serverUri: evil };
      expect(DIALECTS[name].refuses(command)).toMatchObject({ error: 'bad-command' });
      expect(refusal(() => DIALECTS[name].writeCommands({ msgId: 0, commands: [command] })).code).toBe(
        'bad-command',
      );
    }
  });
});

describe('verbs that mean something else elsewhere', () => {
  it('are told by the dialect: GET downloads in the first two drafts and reads in the third [20§1.2]', () => {
    const line = 'GET http://dr.example/a';
    expect(read('draft-text-1', line).commands).toEqual([{ verb: 'HGET', serverUri: 'http://dr.example/a' }]);
    expect(read('draft-text-2', line).commands).toEqual([{ verb: 'HGET', serverUri: 'http://dr.example/a' }]);
    expect(read('draft-text-3', 'GET oma:mo:x:1.0/1').commands).toEqual([
      { verb: 'GET', clientUris: ['urn:oma:mo:x:1.0/1/'] },
    ]);
  });

  it.each([
    ['draft-text-1', 'HGET http://a'],
    ['draft-text-1', 'INCLUDE oma:mo:x:1.0/1'],
    ['draft-text-1', 'CONT http://a'],
    ['draft-text-2', 'HPUT http://a oma:mo:x:1.0/1'],
    ['draft-text-3', 'PUT http://a oma:mo:x:1.0/1'],
    ['draft-text-3', 'INCLUDE oma:mo:x:1.0/1'],
    ['draft-text-3', 'DEFAULT oma:mo:x:1.0 http://a'],
  ] as const)('%s knows no %s', (name, line) => {
    expect(read(name, line).commands).toMatchObject([{ error: 'not-implemented' }]);
  });

  it('names a wrong command by the verb that the peer wrote', () => {
    expect(read('draft-text-1', 'GET').commands).toEqual([
      { error: 'bad-command', detail: 'GET takes ServerURI [ClientURI]; 0 given.' },
    ]);
  });

  it.each([
    ['draft-text-1', { verb: 'GET', clientUris: ['urn:oma:mo:x:1.0/1/'] }],
    ['draft-text-1', { verb: 'CONT', serverUri: 'http://a' }],
    ['draft-text-3', { verb: 'DEFAULT', moid: 'urn:oma:mo:x:1.0', serverUri: 'http://a' }],
    ['draft-text-2', { verb: 'UNSUB', clientUri: 'urn:oma:mo:x:1.0/1/' }],
    ['draft-json', { verb: 'SUB', serverUri: 'http://a', clientUri: 'urn:oma:mo:x:1.0/1/' }],
  ] as const)('%s cannot write %j', (name, command) => {
    expect(DIALECTS[name].refuses(command)).toMatchObject({ error: 'not-implemented' });
    expect(refusal(() => DIALECTS[name].writeCommands({ msgId: 0, commands: [command] })).code).toBe(
      'not-implemented',
    );
  });

  it('draft-json reads ten commands only, the approved dialect twelve', () => {
    const body = bytes('{"CMD":[["UNSUB","urn:oma:mo:x:1.0/1/"]]}');
    expect(DIALECTS['draft-json'].readCommands({ headers: {}, body }).commands).toMatchObject([
      { error: 'not-implemented' },
    ]);
    expect(DIALECTS.approved.readCommands({ headers: {}, body }).commands).toMatchObject([{ verb: 'UNSUB' }]);
  });
});

describe('lists of everything', () => {
  it.each([
    ['draft-text-1', 'POST http://a *', ['*']],
    ['draft-text-1', 'POST http://a *?Levels=1', []],
    ['draft-text-2', 'POST http://a *', []],
    ['draft-text-3', 'HPOST http://a', []],
  ] as const)('%s asks by %s [20§1.2]', (name, line, clientUris) => {
    const { commands } = read(name, `MsgID 0\r\n${line}\r\n`);
    expect(commands).toEqual([{ verb: 'HPOST', serverUri: 'http://a', clientUris }]);
    const written = DIALECTS[name].writeCommands({
      ...(name === 'draft-text-1' ? { msgId: 0 } : {}),
      commands: commands.filter((command) => 'verb' in command),
    });
    expect(text(written.body).replace(/^MsgID 0\r\n/, '')).toBe(`${line}\r\n`);
  });

  it('are no member of a longer list, and nothing that JSON dialects can ask for', () => {
    expect(read('draft-text-1', 'POST http://a * oma:mo:x:1.0/1').commands).toMatchObject([
      { error: 'bad-command' },
    ]);
    const everything: Dm2Command = { verb: 'HPOST', serverUri: 'http://a', clientUris: [] };
    expect(DIALECTS.approved.refuses(everything)).toMatchObject({ error: 'bad-command' });
    expect(DIALECTS['draft-text-3'].refuses(everything)).toBeUndefined();
  });
});

describe('addresses of the text dialects', () => {
  it.each([
    ['oma:mo:oma-mms:1.3/1', 'urn:oma:mo:oma-mms:1.3/1/'],
    ['oma:mo:oma-mms:1.3/1?Levels=2', 'urn:oma:mo:oma-mms:1.3/1/?lv=2'],
    ['oma:mo:oma-mms:1.3/1/Name', 'urn:oma:mo:oma-mms:1.3/1/Name'],
    ['oma:mo:oma-dm-devinfo:1.0/', 'urn:oma:mo:oma-dm-devinfo:1.0//'],
    ['oma:mo:oma-dm-devinfo:1.0//Man', 'urn:oma:mo:oma-dm-devinfo:1.0//Man'],
  ])('%s is %s, both ways [IW-ADDR-1]', (draft, approved) => {
    expect(read('draft-text-1', `DELETE ${draft}`).commands).toEqual([
      { verb: 'DELETE', clientUri: approved },
    ]);
    const written = DIALECTS['draft-text-1'].writeCommands({
      msgId: 0,
      commands: [{ verb: 'DELETE', clientUri: approved }],
    });
    expect(text(written.body)).toBe(`MsgID 0\r\nDELETE ${draft}\r\n`);
  });

  it('the only instance, listed as ~, is written without a name', () => {
    const { body } = DIALECTS['draft-text-3'].writeCommands({
      commands: [
        {
          verb: 'GET',
          clientUris: ['urn:oma:mo:oma-dm-devinfo:1.0/~/', 'urn:oma:mo:oma-dm-devinfo:1.0/~/Man'],
        },
      ],
    });
    expect(text(body)).toBe('GET oma:mo:oma-dm-devinfo:1.0/ oma:mo:oma-dm-devinfo:1.0//Man\r\n');
  });

  it('a validator is CV in the third draft and lost, with a note, in the others [20§11]', () => {
    const command: Dm2Command = {
      verb: 'HPOST',
      serverUri: 'http://a',
      clientUris: ['urn:oma:mo:x:1.0/1/?cv=ab'],
    };
    const third = DIALECTS['draft-text-3'].writeCommands({ commands: [command] });
    expect([text(third.body), third.lost]).toEqual(['HPOST http://a oma:mo:x:1.0/1?CV=ab\r\n', []]);
    expect(read('draft-text-3', text(third.body)).commands).toEqual([command]);
    const second = DIALECTS['draft-text-2'].writeCommands({ commands: [command] });
    expect(text(second.body)).toBe('POST http://a oma:mo:x:1.0/1\r\n');
    expect(second.lost).toHaveLength(1);
  });

  it('what is no address is left to be answered where addresses are read', () => {
    expect(read('draft-text-1', 'DELETE nonsense').commands).toEqual([
      { verb: 'DELETE', clientUri: 'nonsense' },
    ]);
  });
});
