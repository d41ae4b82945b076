import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientUri,
  clientUriOf,
  formatClientUri,
  type NameValue,
  namedPath,
  parseClientUri,
  type Segment,
  withUrn,
} from '../../src/dm2/clientUri.ts';

const M = 'urn:oma:mo:moid:1.0';
const named = (name: string) => ({ kind: 'named', name }) as const;
const variable = (letter: string) => ({ kind: 'variable', variable: letter }) as const;
const ANY = { kind: 'any' } as const;

function read(text: string): ClientUri {
  const uri = parseClientUri(text);
  if ('error' in uri) throw new Error(uri.detail);
  return uri;
}

describe('the parts of a ClientURI', () => {
  it.each<readonly [string, Partial<ClientUri>]>([
    ['/left/', { instance: named('left') }],
    ['//', { instance: { kind: 'empty' } }],
    ['/ /PkgName', { instance: { kind: 'empty' }, path: [named('PkgName')] }],
    ['/%20/PkgName', { instance: { kind: 'empty' }, path: [named('PkgName')] }],
    ['/*/Setting', { instance: ANY, path: [named('Setting')] }],
    [
      '/(x)/Data/(y)/Value?nv=(x)/ID:GPS&nv=(y)/Date:12.2',
      {
        instance: variable('x'),
        path: [named('Data'), variable('y'), named('Value')],
        nv: [
          { variable: 'x', path: ['ID'], value: 'GPS' },
          { variable: 'y', path: ['Date'], value: '12.2' },
        ],
      },
    ],
    [
      '/(x)/?nv=(x)/A/B%3AC:http://h/?a=(b)*',
      { instance: variable('x'), nv: [{ variable: 'x', path: ['A', 'B:C'], value: 'http://h/?a=(b)*' }] },
    ],
    ['/(x)/?nv=(x)/ID:', { instance: variable('x'), nv: [{ variable: 'x', path: ['ID'], value: '' }] }],
    ['/1/?cv=0a%26F', { instance: named('1'), cv: '0a&F' }],
    ['/1/?lv=2', { instance: named('1'), levels: 2 }],
    ['/1/?Levels=0', { instance: named('1'), levels: 0 }],
    [
      '/1/?foo=bar&b=',
      {
        other: [
          { name: 'foo', value: 'bar' },
          { name: 'b', value: '' },
        ],
        instance: named('1'),
      },
    ],
    ['/a%2Fb/c%3Fd/%28x%29/%2A', { instance: named('a/b'), path: [named('c?d'), named('(x)'), named('*')] }],
    ['/1/A:B/a&b=c/%C3%A4/ä', { instance: named('1'), path: ['A:B', 'a&b=c', 'ä', 'ä'].map(named) }],
  ])('reads the tail %s [IW-ADDR-1]', (tail, parts) => {
    expect(parseClientUri(M + tail)).toEqual({ moid: M, path: [], nv: [], other: [], ...parts });
  });

  it('adds the urn: that early documents leave out [IW-ADDR-1]', () => {
    expect(read('oma:mo:oma-fumo:1.0//Update').moid).toBe('urn:oma:mo:oma-fumo:1.0');
    expect(read('URN:oma:mo:oma-fumo:1.0//').moid).toBe('urn:oma:mo:oma-fumo:1.0');
    expect(read('com.vendor.x%2Fy:1//').moid).toBe('com.vendor.x/y:1');
  });

  it('takes an instance without its slash only where asked to (early dialect)', () => {
    expect(parseClientUri('oma:mo:oma-mms:1.3/1')).toMatchObject({ error: 'bad-address', at: 20 });
    expect(parseClientUri('oma:mo:oma-mms:1.3/1', { bareInstance: true })).toMatchObject({
      moid: 'urn:oma:mo:oma-mms:1.3',
      instance: named('1'),
      path: [],
    });
  });

  it('gives the names of a plain path and none where it is not plain', () => {
    expect(namedPath(read(`${M}//A/B`))).toEqual(['A', 'B']);
    expect(namedPath(read(`${M}/*/`))).toEqual([]);
    expect(namedPath(read(`${M}//A/*`))).toBeUndefined();
  });
});

describe('malformed ClientURIs', () => {
  it.each<readonly [string, number, string]>([
    ['', 0, 'MOID is missing'],
    ['//a', 0, 'MOID is missing'],
    [M, 19, 'slash must follow the MOID'],
    [`${M}?cv=1`, 19, 'slash must follow the MOID'],
    [`${M}/1`, 21, 'slash must follow the instance'],
    [`${M}/1//A`, 22, 'name is empty'],
    [`${M}/1/A/`, 24, 'name is empty'],
    [`${M}/1/A B`, 23, '" " must be escaped'],
    [`${M}/1/A#B`, 23, '"#" must be escaped'],
    [`${M}/1/A[1]`, 23, '"[" must be escaped'],
    [`${M}/1/(xy)`, 22, '"(" must be escaped'],
    [`${M}/1/a*`, 23, '"*" must be escaped'],
    [`${M}/1/%4`, 22, 'percent escape is broken'],
    [`${M}/1/%41%zz`, 25, 'percent escape is broken'],
    [`${M}/1/%41 `, 25, '" " must be escaped'],
    [`${M}/1/%C3`, 22, 'not UTF-8'],
    [`${M}/1/%00`, 22, 'U+0000'],
    [`${M}/../A`, 20, 'names no node'],
    [`${M}/1/%2E%2E/A`, 22, 'names no node'],
    [`${M}/(x)/A/(x)?nv=(x)/ID:1`, 26, '(x) stands for two nodes'],
    [`${M}/1/A/(y)`, 24, 'no nv says what (y) is'],
    [`${M}/1/?`, 23, 'name=value'],
    [`${M}/1/?cv`, 23, 'name=value'],
    [`${M}/1/?=1`, 23, 'name=value'],
    [`${M}/1/?cv=`, 26, 'cv has no value'],
    [`${M}/1/?cv=1&cv=2`, 28, 'cv stands twice'],
    [`${M}/1/?lv=1&Levels=2`, 28, 'levels stand twice'],
    [`${M}/1/?lv=-1`, 26, 'decimal'],
    [`${M}/1/?lv=99999999999`, 26, 'decimal'],
    [`${M}/1/?a=1&&b=2`, 27, 'name=value'],
    [`${M}/(x)/?nv=x/ID:1`, 28, 'nv is'],
    [`${M}/(x)/?nv=(x):1`, 28, 'nv is'],
    [`${M}/(x)/?nv=(x)/:1`, 32, 'name is empty'],
    [`${M}/(x)/?nv=(x)/ID`, 34, 'needs a colon'],
    [`${M}/(x)/?nv=(y)/ID:1`, 28, '(y) does not stand'],
    [`${M}/(x)/?nv=(x)/ID:a b`, 36, '" " must be escaped'],
  ])('refuses %j at character %i: %s [IW-ADDR-1]', (text, at, detail) => {
    expect(parseClientUri(text)).toEqual({
      error: 'bad-address',
      at,
      detail: expect.stringContaining(detail),
    });
  });

  it('refuses addresses beyond any honest size', () => {
    expect(parseClientUri(`${M}//${'a'.repeat(9000)}`)).toMatchObject({ error: 'bad-address' });
    expect(parseClientUri(`${M}//${'a/'.repeat(100)}a`)).toMatchObject({ error: 'bad-address' });
    expect(parseClientUri(`${M}//?${'a=1&'.repeat(100)}a=1`)).toMatchObject({ error: 'bad-address' });
  });

  it('never throws', () => {
    const alphabet = fc.constantFrom(
      '/',
      '(',
      ')',
      'x',
      '*',
      '?',
      '&',
      '=',
      ':',
      '%',
      '2',
      'F',
      'nv',
      ' ',
      'ä',
      '\ud800',
    );
    const texts = fc.oneof(
      fc.array(alphabet).map((parts) => M + parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const uri = parseClientUri(text);
        if (!('error' in uri)) expect(parseClientUri(formatClientUri(uri))).toEqual(uri);
        else expect(uri.at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('writing ClientURIs', () => {
  const text = fc.string({ unit: 'binary', maxLength: 8 }).filter((s) => !s.includes('\0'));
  const name = fc
    .oneof(text, fc.constantFrom('(x)', '*', 'a:b', 'a/b', '%41', 'a?b', 'ä', ' a', '~', '...'))
    .filter((s) => s !== '' && s !== '.' && s !== '..');
  const letters = fc.shuffledSubarray(['a', 'b', 'x', 'Y'], { minLength: 4 });
  const uris = fc
    .record({
      moid: name.map(withUrn),
      miid: name.filter((s) => s.trim() !== ''),
      names: fc.array(name, { maxLength: 6 }),
      kinds: fc.array(fc.constantFrom('named', 'any', 'variable'), { minLength: 7, maxLength: 7 }),
      letters,
      pairs: fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), text), {
        minLength: 4,
        maxLength: 4,
      }),
      empty: fc.boolean(),
      cv: fc.option(
        text.filter((s) => s !== ''),
        { nil: undefined },
      ),
      levels: fc.option(fc.nat(999_999_999), { nil: undefined }),
      other: fc.array(fc.record({ name: name.filter((s) => !/^(nv|cv|lv|levels)$/i.test(s)), value: text }), {
        maxLength: 2,
      }),
    })
    .map(({ moid, miid, names, kinds, letters, pairs, empty, cv, levels, other }): ClientUri => {
      const left = [...letters];
      const nv: NameValue[] = [];
      const segment = (name: string, i: number): Segment => {
        const letter = kinds[i] === 'variable' ? left.pop() : undefined;
        const [path, value] = pairs[left.length % 4] ?? [['ID'], ''];
        if (letter !== undefined) {
          nv.push({ variable: letter, path, value });
          return variable(letter);
        }
        return kinds[i] === 'any' ? ANY : named(name);
      };
      return {
        moid,
        instance: empty ? { kind: 'empty' } : segment(miid, 6),
        path: names.map(segment),
        nv,
        ...(cv === undefined ? {} : { cv }),
        ...(levels === undefined ? {} : { levels }),
        other,
      };
    });

  it('reads back every address that it writes [IW-ADDR-1]', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const written = formatClientUri(uri);
        expect(written).toMatch(/^[\x21-\x7e]+$/);
        expect(parseClientUri(written)).toEqual(uri);
      }),
      { numRuns: 1000 },
    );
  });

  it('escapes our own signs in names and leaves the familiar form alone', () => {
    expect(clientUriOf(M, 'a(b)*:c', ['x/y', 'ä'])).toBe(`${M}/a%28b%29%2A%3Ac/x%2Fy/%C3%A4`);
    expect(clientUriOf('urn:oma:mo:oma-fumo:1.0', 'fumo1', ['DownloadAndUpdate', 'PkgURL'])).toBe(
      'urn:oma:mo:oma-fumo:1.0/fumo1/DownloadAndUpdate/PkgURL',
    );
    expect(clientUriOf(M, undefined)).toBe(`${M}//`);
    expect(clientUriOf(M, '1')).toBe(`${M}/1/`);
  });
});
