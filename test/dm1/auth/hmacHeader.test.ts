import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHmacHeader, parseHmacHeader } from '../../../src/dm1/auth/hmacHeader.ts';
import { challengeMeta, parseAuthType } from '../../../src/dm1/auth/schemes.ts';

describe('x-syncml-hmac [1x§9.5]', () => {
  it('reads the header of the standard and takes MD5 for granted', () => {
    expect(parseHmacHeader('algorithm=MD5, username="Robert Jordan", mac=Zm9vYmFy')).toEqual({
      algorithm: 'MD5',
      username: 'Robert Jordan',
      mac: 'Zm9vYmFy',
    });
    expect(parseHmacHeader('mac=Zm9vYg==,USERNAME="x"')).toEqual({
      algorithm: 'MD5',
      username: 'x',
      mac: 'Zm9vYg==',
    });
  });

  it.each([
    '',
    'username="x"',
    'mac=a',
    'mac',
    `mac=a, username="${'x'.repeat(2000)}"`,
    'mac=a; username=b',
    'mac=a, username=b, mac=c',
  ])('refuses %j', (text) => {
    expect(parseHmacHeader(text)).toBeUndefined();
  });

  it('writes a name as its UTF-8 bytes, and reads one of either coding', () => {
    const sent = formatHmacHeader({ username: 'Jürgen', mac: 'Zm9vYg==' });
    expect(sent).toBe(`algorithm=MD5, username="J\u00c3\u00bcrgen", mac=Zm9vYg==`);
    for (const text of [sent, 'mac=Zm9vYg==, username="J\u00fcrgen"'])
      expect(parseHmacHeader(text)).toMatchObject({ username: 'Jürgen' });
  });

  it('reads every header that it writes', () => {
    const name = fc.string().filter((text) => !/[\r\n]/.test(text));
    const mac = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('base64'));
    fc.assert(
      fc.property(name, mac, (username, mac) => {
        expect(parseHmacHeader(formatHmacHeader({ username, mac }))).toEqual({
          algorithm: 'MD5',
          username,
          mac,
        });
      }),
    );
  });
});

describe('authentication types [1x§9.1]', () => {
  it.each([
    ['syncml:auth-basic', 'basic'],
    ['syncml:auth-md5', 'md5'],
    ['syncml:auth-MAC', 'hmac'],
    [' SyncML:Auth-MD5 ', 'md5'],
    ['auth-md5', 'md5'],
    ['syncml:auth-X509', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (type, scheme) => {
    expect(parseAuthType(type)).toBe(scheme);
  });

  it('writes a challenge with format and nonce [1x§9.3]', () => {
    const nonce = new Uint8Array(16).fill(7);
    expect(challengeMeta('md5', nonce)).toEqual({ type: 'syncml:auth-md5', format: 'b64', nextNonce: nonce });
    expect(challengeMeta('basic')).toEqual({ type: 'syncml:auth-basic', format: 'b64' });
  });
});
