import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  buildNotification,
  CONNECTION_TYPE,
  parseNotification,
  verifyNotification,
} from '../../../src/dm2/notification/index.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const credential = { secret: Buffer.from('secret'), authData: Buffer.from('auth') };

describe('the test vectors of Package#0 [20§2.2]', () => {
  it('three options', () => {
    const built = buildNotification({
      serverId: 'dms1',
      connectionTypes: [CONNECTION_TYPE.any],
      reqMos: true,
    });
    expect(hex(built)).toBe('218014646d7331110040');
    expect(parseNotification(built)).toEqual({
      serverId: 'dms1',
      connectionTypes: [0],
      reqMos: true,
      unknown: [],
    });
  });

  const six = {
    serverId: 'dms1',
    connectionTypes: [CONNECTION_TYPE.wlan],
    notificationId: 0x1234,
    timestamp: 1_700_000_000,
    reqMos: true,
  };
  const withDigest = (digest: string) => `230014646d733111021212341f11${digest}146553f10010`;

  it('six options, the digest over secret, notification and auth data', () => {
    const digest = 'd7dcab10a48885b69dea852780e8d565184a09de9fcac1c0fc1e2a0fc046e8bd';
    const built = buildNotification(six, { credential });
    expect(hex(built)).toBe(withDigest(digest));
    expect(parseNotification(built)).toEqual({
      ...six,
      digest: Uint8Array.from(Buffer.from(digest, 'hex')),
      unknown: [],
    });
    expect(verifyNotification(built, credential)).toEqual({ ok: true, authenticated: 'with-auth-data' });
  });

  it('six options, the digest without auth data, accepted as well', () => {
    const digest = '61efc3ea83b01358bed2e4a3be45e9d3b68f90f3c23286be6920c2f7d6bb485f';
    const built = buildNotification(six, { credential: { secret: credential.secret } });
    expect(hex(built)).toBe(withDigest(digest));
    expect(verifyNotification(built, credential)).toEqual({ ok: true, authenticated: 'without-auth-data' });
  });

  it('have the digest over 32 zero octets in its place', () => {
    const zeroed = Buffer.from(withDigest('00'.repeat(32)), 'hex');
    const digest = createHash('sha256').update('secret').update(zeroed).update('auth').digest('hex');
    expect(hex(buildNotification(six, { credential }))).toBe(withDigest(digest));
  });
});
