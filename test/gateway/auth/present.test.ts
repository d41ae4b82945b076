import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basicCred, hmac, md5Digest, userHash } from '../../../src/dm1/auth/digests.ts';
import { parseHmacHeader } from '../../../src/dm1/auth/hmacHeader.ts';
import type { SyncMLMessage } from '../../../src/dm1/message.ts';
import { accountForDevice, presentTo } from '../../../src/gateway/auth/present.ts';
import { Registry } from '../../../src/gateway/registry/registry.ts';
import { openStore, type Store } from '../../../src/store/store.ts';

const message: SyncMLMessage = {
  header: {
    verDTD: '1.2',
    verProto: 'DM/1.2',
    sessionId: '1',
    msgId: '1',
    target: { uri: 'D' },
    source: { uri: 'http://gw/dm' },
  },
  body: [],
  final: true,
};
const nonce = Buffer.from('0123456789abcdef');

describe('credentials that the gateway presents to a device', () => {
  let store: Store;
  let registry: Registry;
  beforeEach(async () => {
    store = await openStore('sqlite::memory:');
    registry = new Registry(store);
    const server = { serverUsername: 'srv', serverPassword: 'Sesame' };
    await registry.register({ id: 'md5', ...server });
    await registry.register({ id: 'basic', ...server, serverAuth: 'basic' });
    await registry.register({ id: 'none' });
  });
  afterEach(() => store.close());

  const present = async (id: string, scheme: 'basic' | 'md5' | 'hmac') =>
    presentTo(message, { scheme, nonce }, await accountForDevice(registry, id), `device ${id}`);

  it('are md5 over the nonce of its challenge, from the stored hash [IW-AUTH-2]', async () => {
    const { message: sent, headers } = await present('md5', 'md5');
    expect(headers).toBeUndefined();
    expect(sent).toEqual({
      ...message,
      header: {
        ...message.header,
        source: { uri: 'http://gw/dm', name: 'srv' },
        cred: {
          meta: { type: 'syncml:auth-md5', format: 'b64' },
          data: md5Digest(userHash('srv', 'Sesame'), nonce),
        },
      },
    });
  });

  it('are basic only where its password was registered for that [IW-AUTH-2]', async () => {
    expect((await present('basic', 'basic')).message.header.cred?.data).toBe(basicCred('srv', 'Sesame'));
    await expect(present('md5', 'basic')).rejects.toMatchObject({
      code: 'configuration',
      detail: expect.stringContaining('device md5'),
    });
  });

  it('are a transport header over the bytes for HMAC [IW-AUTH-2]', async () => {
    const { message: sent, headers } = await present('md5', 'hmac');
    const bytes = Buffer.from('<SyncML/>');
    const header = parseHmacHeader(headers?.(bytes)['x-syncml-hmac'] ?? '');
    expect(header).toEqual({
      algorithm: 'MD5',
      username: 'srv',
      mac: hmac(userHash('srv', 'Sesame'), nonce, bytes),
    });
    expect(sent.header).not.toHaveProperty('cred');
  });

  it('are missing for a device without them, which is said', async () => {
    await expect(present('none', 'md5')).rejects.toMatchObject({ code: 'configuration' });
    await expect(present('unknown', 'md5')).rejects.toMatchObject({ code: 'configuration' });
  });
});
