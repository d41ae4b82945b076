import { describe, expect, it } from 'vitest';
import { detectDialect, headerIdentity } from '../../../src/gateway/sessions/dialects.ts';

const XML = { protocol: 'dm1', form: 'xml' };
const WBXML = { protocol: 'dm1', form: 'wbxml' };
const J1 = { protocol: 'dm2', dialect: 'approved', package: 1 };
const J3 = { protocol: 'dm2', dialect: 'approved', package: 3 };

const SPOKEN: readonly [Record<string, string>, object][] = [
  [{ 'content-type': 'application/vnd.syncml.dm+xml' }, XML],
  [{ 'content-type': 'application/vnd.syncml.dm+xml; charset=UTF-8' }, XML],
  [{ 'content-type': 'Application/VND.SyncML.DM+XML ;charset="utf-8"' }, XML],
  [{ 'content-type': 'application/vnd.syncml.dm+wbxml' }, WBXML],
  [{ 'content-type': 'application/vnd.syncml+xml' }, XML],
  [{ 'content-type': 'application/vnd.syncml+wbxml' }, WBXML],
  [{ 'content-type': 'application/vnd.syncml.dm+xml', 'content-encoding': 'UTF-8' }, XML],
  [{ 'content-type': 'application/vnd.syncml.dm+xml', 'content-encoding': 'identity' }, XML],
  [{ 'content-type': 'application/vnd.syncml.dm+xml', 'omadm-devid': 'IMEI:1' }, XML],
  [{ 'content-type': 'application/vnd.oma.dm.initiation+json' }, J1],
  [{ 'content-type': 'application/VND.oma.dm.Response+JSON; charset=utf-8' }, J3],
  [
    { 'content-type': 'application/json', 'omadm-devid': 'a' },
    { protocol: 'dm2', dialect: 'approved' },
  ],
  [{ 'omadm-devid': 'a' }, { protocol: 'dm2', dialect: 'approved' }],
  [
    { 'content-type': 'application/tnds20', 'x-omadmdeviceid': 'a' },
    { protocol: 'dm2', dialect: 'draft-text', package: 1 },
  ],
  [
    { 'content-type': 'application/dm20status', 'x-omadmdeviceid': 'a' },
    { protocol: 'dm2', dialect: 'draft-text', package: 3 },
  ],
  [
    { 'content-type': 'application/dm20status', 'x-omadmdevid': 'a' },
    { protocol: 'dm2', dialect: 'draft-text-h', package: 3 },
  ],
];

const UNKNOWN: readonly Record<string, string>[] = [
  {},
  { 'content-type': '' },
  { 'content-type': 'text/plain', 'omadm-devid': 'a' },
  { 'content-type': 'application/json' },
  { 'content-type': 'application/xml' },
  { 'content-type': 'application/vnd.syncml.dmtnds+xml' },
  { 'content-type': 'constructor' },
  { 'content-type': '__proto__' },
  { 'content-type': 'application/vnd.syncml.dm+xml', 'content-encoding': 'gzip' },
  { 'content-type': 'application/vnd.syncml.dm+xml', 'content-encoding': 'utf-8, BR' },
];

describe('dialect detection', () => {
  it.each(SPOKEN)('reads %j [IW-SES-1]', (headers, dialect) => {
    expect(detectDialect(headers)).toEqual(dialect);
  });

  it.each(UNKNOWN)('refuses %j with a reason [IW-SES-1]', (headers) => {
    expect(detectDialect(headers)).toEqual({
      reason: expect.stringMatching(/^Content-(Type|Encoding)|^The Content-Type/),
    });
  });

  it('takes an identity from any of its three headers when they agree [IW-SES-2]', () => {
    expect(headerIdentity({ 'omadm-devid': 'IMEI:1' })).toBe('IMEI:1');
    expect(headerIdentity({ 'x-omadmdevid': 'IMEI:1' })).toBe('IMEI:1');
    expect(headerIdentity({ 'x-omadmdeviceid': ' IMEI:1 ', 'omadm-devid': 'IMEI:1' })).toBe('IMEI:1');
    expect(headerIdentity({ 'x-omadmdeviceid': 'IMEI:2', 'omadm-devid': 'IMEI:1' })).toBeUndefined();
    expect(headerIdentity({ 'omadm-devid': '' })).toBeUndefined();
  });
});
