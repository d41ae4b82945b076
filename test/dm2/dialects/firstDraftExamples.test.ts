import { describe, expect, it } from 'vitest';
import { detectDialect } from '../../../src/dm2/dialects/detect.ts';
import { DIALECTS } from '../../../src/dm2/dialects/index.ts';
import { bytes, httpBlock, seed, text, wire } from './seeds.ts';

const dialect = DIALECTS['draft-text-1'];
const DEVICE = 'IMEI:00440107486xxxxxx';

/** The JSON text without the blanks between its tokens. */
const compact = (json: string) =>
  json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '');

describe('example C.1 of the first draft, an opening', () => {
  const block = httpBlock('first-draft/c1-opening.txt');
  const opening = dialect.readOpening(block);

  it('is told by its headers [IW-SES-1]', () => {
    expect(detectDialect(block.headers)).toEqual({
      protocol: 'dm2',
      dialect: 'draft-text-1',
      package: 'opening',
    });
    expect(opening.deviceId).toBe(DEVICE);
  });

  it('gives every supported object, though all stand in one JSON object [IW-VAL-5]', () => {
    expect(opening.package1.MOS).toEqual([
      {
        MOID: 'urn:oma:mo:oma-dm-devinfo:1.0',
        DDF: 'http://www.vendor.com/DDF/devinfo10.ddf',
        MIID: ['~'],
      },
      {
        MOID: 'urn:oma:mo:oma-dm-devdetail:1.0',
        DDF: 'http://www.vendor.com/DDF/devdetail10.ddf',
        MIID: ['~'],
      },
      { MOID: 'urn:oma:mo:oma-dm-fs:1.0', DDF: 'http://www.vendor.com/DDF/filesystem10.ddf', MIID: ['~'] },
      { MOID: 'urn:oma:mo:oma-mms:1.3', DDF: 'http://www.vendor.com/DDF/mms13.ddf', MIID: ['1', '3'] },
      {
        MOID: 'urn:oma:mo:oma-connmo:1.0',
        DDF: 'http://www.vendor.com/DDF/connmo10.ddf',
        MIID: ['Internet'],
      },
      { MOID: 'urn:oma:mo:oma-scomo:1.0', DDF: 'http://www.vendor.com/DDF/scomo10.ddf', MIID: [] },
    ]);
  });

  it('gives DevInfo with the nodes of DevDetail that it took over, its DevID completed [IW-ADDR-3]', () => {
    expect(opening.devInfo).toEqual({
      DevID: DEVICE,
      Man: 'Sony Ericsson',
      Mod: 'X1i',
      DmV: '2.0',
      Lang: 'en',
      DevType: 'Phone',
      OEM: 'SonyEricsson',
      FwV: '1.05.948.10',
      SwV: 'R3AA10',
      HwV: '1.14.25.34U',
    });
  });

  it('gives the data of both objects in the approved form [IW-VAL-5]', () => {
    expect(opening.items).toEqual([
      {
        ClientURI: 'urn:oma:mo:oma-dm-devinfo:1.0//',
        MOData: {
          'dm-devinfo': {
            DevID: '00440107486xxxxxx',
            Man: 'Sony Ericsson',
            Mod: 'X1i',
            DmV: '2.0',
            Lang: 'en',
          },
        },
      },
      {
        ClientURI: 'urn:oma:mo:oma-dm-devdetail:1.0//',
        MOData: {
          'dm-devdetail': {
            Roaming: 'True',
            CBT: '0',
            DevType: 'Phone',
            OEM: 'SonyEricsson',
            FwV: '1.05.948.10',
            SwV: 'R3AA10',
            HwV: '1.14.25.34U',
            UserInteraction: 'true',
            URI: { MaxDepth: '20', MaxTotLen: '100', MaxSegLen: '100' },
            Ext: { Battery: 'VeryHigh' },
          },
        },
      },
    ]);
  });

  // The printed body has lost its tabs, and neither of its lengths fits any way to put them back; blanks
  // between tokens mean nothing in JSON, so everything else must be the same byte for byte.
  it('is written with the same bytes but for blanks between tokens', () => {
    const printed = text(block.body);
    const written = dialect.writeOpening(opening);
    expect(text(written.body)).toBe(compact(printed.slice(printed.indexOf('{'))));
    expect(written.lost).toEqual([]);
  });

  // The list of the example is separated by semicolons, which HTTP reads as parameters of one type.
  it('is written with its headers, Accept as HTTP has it', () => {
    expect(dialect.writeOpening(opening).headers).toEqual({
      'content-type': block.headers['content-type'],
      'x-omadmdeviceid': block.headers['x-omadmdeviceid'],
      accept: 'application/dm20, application/tnds20',
    });
  });

  it('notes the line "Content length" ahead of the body', () => {
    expect(opening.tolerated).toEqual(['The body begins with a line "Content length".']);
  });
});

describe.each([
  [
    'C.2',
    'first-draft/c2-commands.txt',
    0,
    [
      {
        verb: 'HPOST',
        serverUri: 'http://169.254.2.2/DM20/9c532c4b-25bd-46e5-994a-584c50683879.tnds20',
        clientUris: [
          'urn:oma:mo:oma-mms:1.3/1/',
          'urn:oma:mo:oma-mms:1.3/3/',
          'urn:oma:mo:oma-connmo:1.0/Internet/',
        ],
      },
    ],
  ],
  [
    'C.4',
    'first-draft/c4-commands.txt',
    1,
    [
      {
        verb: 'HGET',
        serverUri: 'http://169.254.2.2/DM20/MMS13.tnds20',
        clientUri: 'urn:oma:mo:oma-mms:1.3/3/',
      },
      { verb: 'HGET', serverUri: 'http://169.254.2.2/DM20/ConnMOMMS.tnds20' },
    ],
  ],
  ['C.6', 'first-draft/c6-commands.txt', 2, [{ verb: 'END' }]],
] as const)('example %s of the first draft, commands', (_, name, msgId, commands) => {
  const block = httpBlock(name);
  const travelled = wire(block.body);

  it('is read as approved commands', () => {
    const read = dialect.readCommands({ headers: block.headers, body: bytes(travelled) });
    expect(read).toEqual({ msgId, commands, ends: commands[0]?.verb === 'END', tolerated: [] });
  });

  it('is read as printed, with bare line feeds and empty lines', () => {
    const read = dialect.readCommands(block);
    expect(read.commands).toEqual(commands);
    expect(read.tolerated).toEqual(['Lines end in a bare LF instead of CR LF.']);
  });

  it('is written with the same bytes', () => {
    const written = dialect.writeCommands({ msgId, commands });
    expect(text(written.body)).toBe(travelled);
    expect(written.headers['content-type']).toBe(block.headers['content-type']);
    expect(written.lost).toEqual([]);
  });
});

describe.each([
  ['C.3', 'first-draft/c3-status.txt', 0, [{ sc: 200 }]],
  [
    'C.5',
    'first-draft/c5-status.txt',
    1,
    [{ sc: 200 }, { sc: 200, URI: ['urn:oma:mo:oma-connmo:1.0/MMS/'] }],
  ],
] as const)('example %s of the first draft, a status report', (_, name, msgId, status) => {
  const block = httpBlock(name);
  const travelled = wire(block.body);

  it('is told by its headers [IW-SES-1]', () => {
    expect(detectDialect(block.headers)).toEqual({
      protocol: 'dm2',
      dialect: 'draft-text-1',
      package: 'status',
    });
  });

  it('is read as Package#3, trailing blanks and length line passed over', () => {
    expect(dialect.readStatus(block)).toEqual({
      msgId,
      package3: { Status: status },
      tolerated: [
        'The body begins with a line "Content length".',
        'Lines end in a bare LF instead of CR LF.',
      ],
    });
  });

  it('is written with the same bytes', () => {
    const written = dialect.writeStatus({ msgId, package3: { Status: status } }, DEVICE);
    expect(text(written.body)).toBe(travelled);
    expect(written.headers).toMatchObject({
      'content-type': block.headers['content-type'],
      'x-omadmdeviceid': block.headers['x-omadmdeviceid'],
    });
  });

  // Of its two lengths the header's 25 fits neither example; both print 15, which was true of C.3 only:
  // the blank behind the code and the last CR LF are part of the body.
  it('has the length that it prints, where that was counted', () => {
    const printed = Number(/Content length:(\d+)/.exec(text(block.body))?.[1]);
    expect(travelled.length === printed).toBe(name.includes('c3'));
  });
});

describe('the command file of the first draft', () => {
  const file = seed('first-draft/command-file.txt');

  it('is read though it bears no MsgID, as a share serves it', () => {
    expect(dialect.readCommands({ headers: {}, body: bytes(file) })).toEqual({
      commands: [
        { verb: 'HGET', serverUri: 'http://prov.operatorx.com/TMO/DE/Browser.tnds20' },
        { verb: 'HGET', serverUri: 'http://prov.operatorx.com/TMO/DE/MMS.tnds20' },
        { verb: 'END' },
      ],
      ends: true,
      tolerated: ['Lines end in a bare LF instead of CR LF.', 'The commands bear no MsgID.'],
    });
  });

  // A file has no session and so no number; what a server writes must have one.
  it('is written below a MsgID line', () => {
    const { commands } = dialect.readCommands({ headers: {}, body: bytes(file) });
    const good = commands.filter((command) => 'verb' in command);
    expect(text(dialect.writeCommands({ msgId: 7, commands: good }).body)).toBe(
      `MsgID 7\r\n${wire(bytes(file))}`,
    );
  });
});
