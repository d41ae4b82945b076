import { expect, it } from 'vitest';
import { peerNetwork } from '../../../src/gateway/auth/peerNetwork.ts';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  [undefined, ''],
  ['no address', ''],
])('%s comes from %s', (address, network) => {
  expect(peerNetwork(address)).toBe(network);
});
