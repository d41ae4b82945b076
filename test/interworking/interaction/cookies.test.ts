import { describe, expect, it } from 'vitest';
import { cookieHeader, storeCookies } from '../../../src/interworking/interaction/cookies.ts';
import { readPageContent } from '../../../src/interworking/interaction/pageText.ts';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const at = 'https://dms.example/ui/page';

describe('the cookies of a dialogue', () => {
  const jar = (header: string, url = at) => storeCookies([], header, url, NOW);

  it('go back to where they came from [IW-SHOW-1]', () => {
    const kept = jar(
      'a=1; Path=/; Expires=Wed, 25 Nov 2026 00:00:00 GMT, b=2; HttpOnly, c="x y"; Path=/other',
    );
    expect(cookieHeader(kept, at)).toBe('b=2; a=1');
    expect(cookieHeader(kept, 'https://dms.example/other/x')).toBe('c="x y"; a=1');
    expect(cookieHeader(kept, 'https://other.example/ui/')).toBeUndefined();
  });

  it('keep to their domain, their path and TLS [IW-SHOW-1]', () => {
    expect(
      cookieHeader(jar('a=1; Domain=.example.org', 'https://a.example.org/'), 'https://b.example.org/'),
    ).toBe('a=1');
    expect(jar('a=1; Domain=evil.example')).toEqual([]);
    expect(jar('a=1; Domain=example')).toEqual([]);
    expect(cookieHeader(jar('a=1; Secure; Path=/'), 'http://dms.example/')).toBeUndefined();
    expect(jar('a=1; Secure', 'http://dms.example/')).toEqual([]);
    expect(cookieHeader(jar('a=1; Path=/ui'), 'https://dms.example/uix')).toBeUndefined();
  });

  it('are replaced, expire and stay bounded [IW-SHOW-1]', () => {
    const first = jar('a=1; Path=/, b=2; Path=/');
    expect(cookieHeader(storeCookies(first, 'a=3; Path=/, b=; Max-Age=0; Path=/', at, NOW), at)).toBe('a=3');
    const many = Array.from({ length: 80 }, (_, i) => `c${i}=1`).join(', ');
    expect(jar(many)).toHaveLength(50);
    for (const odd of ['', ';', '=', 'a', `a=${'x'.repeat(5000)}`]) expect(jar(odd)).toEqual([]);
  });
});

describe('the content of a page', () => {
  const bytes = (...codes: number[]) => Uint8Array.from(codes);

  it('is read in the charset that it names, wherever it does [IW-UI-3]', () => {
    expect(readPageContent(bytes(0xe9), 'text/html; charset=ISO-8859-1')).toEqual({
      kind: 'html',
      text: 'é',
    });
    const meta = Buffer.concat([Buffer.from('<meta charset="gbk">'), bytes(0xc4, 0xe3)]);
    expect(readPageContent(meta, 'text/html')).toMatchObject({ text: '<meta charset="gbk">你' });
    expect(readPageContent(Buffer.from('\ufeff<p>é', 'utf16le'), 'text/html')).toMatchObject({
      text: '<p>é',
    });
    expect(readPageContent(bytes(0xe9), 'text/html; charset=nonsense')).toMatchObject({ text: 'é' });
  });

  it('is told by Content-Type, else by its first character [IW-UI-4]', () => {
    expect(readPageContent(Buffer.from('hi'), 'text/plain')).toEqual({ kind: 'text', text: 'hi' });
    expect(readPageContent(Buffer.from('%PDF'), 'application/pdf')).toEqual({
      kind: 'other',
      type: 'application/pdf',
    });
    expect(readPageContent(Buffer.from(' <!doctype html>'), undefined).kind).toBe('html');
    expect(readPageContent(bytes(0, 1, 2), undefined).kind).toBe('other');
  });
});
