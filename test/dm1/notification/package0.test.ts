import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userHash } from '../../../src/dm1/auth/digests.ts';
import {
  decodePackage0,
  encodePackage0,
  encodeTrigger,
  type Notification,
  RESYNC_NONCES,
  sessionIdOf,
  UI_MODES,
  verifyPackage0,
} from '../../../src/dm1/notification/package0.ts';
import { decodePush, encodePush, type PushPdu } from '../../../src/dm1/notification/push.ts';
import { DragomanError } from '../../../src/support/errors.ts';

const SAMPLE: Notification = {
  version: 11,
  uiMode: 'background',
  initiator: 'client',
  sessionId: 0x1234,
  serverId: 'com.mgmtsrv.manage',
};
const HASH = userHash('com.mgmtsrv.manage', 'secret');
const NONCE = Uint8Array.from({ length: 16 }, (_, i) => i);

const notification: fc.Arbitrary<Notification> = fc
  .record({
    version: fc.integer({ min: 0, max: 1023 }),
    uiMode: fc.constantFrom(...UI_MODES),
    initiator: fc.constantFrom('client' as const, 'server' as const),
    sessionId: fc.integer({ min: 1, max: 65535 }),
    serverId: fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', '.', 'Z', '9', 'ü') }),
    vendorSpecific: fc.uint8Array({ maxLength: 30 }),
  })
  .map(({ vendorSpecific, ...rest }) => ({ ...rest, ...(vendorSpecific.length > 0 && { vendorSpecific }) }));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DragomanError) return error.code;
    throw error;
  }
  return 'none';
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

describe('Package#0', () => {
  it('has the header bytes of the specification [1x§10.1]', () => {
    expect(hex(encodeTrigger(SAMPLE))).toBe(
      `02d0000000123412${Buffer.from('com.mgmtsrv.manage').toString('hex')}`,
    );
    expect(hex(encodeTrigger({ ...SAMPLE, initiator: 'server' }).subarray(0, 2))).toBe('02d8');
    expect(hex(encodeTrigger({ ...SAMPLE, uiMode: 'not-specified' }).subarray(0, 2))).toBe('02c0');
  });

  it('begins with H(B64(H(serverId:password)):nonce:B64(H(trigger))) as 16 raw bytes [1x§9.2]', () => {
    const md5 = (...parts: (string | Uint8Array)[]) => {
      const hash = createHash('md5');
      for (const part of parts) hash.update(part);
      return hash.digest();
    };
    const trigger = encodeTrigger(SAMPLE);
    const inner = md5('com.mgmtsrv.manage:secret').toString('base64');
    const expected = md5(inner, ':', NONCE, ':', md5(trigger).toString('base64'));
    const bytes = encodePackage0(SAMPLE, HASH, NONCE);
    expect(hex(bytes.subarray(0, 16))).toBe(expected.toString('hex'));
    expect(hex(bytes.subarray(16))).toBe(hex(trigger));
  });

  it('names the session by upper-case hex digits without leading zeros [1x§1.3]', () => {
    expect(sessionIdOf({ sessionId: 0x00ab })).toBe('AB');
    expect(sessionIdOf(SAMPLE)).toBe('1234');
  });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(notification, fc.uint8Array({ maxLength: 20 }), (value, nonce) => {
        const read = decodePackage0(encodePackage0(value, HASH, nonce));
        expect(read.notification).toStrictEqual(value);
        expect(verifyPackage0(read, HASH, nonce)).toBe('stored');
      }),
    );
  });

  it('ignores bits for future use but keeps them under the digest [1x§10.1]', () => {
    const bytes = encodePackage0(SAMPLE, HASH, NONCE);
    bytes[19] = 0xff;
    const read = decodePackage0(bytes);
    expect(read.notification).toStrictEqual(SAMPLE);
    expect(verifyPackage0(read, HASH, NONCE)).toBeUndefined();
  });

  it('accepts the stored nonce, then either form of the resynchronisation nonce [1x§9.6]', () => {
    expect(RESYNC_NONCES.map(hex)).toStrictEqual(['00000000', '30783030303030303030']);
    for (const nonce of RESYNC_NONCES) {
      const read = decodePackage0(encodePackage0(SAMPLE, HASH, nonce));
      expect(verifyPackage0(read, HASH, NONCE)).toBe('resync');
      expect(verifyPackage0(read, HASH, undefined)).toBe('resync');
    }
    const other = decodePackage0(encodePackage0(SAMPLE, HASH, Uint8Array.of(1)));
    expect(verifyPackage0(other, HASH, NONCE)).toBeUndefined();
    const foreign = decodePackage0(encodePackage0(SAMPLE, userHash('x', 'y'), NONCE));
    expect(verifyPackage0(foreign, HASH, NONCE)).toBeUndefined();
  });

  it('refuses fields that do not fit [1x§10.1]', () => {
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, sessionId: 0 }))).toBe('bad-value');
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, sessionId: 0x10000 }))).toBe('bad-value');
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, version: 1024 }))).toBe('bad-value');
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, version: 1.2 }))).toBe('bad-value');
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, serverId: '' }))).toBe('bad-value');
    expect(codeOf(() => encodeTrigger({ ...SAMPLE, serverId: 'ü'.repeat(128) }))).toBe('bad-value');
  });

  it('refuses a notification cut anywhere before its end, and a server identifier that is no UTF-8', () => {
    const whole = encodePackage0(SAMPLE, HASH, NONCE);
    for (let length = 0; length < whole.length; length += 1)
      expect(
        codeOf(() => decodePackage0(whole.subarray(0, length))),
        String(length),
      ).toBe('malformed');
    whole[30] = 0xff;
    expect(codeOf(() => decodePackage0(whole))).toBe('malformed');
    whole[23] = 0;
    expect(codeOf(() => decodePackage0(whole))).toBe('malformed');
  });
});

describe('WSP push', () => {
  it('has the six header bytes of the specification [1x§10.2]', () => {
    const body = encodePackage0(SAMPLE, HASH, NONCE);
    const push: PushPdu = {
      transactionId: 1,
      type: 'application/vnd.syncml.notification',
      applicationId: 7,
      body,
    };
    expect(hex(encodePush(push))).toBe(`010603c4af87${hex(body)}`);
    expect(decodePush(encodePush(push))).toStrictEqual(push);
  });

  it('carries SEC and MAC of a bootstrap document [1x§14]', () => {
    const mac = '0123456789ABCDEF0123456789ABCDEF01234567';
    const push: PushPdu = {
      transactionId: 9,
      type: 'application/vnd.wap.connectivity-wbxml',
      sec: 1,
      mac,
      body: Uint8Array.of(3, 0x0b),
    };
    expect(hex(encodePush(push))).toBe(`09062f1f2db6918192${Buffer.from(mac).toString('hex')}00030b`);
    expect(decodePush(encodePush(push))).toStrictEqual(push);
  });

  it('reads types and application ids written as text, and reads over other headers', () => {
    const text = (value: string) => `${Buffer.from(value).toString('hex')}00`;
    const headers = [
      text('application/vnd.syncml.notification'),
      '8d90', // Content-Length: 16
      `84 ${text('x')}`,
      `88 02 0102`,
      `${text('X-Other')}${text('value')}`,
      `af ${text('x-wap-application:syncml.dm')}`,
    ]
      .join('')
      .replace(/\s/g, '');
    const pdu = bytesOf(`2a06 ${(headers.length / 2).toString(16)} ${headers} cafe`);
    expect(decodePush(pdu)).toStrictEqual({
      transactionId: 42,
      type: 'application/vnd.syncml.notification',
      applicationId: 7,
      body: bytesOf('cafe'),
    });
  });

  it('reads back whatever it writes', () => {
    const push: fc.Arbitrary<PushPdu> = fc
      .record(
        {
          transactionId: fc.integer({ min: 0, max: 255 }),
          type: fc.constantFrom(
            'application/vnd.syncml.notification',
            'application/vnd.syncml.dm+wbxml',
            'text/vnd.wap.connectivity-xml',
            'application/x-other',
          ),
          sec: fc.integer({ min: 0, max: 127 }),
          mac: fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom('A', '0', 'f') }),
          applicationId: fc.integer({ min: 0, max: 127 }),
          body: fc.uint8Array(),
        },
        { requiredKeys: ['transactionId', 'type', 'body'] },
      )
      .map((value) => ({ ...value, body: Uint8Array.from(value.body) }));
    fc.assert(
      fc.property(push, (value) => {
        expect(decodePush(encodePush(value))).toStrictEqual(value);
      }),
    );
  });

  it.each([
    ['', 'ends inside'],
    ['01 07 00', 'no Push'],
    ['01 06 03 c4 af', 'past the end'],
    ['01 06 00', 'ends inside'],
    ['01 06 01 fe', 'is not known'],
    ['01 06 02 05 b6', 'past the end'],
    ['01 06 ff ff ff ff ff', '32 bits'],
    ['01 06 02 61 62', 'ends inside'],
    ['01 06 05 04 b6 91 78 00', 'SEC is no number'],
  ])('refuses %s', (pdu, reason) => {
    expect(() => decodePush(bytesOf(pdu))).toThrow(reason);
    expect(codeOf(() => decodePush(bytesOf(pdu)))).toBe('malformed');
  });

  it('bounds its headers and never fails in another way', () => {
    expect(codeOf(() => decodePush(bytesOf('01 06 88 01')))).toBe('too-large');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(['none', 'malformed', 'too-large']).toContain(
          codeOf(() => decodePush(Uint8Array.from([1, 6, ...bytes]))),
        );
      }),
    );
  });

  it('refuses what WSP cannot carry', () => {
    const push = { transactionId: 1, type: 'a/b', body: new Uint8Array(0) };
    expect(codeOf(() => encodePush({ ...push, transactionId: 256 }))).toBe('bad-value');
    expect(codeOf(() => encodePush({ ...push, sec: 128 }))).toBe('bad-value');
    expect(codeOf(() => encodePush({ ...push, applicationId: -1 }))).toBe('bad-value');
    expect(codeOf(() => encodePush({ ...push, type: 'a\0b' }))).toBe('bad-value');
  });
});
