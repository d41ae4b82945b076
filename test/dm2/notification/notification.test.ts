import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildNotification,
  parseNotification,
  verifyNotification,
} from '../../../src/dm2/notification/index.ts';
import { refusal } from '../dialects/seeds.ts';

const parse = (hex: string) => parseNotification(Buffer.from(hex, 'hex'));
const credential = { secret: Buffer.from('s'), authData: Buffer.from('a') };
const full = buildNotification(
  { serverId: 'dms1', connectionTypes: [1], notificationId: 7, timestamp: 1_700_000_000, reqMos: true },
  { credential },
);

describe('a notification that cannot be read', () => {
  it.each([
    ['nothing', ''],
    ['half a header', '21'],
    ['another VER', '11801464'],
    ['an option missing', '2180'],
    ['a value cut short', '20801464'],
    ['an extended length cut short', '20801f'],
    ['octets behind the last option', '2080116100'],
    ['SERVER-ID without octets', '208010'],
    ['SERVER-ID that is not UTF-8', '208011ff'],
    ['SERVER-ID that stands twice', '210011610162'],
    ['NOTIFICATION-ID of one octet', '20803105'],
    ['NOTIFICATION-ID of three octets', '208033000005'],
    ['SHA256-DIGEST of two octets', '2080420000'],
    ['TIMESTAMP without octets', '208050'],
    ['TIMESTAMP of nine octets', '208059000000000000000001'],
    ['TIMESTAMP beyond any clock', '208058ffffffffffffffff'],
    ['REQ-MOS with a value', '20806101'],
    ['PREFERRED-CON-TYPE without octets', '208020'],
  ])('is malformed: %s', (_, hex) => {
    expect(refusal(() => parse(hex)).code).toBe('malformed');
  });

  it('is too large past its limit', () => {
    expect(refusal(() => parseNotification(new Uint8Array(4_097))).code).toBe('too-large');
  });

  it('is malformed wherever it is cut off', () => {
    for (let end = 0; end < full.length; end++) {
      expect(refusal(() => parseNotification(full.subarray(0, end))).code).toBe('malformed');
    }
  });

  it('never fails otherwise than by the catalogue', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
        const bytes = Uint8Array.from([0x20 | ((tail[0] ?? 0) % 16), ...tail]);
        try {
          parseNotification(bytes);
          verifyNotification(bytes, credential);
        } catch (error) {
          expect(error).toMatchObject({ name: 'DragomanError', code: 'malformed' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a notification that can be read', () => {
  it('may have reserved bits, no option at all, and several connection types', () => {
    expect(parse('207f')).toEqual({ reqMos: false, unknown: [] });
    expect(parse('2080230302' + '01')).toMatchObject({ connectionTypes: [3, 2, 1] });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('may have a TIMESTAMP of %i octets [20§15 Q3]', (timestampWidth) => {
    const timestamp = timestampWidth < 4 ? 200 : 1_700_000_000;
    const built = buildNotification({ serverId: 'd', timestamp }, { timestampWidth });
    expect(built.length).toBe(2 + 2 + 1 + timestampWidth);
    expect(parseNotification(built).timestamp).toBe(timestamp);
  });

  it('keeps options of later versions and passes them over', () => {
    const unknown = [
      { number: 9, value: Uint8Array.of(1, 2) },
      { number: 24, value: new Uint8Array(270) },
    ];
    const built = buildNotification({ serverId: 'd', reqMos: true, unknown });
    expect(parseNotification(built)).toEqual({ serverId: 'd', reqMos: true, unknown });
  });

  it.each([
    [14, '1e'],
    [15, '1f00'],
    [16, '1f01'],
    [270, '1fff'],
  ])('writes a length of %i as %s [20§15 Q2]', (length, head) => {
    const built = buildNotification({ serverId: 'x'.repeat(length) });
    expect(
      Buffer.from(built)
        .toString('hex')
        .slice(4, 4 + head.length),
    ).toBe(head);
    expect(parseNotification(built).serverId).toHaveLength(length);
  });

  it('gives back whatever was built', () => {
    const notification = fc.record(
      {
        serverId: fc
          .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
          .filter((text) => !/\p{Cs}/u.test(text)),
        connectionTypes: fc.array(fc.nat(255), { minLength: 1, maxLength: 4 }),
        notificationId: fc.nat(65_535),
        timestamp: fc.nat(0x7fff_ffff),
        reqMos: fc.boolean(),
        unknown: fc
          .array(
            fc.record({ number: fc.integer({ min: 7, max: 15 }), value: fc.uint8Array({ maxLength: 40 }) }),
            { maxLength: 3 },
          )
          .map((list) => list.sort((a, b) => a.number - b.number)),
      },
      { requiredKeys: ['serverId', 'reqMos', 'unknown'] },
    );
    fc.assert(
      fc.property(notification, fc.boolean(), (what, signed) => {
        const built = buildNotification(what, signed ? { credential } : {});
        const { digest, ...read } = parseNotification(built);
        expect(read).toEqual(what);
        expect(digest !== undefined).toBe(signed);
        expect(verifyNotification(built, credential).ok).toBe(true);
      }),
    );
  });
});

describe('building refuses', () => {
  it.each([
    ['an id beyond 16 bits', { notificationId: 65_536 }, {}, 'bad-value'],
    ['a time that is no whole number', { timestamp: 1.5 }, {}, 'bad-value'],
    ['a time before 1970', { timestamp: -1 }, {}, 'bad-value'],
    ['a time that its width cannot hold', { timestamp: 65_536 }, { timestampWidth: 2 }, 'bad-value'],
    ['a width of nine octets', { timestamp: 1 }, { timestampWidth: 9 }, 'bad-value'],
    ['a connection type beyond an octet', { connectionTypes: [256] }, {}, 'bad-value'],
    ['no connection type in the option', { connectionTypes: [] }, {}, 'malformed'],
    [
      'a known option as an unknown one',
      { unknown: [{ number: 3, value: new Uint8Array(2) }] },
      {},
      'bad-value',
    ],
    ['options too far apart', { unknown: [{ number: 17, value: new Uint8Array(2) }] }, {}, 'bad-value'],
    ['an option too long', { unknown: [{ number: 9, value: new Uint8Array(271) }] }, {}, 'too-large'],
    ['a server id too long', { serverId: 'x'.repeat(271) }, {}, 'malformed'],
    ['no server id', { serverId: '' }, {}, 'malformed'],
    [
      'more than 31 options',
      { unknown: Array.from({ length: 31 }, () => ({ number: 9, value: new Uint8Array(0) })) },
      {},
      'too-large',
    ],
    [
      'more octets than a notification has',
      { unknown: Array.from({ length: 20 }, () => ({ number: 9, value: new Uint8Array(250) })) },
      {},
      'too-large',
    ],
  ])('%s', (_, what, options, code) => {
    expect(refusal(() => buildNotification({ serverId: 'd', ...what }, options)).code).toBe(code);
  });
});

describe('the digest of a notification', () => {
  it('is wrong after any single bit was changed [20§2.2]', () => {
    for (let bit = 0; bit < full.length * 8; bit++) {
      const tampered = full.slice();
      tampered[bit >> 3] = (tampered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        const verdict = verifyNotification(tampered, credential, { required: true });
        expect(verdict.ok).toBe(false);
      } catch (error) {
        expect(error).toMatchObject({ code: 'malformed' });
      }
    }
  });

  it('is wrong with another secret or other auth data, and needs credentials [20§2.2]', () => {
    const other = Buffer.from('x');
    expect(verifyNotification(full, { secret: other, authData: credential.authData })).toEqual({
      ok: false,
      reason: 'wrong-digest',
    });
    expect(verifyNotification(full, { secret: credential.secret, authData: other })).toEqual({
      ok: false,
      reason: 'wrong-digest',
    });
    expect(verifyNotification(full, undefined)).toEqual({ ok: false, reason: 'no-credential' });
  });

  it('may be missing unless the receiver asks for it', () => {
    const plain = buildNotification({ serverId: 'd' });
    expect(verifyNotification(plain, credential)).toEqual({ ok: true, authenticated: 'no' });
    expect(verifyNotification(plain, credential, { required: true })).toEqual({
      ok: false,
      reason: 'no-digest',
    });
  });
});
