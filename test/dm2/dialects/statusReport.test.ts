import { describe, expect, it } from 'vitest';
import type { DialectName } from '../../../src/dm2/dialects/capabilities.ts';
import { DIALECTS, READ_LIMITS } from '../../../src/dm2/dialects/index.ts';
import type { Package3, SerializationItem } from '../../../src/dm2/packages.ts';
import { bytes, refusal, text } from './seeds.ts';

const TEXT: readonly DialectName[] = ['draft-text-1', 'draft-text-2', 'draft-text-3'];
const DEVICE = 'IMEI:1';
const MO: SerializationItem[] = [
  { ClientURI: 'urn:oma:mo:oma-mms:1.3/1/', MOData: { mms: { Name: 'a b', Sub: { X: '1' } } } },
  { ClientURI: 'urn:oma:mo:oma-mms:1.3/1/Name', MOData: { Name: 'a b' } },
];
const read = (name: DialectName, body: string, limits = READ_LIMITS) =>
  DIALECTS[name].readStatus({ headers: {}, body: bytes(body) }, { limits });

describe.each(TEXT)('a status report of %s', (name) => {
  it('repeats the MsgID of its commands where they bore one', () => {
    const { body } = DIALECTS[name].writeStatus({ msgId: 12, package3: { Status: [{ sc: 404 }] } }, DEVICE);
    expect(text(body)).toMatch(/^MsgID 12\r\n404 ?\r\n$/);
    expect(read(name, text(body))).toMatchObject({ msgId: 12, package3: { Status: [{ sc: 404 }] } });
  });

  it.each([
    ['a word instead of a code', 'MsgID 0\r\nOK\r\n'],
    ['a code of two digits', 'MsgID 0\r\n99\r\n'],
    ['a code beyond 599', 'MsgID 0\r\n600\r\n'],
    ['a code with a tail', 'MsgID 0\r\n200OK\r\n'],
    ['a second MsgID', 'MsgID 0\r\n200\r\nMsgID 1\r\n'],
    ['a control character', 'MsgID 0\r\n200 \x01\r\n'],
  ])('is refused for %s', (_, body) => {
    expect(refusal(() => read(name, body)).code).toBe('malformed');
  });

  it('is refused past the limits', () => {
    const limits = { ...READ_LIMITS, lines: 4, parameters: 2, parameterLength: 9 };
    expect(read(name, '200 a b', limits).package3.Status).toEqual([{ sc: 200, URI: ['a', 'b'] }]);
    for (const body of ['200\n200\n200\n200\n200', '200 a b c', '200 0123456789']) {
      expect(refusal(() => read(name, body, limits)).code).toBe('too-large');
    }
  });

  it('leaves alerts out with a note, for only its opening carries them', () => {
    const package3: Package3 = { Status: [{ sc: 200 }], Alert: [{ AlertType: 'urn:oma:at:x:1.0:Done' }] };
    const { lost } = DIALECTS[name].writeStatus({ package3 }, DEVICE);
    expect(lost).toEqual([expect.stringContaining('urn:oma:at:x:1.0:Done')]);
    expect(DIALECTS[name].capabilities.statusCarriesAlerts).toBe(false);
  });

  it('leaves a location that would break its line out with a note', () => {
    const { body, lost } = DIALECTS[name].writeStatus(
      { package3: { Status: [{ sc: 200, URI: ['a\r\n500'] }] } },
      DEVICE,
    );
    expect(read(name, text(body)).package3.Status).toEqual([{ sc: 200 }]);
    expect(lost).toHaveLength(1);
  });
});

describe('data within a status report', () => {
  it('has no place in the first draft', () => {
    const { body, lost } = DIALECTS['draft-text-1'].writeStatus(
      { msgId: 0, package3: { Status: [{ sc: 200, MO }] } },
      DEVICE,
    );
    expect(text(body)).toBe('MsgID 0\r\n200 \r\n');
    expect(lost).toHaveLength(2);
  });

  it('stands as JSON behind the code in the third draft, blanks and all [IW-GET-2]', () => {
    const Status = [{ sc: 200, MO }, { sc: 404 }];
    const { body } = DIALECTS['draft-text-3'].writeStatus({ package3: { Status } }, DEVICE);
    expect(text(body)).toBe(
      '200 {"TNDS20":[{"MOID":"oma:mo:oma-mms:1.3","Path":"/1","Name":"a b","Sub":{"X":"1"}},' +
        '{"MOID":"oma:mo:oma-mms:1.3","Path":"/1/Name","Name":"a b"}]}\r\n404\r\n',
    );
    expect(read('draft-text-3', text(body)).package3).toEqual({ Status });
  });

  it('is read in the third draft over several lines and in a line of its own', () => {
    const json = '{\r\n"TNDS20": [\r\n{ "MOID": "oma:mo:x:1.0", "Path": "/1", "A": "1" }\r\n]\r\n}';
    const data = [{ ClientURI: 'urn:oma:mo:x:1.0/1/', MOData: { x: { A: '1' } } }];
    expect(read('draft-text-3', `200 ${json}\r\n404\r\n`).package3.Status).toEqual([
      { sc: 200, MO: data },
      { sc: 404 },
    ]);
    const { package3, tolerated } = read('draft-text-3', `200\r\n${json}\r\n404\r\n`);
    expect(package3.Status).toEqual([{ sc: 200, MO: data }, { sc: 404 }]);
    expect(tolerated).toEqual(['The data of a status stands in a line of its own.']);
  });

  it('may list the supported objects, as items without data', () => {
    const list =
      '{"MO":[{"MOID":"oma:mo:x:1.0","DDF":"http://d","Path":"/1","Path":"/2","MOID":"oma:mo:y:1.0"}]}';
    expect(read('draft-text-3', `200 ${list}`).package3.Status).toEqual([
      {
        sc: 200,
        MO: [
          { DDF: 'http://d', ClientURI: 'urn:oma:mo:x:1.0/1/', MOData: { x: {} } },
          { DDF: 'http://d', ClientURI: 'urn:oma:mo:x:1.0/2/', MOData: { x: {} } },
          { ClientURI: 'urn:oma:mo:y:1.0//', MOData: { y: {} } },
        ],
      },
    ]);
  });

  it.each([
    ['JSON that does not end', '200 {"TNDS20":['],
    ['something behind the JSON', '200 {} 404'],
    ['data ahead of any status', '{"TNDS20":[]}'],
    ['data twice', '200 {}\r\n{}'],
    ['an item without MOID', '200 [{"Path":"/1"}]'],
    ['a node that stands twice', '200 [{"MOID":"a:b","Path":"/1","A":{"B":"1","B":"2"}}]'],
  ])('is refused in the third draft: %s', (_, body) => {
    expect(refusal(() => read('draft-text-3', body)).code).toBe('malformed');
  });

  it('is bounded in the third draft as any JSON', () => {
    const limits = { ...READ_LIMITS, json: { bytes: 1000, depth: 4, members: 5 } };
    expect(refusal(() => read('draft-text-3', `200 ${'['.repeat(5)}`, limits)).code).toBe('too-large');
    expect(refusal(() => read('draft-text-3', '200 {"a":[1,2,3,4,5]}', limits)).code).toBe('too-large');
  });

  it('follows as parts of a multipart body in the second draft [IW-GET-2]', () => {
    const Status = [{ sc: 404 }, { sc: 200, MO }, { sc: 200 }, { sc: 200, MO: MO.slice(1) }];
    const dialect = DIALECTS['draft-text-2'];
    const written = dialect.writeStatus({ package3: { Status } }, DEVICE);
    expect(written.headers['content-type']).toMatch(/^multipart\/mixed; boundary="[0-9a-f]{32}"$/);
    expect(dialect.readStatus(written).package3).toEqual({ Status });
    // Without data it is a plain report.
    const plain = dialect.writeStatus({ package3: { Status: [{ sc: 200 }] } }, DEVICE);
    expect(plain.headers['content-type']).toBe('application/dm20status');
  });
});

describe('codes of the first draft', () => {
  it('say "optional feature not supported" as 1.x does, and 406 as 415 [20§8]', () => {
    const dialect = DIALECTS['draft-text-1'];
    const { body } = dialect.writeStatus(
      { msgId: 0, package3: { Status: [{ sc: 501 }, { sc: 406 }, { sc: 415 }] } },
      DEVICE,
    );
    expect(text(body)).toBe('MsgID 0\r\n406 \r\n415 \r\n415 \r\n');
    expect(read('draft-text-1', text(body)).package3.Status).toEqual([{ sc: 501 }, { sc: 415 }, { sc: 415 }]);
    expect(read('draft-text-2', '406').package3.Status).toEqual([{ sc: 406 }]);
  });
});
