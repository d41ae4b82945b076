import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../src/support/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['IMEI:35*', 'IMEI:350123', true],
    ['IMEI:35*', 'IMEI:360123', false],
    ['*.operator.example', 'dm.operator.example', true],
    ['*.operator.example', 'operator.example', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*b*c', 'aXbYbZc', true],
    ['[ab]', 'a', false],
    ['a.c', 'abc', false],
  ])('%s on %s is %s', (glob, text, expected) => {
    expect(matchesGlob(glob, text)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    const subject = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, subject, (glob, text) => {
        const pattern = new RegExp(`^${glob.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`);
        expect(matchesGlob(glob, text)).toBe(pattern.test(text));
      }),
    );
  });

  it('comes to an end where a backtracking pattern would not', () => {
    expect(matchesGlob('*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000))).toBe(false);
  });
});
