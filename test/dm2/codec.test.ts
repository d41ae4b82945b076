import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPackage1, readPackage2, readPackage3, writePackage } from '../../src/dm2/codec.ts';
import { MARKS, type Package1, type Package3 } from '../../src/dm2/packages.ts';
import { PACKAGE_SCHEMA, validatorOf } from '../../src/dm2/schema.ts';
import { DragomanError } from '../../src/support/errors.ts';
import { httpBlock } from './dialects/seeds.ts';

const bytes = (json: unknown) =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
const fixture = (name: string) => readFileSync(new URL(`../../fixtures/dm2/${name}`, import.meta.url));
const example = (name: string) => httpBlock(`introduction/${name}.txt`).body;
const text = (body: Uint8Array) => new TextDecoder().decode(body);

function refusal(run: () => unknown): DragomanError {
  try {
    run();
  } catch (error) {
    if (error instanceof DragomanError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the published firmware update example', () => {
  it('reads its Package#1, blank lines and all [IW-SES-1]', () => {
    expect(readPackage1(example('opening'))).toEqual({
      MOS: [
        {
          DDF: 'http://www.vendor.com/DDF/devinfo1.0.ddf',
          MOID: 'urn:oma:mo:oma-dm-devinfo:1.0',
          MIID: ['miid1'],
        },
        {
          DDF: 'http://www.vendor.com/DDF/oma-fumo1.0.ddf',
          MOID: 'urn:oma:mo:oma-fumo:1.0',
          MIID: ['miid1'],
        },
        {
          DDF: 'http://www.vendor.com/DDF/oma-dm-dmacc2.0.ddf',
          MOID: 'urn:oma:mo:oma-dm-dmacc:2.0',
          MIID: ['miid1'],
        },
      ],
    });
  });

  it('reads its commands and its status', () => {
    expect(readPackage2(example('commands-exec'))).toEqual({
      CMD: [['EXEC', 'oma:mo:oma-fumo:1.0//Update']],
    });
    expect(readPackage3(example('status'))).toEqual({ Status: [{ sc: 200 }] });
    expect(readPackage2(example('commands-end'))).toEqual({ CMD: [['END']] });
  });

  it('answers with the same members, written compactly', () => {
    expect(text(writePackage({ CMD: [['END']] }))).toBe('{"CMD":[["END"]]}');
    expect(text(writePackage({ Status: [{ sc: 200 }] }))).toBe('{"Status":[{"sc":200}]}');
  });
});

describe('reading packages leniently', () => {
  it('takes null arrays, a missing MIID, a lone MIID and private members [20§2.3]', () => {
    expect(readPackage1(fixture('package1-quirks.json'))).toEqual({
      MOS: [
        { MOID: 'urn:oma:mo:oma-fumo:1.0', MIID: [] },
        { DDF: 'http://v.example/scomo.ddf', MOID: 'urn:oma:mo:oma-scomo:1.0', MIID: ['SCOMO1'] },
        { DDF: 'http://v.example/devinfo.ddf', MOID: 'urn:oma:mo:oma-dm-devinfo:1.2', MIID: ['1'] },
      ],
    });
  });

  it('takes an empty Package#1 and a null Status for an empty one [20§2.3]', () => {
    expect(readPackage1(bytes({}))).toEqual({});
    expect(readPackage3(bytes({ Status: null, Alert: null }))).toEqual({ Status: [] });
    expect(readPackage2(bytes({ CMD: null }))).toEqual({ CMD: [] });
    expect(readPackage2(bytes({ CMD: [] }))).toEqual({ CMD: [] });
  });

  it.each([
    ['"200"', 200],
    ['" 404 "', 404],
    ['200.0', 200],
    ['2.02e2', 202],
  ])('takes the status code %s', (sc, code) => {
    expect(readPackage3(bytes(`{"Status":[{"sc":${sc}}]}`)).Status).toEqual([{ sc: code }]);
  });

  it('takes a single URI as a list of one', () => {
    expect(readPackage3(bytes({ Status: [{ sc: 200, URI: 'urn:x:y/1/' }] })).Status).toEqual([
      { sc: 200, URI: ['urn:x:y/1/'] },
    ]);
  });

  it('reads alerts with text and with numbers as Data [IW-ALERT-3]', () => {
    const { Status, Alert } = readPackage3(fixture('package3-alerts.json'));
    expect(Status).toEqual([{ sc: 200, URI: ['urn:oma:mo:oma-mms:1.3/m7/'] }, { sc: 200 }, { sc: 202 }]);
    expect(Alert?.map((alert) => alert.Data)).toEqual([
      { DM1x: expect.stringContaining('<ResultCode>1200</ResultCode><Identifier>') },
      { DM1x: 1404 },
    ]);
  });

  it('unwraps alerts that stand inside an object [20§1.2 C14]', () => {
    const Alert = [{ AlertType: 'urn:x' }];
    expect(readPackage1(bytes({ Alert: { Alert } }))).toEqual({ Alert });
    expect(readPackage1(bytes({ Alert: Alert[0] }))).toEqual({ Alert });
  });

  it('reads Mark in any case, an unknown one as none, and keeps a bare Data [IW-ALERT-5]', () => {
    const read = (alert: object) =>
      readPackage1(bytes({ Alert: [{ AlertType: 'urn:x', ...alert }] })).Alert?.[0];
    expect(read({ Mark: 'Critical' })).toEqual({ AlertType: 'urn:x', Mark: 'critical' });
    expect(read({ Mark: 'loud' })).toEqual({ AlertType: 'urn:x' });
    expect(read({ Mark: null, Data: null })).toEqual({ AlertType: 'urn:x' });
    expect(read({ Data: '1200', DataType: 'chr' })).toEqual({
      AlertType: 'urn:x',
      DataType: 'chr',
      Data: { DM1x: '1200' },
    });
  });
});

describe('refusing packages', () => {
  it.each([
    ['Package#1', readPackage1, [], 'no JSON object'],
    ['Package#1', readPackage1, 'null', 'no JSON object'],
    ['Package#1', readPackage1, { MOS: {} }, '/MOS must be array'],
    ['Package#1', readPackage1, { MOS: ['urn:oma:mo:x:1.0'] }, '/MOS/0 must be object'],
    ['Package#1', readPackage1, { MOS: [{ MIID: ['1'] }] }, "/MOS/0 must have required property 'MOID'"],
    ['Package#1', readPackage1, { MOS: [{ MOID: '', MIID: [] }] }, '/MOS/0/MOID'],
    ['Package#1', readPackage1, { MOS: [{ MOID: 'urn:x', MIID: [1] }] }, '/MOS/0/MIID/0 must be string'],
    ['Package#1', readPackage1, { Alert: [{}] }, "/Alert/0 must have required property 'AlertType'"],
    ['Package#1', readPackage1, { Alert: ['urn:x'] }, '/Alert/0 must be object'],
    ['Package#2', readPackage2, {}, "must have required property 'CMD'"],
    ['Package#2', readPackage2, { CMD: ['END'] }, '/CMD/0 must be array'],
    ['Package#2', readPackage2, { CMD: [[]] }, '/CMD/0 must NOT have fewer than 1 items'],
    ['Package#2', readPackage2, { CMD: [['GET', 5]] }, '/CMD/0/1 must be string'],
    ['Package#2', readPackage2, { CMD: [['GET', null]] }, '/CMD/0/1 must be string'],
    ['Package#3', readPackage3, {}, "must have required property 'Status'"],
    ['Package#3', readPackage3, { Status: [{}] }, "/Status/0 must have required property 'sc'"],
    ['Package#3', readPackage3, { Status: [200] }, '/Status/0 must be object'],
    ['Package#3', readPackage3, { Status: [{ sc: 'OK' }] }, '/Status/0/sc must be integer'],
    ['Package#3', readPackage3, { Status: [{ sc: 20 }] }, '/Status/0/sc must be >= 100'],
    ['Package#3', readPackage3, { Status: [{ sc: 1200 }] }, '/Status/0/sc must be <= 599'],
    ['Package#3', readPackage3, { Status: [{ sc: 200.5 }] }, '/Status/0/sc must be integer'],
    ['Package#3', readPackage3, { Status: [{ sc: 200, URI: [1] }] }, '/Status/0/URI/0 must be string'],
  ] as const)('refuses a %s (%#) and names the member at fault [IW-SES-1]', (name, read, json, detail) => {
    const error = refusal(() => read(bytes(json)));
    expect(error.code).toBe('malformed');
    expect(error.detail).toContain(name);
    expect(error.detail).toContain(detail);
  });

  it('refuses a body that is cut off or repeats a member', () => {
    expect(refusal(() => readPackage2(bytes('{"CMD":[["END"]')))).toMatchObject({ code: 'malformed' });
    expect(refusal(() => readPackage2(bytes('{"CMD":[["END"]],"CMD":[]}')))).toMatchObject({
      detail: expect.stringContaining('"CMD" stands twice'),
    });
  });
});

describe('GET data in a Status item', () => {
  const tree = { PkgName: 'fw' };
  const item = { ClientURI: 'urn:oma:mo:oma-fumo:1.0/1/', MOData: { FUMO: tree } };

  it.each(['MO', 'MOS', 'MOData', 'Data', 'Anything'])('is read from the member %s [IW-GET-2]', (member) => {
    expect(readPackage3(bytes({ Status: [{ sc: 200, [member]: [item] }] })).Status).toEqual([
      { sc: 200, MO: [item] },
    ]);
    expect(readPackage3(bytes({ Status: [{ sc: 200, [member]: item }] })).Status[0]?.MO).toEqual([item]);
  });

  it('is read where the tree comes without its item, or as a bare value [IW-GET-2]', () => {
    const read = (status: object) => readPackage3(bytes({ Status: [{ sc: 200, ...status }] })).Status[0]?.MO;
    expect(read({ Data: { FUMO: tree } })).toEqual([{ ClientURI: '', MOData: { FUMO: tree } }]);
    expect(read({ MOData: '1.0' })).toEqual([{ ClientURI: '', MOData: { '': '1.0' } }]);
  });

  it('is not guessed from scalars, from two members, or where there is none', () => {
    const read = (status: object) => readPackage3(bytes({ Status: [{ sc: 200, ...status }] })).Status[0];
    expect(read({ note: 'done' })).toEqual({ sc: 200 });
    expect(read({ a: {}, b: {} })).toEqual({ sc: 200 });
    expect(read({ MO: null, Foo: item })).toEqual({ sc: 200, MO: [item] });
  });

  it('is written under the configured member [IW-GET-2]', () => {
    const pkg: Package3 = { Status: [{ sc: 200, MO: [item] }, { sc: 404 }] };
    expect(JSON.parse(text(writePackage(pkg)))).toEqual(pkg);
    expect(JSON.parse(text(writePackage(pkg, { getMember: 'Data' })))).toEqual({
      Status: [{ sc: 200, Data: [item] }, { sc: 404 }],
    });
  });
});

describe('packages that we write', () => {
  const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
  const alert = fc.record(
    {
      AlertType: word,
      SourceURI: word,
      Mark: fc.constantFrom(...MARKS),
      DataType: word,
      Data: fc.dictionary(word, fc.oneof(fc.integer(), word)),
    },
    { requiredKeys: ['AlertType'] },
  );
  const package1 = fc.record(
    {
      MOS: fc.array(
        fc.record({ DDF: word, MOID: word, MIID: fc.array(word) }, { requiredKeys: ['MOID', 'MIID'] }),
      ),
      Alert: fc.array(alert),
    },
    { requiredKeys: [] },
  );
  const package3 = fc.record(
    {
      Status: fc.array(
        fc.record({ sc: fc.integer({ min: 100, max: 599 }), URI: fc.array(word) }, { requiredKeys: ['sc'] }),
      ),
      Alert: fc.array(alert),
    },
    { requiredKeys: ['Status'] },
  );

  it('are read back as they were', () => {
    fc.assert(
      fc.property(package1, package3, fc.array(fc.array(word, { minLength: 1 })), (one, three, CMD) => {
        expect(readPackage1(writePackage(one as Package1))).toEqual(one);
        expect(readPackage2(writePackage({ CMD }))).toEqual({ CMD });
        expect(readPackage3(writePackage(three as Package3))).toEqual(three);
      }),
    );
  });

  it('agree with the schemas', () => {
    fc.assert(
      fc.property(package1, package3, (one, three) => {
        expect(validatorOf('Package1')(JSON.parse(text(writePackage(one as Package1))))).toBe(true);
        expect(validatorOf('Package3')(JSON.parse(text(writePackage(three as Package3))))).toBe(true);
      }),
    );
    expect(Object.keys(PACKAGE_SCHEMA.$defs)).toContain('MOSerialization');
  });
});
