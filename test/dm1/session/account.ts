import { basicCred, userHash } from '../../../src/dm1/auth/digests.ts';
import { credBytes, type PresentableAccount, presentTo } from '../../../src/gateway/auth/present.ts';

export { credBytes, presentTo };

/** An account whose name and password have these lengths, with letters that XML has to escape. */
export function accountForTests(name: number, password: number): PresentableAccount {
  const username = 'u"'.repeat(name).slice(0, name);
  const secret = 'p'.repeat(password);
  return { username, userHash: userHash(username, secret), basic: basicCred(username, secret) };
}
