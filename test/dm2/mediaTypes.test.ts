import { describe, expect, it } from 'vitest';
import { chooseType, essence, isSerialization, parseAccept } from '../../src/dm2/mediaTypes.ts';
import { MEDIA_TYPE } from '../../src/dm2/packages.ts';

describe('media types of MO serializations', () => {
  it.each([
    'application/vnd.oma.dm.mo+json',
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/dmmo+json',
    'application/vnd.vendor+json;v=1',
  ])('%s is one [20§15 Q5]', (type) => {
    expect(isSerialization(type)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'json',
    'application/octet-stream',
    'image/png',
    'application/xml',
    'application/jsonp',
  ])('%s is none [IW-HGET-4]', (type) => {
    expect(isSerialization(type)).toBe(false);
  });

  it('are compared without parameters and case', () => {
    expect(essence(' Text/XML ; charset="a;b"')).toBe('text/xml');
    expect(essence('text')).toBeUndefined();
  });
});

describe('lists of accepted types', () => {
  it('read q-values and skip parameters', () => {
    expect(parseAccept('text/html;level=1;q=0.4, */*;q=0.1,application/*+json')).toEqual([
      { type: 'text/html', q: 0.4 },
      { type: '*/*', q: 0.1 },
      { type: 'application/*+json', q: 1 },
    ]);
  });

  it('read the semicolons of early clients as commas [20§1.3]', () => {
    expect(parseAccept('application/dm20; application/tnds20; text/html;q=0.5')).toEqual([
      { type: 'application/dm20', q: 1 },
      { type: 'application/tnds20', q: 1 },
      { type: 'text/html', q: 0.5 },
    ]);
  });

  it('read a broken q as 1 and stay bounded', () => {
    expect(parseAccept('a/b;q=x, c/d;q=7, e/f;q=')).toEqual([
      { type: 'a/b', q: 1 },
      { type: 'c/d', q: 1 },
      { type: 'e/f', q: 1 },
    ]);
    expect(parseAccept('a/b,'.repeat(10_000)).length).toBeLessThanOrEqual(64);
    expect(parseAccept(`${'a/b;'.repeat(10_000)}`).length).toBeLessThanOrEqual(64);
  });

  const MO = MEDIA_TYPE.serialization;
  const TNDS = 'application/vnd.syncml.dmtnds+xml';

  it.each<readonly [string | undefined, string | undefined]>([
    [undefined, MO],
    ['', MO],
    ['*/*', MO],
    [TNDS, TNDS],
    [`${MO};q=0.5, ${TNDS}`, TNDS],
    [`${MO}, ${TNDS}`, MO],
    ['application/json', undefined],
    ['application/*+json', MO],
    ['application/*;q=0.2, application/vnd.syncml.dmtnds+xml;q=0.3', TNDS],
    [`*/*, ${MO};q=0`, TNDS],
    ['*/*, application/*;q=0', undefined],
    ['*/*;q=0, application/*', MO],
    [`application/*, application/*+json;q=0`, TNDS],
    ['text/*', undefined],
    ['image/png', undefined],
    ['APPLICATION/VND.OMA.DM.MO+JSON', MO],
  ])('%j chooses %s [IW-HPUT-1]', (accept, chosen) => {
    expect(chooseType(accept, [MO, TNDS])).toBe(chosen);
  });

  it('answers that a client accepts no command package: 406 [20§9]', () => {
    expect(chooseType('text/html', [MEDIA_TYPE.package2])).toBeUndefined();
    expect(chooseType(MEDIA_TYPE.package2, [MEDIA_TYPE.package2])).toBe(MEDIA_TYPE.package2);
  });
});
