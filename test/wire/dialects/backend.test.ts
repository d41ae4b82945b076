import { describe, expect, it } from 'vitest';
import type { DialectName } from '../../../src/dm2/dialects/index.ts';
import { LegacyDevice } from '../../../src/simulator/index.ts';
import { closing, wired } from '../harness.ts';
import { rawServer } from './rawServer.ts';

const ID = 'IMEI:493005100592800';
const JSON_TYPE = 'application/vnd.oma.dm.request+json';
const TEXT_TYPE = 'application/dm20';

/** A legacy device whose backend answers the given bytes; what that got, and the notes of the session. */
async function play(dialect: DialectName, type: string, answers: readonly string[]) {
  const server = await rawServer(type, answers);
  const gateway = await wired({
    backends: { raw: { protocol: 'dm2', url: server.url, dialect } },
    routes: [{ match: { protocol: 'dm1' }, backend: 'raw' }],
  });
  const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: ID, keepMessages: false }));
  const report = await device.session();
  const [trace] = await gateway.traces(ID);
  const notes = trace!.trace.filter(({ kind }) => kind === 'note').map(({ text }) => text ?? '');
  return { got: server.got, report, trace: trace!, notes };
}

const LANG = '{"MOID":"oma:mo:oma-dm-devinfo:1.2","Path":"/DevInfo/Lang","Lang":"en-US"}';

interface Row {
  readonly dialect: DialectName;
  readonly type: string;
  readonly identity: string;
  readonly openingType: string;
  readonly statusType: string;
  /** Commands, then the report that they are to be answered with. */
  readonly exchanges: readonly (readonly [commands: string, report: string | RegExp])[];
  readonly end: string;
}

const text = {
  type: TEXT_TYPE,
  openingType: 'application/tnds20',
  statusType: 'application/dm20status',
} as const;
const json = {
  type: JSON_TYPE,
  identity: 'omadm-devid',
  openingType: 'application/vnd.oma.dm.initiation+json',
  statusType: 'application/vnd.oma.dm.response+json',
  exchanges: [
    [
      '{"CMD":[["DELETE","urn:oma:mo:oma-scomo:1.0//Nope"],["EXEC","urn:oma:mo:oma-dm-devinfo:1.2//Man"]]}',
      '{"Status":[{"sc":404},{"sc":405}]}',
    ],
    [
      '{"CMD":[["GET","urn:oma:mo:oma-dm-devinfo:1.2//Lang"]]}',
      '{"Status":[{"sc":200,"MO":[{"ClientURI":"urn:oma:mo:oma-dm-devinfo:1.2/DevInfo/Lang","MOData":{"Lang":"en-US"}}]}]}',
    ],
  ],
  end: '{"CMD":[["END"]]}',
} as const;

const ROWS: readonly Row[] = [
  { dialect: 'approved', ...json },
  { dialect: 'draft-json', ...json },
  {
    dialect: 'draft-text-1',
    ...text,
    identity: 'x-omadmdeviceid',
    exchanges: [
      [
        'MsgID 0\r\nDELETE oma:mo:oma-scomo:1.0//Nope\r\nEXEC oma:mo:oma-dm-devinfo:1.2//Man\r\n',
        'MsgID 0\r\n404 \r\n405 \r\n',
      ],
      ['MsgID 1\r\nDELETE oma:mo:oma-scomo:1.0//Nope\r\n', 'MsgID 1\r\n404 \r\n'],
    ],
    end: 'MsgID 2\r\nEND\r\n',
  },
  {
    dialect: 'draft-text-2',
    ...text,
    identity: 'x-omadmdevid',
    exchanges: [
      ['DELETE oma:mo:oma-scomo:1.0//Nope\r\nEXEC oma:mo:oma-dm-devinfo:1.2//Man\r\n', '404\r\n405\r\n'],
      [
        'INCLUDE oma:mo:oma-dm-devinfo:1.2//Lang\r\n',
        new RegExp(
          `^--(\\w+)\\r\\ncontent-type: application/dm20status\\r\\n\\r\\n200\\r\\n\\r\\n--\\1\\r\\ncontent-type: application/tnds20\\r\\ncontent-id: <status-1>\\r\\n\\r\\n\\{"TNDS20":\\[${LANG.replace(/[{}.]/g, '\\$&')}\\]\\}\\r\\n--\\1--\\r\\n$`,
        ),
      ],
    ],
    end: 'END\r\n',
  },
  {
    dialect: 'draft-text-3',
    ...text,
    identity: 'x-omadmdevid',
    exchanges: [
      ['DELETE oma:mo:oma-scomo:1.0//Nope\r\nEXEC oma:mo:oma-dm-devinfo:1.2//Man\r\n', '404\r\n405\r\n'],
      ['GET oma:mo:oma-dm-devinfo:1.2//Lang\r\n', `200 {"TNDS20":[${LANG}]}\r\n`],
    ],
    // A document without commands ends the session there (20§1.2 C3).
    end: '',
  },
];

describe.each(ROWS)('a server that speaks $dialect', (row) => {
  it('is spoken to in its own bytes [IW-SES-1] [IW-SES-6] [IW-GET-2] [IW-SEQ-1]', async () => {
    const answers = [...row.exchanges.map(([commands]) => commands), row.end];
    const { got, report } = await play(row.dialect, row.type, answers);
    expect(report).toMatchObject({ outcome: 'completed', violations: [] });
    expect(got).toHaveLength(answers.length);
    const [opening, ...reports] = got;
    for (const { headers } of got) {
      expect(headers[row.identity]).toBe(ID);
      expect(headers['accept']).toContain(row.type);
      const others = ['omadm-devid', 'x-omadmdevid', 'x-omadmdeviceid'].filter((n) => n !== row.identity);
      expect(others.map((name) => headers[name])).toEqual([undefined, undefined]);
    }
    expect(opening!.headers['content-type']).toBe(row.openingType);
    for (const [i, [, expected]] of row.exchanges.entries()) {
      const { body, headers } = reports[i]!;
      if (typeof expected === 'string') {
        expect([headers['content-type'], body]).toEqual([row.statusType, expected]);
      } else {
        expect(headers['content-type']).toMatch(/^multipart\/mixed; boundary=/);
        expect(body).toMatch(expected);
      }
    }
  });

  it('fails its session alone where it answers junk, and the device ends cleanly [IW-SES-10]', async () => {
    for (const [type, body] of [
      [row.type, '\u0000\u0001'],
      ['text/html', '<html>'],
      [row.type, row.type === JSON_TYPE ? '{"CMD":[["END"]],"CMD":[]}' : 'MsgID one\r\nEND\r\n'],
    ] as const) {
      const { report, trace } = await play(row.dialect, type, [body]);
      expect(report).toMatchObject({ outcome: 'completed', violations: [] });
      expect(trace).toMatchObject({ ending: 'backend-failed' });
    }
  });
});

describe.each(ROWS.filter(({ dialect }) => dialect !== 'draft-text-1'))(
  'CONT of a server that speaks $dialect',
  ({ dialect, type, end }) => {
    it('takes the reports to the URL that it names, unseen by the device [IW-SES-9]', async () => {
      const [cont, report] =
        type === JSON_TYPE
          ? ['{"CMD":[["CONT","{origin}/elsewhere?a=1"]]}', '{"Status":[{"sc":200}]}']
          : ['CONT {origin}/elsewhere?a=1\r\n', '200\r\n'];
      const { got, report: seen } = await play(dialect, type, [cont, end]);
      expect(seen).toMatchObject({ outcome: 'completed', violations: [] });
      // It is asked for its objects, as at every first contact, and for nothing else.
      expect(seen.executed.map(({ uri }) => uri)).toEqual(['.?list=StructData']);
      expect(got.map(({ url }) => url)).toEqual(['/DM20', '/elsewhere?a=1']);
      expect(got[1]!.body).toBe(report);
    });
  },
);

describe('the opening of a first-draft server', () => {
  it('holds DevInfo and DevDetail of the device, and its objects in one [IW-SES-6] [IW-ADDR-3]', async () => {
    const { got } = await play('draft-text-1', TEXT_TYPE, ['MsgID 0\r\nEND\r\n']);
    const body = got[0]!.body;
    expect(body).toMatch(/^\{"MO":\[\{"MOID":/);
    expect(body).toContain('"MOID":"oma:mo:oma-dm-devinfo:1.2","Path":"/DevInfo","MOID":');
    expect(body).toContain(
      `"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.2","Path":"/DevInfo","DevID":"${ID}","Man":"Example","Mod":"One","DmV":"2.0","Lang":"en-US"},{"MOID":"oma:mo:oma-dm-devdetail:1.0","Path":"/DevDetail","FwV":"1.0.0","SwV":"10"}]`,
    );
  });
});

describe('text commands that are wrong', () => {
  it.each([
    ['is missing a parameter', 'HGET', 'GET', 400],
    ['has a parameter too many', 'DELETE oma:mo:oma-scomo:1.0//x oma:mo:oma-scomo:1.0//y', undefined, 400],
    ['has a parameter too long', `DELETE oma:mo:oma-scomo:1.0//${'x'.repeat(9000)}`, undefined, 400],
    ['has a verb of another dialect', 'HPUT http://a.example/ oma:mo:oma-scomo:1.0//x', undefined, 406],
    ['has a verb of none', 'FROB oma:mo:oma-scomo:1.0//x', undefined, 406],
    ['names no object', 'DELETE oma:mo:nothing:1.0//x', undefined, 404],
  ])('that %s fails alone, in the code of the dialect', async (_, line, as, code) => {
    const { got, notes } = await play('draft-text-1', TEXT_TYPE, [
      `MsgID 0\r\n${as ?? line}\r\nDELETE oma:mo:oma-scomo:1.0//Nope\r\n`,
      'MsgID 1\r\nEND\r\n',
    ]);
    expect(got[1]!.body).toBe(`MsgID 0\r\n${code} \r\n404 \r\n`);
    if (code !== 404) expect(notes.join(' ')).toMatch(/Command 1 is refused: /);
  });

  it('in their number end the session with a reason [IW-SES-10]', async () => {
    for (const second of ['MsgID 0\r\nEND\r\n', 'MsgID 2\r\nEND\r\n']) {
      const { trace, got } = await play('draft-text-1', TEXT_TYPE, [
        'MsgID 0\r\nDELETE oma:mo:oma-scomo:1.0//Nope\r\n',
        second,
      ]);
      expect(got).toHaveLength(2);
      expect(trace).toMatchObject({ ending: 'backend-failed', detail: expect.stringContaining('MsgID') });
    }
  });

  it('in their line ends alone are taken, with a note [IW-SES-1]', async () => {
    const { got, notes } = await play('draft-text-1', TEXT_TYPE, [
      'MsgID 0\nDELETE oma:mo:oma-scomo:1.0//Nope\n',
      'END\n',
    ]);
    expect(got[1]!.body).toBe('MsgID 0\r\n404 \r\n');
    expect(notes).toContain("The backend's dialect: Lines end in a bare LF instead of CR LF.");
    expect(notes).toContain("The backend's dialect: The commands bear no MsgID.");
  });
});
