import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandServerUri, placeholders, withInitiatedBy } from '../../src/dm2/serverUri.ts';

describe('placeholders of a ServerURI', () => {
  it('are listed once each, in order; an IPv6 host is none [IW-HPUT-1]', () => {
    expect(placeholders('https://[2001:db8::1]/[MCC]/[MNC]?d=[DevID]&m=[MCC]')).toEqual([
      'MCC',
      'MNC',
      'DevID',
    ]);
    expect(placeholders('https://dr.example/')).toEqual([]);
  });

  it('are replaced, percent-encoded [IW-HPUT-1]', () => {
    const values = { IMEI: '493005100592800', DevID: 'IMEI:49/../x?y#z', MAN: 'Ä & (Söhne)*', MOD: '' };
    expect(expandServerUri('https://[::1]:8/[IMEI]/[DevID]', values)).toEqual({
      url: 'https://[::1]:8/493005100592800/IMEI%3A49%2F..%2Fx%3Fy%23z',
    });
    expect(expandServerUri('https://h/?m=[MAN]&n=[MOD]', values)).toEqual({
      url: 'https://h/?m=%C3%84%20%26%20%28S%C3%B6hne%29%2A&n=',
    });
  });

  it.each(['IMEI', 'CMNC', 'constructor', 'toString', '', 'im ei'])(
    'fail when [%s] has no value [IW-HPUT-1]',
    (token) => {
      expect(expandServerUri(`https://h/[MCC]/[${token}]`, { MCC: '262', IMEI: undefined })).toEqual({
        error: token,
      });
    },
  );

  it('keep the inserted value inside its part of the URL, whatever the device says [IW-HPUT-1]', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (value) => {
        const expanded = expandServerUri('https://h.example/a/[DevID]/b?q=[DevID]#f', { DevID: `x${value}` });
        if (!('url' in expanded)) throw new Error('not expanded');
        const url = new URL(expanded.url);
        expect([url.host, url.hash]).toEqual(['h.example', '#f']);
        expect(url.pathname.split('/')).toHaveLength(4);
        expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(`x${value}`);
        expect([...url.searchParams]).toEqual([['q', `x${value}`]]);
      }),
    );
  });
});

describe('the URL of a session that DEFAULT opens', () => {
  it.each([
    ['http://h/s', 'http://h/s?InitiatedBy=Device'],
    ['http://h/s?a=1', 'http://h/s?a=1&InitiatedBy=Device'],
    ['http://h/s#top', 'http://h/s?InitiatedBy=Device#top'],
  ])('adds who began it to %s [IW-DEF-1]', (url, expected) => {
    expect(withInitiatedBy(url, 'Device')).toBe(expected);
  });
});
