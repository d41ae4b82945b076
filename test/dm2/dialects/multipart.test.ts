import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIALECTS, READ_LIMITS } from '../../../src/dm2/dialects/index.ts';
import { readMultipart, writeMultipart } from '../../../src/dm2/dialects/multipart/multipart.ts';
import type { Dm2Command } from '../../../src/dm2/packages.ts';
import { bytes, refusal, text } from './seeds.ts';

const read = (body: string, contentType = 'multipart/mixed; boundary=B') =>
  readMultipart(bytes(body), contentType, READ_LIMITS).map((part) => ({ ...part, body: text(part.body) }));

describe('reading multipart bodies', () => {
  it('takes preamble, epilogue, blanks behind a boundary and boundaries that only begin alike', () => {
    const body = 'hello\r\n--B  \r\nA: 1\r\n\r\none\r\n--Bx\r\n--B\r\n\r\n\r\n--B--\r\nbye';
    expect(read(body)).toEqual([
      { headers: { a: '1' }, body: 'one\r\n--Bx' },
      { headers: {}, body: '' },
    ]);
  });

  it('takes a quoted boundary with a blank in it, and any bytes in a part', () => {
    expect(read('--a b\r\n\r\n\0\r\n--a b--', 'Multipart/Related; type="x/y"; Boundary="a b"')).toEqual([
      { headers: {}, body: '\0' },
    ]);
  });

  it.each([
    ['no boundary parameter', 'multipart/mixed', '--B\r\n\r\nx\r\n--B--'],
    ['an empty boundary', 'multipart/mixed; boundary=""', '----\r\n\r\nx\r\n----'],
    ['a boundary of 71 characters', `multipart/mixed; boundary=${'b'.repeat(71)}x y`, ''],
    ['another boundary in the body', 'multipart/mixed; boundary=C', '--B\r\n\r\nx\r\n--B--'],
    ['no closing boundary', 'multipart/mixed; boundary=B', '--B\r\n\r\nx\r\n'],
    ['bare LF around the boundary', 'multipart/mixed; boundary=B', '--B\n\nx\n--B--'],
    ['headers that do not end', 'multipart/mixed; boundary=B', '--B\r\nA: 1\r\n--B--'],
    ['a header without name', 'multipart/mixed; boundary=B', '--B\r\n: 1\r\n\r\n\r\n--B--'],
    ['an empty body', 'multipart/mixed; boundary=B', ''],
  ])('refuses %s', (_, contentType, body) => {
    expect(refusal(() => read(body, contentType)).code).toBe('malformed');
  });

  it('refuses too many parts and too many bytes', () => {
    const body = bytes('--B\r\n\r\n\r\n--B\r\n\r\n\r\n--B--');
    const limited = (limits: object) => () =>
      readMultipart(body, 'multipart/mixed; boundary=B', { ...READ_LIMITS, ...limits });
    expect(refusal(limited({ parts: 1 })).code).toBe('too-large');
    expect(refusal(limited({ bytes: 10 })).code).toBe('too-large');
    expect(limited({ parts: 2 })()).toHaveLength(2);
  });

  it('costs linear time on a body full of near boundaries', () => {
    // In square time this takes far longer than the test may.
    const body = bytes(`--B\r\n\r\n${'\r\n--B'.repeat(200_000)}`);
    expect(refusal(() => readMultipart(body, 'multipart/mixed; boundary=B', READ_LIMITS)).code).toBe(
      'malformed',
    );
  }, 10_000);

  it('gives back whatever parts were written', () => {
    const part = fc
      .uint8Array({ maxLength: 200 })
      .map((body) => ({ headers: { 'content-id': '<x>' }, body: Buffer.from(body) }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const { contentType, body } = writeMultipart(parts);
        expect(readMultipart(body, contentType, READ_LIMITS)).toEqual(parts);
      }),
    );
  });
});

describe('a multipart status report without Content-ID', () => {
  const dialect = DIALECTS['draft-text-2'];
  const part = (name: string) =>
    `--B\r\nContent-Type: application/tnds20\r\n\r\n{"TNDS20":[{"MOID":"oma:mo:${name}:1.0","Path":"/"}]}\r\n`;
  const report = (status: string, ...parts: string[]) => ({
    headers: { 'content-type': 'multipart/mixed; boundary=B' },
    body: bytes(`--B\r\nContent-Type: application/dm20status\r\n\r\n${status}\r\n${parts.join('')}--B--\r\n`),
  });
  const include: Dm2Command = { verb: 'GET', clientUris: ['urn:oma:mo:x:1.0//'] };
  const remove: Dm2Command = { verb: 'DELETE', clientUri: 'urn:oma:mo:x:1.0//' };
  const owners = (status: string, commands: readonly Dm2Command[] | undefined, ...names: string[]) =>
    dialect
      .readStatus(report(status, ...names.map(part)), commands === undefined ? {} : { commands })
      .package3.Status.map(({ MO }) => MO?.[0]?.ClientURI);

  it('gives the parts to the read commands that succeeded, in order', () => {
    expect(owners('200\r\n404\r\n200\r\n200', [include, include, remove, include], 'a', 'b')).toEqual([
      'urn:oma:mo:a:1.0//',
      undefined,
      undefined,
      'urn:oma:mo:b:1.0//',
    ]);
  });

  it('gives them to the successes without location where the commands are not known', () => {
    expect(owners('200 oma:mo:x:1.0/1\r\n200', undefined, 'a')).toEqual([undefined, 'urn:oma:mo:a:1.0//']);
  });

  it.each([
    ['more parts than reads', report('200', part('a'), part('b'))],
    ['a part for a failure', report('404', part('a'))],
    ['a part that is no document', report('200', '--B\r\nContent-Type: image/png\r\n\r\nx\r\n')],
    [
      'a Content-ID beyond the list',
      report('200', part('a').replace('Content-Type', 'Content-ID: <status-9>\r\nContent-Type')),
    ],
    [
      'a first part of another type',
      { ...report('200'), body: bytes('--B\r\nContent-Type: text/plain\r\n\r\n200\r\n--B--') },
    ],
  ])('is refused for %s', (_, message) => {
    expect(refusal(() => dialect.readStatus(message)).code).toBe('malformed');
  });
});
