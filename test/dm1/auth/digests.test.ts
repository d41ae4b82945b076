import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  basicCred,
  hmac,
  md5Digest,
  notificationDigest,
  userHash,
  verifyBasic,
  verifyHmac,
  verifyMd5,
} from '../../../src/dm1/auth/digests.ts';

const nonce = Buffer.from('Nonce');
const hash = userHash('Bruce2', 'OhBehave');

describe('digests of DM 1.x', () => {
  it('makes the basic credential of the published vector [IW-AUTH-1] [1x§9.2]', () => {
    expect(basicCred('Bruce2', 'OhBehave')).toBe('QnJ1Y2UyOk9oQmVoYXZl');
  });

  it('makes the md5 digest of the published vector from raw nonce bytes [IW-AUTH-1] [1x§9.2]', () => {
    expect(md5Digest(hash, nonce)).toBe('Zz6EivR3yeaaENcRN6lpAQ==');
  });

  it('takes the basic credential that libdmclient sends [IW-AUTH-1]', () => {
    const sent = 'ZnVuYW1ib2w6ZnVuYW1ib2w=';
    expect(basicCred('funambol', 'funambol')).toBe(sent);
    expect(verifyBasic(sent, userHash('funambol', 'funambol'))).toBe(true);
    expect(verifyBasic(sent, userHash('funambol', 'other'))).toBe(false);
  });

  it('nests the body digest of HMAC and of notifications in base64 [IW-AUTH-1] [1x§9.2]', () => {
    const body = Buffer.from('<SyncML/>');
    const bodyDigest = createHash('md5').update(body).digest('base64');
    const expected = createHash('md5').update(`${hash}:Nonce:${bodyDigest}`).digest();
    expect(hmac(hash, nonce, body)).toBe(expected.toString('base64'));
    expect(Buffer.from(notificationDigest(hash, nonce, body))).toEqual(expected);
    expect(notificationDigest(hash, nonce, body)).toHaveLength(16);
  });

  it('accepts a mac written as base64 of hex characters, like the sample of the standard [1x§9.5]', () => {
    const body = Buffer.from('body');
    const raw = hmac(hash, nonce, body);
    const hex = Buffer.from(Buffer.from(raw, 'base64').toString('hex').toUpperCase()).toString('base64');
    expect(verifyHmac(raw, hash, nonce, body)).toBe(true);
    expect(verifyHmac(hex, hash, nonce, body)).toBe(true);
    expect(verifyHmac(hex, hash, Buffer.from('other'), body)).toBe(false);
  });

  it('accepts its own digests and no digest for another nonce, password or of another length [IW-AUTH-5]', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array(), fc.string(), (user, password, bytes, junk) => {
        const mine = userHash(user, password);
        expect(verifyMd5(md5Digest(mine, bytes), mine, bytes)).toBe(true);
        expect(verifyBasic(basicCred(user, password), mine)).toBe(true);
        expect(verifyMd5(md5Digest(mine, Buffer.concat([bytes, nonce])), mine, bytes)).toBe(false);
        expect(verifyMd5(junk, mine, bytes)).toBe(false);
      }),
    );
  });
});
