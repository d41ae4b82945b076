import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basicChallenge, formatBasic, parseBasic } from '../../src/dm2/httpAuth.ts';

describe('HTTP Basic', () => {
  it('reads the example of RFC 7617 [IW-AUTH-4]', () => {
    const aladdin = { user: 'Aladdin', password: 'open sesame' };
    expect(parseBasic('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual(aladdin);
    expect(parseBasic('basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ ')).toEqual(aladdin);
    expect(formatBasic('test', '123£')).toBe('Basic dGVzdDoxMjPCow==');
    expect(parseBasic('Basic dGVzdDoxMjOj')).toEqual({ user: 'test', password: '123£' });
  });

  it('reads back what it writes; the password may hold colons [IW-AUTH-4]', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).filter((s) => !/\p{Cc}/u.test(s));
    fc.assert(
      fc.property(
        text.filter((s) => !s.includes(':')),
        text,
        (user, password) => {
          expect(parseBasic(formatBasic(user, password))).toEqual({ user, password });
        },
      ),
    );
  });

  it.each([
    undefined,
    '',
    'Basic',
    'Basic ',
    'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x',
    'Basic %%%',
    'Basic QWxhZA==',
    'Basic QUJDR',
    `Basic ${Buffer.from('a:b\nc').toString('base64')}`,
    `Basic ${Buffer.from(`a:${'b'.repeat(5000)}`).toString('base64')}`,
  ])('refuses %j [IW-AUTH-4]', (header) => {
    expect(parseBasic(header)).toBeUndefined();
  });

  it('writes a challenge that no realm can break out of [IW-AUTH-4]', () => {
    expect(basicChallenge('Dragoman')).toBe('Basic realm="Dragoman", charset="UTF-8"');
    expect(basicChallenge('a"b\\c\r\nX: y')).toBe('Basic realm="a\\"b\\\\cX: y", charset="UTF-8"');
  });
});
