import { verifyBasic, verifyHmac, verifyMd5 } from '../../dm1/auth/digests.ts';
import { HMAC_HEADER, parseHmacHeader } from '../../dm1/auth/hmacHeader.ts';
import { parseAuthType } from '../../dm1/auth/schemes.ts';
import { accountOf, type DeviceAccount } from '../registry/device.ts';
import type { Dm1Attempt } from './attempts.ts';
import type { FoundNonce, NonceStore } from './nonces.ts';

export type Dm1Scheme = 'basic' | 'md5' | 'hmac';

/** Stands in for the account of a device that has none, so that both cost the same work. */
export const NOBODY = accountOf('nobody', 'no password is this one');
const STRANGERS: readonly FoundNonce[] = [{ party: 'device', nonce: new Uint8Array(16) }];

/** Whether the message bears credentials of any kind, good or bad. */
export function offersProof({ cred, request }: Dm1Attempt): boolean {
  return cred !== undefined || request?.headers[HMAC_HEADER] !== undefined;
}

/**
 * What the good credentials of a message are made with: `basic`, or a nonce, which is not used up by this;
 * `undefined` when they are not good. Unknown devices cost the same hashing.
 */
export async function proofIn(
  attempt: Dm1Attempt,
  scheme: Dm1Scheme,
  account: DeviceAccount | undefined,
  nonces: NonceStore,
): Promise<'basic' | FoundNonce | undefined> {
  const proves = proofOf(attempt, scheme, account ?? NOBODY);
  if (!proves) return undefined;
  const hash = (account ?? NOBODY).userHash;
  if (scheme === 'basic') return proves(hash, new Uint8Array()) && account ? 'basic' : undefined;
  const usable = await nonces.usable(attempt.deviceId);
  let matching: FoundNonce | undefined;
  for (const found of account ? usable : STRANGERS) if (proves(hash, found.nonce)) matching = found;
  return account && matching;
}

/**
 * How the message proves itself under the scheme, as a check of hash and nonce; `undefined` when it
 * offers nothing, or another scheme than the one that is demanded (1x§9.4).
 */
function proofOf(
  { cred, request }: Dm1Attempt,
  scheme: Dm1Scheme,
  { username }: DeviceAccount,
): ((hash: string, nonce: Uint8Array) => boolean) | undefined {
  if (scheme === 'hmac') {
    const text = request?.headers[HMAC_HEADER];
    const header = typeof text === 'string' ? parseHmacHeader(text) : undefined;
    if (!request || header?.algorithm !== 'MD5' || header.username !== username) return undefined;
    return (hash, nonce) => verifyHmac(header.mac, hash, nonce, request.body);
  }
  if (!cred || (cred.meta.type !== undefined && parseAuthType(cred.meta.type) !== scheme)) return undefined;
  return scheme === 'basic'
    ? (hash) => verifyBasic(cred.data, hash)
    : (hash, nonce) => verifyMd5(cred.data, hash, nonce);
}
