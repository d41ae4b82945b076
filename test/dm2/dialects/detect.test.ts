import { describe, expect, it } from 'vitest';
import { detectDialect } from '../../../src/dm2/dialects/detect.ts';
import { deviceIdOf, isSameDevice } from '../../../src/dm2/dialects/identity.ts';
import { refusal } from './seeds.ts';

const ID = {
  omadm: { 'omadm-devid': 'IMEI:1' },
  t1: { 'x-omadmdeviceid': 'IMEI:1' },
  t2: { 'x-omadmdevid': 'IMEI:1' },
};

describe('telling the dialect by the headers', () => {
  it.each([
    ['application/vnd.oma.dm.initiation+json', ID.omadm, undefined, 'approved', 'opening'],
    ['application/vnd.oma.dm.response+json; charset=utf-8', ID.omadm, undefined, 'approved', 'status'],
    ['APPLICATION/VND.OMA.DM.RESPONSE+JSON', ID.omadm, 'draft-json', 'draft-json', 'status'],
    ['application/vnd.oma.dm.initiation+json', ID.t2, 'draft-text-3', 'approved', 'opening'],
    ['application/tnds20', ID.t1, undefined, 'draft-text-1', 'opening'],
    ['application/dm20status', ID.t1, 'draft-text-3', 'draft-text-1', 'status'],
    ['application/tnds20', ID.t2, undefined, 'draft-text-2', 'opening'],
    ['application/dm20status', ID.t2, undefined, 'draft-text-2', 'status'],
    ['application/dm20status', ID.t2, 'approved', 'draft-text-2', 'status'],
    ['application/dm20status', ID.t2, 'draft-text-3', 'draft-text-3', 'status'],
    ['multipart/mixed; boundary=x', ID.t2, undefined, 'draft-text-2', 'status'],
    ['application/dm20status', {}, undefined, 'draft-text-1', 'status'],
  ] as const)(
    'takes %s with %j, configured %s, for %s, %s [IW-SES-1]',
    (type, id, configured, dialect, kind) => {
      expect(detectDialect({ 'content-type': type, ...id }, configured)).toEqual({
        protocol: 'dm2',
        dialect,
        package: kind,
      });
    },
  );

  it.each(['application/json', 'application/anything+json', undefined])(
    'takes OMADM-DevID with the type %s for JSON, the package untold [IW-SES-1]',
    (type) => {
      expect(detectDialect({ 'content-type': type, ...ID.omadm })).toEqual({
        protocol: 'dm2',
        dialect: 'approved',
      });
    },
  );

  it.each([
    ['application/vnd.syncml.dm+xml', 'xml'],
    ['application/vnd.syncml+wbxml', 'wbxml'],
  ])('takes %s for DM 1.x [IW-SES-1]', (type, form) => {
    expect(detectDialect({ 'content-type': type })).toEqual({ protocol: 'dm1', form });
  });

  it.each(['UTF-8', 'identity', 'x-unknown'])('passes over Content-Encoding %s [IW-SES-1]', (encoding) => {
    expect(
      detectDialect({ 'content-type': 'application/tnds20', 'content-encoding': encoding }),
    ).toMatchObject({ dialect: 'draft-text-1' });
  });

  it.each(['gzip', 'utf-8, BR'])('refuses Content-Encoding %s, whatever the type [IW-SES-1]', (encoding) => {
    const type = 'application/vnd.syncml.dm+xml';
    expect(detectDialect({ 'content-type': type, 'content-encoding': encoding })).toEqual({
      error: 'not-spoken',
      detail: expect.stringMatching(/^Content-Encoding/),
    });
  });

  it('takes SyncML for SyncML whatever identity headers stand beside it [IW-SES-1]', () => {
    const headers = {
      'content-type': 'application/vnd.syncml.dm+xml',
      'omadm-devid': 'a',
      'x-omadmdevid': 'b',
    };
    expect(detectDialect(headers)).toEqual({ protocol: 'dm1', form: 'xml' });
  });

  it.each([
    ['text/html', {}],
    ['application/json', {}],
    ['application/vnd.syncml.dmtnds+xml', {}],
    ['__proto__', {}],
    ['', {}],
    ['multipart/mixed; boundary=x', ID.omadm],
    ['constructor', ID.t1],
    [undefined, {}],
  ])('does not guess from the type %s [IW-SES-1]', (type, id) => {
    expect(detectDialect({ 'content-type': type, ...id })).toMatchObject({ error: 'not-spoken' });
  });

  it('says nothing of control characters in a type that it does not know', () => {
    const found = detectDialect({ 'content-type': 'x/\r\nSet-Cookie: a' });
    expect('detail' in found && found.detail).not.toMatch(/[\r\n]/);
  });

  it('finds identity headers that disagree contradictory, and takes equal ones [IW-SES-2]', () => {
    const type = { 'content-type': 'application/tnds20' };
    expect(detectDialect({ ...type, ...ID.t1, 'x-omadmdevid': 'IMEI:2' })).toMatchObject({
      error: 'contradictory',
    });
    expect(detectDialect({ ...type, ...ID.t1, ...ID.t2 })).toMatchObject({ dialect: 'draft-text-1' });
  });
});

describe('the identity of a device', () => {
  it('is the same in all three headers [IW-SES-2]', () => {
    for (const headers of Object.values(ID)) expect(deviceIdOf(headers)).toBe('IMEI:1');
  });

  it.each([
    ['none', {}],
    ['an empty one', { 'omadm-devid': '  ' }],
    ['two that differ', { 'omadm-devid': 'a', 'x-omadmdevid': 'b' }],
    ['one with a control character', { 'omadm-devid': 'a\0b' }],
    ['one too long', { 'omadm-devid': 'a'.repeat(513) }],
  ])('is refused where the headers give %s', (_, headers) => {
    expect(refusal(() => deviceIdOf(headers)).code).toBe('malformed');
  });

  it('may lack its type in a body, not its digits [IW-SES-2]', () => {
    expect(isSameDevice('IMEI:0044', '0044')).toBe(true);
    expect(isSameDevice('IMEI:0044', 'IMEI:0044')).toBe(true);
    expect(isSameDevice('IMEI:0044', 'ESN:0044')).toBe(false);
    expect(isSameDevice('IMEI:0044', '044')).toBe(false);
  });
});
