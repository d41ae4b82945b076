import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { statusToDm1, statusToDm2 } from '../../src/interworking/status.ts';

const RULES = readFileSync(new URL('../../docs/interworking.md', import.meta.url), 'utf8');

/** The `codes→code` clauses of a crosswalk as its rule prints them; `same` is each code itself. */
function clauses(id: string): [from: number, to: number][] {
  const rule = RULES.split('\n').find((line) => line.startsWith(`| ${id} |`))!;
  return [...rule.matchAll(/((?:\d{3}, )*\d{3})→(\d{3}|same)/g)].flatMap(([, codes, target]) =>
    codes!
      .split(', ')
      .map((code): [number, number] => [Number(code), target === 'same' ? Number(code) : Number(target)]),
  );
}

describe('the status crosswalk', () => {
  it.each(clauses('IW-STAT-1'))('tells a 2.0 backend of %i as %i [IW-STAT-1]', (code, sc) => {
    expect(statusToDm2(code)).toBe(sc);
  });

  it.each([
    [409, 409],
    [416, 416],
    [423, 423],
    [216, 500],
    [420, 500],
    [424, 500],
    [500, 500],
    [507, 500],
    [510, 500],
    [516, 500],
    [517, 500],
    [599, 500],
    [1200, 200],
  ])('tells a 2.0 backend of %i, which no such clause names, as %i [IW-STAT-1]', (code, sc) => {
    expect(statusToDm2(code)).toBe(sc);
  });

  it.each(clauses('IW-STAT-2'))('tells a legacy server of %i as %i [IW-STAT-2]', (sc, code) => {
    expect(statusToDm1(sc)).toBe(code);
  });

  it.each([
    [409, 409],
    [418, 418],
    [422, 500],
    [451, 500],
    [500, 500],
    [503, 500],
  ])('tells a legacy server of %i, which no such clause names, as %i [IW-STAT-2]', (sc, code) => {
    expect(statusToDm1(sc)).toBe(code);
  });

  it('is read from its rule clause by clause', () => {
    expect(clauses('IW-STAT-1')).toHaveLength(22);
    expect(clauses('IW-STAT-2')).toHaveLength(15);
  });
});
