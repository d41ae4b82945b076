import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { md5Digest, userHash } from '../../src/dm1/auth/digests.ts';
import type { Dm2Backend } from '../../src/simulator/dm2Backend/backend.ts';
import { LegacyDevice } from '../../src/simulator/index.ts';
import {
  basic,
  cred,
  DEVICE,
  finish,
  guarded,
  HASH,
  HEADER_OK,
  mac,
  nonceIn,
  OPENING,
  type Parts,
  placeIn,
  read,
  written,
} from './guarded.ts';
import { closing, post, statuses, TYPES, type Wired } from './harness.ts';

async function onlyOneCompleted({ gateway, backend }: { gateway: Wired; backend: Dm2Backend }) {
  expect(backend.sessions.map(({ state }) => state)).toEqual(['completed']);
  const traces = await gateway.traces(DEVICE);
  expect(traces.map(({ state, ending }) => [state, ending])).toEqual([['done', 'completed']]);
}

describe.each(['xml', 'wbxml'] as const)('impostor, in %s', (form) => {
  const headers = { 'content-type': TYPES[form] };

  it('who knows a device by name disturbs neither its session nor its answers [IW-AUTH-1] [IW-SES-3] [IW-SES-4]', async () => {
    const { gateway, backend } = await guarded('basic');
    const opening = written(form, { cred: basic('right') }, OPENING);
    const first = await gateway.post(opening, headers);
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
    const forged: [Parts, string, string][] = [
      [{}, OPENING, '401'],
      [{ cred: basic('wrong') }, OPENING, '401'],
      [{ sessionId: '7' }, OPENING, '401'],
      [{ msgId: '2', cred: basic('wrong') }, OPENING, '401'],
      [{ msgId: '2', sessionId: '7', cred: basic('wrong') }, OPENING, '401'],
      [{ msgId: '1' }, `${HEADER_OK('1')}<Final/>`, '400'],
      [{ msgId: '2', sessionId: '7' }, `${HEADER_OK('1')}<Final/>`, '500'],
      // Its session and the number that comes next, but neither its RespURI nor its password.
      [{ msgId: '2' }, `${HEADER_OK('1')}<Final/>`, '401'],
      [{ msgId: '2', cred: basic('wrong') }, `${HEADER_OK('1')}<Final/>`, '401'],
    ];
    for (const [parts, body, code] of forged) {
      const answer = read(form, await gateway.post(written(form, parts, body), headers));
      expect(statuses(answer)[0], JSON.stringify(parts)).toEqual(['SyncHdr', code]);
      expect(answer).not.toContain('<Get>');
    }
    const repeated = await gateway.post(opening, headers);
    expect(repeated.body.equals(first.body)).toBe(true);
    const place = placeIn(form, first);
    await finish(form, first, (msgId, body) => post(place, written(form, { msgId }, body), headers));
    await onlyOneCompleted({ gateway, backend });
  });

  it('takes no part in a session whose messages prove themselves [IW-AUTH-1] [IW-SES-5]', async () => {
    const { gateway, backend } = await guarded('hmac');
    const signed = (nonce: Uint8Array, body: Uint8Array) =>
      gateway.post(body, { ...headers, ...mac(nonce, body) });
    const challenge = read(form, await gateway.post(written(form, {}, OPENING), headers));
    expect(statuses(challenge)[0]).toEqual(['SyncHdr', '401']);
    const used = nonceIn(challenge);
    const first = await signed(used, written(form, { msgId: '2' }, OPENING));
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '200']);
    await finish(form, first, async (msgId, body, last) => {
      const message = written(form, { msgId }, body);
      const forged = {
        missing: {},
        replayed: mac(used, message),
        'for other bytes': mac(nonceIn(last), Buffer.from('other')),
        'of another password': mac(nonceIn(last), message, userHash('user', 'wrong')),
      };
      // A few failures cost nothing; more would make the device itself wait.
      for (const [what, proof] of msgId === '3' ? Object.entries(forged) : [['missing', {}] as const]) {
        const answer = read(form, await gateway.post(message, { ...headers, ...proof }));
        expect(statuses(answer)[0], what).toEqual(['SyncHdr', '401']);
        expect(answer).not.toContain('<Get>');
      }
      return signed(nonceIn(last), message);
    });
    await onlyOneCompleted({ gateway, backend });
  });

  it('cannot take from a device the challenge that it answers; the answer ends what the device left open [IW-AUTH-1] [IW-SES-3]', async () => {
    const { gateway, backend } = await guarded('md5');
    const open = async () => {
      const challenge = read(form, await gateway.post(written(form, {}, OPENING), headers));
      expect(statuses(challenge).map(([, code]) => code)).toEqual(['401', '401', '401']);
      for (const sessionId of ['1', '2', '1']) {
        const forged = await gateway.post(
          written(form, { sessionId, cred: cred('md5', 'AAAA') }, OPENING),
          headers,
        );
        expect(statuses(read(form, forged))[0]).toEqual(['SyncHdr', '401']);
      }
      const md5 = cred('md5', md5Digest(HASH, nonceIn(challenge)));
      const first = await gateway.post(
        written(form, { msgId: '2', cred: md5 }, `${HEADER_OK('1')}${OPENING}`),
        headers,
      );
      expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
      return first;
    };
    await open();
    // The device begins anew under the same SessionID, and out of step.
    const again = await open();
    expect(read(form, again)).toMatch(/<MsgID>2</);
    const place = placeIn(form, again);
    await finish(form, again, (msgId, body) => post(place, written(form, { msgId }, body), headers));
    await expect.poll(() => backend.sessions.map(({ state }) => state)).toEqual(['completed', 'completed']);
    const traces = await gateway.traces(DEVICE);
    expect(traces.map(({ ending }) => ending)).toEqual(['completed', 'device-gone']);
    expect(traces[0]?.trace.filter(({ text }) => text?.includes('MsgID'))).toEqual([]);
  });

  it('spends nothing of what the device may send [IW-AUTH-5]', async () => {
    const allowed = 20;
    const { gateway, backend } = await guarded('basic', { limits: { requestsPerDevice: allowed } });
    for (let n = 1; n <= allowed + 2; n += 1) {
      const { status } = await gateway.post(written(form, {}, OPENING), headers);
      expect(status, `${n}`).toBe(n > allowed ? 429 : 200);
    }
    const modern = await gateway.post('{"MOS":[]}', {
      'content-type': TYPES.package1,
      'omadm-devid': DEVICE,
    });
    expect([modern.status, modern.headers['retry-after']]).toEqual([429, expect.any(String)]);
    const first = await gateway.post(written(form, { cred: basic('right') }, OPENING), headers);
    expect(statuses(read(form, first))[0]).toEqual(['SyncHdr', '212']);
    let own = 1;
    await finish(form, first, (msgId, body) => {
      own += 1;
      return post(placeIn(form, first), written(form, { msgId }, body), headers);
    });
    await onlyOneCompleted({ gateway, backend });
    const next = written(form, { sessionId: '2', cred: basic('right') }, OPENING);
    for (; own < allowed; own += 1) expect((await gateway.post(next, headers)).status).toBe(200);
    expect((await gateway.post(next, headers)).status).toBe(429);
  });

  it.each(['basic', 'md5', 'hmac'] as const)(
    'that fills the line of a device does not keep it out, which proves itself by %s [IW-AUTH-5] [IW-SES-5]',
    async (scheme) => {
      const backend = await slowBackend();
      const backends = { peer: { protocol: 'dm2', url: backend.url } };
      const { gateway } = await guarded(scheme, { backends });
      const send = async (
        sessionId: string,
        { nonce = Buffer.alloc(0), msgId = '1', body = OPENING, url = gateway.dm, bare = false } = {},
      ) => {
        const proof =
          scheme === 'basic' ? basic('right') : scheme === 'md5' ? cred('md5', md5Digest(HASH, nonce)) : '';
        const message = written(form, { sessionId, msgId, ...(!bare && { cred: proof }) }, body);
        return post(url, message, { ...headers, ...(scheme === 'hmac' && !bare && mac(nonce, message)) });
      };
      const challenge = async (sessionId: string) =>
        nonceIn(read(form, await send(sessionId, { bare: true })));
      // Known already, so that an opening goes to the backend at once.
      const auth = { type: scheme, username: 'user', password: 'right' };
      const device = closing(new LegacyDevice({ url: gateway.dm, deviceId: DEVICE, encoding: form, auth }));
      expect(await device.session()).toMatchObject({ outcome: 'completed' });
      // Two good nonces: that of the session before, and that of a challenge.
      const own = device.nonces.client ? { nonce: Buffer.from(device.nonces.client) } : {};
      const other = { nonce: await challenge('2') };

      backend.hold();
      const opening = send('3', own);
      await backend.asked();
      const strangers = Array.from({ length: 40 }, (_, n) => send(String(n), { bare: true }));
      const turnedAway = () => answered.filter((status) => status === 503).length;
      const answered: number[] = [];
      for (const stranger of strangers) void stranger.then(({ status }) => answered.push(status));
      await expect.poll(turnedAway).toBe(25);
      const again = send('4', { ...other, msgId: '1' });
      // It waits, where a stranger is turned away at once.
      expect((await send('5', { bare: true })).status).toBe(503);
      backend.release();
      const accepted = scheme === 'hmac' ? '200' : '212';
      expect(statuses(read(form, await opening))[0]).toEqual(['SyncHdr', accepted]);
      expect(statuses(read(form, await again))[0]).toEqual(['SyncHdr', accepted]);
      const codes = (await Promise.all(strangers)).map((answer) => answer.status);
      expect([codes.filter((c) => c === 200).length, codes.filter((c) => c === 503).length]).toEqual([
        15, 25,
      ]);
    },
  );
});

/** A 2.0 backend that ends every session, once it may. */
async function slowBackend() {
  let gate: Promise<void> = Promise.resolve();
  let release = () => {};
  let told = () => {};
  let asked: Promise<void> = Promise.resolve();
  const server = createServer(async (request, response) => {
    request.resume();
    told();
    await gate;
    response.writeHead(200, { 'content-type': 'application/vnd.oma.dm.request+json' });
    response.end('{"CMD":[["END"]]}');
  });
  closing({
    close: () => {
      release();
      server.closeAllConnections();
      server.close();
    },
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dm`,
    hold: () => {
      gate = new Promise((resolve) => {
        release = resolve;
      });
      asked = new Promise((resolve) => {
        told = resolve;
      });
    },
    asked: () => asked,
    release: () => release(),
  };
}
