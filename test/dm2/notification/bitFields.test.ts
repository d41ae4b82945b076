import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BitNotification,
  buildBitNotification,
  parseBitNotification,
} from '../../../src/dm2/notification/index.ts';
import { refusal, seed } from '../dialects/seeds.ts';

const URL = 'https://dm.example/dm20';
const nothing: BitNotification = {
  uiMode: 'unspecified',
  initiator: 'user',
  sendDevDetail: false,
  sendSupportedMo: false,
  sendAllMoInstances: false,
  url: URL,
};
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const fixed = (what: Partial<BitNotification>) =>
  hex(buildBitNotification({ ...nothing, ...what })).slice(0, 4);

describe('the notification of the first draft', () => {
  const fields = [
    ...seed('first-draft/notification-fields.txt').matchAll(/<([^>]+)>(?:::= (\d+)\*BIT)?\n\t(.*)\n/g),
  ];

  it('has the fields of its table, in 40 bits ahead of the URL', () => {
    expect(fields.map(([, name, width]) => [name, Number(width ?? 0)])).toEqual([
      ['version', 10],
      ['ui-mode', 2],
      ['initiator', 1],
      ['send-devdetail', 1],
      ['send-supported-mo', 1],
      ['send-all-mo-instances', 1],
      ['reserved', 16],
      ['URL Length', 8],
      ['URL', 0],
    ]);
    expect(buildBitNotification(nothing)).toHaveLength(5 + URL.length);
    const version = /= ([01]{10}) /.exec(fields[0]?.[3] ?? '')?.[1];
    expect(Number.parseInt(fixed({}), 16).toString(2).padStart(16, '0').slice(0, 10)).toBe(version);
  });

  it.each([
    ['nothing', {}, '0500'],
    ['background', { uiMode: 'background' }, '0510'],
    ['informative', { uiMode: 'informative' }, '0520'],
    ['user interaction', { uiMode: 'interaction' }, '0530'],
    ['server as initiator', { initiator: 'server' }, '0508'],
    ['DevDetail', { sendDevDetail: true }, '0504'],
    ['supported objects', { sendSupportedMo: true }, '0502'],
    ['all instances', { sendAllMoInstances: true }, '0501'],
  ] as const)('sets the bits of %s [IW-NOT-1]', (_, what, bits) => {
    expect(fixed(what)).toBe(bits);
  });

  it('is this, octet by octet', () => {
    const built = buildBitNotification({
      uiMode: 'informative',
      initiator: 'server',
      sendDevDetail: true,
      sendSupportedMo: true,
      sendAllMoInstances: true,
      url: 'https://a',
    });
    expect(hex(built)).toBe(`052f000009${Buffer.from('https://a').toString('hex')}`);
  });

  it('gives back whatever was built, reserved bits passed over', () => {
    const notification = fc.record({
      uiMode: fc.constantFrom(
        'unspecified' as const,
        'background' as const,
        'informative' as const,
        'interaction' as const,
      ),
      initiator: fc.constantFrom('user' as const, 'server' as const),
      sendDevDetail: fc.boolean(),
      sendSupportedMo: fc.boolean(),
      sendAllMoInstances: fc.boolean(),
      url: fc.webUrl().filter((url) => url.length <= 255),
    });
    fc.assert(
      fc.property(notification, fc.nat(0xffff), (what, reserved) => {
        const built = buildBitNotification(what);
        built[2] = reserved >> 8;
        built[3] = reserved & 0xff;
        expect(parseBitNotification(built)).toEqual(what);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a fixed part cut short', '05000000'],
    ['another version', '0a0000000161'],
    ['a URL cut short', '05000000026'.padEnd(12, '1')],
    ['octets behind the URL', '05000000016161'],
    ['no URL', '0500000000'],
    ['a URL with a blank', '050000000120'],
    ['a URL with a high octet', '0500000001e4'],
  ])('is malformed with %s', (_, text) => {
    expect(refusal(() => parseBitNotification(Buffer.from(text, 'hex'))).code).toBe('malformed');
  });

  it.each(['', 'https://a b', 'https://ä', `https://${'a'.repeat(248)}`])(
    'is not built for the URL %j',
    (url) => {
      expect(refusal(() => buildBitNotification({ ...nothing, url })).code).toBe('bad-value');
    },
  );
});
