import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTreePath, isWithin, parseTreePath, samePath } from '../../src/mo/treePath.ts';

describe('parseTreePath', () => {
  it.each([
    ['.', []],
    ['./', []],
    ['/', []],
    ['./A/B', ['A', 'B']],
    ['A/B', ['A', 'B']],
    ['/A/B', ['A', 'B']],
    ['./A/B/', ['A', 'B']],
    [' ./A ', ['A']],
    ['./A%2FB/C%20D', ['A/B', 'C D']],
    ['./urn:x@y,z', ['urn:x@y,z']],
    ['./%C3%BC', ['ü']],
  ] as const)('reads %j [IW-ADDR-5]', (uri, path) => {
    expect(parseTreePath(uri)).toEqual(path);
  });

  it.each(['', 'A//B', './A/../B', '..', './.', 'A/./B', './A%', './A%2', './%FF', '//A', './A//'])(
    'refuses %j [IW-ADDR-5]',
    (uri) => {
      expect(parseTreePath(uri)).toBeUndefined();
    },
  );
});

describe('formatTreePath', () => {
  it('writes names so that they are read back whatever they hold [IW-ADDR-5]', () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom('.', '..', '...', '/', '%', '%2F', ' ', '?prop=ACL', '\u0000', 'a b', '<x>'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), (path) => {
        const uri = formatTreePath(path);
        expect(uri).not.toMatch(/[?#\s]/);
        expect(parseTreePath(uri)).toEqual(path);
      }),
      { numRuns: 500 },
    );
  });

  it('never writes a segment that climbs the tree of the peer [IW-ADDR-5]', () => {
    expect(formatTreePath(parseTreePath('./A/%2E%2E/%2e/B')!)).toBe('./A/%2E%2E/%2E/B');
    expect(formatTreePath([])).toBe('.');
  });
});

describe('paths', () => {
  it('lie within their own ancestors and themselves only [IW-INV-1]', () => {
    expect(isWithin([], ['A'])).toBe(true);
    expect(isWithin(['A'], ['A', 'B'])).toBe(true);
    expect(isWithin(['A', 'B'], ['A'])).toBe(false);
    expect(isWithin(['A'], ['AB'])).toBe(false);
    expect(samePath(['A'], ['A'])).toBe(true);
    expect(samePath(['A'], ['A', 'B'])).toBe(false);
  });
});
