import { describe, expect, it } from 'vitest';
import { DIALECTS, READ_LIMITS } from '../../../src/dm2/dialects/index.ts';
import { parsePairsDocument } from '../../../src/dm2/dialects/tnds20/pairs.ts';
import { JSON_LIMITS } from '../../../src/dm2/json.ts';
import { bytes, refusal, text } from './seeds.ts';

const dialect = DIALECTS['draft-text-1'];
const read = (json: string) => dialect.readDocument(bytes(json));
const open = (json: string) =>
  dialect.readOpening({ headers: { 'x-omadmdeviceid': 'IMEI:123' }, body: bytes(json) });

describe('the supported objects of TNDS20', () => {
  const mos = [
    { MOID: 'urn:oma:mo:a:1.0', DDF: 'http://a', MIID: ['1', '3'] },
    { MOID: 'urn:oma:mo:b:1.0', MIID: [] },
  ];

  it.each([
    [
      'one object with repeated names',
      '{"MO":[{"MOID":"oma:mo:a:1.0","DDF":"http://a","Path":"/1","Path":"/3","MOID":"oma:mo:b:1.0"}]}',
    ],
    [
      'an object each',
      '{"MO":[{"MOID":"oma:mo:a:1.0","DDF":"http://a","Path":"/1","Path":"/3"},{"MOID":"oma:mo:b:1.0"}]}',
    ],
    [
      'paths as an array',
      '{"MO":[{"MOID":"oma:mo:a:1.0","DDF":"http://a","Path":["/1","/3"]},{"MOID":"oma:mo:b:1.0"}]}',
    ],
    [
      'an object per instance',
      '{"MO":[{"MOID":"oma:mo:a:1.0","DDF":"http://a","Path":"/1"},{"MOID":"oma:mo:a:1.0","Path":"/3"},{"MOID":"oma:mo:b:1.0"}]}',
    ],
    [
      'a lone object',
      '{"MO":{"MOID":"urn:oma:mo:a:1.0","DDF":"http://a","Path":"1","Path":"/3/","MOID":"oma:mo:b:1.0"}}',
    ],
    [
      'members in another order',
      '{"Other":1,"MO":[{"MOID":"oma:mo:a:1.0","Path":"/1","DDF":"http://a","X":[],"Path":"/3","MOID":"oma:mo:b:1.0"}],"TNDS20":null}',
    ],
  ])('are read from %s [IW-VAL-5]', (_, json) => {
    expect(read(json).mos).toEqual(mos);
  });

  it('cost linear time, however often one MOID stands there', () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => `{"MOID":"oma:mo:a:1.0","Path":"/${i}"}`);
    // What is not linear here takes minutes, and fails by the limit of any test.
    expect(read(`{"MO":[${entries.join(',')}]}`).mos?.[0]?.MIID).toHaveLength(20_000);
  });

  it.each([
    ['a Path ahead of any MOID', '{"MO":[{"Path":"/1"}]}'],
    ['a MOID that is no text', '{"MO":[{"MOID":5}]}'],
    ['an entry that is no object', '{"MO":["oma:mo:a:1.0"]}'],
    ['an array within an array', '{"TNDS20":[[]]}'],
    ['text', '"TNDS20"'],
    ['something behind the document', '{} {}'],
    ['no JSON', '<TNDS20/>'],
  ])('are refused for %s', (_, json) => {
    expect(refusal(() => read(json)).code).toBe('malformed');
  });
});

describe('the data of TNDS20', () => {
  it('keeps a second MOID in one object apart as the next item [IW-VAL-5]', () => {
    const { items } = read(
      '{"TNDS20":[{"MOID":"oma:mo:a:1.0","Path":"/1","N":"1","MOID":"oma:mo:a:1.0","Path":"/2","N":"2"}]}',
    );
    expect(items).toEqual([
      { ClientURI: 'urn:oma:mo:a:1.0/1/', MOData: { a: { N: '1' } } },
      { ClientURI: 'urn:oma:mo:a:1.0/2/', MOData: { a: { N: '2' } } },
    ]);
  });

  it('keeps a node that bears the name of a member', () => {
    const { items } = read(
      '{"TNDS20":[{"MOID":"oma:mo:a:1.0","Path":"/1","Path":"/etc","DDF":"x","__proto__":"y"}]}',
    );
    expect(items[0]?.ClientURI).toBe('urn:oma:mo:a:1.0/1/');
    expect(Object.entries(items[0]?.MOData['a'] ?? {})).toEqual([
      ['Path', '/etc'],
      ['DDF', 'x'],
      ['__proto__', 'y'],
    ]);
  });

  it('takes a bare array, a single item and a leaf', () => {
    const item = '{"MOID":"oma:mo:a:1.0","Path":"//Sub/N","N":"1"}';
    const items = [{ ClientURI: 'urn:oma:mo:a:1.0//Sub/N', MOData: { N: '1' } }];
    for (const json of [item, `[${item}]`, `{"TNDS20":${item}}`]) expect(read(json).items).toEqual(items);
  });

  it('keeps numbers that a double would change as their text [IW-VAL-2]', () => {
    const { items } = read(
      '[{"MOID":"oma:mo:a:1.0","A":12345678901234567890,"B":1.5,"C":-0.0,"D":true,"E":null}]',
    );
    expect(items[0]?.MOData).toEqual({ a: { A: '12345678901234567890', B: 1.5, C: -0, D: true, E: null } });
  });

  it('refuses a node that stands twice and an item without MOID', () => {
    expect(refusal(() => read('[{"MOID":"oma:mo:a:1.0","N":"1","N":"2"}]')).code).toBe('malformed');
    expect(refusal(() => read('[{"Path":"/1"}]')).code).toBe('malformed');
    expect(refusal(() => read('[{"MOID":" "}]')).code).toBe('malformed');
  });

  it('leaves out, with a note, what has no address of its own', () => {
    const { body, lost } = dialect.writeDocument({
      items: [
        { ClientURI: '', MOData: { a: '1' } },
        { ClientURI: 'urn:oma:mo:a:1.0/*/', MOData: { a: {} } },
        { ClientURI: 'urn:oma:mo:a:1.0/1/', CV: 'v', MOData: { a: { N: '1' } } },
      ],
    });
    expect(text(body)).toBe('{"TNDS20":[{"MOID":"oma:mo:a:1.0","Path":"/1","N":"1"}]}');
    expect(lost).toHaveLength(3);
    const third = DIALECTS['draft-text-3'].writeDocument({
      items: [{ ClientURI: 'urn:oma:mo:a:1.0/1/', CV: 'v', MOData: { a: {} } }],
    });
    expect(text(third.body)).toBe('{"TNDS20":[{"MOID":"oma:mo:a:1.0","Path":"/1","CV":"v"}]}');
  });
});

describe('a first message of the text dialects', () => {
  it('may bring alerts, in the approved form [IW-ALERT-2]', () => {
    const { package1 } = open('{"Alert":[{"AlertType":"urn:oma:at:x:1.0:Done","Mark":"FATAL"}]}');
    expect(package1).toEqual({ Alert: [{ AlertType: 'urn:oma:at:x:1.0:Done', Mark: 'fatal' }] });
  });

  it('is refused when its body names another device than its header [IW-SES-2]', () => {
    const body = (id: string) => `[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","DevID":"${id}"}]`;
    expect(open(body('123')).devInfo).toEqual({ DevID: 'IMEI:123' });
    expect(open(body('IMEI:123')).devInfo).toEqual({ DevID: 'IMEI:123' });
    expect(refusal(() => open(body('124'))).code).toBe('malformed');
  });

  it('is written with DevInfo and DevDetail from the known values', () => {
    const { body } = dialect.writeOpening({
      deviceId: 'IMEI:123',
      package1: {},
      devInfo: { DevID: 'IMEI:123', Man: 'M', Mod: 'X', DmV: '1.2', FwV: '7' },
      items: [],
    });
    expect(text(body)).toBe(
      '{"TNDS20":[{"MOID":"oma:mo:oma-dm-devinfo:1.0","Path":"/","DevID":"IMEI:123","Man":"M","Mod":"X","DmV":"2.0"},' +
        '{"MOID":"oma:mo:oma-dm-devdetail:1.0","Path":"/","FwV":"7"}]}',
    );
    expect(dialect.readOpening({ headers: { 'x-omadmdeviceid': 'IMEI:123' }, body }).devInfo).toEqual({
      DevID: 'IMEI:123',
      Man: 'M',
      Mod: 'X',
      DmV: '2.0',
      FwV: '7',
    });
  });
});

describe('JSON with repeated names', () => {
  const parse = (json: string) => parsePairsDocument(json, JSON_LIMITS);

  it.each([
    '',
    '{',
    '{"a"',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '[1,]',
    '[1 2]',
    '"a',
    '"\\x"',
    '"\n"',
    '01',
    '+1',
    'tru',
    'NaN',
    '1 1',
    '{"a":1]',
    '"a\\',
  ])('is refused as JSON is: %s', (json) => {
    expect(refusal(() => parse(json)).code).toBe('malformed');
  });

  it('is bounded in depth, members and bytes', () => {
    const limits = { ...READ_LIMITS, bytes: 100, json: { bytes: 100, depth: 3, members: 3 } };
    const bounded = (json: string) => () => dialect.readDocument(bytes(json), limits);
    expect(refusal(bounded('[[[[')).code).toBe('too-large');
    expect(refusal(bounded('[1,2,3,4]')).code).toBe('too-large');
    expect(refusal(bounded('{"a":{"b":1,"c":2,"d":3}}')).code).toBe('too-large');
    expect(refusal(bounded(' '.repeat(101))).code).toBe('too-large');
    expect(refusal(() => parse('['.repeat(1_000_000))).code).toBe('too-large');
  });
});
