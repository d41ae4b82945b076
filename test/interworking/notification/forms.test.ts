import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userHash } from '../../../src/dm1/auth/digests.ts';
import { decodePackage0, verifyPackage0 } from '../../../src/dm1/notification/package0.ts';
import { DIALECT_NAMES } from '../../../src/dm2/dialects/index.ts';
import { verifyNotification } from '../../../src/dm2/notification/index.ts';
import { compose, formOf } from '../../../src/gateway/wakeup/compose.ts';
import { notificationForm, readNotification } from '../../../src/interworking/notification/read.ts';
import {
  CONNECTIONS,
  NOTIFICATION_FORMS,
  UI_MODES,
  type WakeRequest,
} from '../../../src/interworking/notification/wakeRequest.ts';
import { writeNotification } from '../../../src/interworking/notification/write.ts';

const text = (most: number) =>
  fc.string({ minLength: 1, maxLength: most, unit: fc.constantFrom('a', 'Z', '0', '.', '-', 'ü') });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 24 });

const request = fc.record(
  {
    serverId: text(40),
    id: fc.integer({ min: 1, max: 0xffff }),
    uiMode: fc.constantFrom(...UI_MODES),
    initiator: fc.constantFrom('user' as const, 'server' as const),
    connection: fc.constantFrom(...CONNECTIONS),
    listObjects: fc.boolean(),
  },
  { requiredKeys: ['serverId', 'id'], noNullPrototype: true },
);
const what = fc.record({
  form: fc.constantFrom(...NOTIFICATION_FORMS),
  request,
  keys: fc.record({
    userHash: text(24),
    nonce: bytes,
    credential: fc.record({ secret: bytes, authData: bytes }),
  }),
  url: fc.constantFrom('https://gw.example/dm?notification=7', 'http://g/'),
  timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
});

/** Members that each form has a place for. */
const CARRIES: Readonly<Record<(typeof NOTIFICATION_FORMS)[number], readonly (keyof WakeRequest)[]>> = {
  trigger: ['serverId', 'id', 'uiMode', 'initiator'],
  options: ['serverId', 'id', 'connection', 'listObjects'],
  bits: ['uiMode', 'initiator', 'listObjects'],
};

describe('a notification', () => {
  it('is known by its bytes and read back in each form, what it cannot carry noted [IW-NOT-1] [IW-NOT-2]', () => {
    fc.assert(
      fc.property(what, (given) => {
        const { bytes: written, notes } = writeNotification(given);
        expect(notificationForm(written)).toBe(given.form);
        const { request: read, timestamp, hasDigest } = readNotification(written);
        for (const member of CARRIES[given.form]) {
          const expected = given.request[member as keyof typeof given.request];
          if (expected !== undefined && expected !== false) expect(read[member], member).toEqual(expected);
        }
        expect(hasDigest).toBe(given.form !== 'bits');
        expect(timestamp).toBe(given.form === 'options' ? given.timestamp : undefined);
        const lostMode =
          given.form === 'options' && (given.request.uiMode ?? 'unspecified') !== 'unspecified';
        const lostConnection = given.form !== 'options' && (given.request.connection ?? 'any') !== 'any';
        expect(notes.filter(({ rule }) => rule === 'IW-NOT-2')).toHaveLength(
          Number(lostMode) + Number(lostConnection),
        );
      }),
    );
  });

  it('has a digest that the device finds right, and that no other key fits [IW-NOT-1]', () => {
    fc.assert(
      fc.property(what, (given) => {
        const { keys } = given;
        const trigger = decodePackage0(writeNotification({ ...given, form: 'trigger' }).bytes);
        expect(verifyPackage0(trigger, keys.userHash, keys.nonce)).toBe('stored');
        expect(verifyPackage0(trigger, userHash('a', 'b'), keys.nonce)).toBeUndefined();
        const { bytes: options } = writeNotification({ ...given, form: 'options' });
        expect(verifyNotification(options, keys.credential)).toMatchObject({ ok: true });
        const other = { secret: Uint8Array.of(...keys.credential.secret, 1) };
        expect(verifyNotification(options, other)).toMatchObject({ ok: false });
      }),
    );
  });

  it('is never read out of other bytes by accident', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (junk) => {
        const form = notificationForm(junk);
        if (form === undefined) expect(() => readNotification(junk)).toThrow('none');
        else expect(readNotification(junk).form).toBe(form);
      }),
      { numRuns: 2000 },
    );
  });

  it('crosses from form to form with what both have: ui-mode and initiator, or connection type [IW-NOT-2]', () => {
    fc.assert(
      fc.property(what, what, (first, second) => {
        const { original: _bytes, ...read } = readNotification(writeNotification(first).bytes).request;
        const { serverId, id } = second.request;
        const crossed = writeNotification({ ...second, request: { ...read, serverId, id } }).bytes;
        const back = readNotification(crossed).request;
        for (const member of ['uiMode', 'initiator', 'connection'] as const) {
          const both = CARRIES[first.form].includes(member) && CARRIES[second.form].includes(member);
          if (both && read[member] !== undefined) expect(back[member], member).toBe(read[member]);
        }
      }),
    );
  });
});

describe('the form of a device', () => {
  it('is what its dialect understands [IW-NOT-1]', () => {
    const forms = DIALECT_NAMES.map((dialect) => {
      try {
        return formOf({ id: 'x', protocol: 'dm2', dialect });
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(Object.fromEntries(DIALECT_NAMES.map((name, i) => [name, forms[i]]))).toEqual({
      approved: 'options',
      'draft-json': 'options',
      'draft-text-1': 'bits',
      'draft-text-2': 'not-implemented',
      'draft-text-3': 'not-implemented',
    });
    expect(formOf({ id: 'x', protocol: 'dm1', dialect: 'DM/1.2 xml' })).toBe('trigger');
    expect(() => formOf({ id: 'x' })).toThrow('give `form`');
  });

  it('names the server as the account of the device does [IW-NOT-1]', () => {
    const device = {
      id: 'x',
      devInfo: {},
      mounts: [],
      capabilities: {},
      validators: {},
      sessionsEnded: 0,
      failures: 0,
      kept: {},
    };
    const serverAccount = { username: 'srv', userHash: userHash('srv', 'pw') };
    const own = { serverId: 'gw', deviceUrl: 'http://gw/dm' };
    const serverIdOf = (form: 'trigger' | 'options', more: object) =>
      readNotification(
        compose(
          { form, request: {}, number: 5, sent: 0 },
          { ...device, notify: {}, ...more } as never,
          own,
          0,
        ).bytes,
      ).request.serverId;
    expect(serverIdOf('trigger', { serverAccount })).toBe('srv');
    expect(serverIdOf('options', { serverAccount })).toBe('gw');
    expect(serverIdOf('trigger', { serverAccount, notify: { serverId: 'mine' } })).toBe('mine');
  });
});
