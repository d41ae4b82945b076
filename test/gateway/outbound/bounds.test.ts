import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutboundClient } from '../../../src/gateway/outbound/client.ts';
import { OutboundGuard } from '../../../src/gateway/outbound/guard.ts';
import { Transfers } from '../../../src/gateway/outbound/transfer.ts';
import { type Peer, startPeer } from './server.ts';

const LIMIT = 10_000;

describe('a peer that misbehaves', () => {
  let peer: Peer;
  const client = new OutboundClient();
  beforeAll(async () => {
    peer = await startPeer((request, response) => {
      switch (request.url) {
        case '/big':
          response.writeHead(200, { 'content-length': String(LIMIT + 1) }).write('x');
          return;
        case '/endless': {
          const more = () => {
            while (!response.destroyed && response.write(Buffer.alloc(4096)));
          };
          response.on('drain', more);
          more();
          return;
        }
        case '/bomb':
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000)));
          return;
        case '/gzip':
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'));
          return;
        case '/bogus':
          response.writeHead(200, { 'content-encoding': 'UTF-8' }).end('hello');
          return;
        case '/torn':
          response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip');
          return;
        case '/drip': {
          const timer = setInterval(() => response.write('x'), 50);
          response.on('close', () => clearInterval(timer));
          return;
        }
        case '/reset':
          response.socket?.destroy();
          return;
        case '/exact':
          response.end(Buffer.alloc(LIMIT));
          return;
        default:
          return;
      }
    });
  });
  afterAll(async () => {
    await client.close();
    await peer.close();
  });

  const fetch = async (path: string) => {
    const guard = new OutboundGuard({ allow: [`127.0.0.1:${peer.port}`] });
    const transfers = new Transfers(guard, client, { transferBytes: LIMIT, transferSeconds: 0.5 });
    return transfers.transfer({ method: 'GET', url: `${peer.origin}${path}`, headers: {} });
  };

  it.each([
    ['/big', 'too-large'],
    ['/endless', 'too-large'],
    ['/bomb', 'too-large'],
    ['/torn', 'malformed'],
    ['/silent', 'backend-failed'],
    ['/drip', 'backend-failed'],
    ['/reset', 'backend-failed'],
  ])('%s ends as %s', async (path, code) => {
    expect(await fetch(path)).toMatchObject({ kind: 'failed', code });
  });

  it.each([
    ['/gzip', 'hello'],
    ['/bogus', 'hello'],
    ['/exact', '\0'.repeat(LIMIT)],
  ])('%s is read', async (path, body) => {
    expect(await fetch(path)).toMatchObject({ kind: 'response', status: 200, body: Buffer.from(body) });
  });

  it('that is not there is named', async () => {
    const closed = await startPeer(() => undefined);
    await closed.close();
    const guard = new OutboundGuard({ allow: [`127.0.0.1:${closed.port}`] });
    const transfers = new Transfers(guard, client, { transferBytes: LIMIT, transferSeconds: 1 });
    const event = await transfers.transfer({ method: 'GET', url: `${closed.origin}/token`, headers: {} });
    expect(event).toMatchObject({ kind: 'failed', detail: `${closed.origin} refuses connections.` });
  });
});
