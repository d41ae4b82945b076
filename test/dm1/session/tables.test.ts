import { describe, expect, it } from 'vitest';
import { ALERT_CODES, alertRow, isUiAlert } from '../../../src/dm1/tables/alerts.ts';
import { isAuthStatus, isSuccess, parseStatusCode, STATUS_CODES } from '../../../src/dm1/tables/status.ts';

describe('alert codes [1x§4.1]', () => {
  it('knows each code once and no reserved one', () => {
    expect(new Set(ALERT_CODES.map(({ code }) => code)).size).toBe(ALERT_CODES.length);
    for (const code of ['200', '1105', '1202', '1221', '1227', '']) expect(alertRow(code)).toBeUndefined();
  });

  it('reads a code with blanks around it, and tells what asks the user', () => {
    expect(alertRow(' 1226 ')?.name).toBe('GENERIC ALERT');
    expect(ALERT_CODES.filter(({ code }) => isUiAlert(code)).map(({ code }) => code)).toEqual([
      '1100',
      '1101',
      '1102',
      '1103',
      '1104',
    ]);
  });
});

describe('status codes [1x§6]', () => {
  it('is keyed by the codes of its rows and leaves 515 unassigned', () => {
    for (const [code, row] of STATUS_CODES) expect(row.code).toBe(code);
    expect(STATUS_CODES.has(515)).toBe(false);
    expect(STATUS_CODES.size).toBe(70);
  });

  it('counts what was cancelled, skipped or rolled back as not done [1x§3.1]', () => {
    expect([200, 202, 204, 212, 213].every(isSuccess)).toBe(true);
    expect([101, 214, 215, 216, 304, 404, 500].some(isSuccess)).toBe(false);
    expect([401, 407].every(isAuthStatus)).toBe(true);
  });

  it.each([
    ['200', 200],
    [' 212 ', 212],
    ['0', 0],
    ['', 0],
    ['-1', 0],
    ['99', 0],
    ['1200', 200],
    ['1300', 500],
    ['20000', 0],
    ['404x', 0],
  ])('reads %j as %i', (text, code) => {
    expect(parseStatusCode(text)).toBe(code);
  });
});
